package factors

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pquerna/otp"

	"ldap-gateway/cloud/administrators"
	"ldap-gateway/cloud/store"
)

// The errors that callers decide on.
var (
	// ErrWrong says that what was shown proves nothing, or was used before.
	ErrWrong = administrators.ErrProof
	// ErrNoPasskeys says that people reach the cloud by no name that browsers keep passkeys for, over TLS.
	ErrNoPasskeys = administrators.ErrNoPasskeys
	// ErrMeanwhile says that a factor was set up since whoever sets one up was told that there is none.
	ErrMeanwhile = errors.New("a second factor was set up meanwhile")
	// ErrMany says that the user has as many passkeys as there may be.
	ErrMany = errors.New("too many passkeys")
)

// WaitError says that too much was tried, and that nothing was looked at.
type WaitError struct{ Wait time.Duration }

// Error says how long to wait.
func (e *WaitError) Error() string { return fmt.Sprintf("too many tries: wait %s", e.Wait) }

// Service checks and keeps the factors of people. Safe for concurrent use.
type Service struct {
	Store  *store.Store
	Proofs *administrators.Authenticator
	Now    func() time.Time // nil: time.Now
}

// Who is whose factor it is, and what is noted of the request.
type Who struct {
	User     store.User
	SignOnID string
	Address  string
	Proven   bool // has given a factor a moment ago: only then may there be one already
	Own      bool // on the person's own page, and not on the way of a sign-on
}

// did says what somebody did, and where.
func (w Who) did(what string) string {
	where := ", while they signed on"
	if w.Own {
		where = ", on their own page"
	}
	return "user " + w.User.Username + " " + what + where
}

func (s *Service) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// activity is one of a user's own.
func (w Who) activity(action, text string) store.Activity {
	a := store.Activity{
		EnvironmentID: w.User.EnvironmentID,
		Action:        action,
		Actor:         "user:" + w.User.ID,
		Subject:       "user:" + w.User.ID,
		SignOnID:      w.SignOnID,
		Text:          text,
	}
	if w.Address != "" {
		a.Detail = map[string]any{"address": w.Address}
	}
	return a
}

// Of returns what a user has.
func (s *Service) Of(ctx context.Context, u store.User) (store.PersonFactors, error) {
	return s.Store.PersonFactors(ctx, u.EnvironmentID, u.ID)
}

// PasskeySite returns where browsers give passkeys.
func (s *Service) PasskeySite() PasskeySite { return s.Proofs.PasskeySite() }

// Check takes a one-time password or a recovery code as it was typed, once. ErrWrong and *WaitError.
func (s *Service) Check(ctx context.Context, w Who, typed string) (store.Factor, error) {
	if hash, is := administrators.RecoveryCode(typed); is {
		return s.try(ctx, w, administrators.Recovery, func() (store.Factor, error) {
			return store.FactorRecovery, s.useRecovery(ctx, w, hash)
		})
	}
	return s.try(ctx, w, administrators.OneTime, func() (store.Factor, error) {
		return store.FactorOneTime, s.checkOneTime(ctx, w, typed)
	})
}

// IsRecoveryCode tells whether what was typed can be a recovery code at all.
func IsRecoveryCode(typed string) bool {
	_, is := administrators.RecoveryCode(typed)
	return is
}

// try has a proof looked at, having counted it: of many at once no more are looked at than may be wrong.
// What came to nothing, as when the store is away, is not counted.
func (s *Service) try(
	ctx context.Context, w Who, proof administrators.Proof, check func() (store.Factor, error),
) (store.Factor, error) {
	guess, now := administrators.Guess{Proof: proof, Account: w.User.ID}, s.now()
	wait, err := s.Proofs.BeginGuess(ctx, guess, now)
	if err != nil {
		return "", err
	}
	if wait > 0 {
		return "", &WaitError{wait}
	}
	f, err := check()
	switch {
	case errors.Is(err, ErrWrong):
		text := "the second factor of user " + w.User.Username + " was refused: a " + string(proof) +
			" that is not theirs, or was used already"
		return "", errors.Join(err, s.Store.AddActivity(ctx, w.activity("user.factor-refused", text)))
	case err != nil:
		return "", errors.Join(err, s.Proofs.UndoGuess(context.WithoutCancel(ctx), guess, now))
	}
	return f, errors.Join(s.Proofs.GuessedRight(ctx, guess), s.proven(ctx, w, string(proof)))
}

func (s *Service) checkOneTime(ctx context.Context, w Who, code string) error {
	sealed, err := s.Store.PersonFactor(ctx, w.User.EnvironmentID, w.User.ID)
	if err != nil {
		return err
	}
	return s.Proofs.CheckPersonOneTime(ctx, w.User.EnvironmentID, w.User.ID, sealed, code)
}

// useRecovery uses a code up, and notes how many are left.
func (s *Service) useRecovery(ctx context.Context, w Who, hash []byte) error {
	err := s.Store.Provision(ctx, func(tx *store.Tx) error {
		env, id := w.User.EnvironmentID, w.User.ID
		if err := tx.Store().UsePersonRecoveryCode(ctx, env, id, hash, s.now()); err != nil {
			return err
		}
		left, err := tx.PersonRecoveryCodes(ctx, env, id)
		if err != nil {
			return err
		}
		a := w.activity("user.recovery-code-used", fmt.Sprintf(
			"user %s used a recovery code in the place of the second factor; %d are left", w.User.Username, left.Left))
		return tx.AddActivity(ctx, a)
	})
	if errors.Is(err, store.ErrNotFound) {
		err = ErrWrong
	}
	return err
}

