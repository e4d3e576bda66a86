package store_test

import (
	"fmt"
	"testing"

	"ldap-gateway/cloud/store"
)

// passkeyOf is one of a user.
func passkeyOf(w world, id string) store.Passkey {
	return store.Passkey{
		ID: id, EnvironmentID: w.env.ID, UserID: w.user.ID, Name: "laptop", Credential: []byte(`{"x":1}`), CreatedAt: moment(1),
	}
}

// factors fails unless a user has that much of each.
func factors(t *testing.T, s *store.Store, w world, oneTime bool, passkeys, made, left int) {
	t.Helper()
	f, err := s.PersonFactors(t.Context(), w.env.ID, w.user.ID)
	must(t, err)
	same(t, f.Recovery, store.RecoveryCodes{Made: made, Left: left}, nil)
	if (len(f.OneTime) > 0) != oneTime || len(f.Passkeys) != passkeys || f.Any() != (oneTime || passkeys > 0) {
		t.Errorf("%+v", f)
	}
}

// A person's passkeys and recovery codes are their own; another environment neither sees nor sets them,
// and codes go with the last factor that they stand in for.
func TestPersonFactors(t *testing.T) {
	s := open(t)
	w, other := build(t, s, "one"), build(t, s, "two")
	ctx, env, user := t.Context(), w.env.ID, w.user.ID
	theirs := other
	theirs.user = w.user // of another environment
	factors(t, s, w, false, 0, 0, 0)
	p := passkeyOf(w, "first")
	must(t, s.AddPersonPasskey(ctx, &p))
	all, err := s.PersonPasskeys(ctx, env, user)
	same(t, all, []store.Passkey{p}, err)
	again := passkeyOf(other, "first")
	want(t, s.AddPersonPasskey(ctx, &again), store.ErrConflict)
	again = passkeyOf(theirs, "second")
	want(t, s.AddPersonPasskey(ctx, &again), store.ErrNotFound)
	p.Credential, p.UsedAt = []byte(`{"x":2}`), moment(9)
	must(t, s.UpdatePersonPasskey(ctx, &p))
	stolen := p
	stolen.EnvironmentID = other.env.ID
	want(t, s.UpdatePersonPasskey(ctx, &stolen), store.ErrNotFound)
	want(t, s.DeletePersonPasskey(ctx, other.env.ID, user, "first"), store.ErrNotFound)
	all, err = s.PersonPasskeys(ctx, env, user)
	same(t, all, []store.Passkey{p}, err)

	must(t, s.SetPersonFactor(ctx, env, user, []byte("sealed")))
	must(t, s.SetPersonRecoveryCodes(ctx, env, user, [][]byte{[]byte("one"), []byte("two")}))
	want(t, s.SetPersonRecoveryCodes(ctx, other.env.ID, user, [][]byte{[]byte("one")}), store.ErrNotFound)
	want(t, s.UsePersonRecoveryCode(ctx, other.env.ID, user, []byte("one"), moment(1)), store.ErrNotFound)
	must(t, s.UsePersonRecoveryCode(ctx, env, user, []byte("one"), moment(1)))
	want(t, s.UsePersonRecoveryCode(ctx, env, user, []byte("one"), moment(2)), store.ErrNotFound)
	want(t, s.UsePersonRecoveryCode(ctx, env, user, []byte("three"), moment(2)), store.ErrNotFound)
	factors(t, s, w, true, 1, 2, 1)
	factors(t, s, theirs, false, 0, 0, 0)
	must(t, s.SetPersonFactor(ctx, env, user, nil))
	factors(t, s, w, false, 1, 2, 1)
	must(t, s.DeletePersonPasskey(ctx, env, user, "first"))
	factors(t, s, w, false, 0, 0, 0)
}

// All that a person has goes when it is reset, when who they are is another's to say, and with them.
func TestPersonFactorsEnd(t *testing.T) {
	for name, end := range map[string]func(s *store.Store, w world) error{
		"reset": func(s *store.Store, w world) error { return s.ForgetPersonFactors(t.Context(), w.env.ID, w.user.ID) },
		"user":  func(s *store.Store, w world) error { return s.DeleteUser(t.Context(), w.env.ID, w.user.ID) },
		"gateway": func(s *store.Store, w world) error {
			return s.DeleteGateway(t.Context(), w.env.ID, w.gateway.ID, true)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			w := build(t, s, "one")
			p := passkeyOf(w, "first")
			must(t, s.AddPersonPasskey(t.Context(), &p))
			must(t, s.SetPersonFactor(t.Context(), w.env.ID, w.user.ID, []byte("sealed")))
			must(t, s.SetPersonRecoveryCodes(t.Context(), w.env.ID, w.user.ID, [][]byte{[]byte("one")}))
			factors(t, s, w, true, 1, 1, 1)
			must(t, end(s, w))
			factors(t, s, w, false, 0, 0, 0)
		})
	}
}

// A person has so many passkeys, and no more.
func TestMostPersonPasskeys(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	for i := range store.MostPersonPasskeys {
		p := passkeyOf(w, fmt.Sprint(i))
		must(t, s.AddPersonPasskey(t.Context(), &p))
	}
	p := passkeyOf(w, "more")
	want(t, s.AddPersonPasskey(t.Context(), &p), store.ErrConflict)
	factors(t, s, w, false, store.MostPersonPasskeys, 0, 0)
}
