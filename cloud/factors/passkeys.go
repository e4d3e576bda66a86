package factors

import (
	"context"
	"errors"

	"ldap-gateway/cloud/administrators"
	"ldap-gateway/cloud/store"
)

// Ceremony is what a browser is asked about passkeys, and what has to be kept until it answers.
type Ceremony = administrators.Ceremony

// PasskeySite is where passkeys can be made and shown.
type PasskeySite = administrators.PasskeySite

// AskPasskey asks for one of a user's passkeys. ErrNoPasskeys.
func (s *Service) AskPasskey(u store.User, have store.PersonFactors) (Ceremony, error) {
	return s.Proofs.AskPersonPasskey(u, have.Passkeys)
}

// CheckPasskey takes a browser's answer to AskPasskey. ErrWrong and *WaitError.
func (s *Service) CheckPasskey(ctx context.Context, w Who, state, answer []byte) (store.Factor, error) {
	have, err := s.Of(ctx, w.User)
	if err != nil {
		return "", err
	}
	return s.try(ctx, w, administrators.Passkey, func() (store.Factor, error) {
		return s.Proofs.CheckPersonPasskey(ctx, w.User, have.Passkeys, state, answer)
	})
}

// AskNewPasskey begins the making of a passkey. ErrNoPasskeys, and ErrMany for who has enough.
func (s *Service) AskNewPasskey(u store.User, have store.PersonFactors) (Ceremony, error) {
	if len(have.Passkeys) >= store.MostPersonPasskeys {
		return Ceremony{}, ErrMany
	}
	return s.Proofs.AskNewPersonPasskey(u, have.Passkeys)
}

// KeepPasskey keeps what a browser made for AskNewPasskey. ErrWrong, ErrMeanwhile and ErrMany. The
// factor is what it has proven by that.
func (s *Service) KeepPasskey(
	ctx context.Context, w Who, state, answer []byte, name string,
) (store.Factor, error) {
	have, err := s.Of(ctx, w.User)
	if err != nil {
		return "", err
	}
	p, err := s.Proofs.NewPersonPasskey(w.User, have.Passkeys, state, answer, name)
	if err != nil {
		return "", err
	}
	beside := func(store.PersonFactors) bool { return false }
	err = s.add(ctx, w, "a passkey", beside, func(tx *store.Tx) error { return tx.Store().AddPersonPasskey(ctx, &p) })
	if errors.Is(err, store.ErrConflict) {
		err = ErrMany
	}
	return administrators.KindOf(p), err
}