// proven notes that a user has given the second factor.
func (s *Service) proven(ctx context.Context, w Who, by string) error {
	text := "user " + w.User.Username + " gave the second factor: " + by
	return s.Store.AddActivity(ctx, w.activity("user.factor-proven", text))
}

// Provided notes that an identity provider, which is trusted with it, asked for the second factor.
func (s *Service) Provided(ctx context.Context, w Who) error {
	return s.proven(ctx, w, "as their identity provider says, which is trusted with it")
}

// Missing notes that a policy has turned a user away who has no second factor.
func (s *Service) Missing(ctx context.Context, w Who, policy string) error {
	text := "user " + w.User.Username + " was turned away: they have no second factor, and the sign-on policy " + policy +
		" has nobody set one up on the way"
	return s.Store.AddActivity(ctx, w.activity("user.factor-missing", text))
}

// NewOneTime makes a secret of one-time passwords for a user, which is not kept yet. Issuer is what
// their program shows it by.
func (s *Service) NewOneTime(issuer string, u store.User) (*otp.Key, error) {
	return s.Proofs.NewPersonOneTime(issuer, u)
}

// OneTimeOf returns the secret of a text that NewOneTime's had as its URL. Its error is not for people.
func OneTimeOf(url string) (*otp.Key, error) { return administrators.OneTimeOf(url) }

// PictureOf returns a secret as a PNG that an authenticator app reads.
func PictureOf(key *otp.Key) ([]byte, error) { return administrators.PictureOf(key) }

// KeepOneTime keeps a secret, in the place of another, once the user has shown what it makes now.
// ErrWrong when that is not so, and ErrMeanwhile.
func (s *Service) KeepOneTime(ctx context.Context, w Who, key *otp.Key, typed string) error {
	sealed, step, err := s.Proofs.SealOneTime(administrators.PersonOwner(w.User.ID), key, typed)
	if err != nil {
		return err
	}
	env, id := w.User.EnvironmentID, w.User.ID
	replaces := func(have store.PersonFactors) bool { return len(have.OneTime) > 0 }
	err = s.add(ctx, w, "one-time passwords", replaces, func(tx *store.Tx) error {
		if err := tx.Store().SetPersonFactor(ctx, env, id, sealed); err != nil {
			return err
		}
		return tx.Store().UsePersonOneTime(ctx, env, id, step)
	})
	if errors.Is(err, store.ErrUsed) {
		err = ErrWrong
	}
	if err == nil { // what was guessed of the one before is over
		err = s.Proofs.GuessedRight(ctx, administrators.Guess{Proof: administrators.OneTime, Account: w.User.ID})
	}
	return err
}

// add keeps a factor; replaces tells whether that is in the place of another.
func (s *Service) add(
	ctx context.Context, w Who, what string, replaces func(store.PersonFactors) bool, keep func(*store.Tx) error,
) error {
	return s.Store.Provision(ctx, func(tx *store.Tx) error {
		have, err := tx.PersonFactors(ctx, w.User.EnvironmentID, w.User.ID)
		if err == nil && have.Any() && !w.Proven {
			err = ErrMeanwhile
		}
		if err == nil {
			err = keep(tx)
		}
		if err != nil {
			return err
		}
		action, did := "user.factor-added", "set up a second factor: "
		if replaces(have) {
			action, did = "user.factor-replaced", "replaced a second factor: "
		}
		return tx.AddActivity(ctx, w.activity(action, w.did(did+what)))
	})
}

// NewCodes makes recovery codes, which are good once KeepCodes has kept their hashes.
func NewCodes() (codes []string, hashes [][]byte) { return administrators.NewRecoveryCodes() }

// KeepCodes keeps the hashes of recovery codes in the place of those of before. store.ErrNotFound for who has no
// factor that they could stand in for.
func (s *Service) KeepCodes(ctx context.Context, w Who, hashes [][]byte) error {
	return s.Store.Provision(ctx, func(tx *store.Tx) error {
		have, err := tx.PersonFactors(ctx, w.User.EnvironmentID, w.User.ID)
		if err == nil && !have.Any() {
			err = store.ErrNotFound
		}
		if err == nil {
			err = tx.Store().SetPersonRecoveryCodes(ctx, w.User.EnvironmentID, w.User.ID, hashes)
		}
		if err != nil {
			return err
		}
		text := "made recovery codes"
		if have.Recovery.Made > 0 {
			text = "replaced their recovery codes"
		}
		return tx.AddActivity(ctx, w.activity("user.recovery-codes-made", w.did(text)))
	})
}

// DropOneTime takes a user's one-time passwords away.
func (s *Service) DropOneTime(ctx context.Context, w Who) error {
	return s.drop(ctx, w, "one-time passwords", func(tx *store.Tx) error {
		return tx.Store().SetPersonFactor(ctx, w.User.EnvironmentID, w.User.ID, nil)
	})
}

// DropPasskey takes one of a user's passkeys away; store.ErrNotFound when there is no such.
func (s *Service) DropPasskey(ctx context.Context, w Who, id string) error {
	return s.drop(ctx, w, "a passkey", func(tx *store.Tx) error {
		return tx.Store().DeletePersonPasskey(ctx, w.User.EnvironmentID, w.User.ID, id)
	})
}

func (s *Service) drop(ctx context.Context, w Who, what string, drop func(*store.Tx) error) error {
	return s.Store.Provision(ctx, func(tx *store.Tx) error {
		if err := drop(tx); err != nil {
			return err
		}
		return tx.AddActivity(ctx, w.activity("user.factor-removed", w.did("gave up a second factor: "+what)))
	})
}
