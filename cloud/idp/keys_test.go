package idp_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"ldap-gateway/cloud/idp"
	"ldap-gateway/cloud/idp/evidence"
	"ldap-gateway/cloud/idp/idptest"
	"ldap-gateway/cloud/store"
)

// gate is where the provider's keys are read, which may fail, or wait.
type gate struct {
	*httptest.Server
	fails   atomic.Bool
	waits   atomic.Bool
	entered chan struct{}
	open    chan struct{}
}

// keysBehindAGate moves the keys of the world's provider there.
func (w *world) keysBehindAGate() *gate {
	g := &gate{entered: make(chan struct{}), open: make(chan struct{})}
	g.Server = httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if g.waits.Load() {
			g.entered <- struct{}{}
			<-g.open
		}
		if g.fails.Load() {
			out.WriteHeader(http.StatusInternalServerError)
			return
		}
		answer, err := http.Get(w.openID.URL + "/jwks")
		if err != nil {
			w.Error(err)
			return
		}
		defer answer.Body.Close()
		_, _ = io.Copy(out, answer.Body)
	}))
	w.Cleanup(g.Close)
	w.oidc.Config.OIDC.JWKSEndpoint = g.URL
	w.must(w.Store.UpdateIdentityProvider(w.Context(), &w.oidc))
	return g
}

// comes brings an answer back in a browser of its own, and tells how that ends.
func (w *world) comes(ctx context.Context) func() error {
	b := browser{}
	answer := from(w.atOpenID(w.begin(b, w.oidc.ID, anyhow()), "eve"), b.get)
	return func() error {
		_, err := w.Callback(ctx, w.env.ID, answer)
		return err
	}
}

// whileRead has somebody come, calls while while the keys are read for them, and returns
// how they ended.
func (w *world) whileRead(g *gate, ctx context.Context, while func()) error {
	w.Helper()
	g.open = make(chan struct{})
	g.waits.Store(true)
	coming, ended := w.comes(ctx), make(chan error)
	go func() { ended <- coming() }()
	<-g.entered
	g.waits.Store(false)
	while()
	close(g.open)
	return <-ended
}

// TestKnownKeysDoNotWait for keys that are read because somebody has an unknown one.
func TestKnownKeysDoNotWait(t *testing.T) {
	w := build(t)
	g := w.keysBehindAGate()
	w.must(w.comes(t.Context())())
	w.openID.Set(idptest.Fault{UnknownKey: "x"})
	err := w.whileRead(g, t.Context(), func() {
		w.openID.Set(idptest.Fault{})
		w.must(w.comes(t.Context())())
	})
	w.wantKind(err, evidence.UnknownKey)
}

// TestWhoLeavesStopsNobody: keys that are read for a browser that goes away are read for
// all the same.
func TestWhoLeavesStopsNobody(t *testing.T) {
	w := build(t)
	g := w.keysBehindAGate()
	for range 2 {
		ctx, leave := context.WithCancel(t.Context())
		_ = w.whileRead(g, ctx, leave) // nobody is there to be told
		w.must(w.comes(t.Context())())
		w.openID.Rotate()
	}
}

// TestKeysThatCannotBeRead are told so, and soon read again.
func TestKeysThatCannotBeRead(t *testing.T) {
	w := build(t)
	g := w.keysBehindAGate()
	g.fails.Store(true)
	for range 3 {
		w.wantKind(w.comes(t.Context())(), evidence.Unavailable)
	}
	g.fails.Store(false)
	w.wantKind(w.comes(t.Context())(), evidence.Unavailable)
	w.ahead = 4 * time.Second
	w.must(w.comes(t.Context())())
}

// TestKeysOfAnotherEnvironment: who names the keys of somebody else's provider as their
// own, and has them looked for in vain, keeps no new key from the other.
func TestKeysOfAnotherEnvironment(t *testing.T) {
	w := build(t)
	w.must(w.comes(t.Context())())
	other := *w
	other.env = store.Environment{Name: "other"}
	w.must(w.Store.CreateEnvironment(t.Context(), &other.env))
	other.oidc.ID, other.oidc.EnvironmentID, other.oidc.PopulationID, other.oidc.Sealed = "", other.env.ID, "", nil
	w.must(w.Store.CreateIdentityProvider(t.Context(), &other.oidc))
	other.oidc.Sealed = w.Vault.Seal(idp.PurposeSecret, other.oidc.ID, []byte(w.openID.Secret))
	w.must(w.Store.UpdateIdentityProvider(t.Context(), &other.oidc))
	w.openID.Set(idptest.Fault{UnknownKey: "x"})
	b := browser{}
	g := other.begin(b, other.oidc.ID, anyhow())
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := c.Get(g.Address + "&user=eve")
	w.must(err)
	_ = answer.Body.Close()
	back, err := answer.Location()
	w.must(err)
	_, err = other.Callback(t.Context(), other.env.ID, from(back.Query(), b.get))
	w.wantKind(err, evidence.UnknownKey)
	w.openID.Set(idptest.Fault{})
	w.openID.Rotate()
	w.must(w.comes(t.Context())())
}
