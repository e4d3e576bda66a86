package cloudlink_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

	"ldap-gateway/cloudlink"
	"ldap-gateway/cloudlink/wire"
)

// FuzzAnswers has a cloud answer the pairing, the question for its state and the
// dial with anything: each call ends, with an answer that has what it needs or with
// an error.
func FuzzAnswers(f *testing.F) {
	f.Add(200, []byte(`{"instance":"i1","gateway":"g1"}`))
	f.Add(200, []byte(`{"code":"ABCD","expires":"2026-01-01T00:00:00Z"}`))
	f.Add(409, []byte(`{"code":"CLOCK","message":"x","time":"2040-01-01T00:00:00Z"}`))
	f.Add(500, []byte(`<html>`))
	var mu sync.Mutex
	var status int
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		w.WriteHeader(status)
		_, _ = w.Write(body)
	}))
	f.Cleanup(server.Close)
	base, err := url.Parse(server.URL)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, code int, b []byte) {
		mu.Lock()
		status, body = 200+(code%400+400)%400, b
		mu.Unlock()
		client := cloudlink.NewHTTPClient(nil, nil)
		defer client.CloseIdleConnections()
		if a, err := cloudlink.Pair(context.Background(), client, base, wire.PairRequest{}); err == nil && a.Instance == "" {
			t.Fatalf("paired as nobody: %+v", a)
		}
		_, _ = cloudlink.Show(context.Background(), client, base, wire.PairRequest{})
		_, _ = cloudlink.GetStatus(context.Background(), client, base)
	})
}
