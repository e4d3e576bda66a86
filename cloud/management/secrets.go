package management

import (
	"context"
	"time"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/idp"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/vault"
)

// MostOverlap is how long the secret before a new one may stay good.
const MostOverlap = 30 * 24 * time.Hour

// RenewApplication gives an application a new secret, which this answer has, and leaves the
// one before good until a moment. The zero time: it is worth nothing at once, as for who renews it
// because it leaked. Of two former secrets the last alone is good.
// ErrNoSecret when its type cannot keep one; a fault.List for a moment that is over, or further away
// than MostOverlap.
func (s *Service) RenewApplication(
	ctx context.Context, by By, id string, until time.Time,
) (a store.Application, secret string, err error) {
	err = s.act(ctx, by, RenewApplication, func(t *turn) error {
		before, err := t.Application(ctx, t.env(), id)
		if err != nil {
			return err
		}
		if !hasSecret(before) {
			return ErrNoSecret
		}
		a = before
		a.Former, err = s.former(store.FormerSecret{Hash: before.SecretHash, Sealed: before.SecretSealed}, until)
		if err != nil {
			return err
		}
		secret = t.newSecret(&a)
		return t.saveApplication(ctx, &a, before, "given a new secret")
	})
	return a, secret, err
}

// former returns a secret as one that stays good until a moment beside a new one; none for the zero time, or when
// there is none. A fault.List for a moment that is over, or further away than MostOverlap.
func (s *Service) former(f store.FormerSecret, until time.Time) (store.FormerSecret, error) {
	now := s.now()
	switch {
	case !until.IsZero() && (!until.After(now) || until.After(now.Add(MostOverlap))):
		return f, wrong(fault.FormerSecret, 0, "It must be within the next %d days.", int(MostOverlap.Hours()/24))
	case until.IsZero() || f.Hash == nil:
		return store.FormerSecret{}, nil
	}
	f.Until = until
	return f, nil
}

// EndFormerSecret has the secret before the present one be worth nothing at once.
// store.ErrNotFound when there is none that is good.
func (s *Service) EndFormerSecret(ctx context.Context, by By, id string) (a store.Application, err error) {
	err = s.act(ctx, by, RenewApplication, func(t *turn) error {
		before, err := t.Application(ctx, t.env(), id)
		if err == nil && !before.Former.Good(s.now()) {
			err = store.ErrNotFound
		}
		if err != nil {
			return err
		}
		a, a.Former = before, store.FormerSecret{}
		return t.saveApplication(ctx, &a, before, "left with one secret")
	})
	return a, err
}

// hasSecret tells whether an application has a secret. One of SAML has certificates, and one
// that proves itself by a key has that.
func hasSecret(a store.Application) bool {
	return a.Protocol != store.SAML && a.Type == store.WebApplication && !a.ProvesByKey()
}

// PurposeSecret is what the secret of an application is sealed for.
const PurposeSecret = "application secret"

// newSecret gives an application another secret, and returns it. The hash proves it; the
// secret itself is sealed, for those who may read it.
func (t *turn) newSecret(a *store.Application) (secret string) {
	secret, a.SecretHash = vault.NewSecret()
	a.SecretSealed = t.service.Vault.Seal(PurposeSecret, a.ID, []byte(secret))
	return secret
}

// Secrets are what an application proves itself by.
type Secrets struct {
	Secret string
	Former string    // the one before; empty: it is not good, or only its hash was kept
	Until  time.Time // that the one before is good; zero: it is not
}

// ApplicationSecret returns the secrets of an application. ErrNoSecret when its type cannot
// keep one; ErrSecretHashed for one that was made before secrets were kept.
// That it was read is an activity: it is as good as the application itself.
func (s *Service) ApplicationSecret(ctx context.Context, by By, id string) (all Secrets, err error) {
	err = s.act(ctx, by, ReadSecret, func(t *turn) error {
		a, err := t.Application(ctx, t.env(), id)
		switch {
		case err != nil:
			return err
		case !hasSecret(a):
			return ErrNoSecret
		case a.SecretSealed == nil:
			return ErrSecretHashed
		}
		plain, err := s.Vault.Open(PurposeSecret, a.ID, a.SecretSealed)
		if err != nil {
			return err
		}
		all.Secret = string(plain)
		if a.Former.Good(s.now()) {
			all.Until = a.Former.Until
		}
		if !all.Until.IsZero() && a.Former.Sealed != nil {
			if plain, err = s.Vault.Open(PurposeSecret, a.ID, a.Former.Sealed); err != nil {
				return err
			}
			all.Former = string(plain)
		}
		t.did(note{
			action:  "application.secret-read",
			subject: "application:" + a.ID,
			text:    "the secret of application " + a.Name + " was read",
		})
		return nil
	})
	return all, err
}

// ProviderSecret is the secret that this cloud proves itself by at an identity provider, for
// who may give it another: they read it without making sign-ons fail. Empty: it has none, or
// the actor may not. Nothing is noted: see ReadProviderSecret.
func (s *Service) ProviderSecret(by By, p store.IdentityProvider) (string, error) {
	if len(p.Sealed) == 0 || !May(by.Role, ReadProviderSecret) {
		return "", nil
	}
	plain, err := s.Vault.Open(idp.PurposeSecret, p.ID, p.Sealed)
	return string(plain), err
}

// ReadProviderSecret is ProviderSecret of what there is now, and an activity tells that it
// was read.
func (s *Service) ReadProviderSecret(ctx context.Context, by By, id string) (secret string, err error) {
	err = s.act(ctx, by, ReadProviderSecret, func(t *turn) error {
		p, err := t.IdentityProvider(ctx, t.env(), id)
		if err != nil {
			return err
		}
		if secret, err = s.ProviderSecret(by, p); err != nil || secret == "" {
			return err
		}
		t.did(note{
			action:  "identityProvider.secret-read",
			subject: "identityProvider:" + p.ID,
			text:    "the secret of identity provider " + p.Name + " was read",
		})
		return nil
	})
	return secret, err
}
