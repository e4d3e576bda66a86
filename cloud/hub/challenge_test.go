package hub

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloudlink/wire"
)

// TestChallenge: who asks for a link without a proof is told, each time anew and by nobody's cache, what
// one is to carry; also while the door is full, and without a look into the store, which is none here.
// Who brings anything else at all is not.
func TestChallenge(t *testing.T) {
	h, err := New(Config{Logger: hclog.NewNullLogger(), Audiences: []string{"http://cloud"}})
	if err != nil {
		t.Fatal(err)
	}
	for range mostArriving {
		if _, err := h.door.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]bool{}
	for range 100 {
		status, r, header := knock(t, h, "")
		age, ours := h.nonces.Age(r.Nonce, time.Now())
		if status != http.StatusUnauthorized || r.Code != wire.RefusedAssertion || r.Time.IsZero() ||
			!ours || age > time.Minute || seen[string(r.Nonce)] || header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%d %+v %v", status, r, header)
		}
		seen[string(r.Nonce)] = true
	}
	for _, proof := range []string{"x", "Bearer x", "Basic eDp4", " "} {
		if _, r, _ := knock(t, h, proof); r.Nonce != nil {
			t.Errorf("%q is told a nonce", proof)
		}
	}
}

// knock asks for a link with an Authorization header; empty: none.
func knock(t *testing.T, h *Hub, proof string) (int, wire.Refusal, http.Header) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, wire.PathConnect, nil)
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "websocket")
	if proof != "" {
		r.Header.Set("Authorization", proof)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var refusal wire.Refusal
	if err := json.Unmarshal(w.Body.Bytes(), &refusal); err != nil {
		t.Fatal(err)
	}
	return w.Code, refusal, w.Header()
}
