package idp_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"ldap-gateway/cloud/evidence"
	"ldap-gateway/cloud/idp"
	"ldap-gateway/cloud/idp/idptest"
	"ldap-gateway/cloud/idp/relying"
	"ldap-gateway/cloud/store"
)

// gate is where the provider's keys are read, which may fail, or wait.
type gate struct {
	*httptest.Server
	fails   atomic.Bool
	reads   atomic.Int64
	cache   atomic.Value // string: Cache-Control
	others  atomic.Value // string: address of the keys that it has instead
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
		g.reads.Add(1)
		if g.fails.Load() {
			out.WriteHeader(http.StatusInternalServerError)
			return
		}
		if cache, ok := g.cache.Load().(string); ok {
			out.Header().Set("Cache-Control", cache)
		}
		from, ok := g.others.Load().(string)
		if !ok {
			from = w.openID.URL
		}
		answer, err := http.Get(from + "/jwks")
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

// TestKeysThatWereTakenOut prove nothing a day later, or when the provider has said so
// within the bounds; while they cannot be read, what is known stays.
func TestKeysThatWereTakenOut(t *testing.T) {
	others := idptest.StartOpenID(nil)
	t.Cleanup(others.Close)
	for cache, use := range map[string]time.Duration{
		"":                              relying.LongestUse,
		"public":                        relying.LongestUse,
		"max-age=never":                 relying.LongestUse,
		"max-age=-1":                    relying.LongestUse,
		"max-age=31536000, immutable":   relying.LongestUse,
		"Public , MAX-AGE=\"3600\"":     time.Hour,
		"max-age=7200, max-age=1800":    30 * time.Minute,
		"max-age=1":                     relying.ShortestUse,
		"no-store":                      relying.ShortestUse,
		"no-cache=\"x\", max-age=86400": relying.ShortestUse,
	} {
		w := build(t)
		w.openID.Set(idptest.Fault{Claims: func(claims map[string]any) {
			now := time.Now().Add(w.ahead)
			claims["iat"], claims["exp"] = now.Unix(), now.Add(time.Minute).Unix()
		}})
		g := w.keysBehindAGate()
		g.cache.Store(cache)
		at := func(ahead time.Duration) error {
			w.ahead = ahead
			return w.comes(t.Context())()
		}
		w.must(at(0))
		g.others.Store(others.URL)
		w.must(at(use - time.Minute))
		if n := g.reads.Load(); n != 1 {
			t.Errorf("%q: read %d times", cache, n)
		}
		g.fails.Store(true)
		for range 3 {
			w.must(at(use + time.Minute))
		}
		if n := g.reads.Load(); n != 2 {
			t.Errorf("%q: tried %d times", cache, n-1)
		}
		g.fails.Store(false)
		w.wantKind(at(use+7*time.Minute), evidence.UnknownKey)
	}
}

// TestOneWaitsForOldKeys, and who comes meanwhile does not.
func TestOneWaitsForOldKeys(t *testing.T) {
	w := build(t)
	w.openID.Set(idptest.Fault{Claims: func(claims map[string]any) {
		now := time.Now().Add(w.ahead)
		claims["iat"], claims["exp"] = now.Unix(), now.Add(time.Minute).Unix()
	}})
	g := w.keysBehindAGate()
	w.must(w.comes(t.Context())())
	w.ahead = relying.LongestUse + time.Minute
	w.must(w.whileRead(g, t.Context(), func() { w.must(w.comes(t.Context())()) }))
}
