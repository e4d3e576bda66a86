package idp_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud/evidence"
	"ldap-gateway/cloud/idp"
	"ldap-gateway/cloud/idp/idptest"
	"ldap-gateway/cloud/store"
)

// leaver goes away at the first line of a log.
type leaver func()

func (l leaver) Write(line []byte) (int, error) {
	l()
	return len(line), nil
}

// TestHealthThatCannotBeKept costs nobody a sign-on, and no refusal its sentence.
func TestHealthThatCannotBeKept(t *testing.T) {
	w := build(t)
	begun := func(login string) (context.Context, func(), idp.Answer) {
		b := browser{}
		answer := from(w.atOpenID(w.begin(b, w.oidc.ID, anyhow()), login), b.get)
		ctx, leave := context.WithCancel(t.Context())
		return ctx, leave, answer
	}
	ctx, leave, answer := begun("eve")
	w.Counted = func(store.SignOn) { leave() } // after the records, before the health
	a, err := w.Callback(ctx, w.env.ID, answer)
	if err != nil || ctx.Err() == nil || a.SignOn.UserID == "" {
		t.Errorf("%+v %v", a, err)
	}
	w.openID.Set(claim("aud", "another"))
	ctx, leave, answer = begun("eve")
	w.Logger = hclog.New(&hclog.LoggerOptions{Output: leaver(leave)})
	_, err = w.Callback(ctx, w.env.ID, answer)
	var r *idp.Refused
	if !errors.As(err, &r) || r.Kind != evidence.WrongAudience || errors.Is(err, context.Canceled) || ctx.Err() == nil {
		t.Errorf("%v", err)
	}
}

// TestSkewOfAProof is the provider's setting, within the bounds.
func TestSkewOfAProof(t *testing.T) {
	w := build(t)
	for _, c := range []struct {
		setting int
		age     time.Duration
		taken   bool
	}{
		{0, 50 * time.Second, true},
		{0, 70 * time.Second, false},
		{30, 20 * time.Second, true},
		{30, 40 * time.Second, false},
		{180, 170 * time.Second, true},
		{180, 190 * time.Second, false},
		{3600, 190 * time.Second, false},
	} {
		w.saml.Config.SAML.SkewSeconds = c.setting
		w.must(w.Store.UpdateIdentityProvider(t.Context(), &w.saml))
		b := browser{}
		g := w.begin(b, w.saml.ID, idp.Wish{Anew: true, MaxAge: -1})
		id, acs, err := idptest.ReadRequest(g.Address)
		w.must(err)
		l := idptest.Answer(id, acs, w.saml.Config.SAML.OwnEntityID, w.Now())
		l.AuthnInstant = w.Now().Add(-c.age)
		key, err := w.Accept(t.Context(), w.env.ID, form(w.keys.Good(l), ""))
		w.must(err)
		_, err = w.Arrive(t.Context(), w.env.ID, key, b.all, "192.0.2.1")
		if c.taken {
			w.must(err)
		} else {
			w.wantKind(err, evidence.OldProof)
		}
	}
}
