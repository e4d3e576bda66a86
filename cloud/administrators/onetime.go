package administrators

import (
	"bytes"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"image/png"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"ldap-gateway/cloud/store"
)

// PurposeOneTime is what the vault seals secrets for; the owner is the administrator's ID.
const PurposeOneTime = "one-time password"

// step is how long a one-time password is good, and the clocks may differ by one.
const step = 30 * time.Second

// NewOneTime returns a new secret for an administrator's one-time passwords, as
// their program reads it from a picture or by hand. It is not kept.
func (d *Authenticator) NewOneTime(a store.Administrator) (*otp.Key, error) {
	return totp.Generate(totp.GenerateOpts{Issuer: "ldap-cloud", AccountName: a.Name})
}

// OneTimeOf returns the key of what NewOneTime wrote. Its error is not for people. A text without a secret
// is none: anybody can tell the passwords of an empty one.
func OneTimeOf(url string) (*otp.Key, error) {
	key, err := otp.NewKeyFromURL(url)
	if err == nil && key.Secret() == "" {
		err = errNoSecret
	}
	return key, err
}

// errNoSecret says that nothing was set up.
var errNoSecret = errors.New("there is no secret of one-time passwords")

// SealOneTime seals a secret of NewOneTime for its owner, once they have shown the
// one-time password that it makes now. At is that password's time step, to be used up with
// the secret. ErrProof when it is not that.
func (d *Authenticator) SealOneTime(owner string, key *otp.Key, code string) (sealed []byte, at int64, err error) {
	if at, err = d.stepOf(key.Secret(), code); err != nil {
		return nil, 0, err
	}
	return d.Vault.Seal(PurposeOneTime, owner, []byte(key.Secret())), at, nil
}

// CheckOneTime takes a one-time password of an administrator, once. ErrProof
// when it is wrong, or was used, or the administrator has none.
// The step is used up over all nodes before this returns, also when the sign-in then
// fails for another reason.
func (d *Authenticator) CheckOneTime(ctx context.Context, a store.Administrator, code string) error {
	at, err := d.stepOfSealed(a.ID, a.TOTP, code)
	if err != nil {
		return err
	}
	return used(d.Store.UseOneTimePassword(ctx, a.EnvironmentID, a.ID, at))
}

// used makes a second use what it is for the person: a wrong code. Whether it was right
// once is nobody's to learn.
func used(err error) error {
	if errors.Is(err, store.ErrUsed) {
		return ErrProof
	}
	return err
}

// stepOfSealed is stepOf for a secret as it is kept; ErrProof when there is none.
func (d *Authenticator) stepOfSealed(owner string, sealed []byte, code string) (int64, error) {
	if len(sealed) == 0 {
		return 0, ErrProof
	}
	secret, err := d.Vault.Open(PurposeOneTime, owner, sealed)
	if err != nil {
		return 0, fmt.Errorf("one-time password: %w", err)
	}
	return d.stepOf(string(secret), code)
}

// stepOf returns the time step of a one-time password that a secret makes about
// now; ErrProof when it makes no such.
func (d *Authenticator) stepOf(secret, code string) (int64, error) {
	code = strings.Join(strings.Fields(code), "")
	for _, at := range []time.Time{d.now().Add(-step), d.now(), d.now().Add(step)} {
		want, err := totp.GenerateCode(secret, at)
		if err != nil {
			return 0, fmt.Errorf("one-time password: %w", err)
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			return at.Unix() / int64(step/time.Second), nil
		}
	}
	return 0, ErrProof
}

// PictureOf returns a secret as a PNG that an authenticator app reads.
func PictureOf(key *otp.Key) ([]byte, error) {
	picture, err := key.Image(240, 240)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = png.Encode(&out, picture)
	return out.Bytes(), err
}
