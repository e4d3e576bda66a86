package administrators

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"ldap-gateway/cloud/store"
)

// PersonOwner is the owner of a user's secret, and the account by which passkeys name a user.
func PersonOwner(user string) string { return "user:" + user }

// NewPersonOneTime is NewOneTime for a user; issuer is what their program shows it by.
func (d *Authenticator) NewPersonOneTime(issuer string, u store.User) (*otp.Key, error) {
	return totp.Generate(totp.GenerateOpts{Issuer: issuer, AccountName: u.Username})
}

// CheckPersonOneTime is CheckOneTime for a user.
func (d *Authenticator) CheckPersonOneTime(ctx context.Context, env, user string, sealed []byte, code string) error {
	at, err := d.stepOfSealed(PersonOwner(user), sealed, code)
	if err != nil {
		return err
	}
	err = used(d.Store.UsePersonOneTime(ctx, env, user, at))
	if errors.Is(err, store.ErrNotFound) { // it was taken away at this moment
		err = ErrProof
	}
	return err
}

// personHolder is a user with passkeys.
func personHolder(u store.User, have []store.Passkey) (holder, error) {
	return holderWith(PersonOwner(u.ID), u.Username, have)
}

// AskNewPersonPasskey begins the making of a passkey beside those that a user has. It stands beside
// another proof and is asked for by its ID, so it may be a key that keeps no names and asks for no PIN.
// ErrNoPasskeys where none can be.
func (d *Authenticator) AskNewPersonPasskey(u store.User, have []store.Passkey) (Ceremony, error) {
	h, err := personHolder(u, have)
	if err != nil {
		return Ceremony{}, err
	}
	return d.askNew(h, protocol.AuthenticatorSelection{
		ResidentKey:      protocol.ResidentKeyRequirementDiscouraged,
		UserVerification: protocol.VerificationPreferred,
	})
}

// NewPersonPasskey returns what a browser made for a user, to be stored. ErrProof when it does not
// answer the question.
func (d *Authenticator) NewPersonPasskey(
	u store.User, have []store.Passkey, state, answer []byte, name string,
) (p store.Passkey, err error) {
	h, err := personHolder(u, have)
	if err != nil {
		return p, err
	}
	p = store.Passkey{EnvironmentID: u.EnvironmentID, UserID: u.ID, Name: name}
	return p, d.made(h, state, answer, &p)
}

// AskPersonPasskey asks for one of the passkeys of a user. ErrNoPasskeys where none can be.
func (d *Authenticator) AskPersonPasskey(u store.User, have []store.Passkey) (Ceremony, error) {
	w, err := d.site()
	if err != nil {
		return Ceremony{}, err
	}
	h, err := personHolder(u, have)
	if err != nil {
		return Ceremony{}, err
	}
	options, s, err := w.BeginLogin(h, webauthn.WithUserVerification(protocol.VerificationPreferred))
	if err != nil {
		return Ceremony{}, err
	}
	return ceremony(options.Response, s, nil)
}

// CheckPersonPasskey returns what a user has shown: a passkey that cannot leave its device, or one
// that can. ErrProof as of CheckPasskey.
func (d *Authenticator) CheckPersonPasskey(
	ctx context.Context, u store.User, have []store.Passkey, state, answer []byte,
) (store.Factor, error) {
	w, s, err := d.resume(state)
	if err != nil {
		return "", err
	}
	h, err := personHolder(u, have)
	if err != nil {
		return "", err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrProof, err)
	}
	shown, err := w.ValidateLogin(h, s, parsed)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrProof, err)
	}
	i := slices.IndexFunc(have, func(p store.Passkey) bool { return p.ID == idOf(shown.ID) })
	if i < 0 {
		return "", ErrProof
	}
	p := have[i]
	if err := d.used(&p, shown); err != nil {
		return "", err
	}
	err = d.Store.UpdatePersonPasskey(ctx, &p)
	if errors.Is(err, store.ErrNotFound) { // it was taken away at this moment
		err = ErrProof
	}
	return KindOf(p), err
}

// KindOf tells whether a passkey can leave its device: one that may be backed up can (WebAuthn
// section 6.1.3).
func KindOf(p store.Passkey) store.Factor {
	var c webauthn.Credential
	if json.Unmarshal(p.Credential, &c) == nil && !c.Flags.BackupEligible {
		return store.FactorHardware
	}
	return store.FactorSoftware
}
