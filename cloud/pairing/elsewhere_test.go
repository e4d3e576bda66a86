package pairing

import (
	"net/http"
	"strings"
	"testing"

	"ldap-gateway/cloudlink/wire"
)

// TestAgentThatWouldNotBeLetIn is told so before it is paired, and keeps its code: the cloud takes
// proofs for the URLs alone that it knows itself by.
func TestAgentThatWouldNotBeLetIn(t *testing.T) {
	o := newOffice(t)
	o.URLs = []string{"http://127.0.0.1:8080", "https://id.example.com"}
	for url, known := range map[string]bool{
		"": true, "https://id.example.com": true, "https://id.example.com/": true, "https://ID.example.com": true,
		"http://127.0.0.1:8080": true, "https://other.example.com": false, "http://id.example.com": false,
		"https://id.example.com:8443": false, "https://id.example.com/ldap": false, "https://10.0.0.1": false,
	} {
		code, a := o.code(), newAgent(t)
		r := a.request(code)
		r.Cloud = url
		status, _, refusal := o.send("192.0.2.1", r)
		if (status == http.StatusOK) != known {
			t.Errorf("%q: %d %+v", url, status, refusal)
		}
		if !known && (refusal.Code != wire.RefusedRequest || !strings.Contains(refusal.Message, "--url "+url)) {
			t.Errorf("%q: %+v", url, refusal)
		}
		if r.Cloud = "https://id.example.com"; !known {
			if status, _, refusal := o.send("192.0.2.1", r); status != http.StatusOK {
				t.Errorf("%q cost the code: %d %+v", url, status, refusal)
			}
		}
	}
}
