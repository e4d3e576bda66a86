package management_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	m "ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/vault"
)

// The secret of an application is read by who may make it, and is in the database sealed
// alone; one of which only a hash was kept, and one that there cannot be, are told so.
func TestSecretsOfApplications(t *testing.T) {
	h := open(t)
	w, ctx := h.world(), t.Context()
	by := w.as(store.RoleIdentityAdmin)
	a := w.application
	a.Name = "New"
	must(t, w.CreateApplication(ctx, by, &a))
	read, err := w.ApplicationSecret(ctx, by, a.ID)
	must(t, err)
	secret := read.Secret
	kept, err := w.Store.Application(ctx, w.env, a.ID)
	must(t, err)
	if len(secret) < 40 || bytes.Contains(kept.SecretSealed, []byte(secret)) || bytes.Contains(kept.SecretHash, []byte(secret)) {
		t.Errorf("%q is kept as %q", secret, kept.SecretSealed)
	}
	if _, err := w.ApplicationSecret(ctx, w.as(store.RoleReadOnly), a.ID); !errors.Is(err, m.ErrRole) {
		t.Errorf("a reader: %v", err)
	}
	_, renewed, err := w.RenewApplication(ctx, by, a.ID, time.Time{})
	must(t, err)
	if again, err := w.ApplicationSecret(ctx, by, a.ID); err != nil || again.Secret != renewed || again.Secret == secret || again.Former != "" {
		t.Errorf("%+v, %v", again, err)
	}
	kept.SecretSealed = nil
	must(t, w.Store.UpdateApplication(ctx, &kept))
	if _, err := w.ApplicationSecret(ctx, by, a.ID); !errors.Is(err, m.ErrSecretHashed) {
		t.Errorf("of an older version: %v", err)
	}
	kept.Type = store.SinglePage
	must(t, w.Store.UpdateApplication(ctx, &kept))
	if _, err := w.ApplicationSecret(ctx, by, a.ID); !errors.Is(err, m.ErrNoSecret) {
		t.Errorf("of a page: %v", err)
	}
}

// Whatever kept an application from having a secret, it has one once it can, and says so.
func TestSecretsComeBack(t *testing.T) {
	h := open(t)
	w, ctx := h.world(), t.Context()
	by := w.as(store.RoleIdentityAdmin)
	key := `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`
	for name, without := range map[string]func(*store.Application){
		"a key":                    func(a *store.Application) { a.OpenID.JWKS = key },
		"a key at an address":      func(a *store.Application) { a.OpenID.JWKSURL = "https://app.example.com/keys" },
		"a type that keeps it not": func(a *store.Application) { a.Type = store.SinglePage },
	} {
		a := w.application
		a.Name = name
		without(&a)
		must(t, w.CreateApplication(ctx, by, &a))
		if _, err := w.ApplicationSecret(ctx, by, a.ID); !errors.Is(err, m.ErrNoSecret) {
			t.Errorf("%s: %v", name, err)
		}
		_, err := w.ChangeApplication(ctx, by, a.ID, func(a *store.Application) error {
			a.OpenID.JWKS, a.OpenID.JWKSURL, a.Type = "", "", store.WebApplication
			return nil
		})
		must(t, err)
		if read, err := w.ApplicationSecret(ctx, by, a.ID); err != nil || len(read.Secret) < 40 {
			t.Errorf("%s: %q, %v", name, read.Secret, err)
		}
	}
}

