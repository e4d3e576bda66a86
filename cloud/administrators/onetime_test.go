package administrators

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/vault"
)

// code is what a program shows at a time.
func (o *office) code(key *otp.Key, at time.Time) string {
	o.t.Helper()
	code, err := totp.GenerateCode(key.Secret(), at)
	must(o.t, err)
	return code
}

// setUp keeps a new secret of the administrator, and lets a minute pass.
func (o *office) setUp() *otp.Key {
	o.t.Helper()
	key, err := o.NewOneTime(o.admin)
	must(o.t, err)
	o.admin.TOTP, _, err = o.SealOneTime(o.admin.ID, key, o.code(key, o.now))
	must(o.t, err)
	must(o.t, o.Store.UpdateAdministrator(o.t.Context(), &o.admin))
	return key
}

// A one-time password is good about now, once, and not after a later one.
func TestOneTimePasswordIsGoodOnce(t *testing.T) {
	o := newOffice(t)
	key := o.setUp()
	if strings.Contains(string(o.admin.TOTP), key.Secret()) {
		t.Error("the secret is kept in the clear")
	}
	check := func(code string) error { return o.CheckOneTime(t.Context(), o.admin, code) }
	before, now, after := o.code(key, o.now.Add(-step)), o.code(key, o.now), o.code(key, o.now.Add(step))
	unproven(t, "too early", check(o.code(key, o.now.Add(3*step))))
	unproven(t, "too late", check(o.code(key, o.now.Add(-3*step))))
	unproven(t, "nothing", check(""))
	unproven(t, "a part", check(now[:5]))
	must(t, check(now[:3]+" "+now[3:]+" "))
	unproven(t, "again", check(now))
	unproven(t, "an earlier one", check(before))
	must(t, check(after))
	unproven(t, "the later one again", check(after))
	o.now = o.now.Add(time.Minute)
	must(t, check(o.code(key, o.now)))
}

// Of many who show one password at once, one is let in.
func TestOneTimePasswordOfManyAtOnce(t *testing.T) {
	o := newOffice(t)
	key := o.setUp()
	code, let := o.code(key, o.now), make(chan error, 20)
	for range cap(let) {
		go func() { let <- o.CheckOneTime(context.WithoutCancel(t.Context()), o.admin, code) }()
	}
	good := 0
	for range cap(let) {
		switch err := <-let; {
		case err == nil:
			good++
		case !errors.Is(err, ErrProof):
			t.Error(err)
		}
	}
	if good != 1 {
		t.Errorf("%d were let in", good)
	}
}

// A secret is kept once its owner has shown what it makes.
func TestOneTimePasswordIsProvenBeforeItIsKept(t *testing.T) {
	o := newOffice(t)
	key, err := o.NewOneTime(o.admin)
	must(t, err)
	again, err := OneTimeOf(key.URL())
	if err != nil || again.Secret() != key.Secret() || again.AccountName() != "ada" || again.Issuer() != "ldap-cloud" {
		t.Errorf("%v, %v", again, err)
	}
	if _, err := OneTimeOf("%zz"); err == nil {
		t.Error("nonsense is a key")
	}
	_, _, err = o.SealOneTime(o.admin.ID, key, "000000")
	unproven(t, "a guess", err)
	sealed, at, err := o.SealOneTime(o.admin.ID, key, o.code(key, o.now))
	if err != nil || at != o.now.Unix()/30 {
		t.Errorf("%d, %v", at, err)
	}
	// It is sealed for its owner: somebody else's row is no place for it.
	other := o.admin
	other.ID, other.TOTP = "somebody else", sealed
	if err := o.CheckOneTime(t.Context(), other, o.code(key, o.now)); !errors.Is(err, vault.ErrOpen) {
		t.Error(err)
	}
	unproven(t, "none was set up", o.CheckOneTime(t.Context(), o.admin, o.code(key, o.now)))
}

// A person whose groups give a role has one-time passwords of their own.
func TestOneTimePasswordsOfAPerson(t *testing.T) {
	o := newOffice(t)
	ctx, env := t.Context(), o.admin.EnvironmentID
	p := store.Population{EnvironmentID: env, Name: "Staff"}
	must(t, o.Store.CreatePopulation(ctx, &p))
	u := store.User{EnvironmentID: env, PopulationID: p.ID, Username: "bob"}
	must(t, o.Store.CreateUser(ctx, &u))
	key, err := o.NewOneTime(store.Administrator{Name: u.Username})
	must(t, err)
	unproven(t, "none was set up", o.CheckPersonOneTime(ctx, env, u.ID, nil, o.code(key, o.now)))
	sealed, _, err := o.SealOneTime(PersonOwner(u.ID), key, o.code(key, o.now))
	must(t, err)
	must(t, o.Store.SetPersonFactor(ctx, env, u.ID, sealed))
	unproven(t, "a guess", o.CheckPersonOneTime(ctx, env, u.ID, sealed, "000000"))
	must(t, o.CheckPersonOneTime(ctx, env, u.ID, sealed, o.code(key, o.now)))
	unproven(t, "again", o.CheckPersonOneTime(ctx, env, u.ID, sealed, o.code(key, o.now)))
	if err := o.CheckPersonOneTime(ctx, env, "another", sealed, o.code(key, o.now)); !errors.Is(err, vault.ErrOpen) {
		t.Error(err)
	}
	if err := o.CheckOneTime(ctx, store.Administrator{
		ID:   u.ID,
		TOTP: sealed,
	}, o.code(key, o.now)); !errors.Is(err, vault.ErrOpen) {
		t.Errorf("a person's is an administrator's: %v", err)
	}
}

// The mark is another as soon as one of the proofs is, and tells none.
func TestMarkChangesWithEveryProof(t *testing.T) {
	o := newOffice(t)
	seen := map[string]string{}
	look := func(what string) {
		t.Helper()
		mark, err := o.Mark(t.Context(), o.admin)
		must(t, err)
		if before, again := seen[mark]; again {
			t.Errorf("%s has the mark of %s", what, before)
		}
		seen[mark] = what
		if again, err := o.Mark(t.Context(), o.admin); err != nil || again != mark {
			t.Errorf("%s: another mark of the same, %v", what, err)
		}
		if o.admin.PasswordHash != "" && strings.Contains(mark, o.admin.PasswordHash) {
			t.Errorf("%s: the mark tells the hash", what)
		}
	}
	look("nothing")
	o.admin.PasswordHash = "one"
	look("a password")
	o.admin.PasswordHash = "two"
	look("another password")
	o.setUp()
	look("one-time passwords")
	o.setUp()
	look("other one-time passwords")
	p := o.add(newAuthenticator(t))
	look("a passkey")
	o.add(newAuthenticator(t))
	look("two passkeys")
	must(t, o.Store.DeletePasskey(t.Context(), o.admin.ID, p.ID))
	look("the second passkey alone")
}

// What has no secret is nothing that one-time passwords are made of.
func TestOneTimeOfNothing(t *testing.T) {
	o := newOffice(t)
	key, err := o.NewOneTime(o.admin)
	must(t, err)
	for text, good := range map[string]bool{
		key.URL(): true, "": false, "otpauth://totp/x": false, "otpauth://totp/x?secret=": false, "%": false,
	} {
		if got, err := OneTimeOf(text); (err == nil) != good || good && got.Secret() != key.Secret() {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}
