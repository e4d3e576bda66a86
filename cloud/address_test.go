package cloud

import (
	"net/netip"
	"testing"
)

func TestLastUntrusted(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}
	for name, c := range map[string]struct {
		peer      string
		forwarded []string
		want      string // empty: the request's own
	}{
		"direct":                {"203.0.113.7", nil, ""},
		"direct-and-lying":      {"203.0.113.7", []string{"198.51.100.1"}, ""},
		"one-proxy":             {"10.0.0.1", []string{"203.0.113.7"}, "203.0.113.7"},
		"made-up-in-front":      {"10.0.0.1", []string{"198.51.100.1, 203.0.113.7"}, "203.0.113.7"},
		"made-up-header":        {"10.0.0.1", []string{"198.51.100.1", "203.0.113.7"}, "203.0.113.7"},
		"made-up-proxy":         {"10.0.0.1", []string{"10.9.9.9, 203.0.113.7"}, "203.0.113.7"},
		"two-proxies":           {"10.0.0.1", []string{"203.0.113.7, 10.0.0.2"}, "203.0.113.7"},
		"nothing-said":          {"10.0.0.1", nil, "10.0.0.1"},
		"all-inside":            {"10.0.0.1", []string{"10.3.3.3, 10.0.0.2"}, "10.3.3.3"},
		"not-an-address":        {"10.0.0.1", []string{"203.0.113.7, unknown"}, "10.0.0.1"},
		"not-an-address-behind": {"10.0.0.1", []string{"<script>, 203.0.113.7"}, "203.0.113.7"},
		"with-port":             {"10.0.0.1", []string{"203.0.113.7:4711"}, "203.0.113.7"},
		"six":                   {"2001:db8::1", []string{"2001:470::7"}, "2001:470::7"},
		"six-with-port":         {"2001:db8::1", []string{"[2001:470::7]:4711"}, "2001:470::7"},
		"six-in-brackets":       {"2001:db8::1", []string{"[2001:470::7]"}, "2001:470::7"},
		"four-in-six":           {"::ffff:10.0.0.1", []string{"::ffff:203.0.113.7"}, "203.0.113.7"},
		"zone":                  {"10.0.0.1", []string{"fe80::1%eth0"}, "fe80::1"},
		"empty":                 {"10.0.0.1", []string{""}, "10.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := lastUntrusted(trusted, c.peer, c.forwarded); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