// The secret before a new one is good for as long as was said, and no longer; of two before, the last.
func TestFormerSecrets(t *testing.T) {
	h := open(t)
	w, ctx := h.world(), t.Context()
	by := w.as(store.RoleIdentityAdmin)
	a := w.application
	a.Name = "New"
	must(t, w.CreateApplication(ctx, by, &a))
	first, err := w.ApplicationSecret(ctx, by, a.ID)
	must(t, err)
	until := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	_, second, err := w.RenewApplication(ctx, by, a.ID, until)
	must(t, err)
	if all, err := w.ApplicationSecret(ctx, by, a.ID); err != nil ||
		all != (m.Secrets{Secret: second, Former: first.Secret, Until: until}) {
		t.Errorf("%+v, %v", all, err)
	}
	_, third, err := w.RenewApplication(ctx, by, a.ID, until)
	must(t, err)
	if all, err := w.ApplicationSecret(ctx, by, a.ID); err != nil || all.Secret != third || all.Former != second {
		t.Errorf("%+v, %v", all, err)
	}
	kept, err := w.ChangeApplication(ctx, by, a.ID, func(a *store.Application) error { a.Name = "Wiki 3"; return nil })
	if err != nil || !kept.Former.Good(time.Now()) || kept.Former.Good(until) {
		t.Errorf("%+v, %v", kept.Former, err)
	}
	for name, when := range map[string]time.Time{
		"over": time.Now().Add(-time.Second),
		"far":  time.Now().Add(m.MostOverlap + time.Minute),
	} {
		if _, _, err := w.RenewApplication(ctx, by, a.ID, when); err == nil {
			t.Errorf("%s: renewed", name)
		}
	}
	if _, err := w.EndFormerSecret(ctx, w.as(store.RoleReadOnly), a.ID); !errors.Is(err, m.ErrRole) {
		t.Errorf("a reader: %v", err)
	}
	if ended, err := w.EndFormerSecret(ctx, by, a.ID); err != nil || ended.Former.Hash != nil {
		t.Errorf("%+v, %v", ended.Former, err)
	}
	if _, err := w.EndFormerSecret(ctx, by, a.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("twice: %v", err)
	}
	_, _, err = w.RenewApplication(ctx, by, a.ID, until)
	must(t, err)
	kept, err = w.ChangeApplication(ctx, by, a.ID, func(a *store.Application) error { a.Type = store.SinglePage; return nil })
	if err != nil || kept.Former.Hash != nil {
		t.Errorf("what cannot keep a secret has one: %+v, %v", kept.Former, err)
	}
}

// An API client has two secrets while the one before is good: for as long as was said, and until it is ended. Its
// access tokens go on meanwhile, and end with a secret that is taken away. Who does not have the client's role does none
// of it.
func TestFormerClientSecrets(t *testing.T) {
	h := open(t)
	w, ctx := h.world(), t.Context()
	by := w.as(store.RoleOwner)
	c := store.Client{Name: "monitor", Role: store.RoleReadOnly}
	_, err := w.CreateClient(ctx, by, &c)
	must(t, err)
	first, err := w.Store.Client(ctx, w.env, c.ID)
	must(t, err)
	must(t, w.Store.CreateToken(ctx, []byte("token"), c.ID, w.env, time.Now().Add(time.Hour)))
	goesOn := func() bool {
		_, err := w.Store.TokenClient(ctx, []byte("token"), time.Now())
		return err == nil
	}
	until := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	for name, when := range map[string]time.Time{
		"over": time.Now().Add(-time.Second),
		"far":  time.Now().Add(m.MostOverlap + time.Minute),
	} {
		if _, _, err := w.RenewClient(ctx, by, c.ID, when); err == nil {
			t.Errorf("%s: renewed", name)
		}
	}
	before := first.SecretHash
	for range 2 { // of two before, the last
		_, secret, err := w.RenewClient(ctx, by, c.ID, until)
		must(t, err)
		now, err := w.Store.Client(ctx, w.env, c.ID)
		if err != nil || string(now.SecretHash) != string(vault.HashSecret(secret)) || string(now.Former.Hash) != string(before) ||
			!now.Former.Until.Equal(until) || !goesOn() {
			t.Fatalf("%+v, %v", now, err)
		}
		before = now.SecretHash
	}
	if _, err := w.EndClientSecret(ctx, w.as(store.RoleReadOnly), c.ID); !errors.Is(err, m.ErrRole) || !goesOn() {
		t.Errorf("a reader: %v", err)
	}
	if ended, err := w.EndClientSecret(ctx, by, c.ID); err != nil || ended.Former.Hash != nil || goesOn() {
		t.Errorf("%+v, %v", ended, err)
	}
	if _, err := w.EndClientSecret(ctx, by, c.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("twice: %v", err)
	}
	if _, err := w.EndClientSecret(ctx, by, "none"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("of none: %v", err)
	}
	_, _, err = w.RenewClient(ctx, by, c.ID, until)
	must(t, err)
	must(t, w.Store.CreateToken(ctx, []byte("token"), c.ID, w.env, time.Now().Add(time.Hour)))
	leaked, _, err := w.RenewClient(ctx, by, c.ID, time.Time{})
	if err != nil || leaked.Former.Hash != nil || goesOn() {
		t.Errorf("%+v, %v", leaked, err)
	}
}
