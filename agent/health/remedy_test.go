package health

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"ldap-gateway/cloudlink"
)

// TestCloudRemedies has each way of not reaching a cloud name its remedy.
func TestCloudRemedies(t *testing.T) {
	inspected := &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{},
		UnverifiedCertificates: []*x509.Certificate{{Issuer: pkix.Name{CommonName: "Corp Inspection CA"}}}}
	for name, c := range map[string]struct {
		err    error
		remedy string
	}{
		"proxy-password": {&cloudlink.ProxyError{Proxy: "proxy:3128", Status: 407}, `"http://USER:PASSWORD@proxy:3128"`},
		"proxy-forbids":  {&cloudlink.ProxyError{Proxy: "proxy:3128", Status: 403}, "CONNECT"},
		"inspected":      {inspected, "issued by CN=Corp Inspection CA"},
		"host":           {x509.HostnameError{Certificate: &x509.Certificate{}}, "cloud.ca_file"},
	} {
		t.Run(name, func(t *testing.T) {
			err := fmt.Errorf("dial: %w", &url.Error{Op: "Get", URL: "https://id.example.com", Err: c.err})
			if got := CloudRemedy(err); !strings.Contains(got, c.remedy) {
				t.Error(got)
			}
		})
	}
}
