package administrators

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"ldap-gateway/cloud/store"
)

// purpose is what the vault seals secrets for; the owner is the administrator's ID.
const purpose = "one-time password"

// step is how long a one-time password is good, and the clocks may differ by one.
const step = 30 * time.Second

// NewOneTime returns a new secret for an administrator's one-time passwords, as
// their program reads it from a picture or by hand. It is not kept.
func (d *Desk) NewOneTime(a store.Administrator) (*otp.Key, error) {
	return totp.Generate(totp.GenerateOpts{Issuer: "ldap-cloud", AccountName: a.Name})
}

// OneTimeOf returns the key of what NewOneTime wrote. Its error is not for people.
func OneTimeOf(url string) (*otp.Key, error) { return otp.NewKeyFromURL(url) }

// KeepOneTime keeps a secret of NewOneTime in a, once its owner has shown the
// one-time password that it makes now. ErrProof when it is not that.
func (d *Desk) KeepOneTime(ctx context.Context, a *store.Administrator, key *otp.Key, code string) error {
	if err := d.use(ctx, *a, key.Secret(), code); err != nil {
		return err
	}
	a.TOTP = d.Vault.Seal(purpose, a.ID, []byte(key.Secret()))
	return nil
}

// CheckOneTime takes a one-time password of an administrator, once. ErrProof
// when it is wrong, or was used, or the administrator has none.
func (d *Desk) CheckOneTime(ctx context.Context, a store.Administrator, code string) error {
	if len(a.TOTP) == 0 {
		return ErrProof
	}
	secret, err := d.Vault.Open(purpose, a.ID, a.TOTP)
	if err != nil {
		return fmt.Errorf("one-time password: %w", err)
	}
	return d.use(ctx, a, string(secret), code)
}

// use takes a one-time password that a secret makes about now.
func (d *Desk) use(ctx context.Context, a store.Administrator, secret, code string) error {
	code = strings.Join(strings.Fields(code), "")
	for _, at := range []time.Time{d.now().Add(-step), d.now(), d.now().Add(step)} {
		want, err := totp.GenerateCode(secret, at)
		if err != nil {
			return fmt.Errorf("one-time password: %w", err)
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) != 1 {
			continue
		}
		err = d.Store.UseOneTimePassword(ctx, a.EnvironmentID, a.ID, at.Unix()/int64(step/time.Second))
		if errors.Is(err, store.ErrUsed) {
			return ErrProof
		}
		return err
	}
	return ErrProof
}
