package outbound_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"ldap-gateway/cloud/outbound"
)

func TestOnlyPublicAddresses(t *testing.T) {
	client := outbound.Guard{Flag: "--x-network"}.Client(time.Second)
	for _, host := range []string{
		"127.0.0.1", "localhost", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
		"[::1]", "[fe80::1]", "[fd00::1]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
		"224.0.0.1", "240.0.0.1", "198.18.0.1", "192.0.0.1",
	} {
		_, err := client.Get("http://" + host + ":9/")
		named := outbound.Guard{Flag: "--x-network"}.Names("http://" + host + ":9/")
		for way, err := range map[string]error{"dialled": err, "named": named} {
			var private *outbound.PrivateError
			if !errors.As(err, &private) || private.Flag != "--x-network" {
				t.Errorf("%s, %s: %v", host, way, err)
			}
		}
	}
}

// TestNames: of an address it is told ahead whether it would be reached, and of a name that only
// a resolver knows nothing.
func TestNames(t *testing.T) {
	private := []string{"https://LOCALHOST/", "https://a.localhost.", "https://[fe80::1%25eth0]/", "//10.0.0.1/x", "https://u@10.1.1.1:1/"}
	for _, address := range private {
		if err := (outbound.Guard{}).Names(address); err == nil {
			t.Errorf("%s is taken", address)
		}
	}
	inside := outbound.Guard{Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}}
	for _, address := range []string{"https://localhost:1/", "http://127.0.0.9/", "https://10.0.0.1/", "https://app.example.com/",
		"https://10.0.0.1.example.com/", "https://8.8.8.8/", "https://[2001:4860:4860::8888]/", "not an address", "%", ""} {
		if err := inside.Names(address); err != nil {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestAllowedNetworkAndNoRedirect(t *testing.T) {
	reached := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached++
		http.Redirect(w, r, "/again", http.StatusFound)
	}))
	defer s.Close()
	guard := outbound.Guard{Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	answer, err := guard.Client(time.Second).Get(s.URL)
	if err != nil || answer.StatusCode != http.StatusFound || reached != 1 {
		t.Fatalf("%v %v, reached %d times", answer, err, reached)
	}
	_ = answer.Body.Close()
}
