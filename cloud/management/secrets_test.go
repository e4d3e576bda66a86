package management_test

import (
	"bytes"
	"errors"
	"testing"

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
	secret, err := w.ApplicationSecret(ctx, by, a.ID)
	must(t, err)
	kept, err := w.Store.Application(ctx, w.env, a.ID)
	must(t, err)
	if len(secret) < 40 || bytes.Contains(kept.SecretSealed, []byte(secret)) || bytes.Contains(kept.SecretHash, []byte(secret)) {
		t.Errorf("%q is kept as %q", secret, kept.SecretSealed)
	}
	if _, err := w.ApplicationSecret(ctx, w.as(store.RoleReadOnly), a.ID); !errors.Is(err, m.ErrRole) {
		t.Errorf("a reader: %v", err)
	}
	_, renewed, err := w.RenewApplication(ctx, by, a.ID)
	must(t, err)
	if again, err := w.ApplicationSecret(ctx, by, a.ID); err != nil || again != renewed || again == secret {
		t.Errorf("%q, %v", again, err)
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
