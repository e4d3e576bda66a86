package administrators

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/url"
	"time"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
)

// How long a set-up secret is good: one that is printed on the server, where another is made
// at once, and one that an administrator hands over to another.
const (
	SetupOnServer = time.Hour
	SetupHandedOn = 7 * 24 * time.Hour
)

// SetupLink is where a password is set with a set-up secret, at a cloud's URL. The secret is
// the fragment, which browsers send to nobody: no log has it.
func SetupLink(cloud, name, secret string) string {
	return cloud + "/console/setup?name=" + url.QueryEscape(name) + "#" + secret
}

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
// the secret is not theirs, or not any more, as when its time is over; throttle.ErrFull when
// too many wait.
func (d *Authenticator) SetUp(
	ctx context.Context, name, secret, password, address string,
) (a store.Administrator, err error) {
	hash, err := d.HashPassword(ctx, Stranger(throttle.Network(address), name), password)
	if err != nil {
		return a, err
	}
	err = d.Store.Provision(ctx, func(tx *store.Tx) error {
		if a, err = tx.Store().SetUpAdministrator(ctx, name, SetupHash(secret), d.now(), hash); err != nil {
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
