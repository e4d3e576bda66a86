package kerberos

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/types"
)

// TestLargestTicket sends as much as Windows ever does, 48,000 bytes of token,
// through a reverse proxy.
func TestLargestTicket(t *testing.T) {
	k := honest(now)
	inner := must(asn1.Marshal(types.AuthorizationData{{ADType: 128, ADData: make([]byte, 46_500)}}))
	k.data = types.AuthorizationData{{ADType: 1, ADData: inner}}
	header := k.header(t)
	a := takes(t, k, now)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, err := Accept(r.Header.Get("Authorization"), a)
		if err != nil || got.Principal != "alice" {
			t.Errorf("%+v %v", got, err)
		}
	}))
	defer srv.Close()
	proxy := httptest.NewServer(httputil.NewSingleHostReverseProxy(must(url.Parse(srv.URL))))
	defer proxy.Close()
	r := must(http.NewRequestWithContext(t.Context(), "GET", proxy.URL, nil))
	r.Header.Set("Authorization", header)
	resp := must(http.DefaultClient.Do(r))
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || len(header) < 62_000 || len(header) > maxToken {
		t.Errorf("%s, the header has %d bytes", resp.Status, len(header))
	}
}
