package e2e

import (
	"crypto/tls"
	"net"
	"net/http"
	"testing"
)

// TestIdleStrangers has a cloud that may open 64 files meet a hundred connections that say
// nothing, over TLS and from one address: sign-ons go on, the agent's link stays, and people
// on HTTP/2 get their pages.
func TestIdleStrangers(t *testing.T) {
	w := newWorld(t, plan{
		secure:    secure(t, "127.0.0.1"),
		policy:    unlimited,
		cloudWith: []string{"sh", "-c", `ulimit -n 64; exec "$@"`, "sh"},
	})
	w.mustSignOn("alice", "wonderland")
	for range 100 {
		c, err := net.Dial("tcp", w.listens())
		must(t, err)
		t.Cleanup(func() { _ = c.Close() })
	}
	for range 20 {
		w.secure.client.CloseIdleConnections() // each by a new one: idle ones make room for others
		w.mustSignOn("alice", "wonderland")
	}
	w.awaitInstances(1)
	roots := w.secure.client.Transport.(*http.Transport).TLSClientConfig.RootCAs
	second := &http.Client{Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: roots},
		ForceAttemptHTTP2: true,
	}}
	defer second.CloseIdleConnections()
	r, err := second.Get(w.url + "/console/sign-in")
	must(t, err)
	defer r.Body.Close()
	if r.ProtoMajor != 2 || r.StatusCode != http.StatusOK || r.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("%s %s %v", r.Proto, r.Status, r.Header)
	}
}
