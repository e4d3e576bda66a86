package management_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	m "ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
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
