package cloud

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
)

// TestFrontsThatAreNotSetUp: which alert and which line of the log there is for who forwards
// what.
func TestFrontsThatAreNotSetUp(t *testing.T) {
	named := []string{"X-Forwarded-For", "198.51.100.1"}
	for name, c := range map[string]struct {
		peer, trusted, path string
		header              []string
		alert               string // its code; empty: none
		line                bool
	}{
		"direct":               {"203.0.113.7", "", "/", nil, "", false},
		"direct-inside":        {"10.0.0.7", "", "/", nil, "", false},
		"untrusted-near":       {"10.0.0.7", "", "/", named, "proxyNotTrusted", true},
		"untrusted-here":       {"127.0.0.1", "", "/", named, "proxyNotTrusted", true},
		"untrusted-six":        {"fd00::7", "", "/", named, "proxyNotTrusted", true},
		"untrusted-mapped":     {"::ffff:10.0.0.7", "", "/", named, "proxyNotTrusted", true},
		"untrusted-carrier":    {"100.64.3.3", "", "/", named, "proxyNotTrusted", true},
		"by-forwarded":         {"10.0.0.7", "", "/", []string{"Forwarded", "for=198.51.100.1"}, "proxyNotTrusted", true},
		"by-real-ip":           {"10.0.0.7", "", "/", []string{"X-Real-Ip", "198.51.100.1"}, "proxyNotTrusted", true},
		"another-is-trusted":   {"10.0.0.7", "10.0.0.8/32", "/", named, "proxyNotTrusted", true},
		"stranger-makes-it-up": {"203.0.113.7", "", "/", named, "", true},
		"trusted":              {"10.0.0.7", "10.0.0.0/8", "/", named, "", false},
		"trusted-says-nothing": {"10.0.0.7", "10.0.0.0/8", "/console/", nil, "proxyNamesNobody", false},
		"trusted-says-real-ip": {"10.0.0.7", "10.0.0.0/8", "/", []string{"X-Real-Ip", "198.51.100.1"}, "proxyNamesNobody", false},
		"balancer-asks-itself": {"10.0.0.7", "10.0.0.0/8", "/ready", nil, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			now := time.Now()
			f := &fronts{logger: hclog.New(&hclog.LoggerOptions{Output: &log}), now: func() time.Time { return now }}
			if c.trusted != "" {
				f.trusted = []netip.Prefix{netip.MustParsePrefix(c.trusted)}
			}
			h := f.wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			for range 100 {
				r := httptest.NewRequest("GET", c.path, nil)
				r.RemoteAddr = netip.AddrPortFrom(netip.MustParseAddr(c.peer), 4711).String()
				if c.header != nil {
					r.Header.Set(c.header[0], c.header[1])
				}
				h.ServeHTTP(httptest.NewRecorder(), r)
			}
			codes := ""
			for _, a := range f.alerts() {
				codes += a.Code
			}
			if codes != c.alert {
				t.Errorf("alert %q, want %q", codes, c.alert)
			}
			if lines := strings.Count(log.String(), "\n"); (lines == 1) != c.line || lines > 1 {
				t.Errorf("%d lines: %s", lines, log.String())
			}
			now = now.Add(2 * spokeWithin)
			if len(f.alerts()) > 0 || len(f.seen) > 0 {
				t.Error("what is long over is told still")
			}
		})
	}
}

// TestFrontsAreBounded: whoever comes, so many are kept, and a proxy that names somebody
// now and then is none that names nobody.
func TestFrontsAreBounded(t *testing.T) {
	f := &fronts{
		trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
		logger:  hclog.NewNullLogger(),
		now:     time.Now,
	}
	at := netip.MustParseAddr("10.0.0.1")
	f.keep(at, true, true)
	f.keep(at, true, false)
	if all := f.alerts(); len(all) > 0 {
		t.Errorf("%+v", all)
	}
	for range 10 * mostFronts {
		at = at.Next()
		f.keep(at, true, false)
	}
	if len(f.seen) != mostFronts {
		t.Errorf("%d are kept", len(f.seen))
	}
}
