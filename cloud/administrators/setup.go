package administrators

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
)

// NewSetupSecret returns a one-time secret by which an administrator sets a first
// password, and what is kept of it. It has 120 random bits.
func NewSetupSecret() (secret string, hash []byte) {
	b := make([]byte, 15)
	rand.Read(b) // never fails
	secret = base64.RawURLEncoding.EncodeToString(b)
	return secret, SetupHash(secret)
}

// SetupHash is what is kept of a set-up secret: that has too much in it to be
// guessed from its hash, so the hash needs no salt and no time.
func SetupHash(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// SetUp sets an administrator's first password, or the one after a reset, by the
// set-up secret, once. Address is where they are, for the activity. ErrProof when
// the secret is not theirs, or not any more; throttle.ErrFull when too many
// wait.
func (d *Authenticator) SetUp(
	ctx context.Context, name, secret, password, address string,
) (a store.Administrator, err error) {
	hash, err := d.HashPassword(ctx, Stranger(throttle.Network(address), name), password)
	if err != nil {
		return a, err
	}
	err = d.Store.Provision(ctx, func(tx *store.Tx) error {
		if a, err = tx.Store().SetUpAdministrator(ctx, name, SetupHash(secret), hash); err != nil {
			return err
		}
		return tx.AddActivity(ctx, store.Activity{
			EnvironmentID: a.EnvironmentID,
			Action:        "administrator.set-up",
			Actor:         "admin:" + a.Name,
			Subject:       "administrator:" + a.ID,
			Text:          "a password was set with the one-time secret by " + a.Name,
			Detail:        map[string]any{"address": address},
		})
	})
	if errors.Is(err, store.ErrNotFound) {
		err = ErrProof
	}
	return a, err
}
