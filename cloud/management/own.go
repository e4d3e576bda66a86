package management

import (
	"cmp"
	"context"

	"ldap-gateway/cloud/store"
)

// own runs a change of the actor's own way in.
// That somebody changes their own password is no change of anybody else, so no higher
// right is asked for; that they still are somebody is asked, as of everybody.
func (s *Service) own(ctx context.Context, by By, text string, f func(t *turn) error) error {
	return s.act(ctx, by, KeepOwn, func(t *turn) error {
		subject := "administrator:" + by.ID
		if by.Kind == Person {
			subject = "user:" + by.ID
		}
		t.did(note{action: "administrator.updated", subject: subject, text: text})
		return f(t)
	})
}

// ChangeOwnPassword keeps the hash of the actor's new password. ErrNotOwn for who
// has none here.
// The face has asked for the old one, and made the hash: no password comes here. Other
// sessions of theirs end, since they were opened by another one.
func (s *Service) ChangeOwnPassword(ctx context.Context, by By, hash string) error {
	if by.Kind != Administrator {
		return ErrNotOwn
	}
	return s.own(ctx, by, "the password was changed", func(t *turn) error {
		a, err := t.AdministratorByID(ctx, t.env(), by.ID)
		if err != nil {
			return err
		}
		a.PasswordHash = hash
		return t.UpdateAdministrator(ctx, &a)
	})
}

// KeepOwnOneTime keeps the sealed secret of the actor's one-time passwords. Step is
// the time step of the one that proved it, which is used up: store.ErrUsed when it
// was before. ErrNotOwn for who has none here.
// It is kept only with a first code that the new secret made: who mistypes a secret is
// not locked out by it.
func (s *Service) KeepOwnOneTime(ctx context.Context, by By, sealed []byte, step int64) error {
	if by.Kind != Administrator {
		return ErrNotOwn
	}
	return s.own(ctx, by, "one-time passwords were set up", func(t *turn) error {
		if err := t.UseOneTimePassword(ctx, t.env(), by.ID, step); err != nil {
			return err
		}
		return t.setOneTime(ctx, sealed)
	})
}

// KeepOwnRecovery keeps the hashes of the actor's new recovery codes, which ends those of
// before. ErrNotOwn for who has none here.
func (s *Service) KeepOwnRecovery(ctx context.Context, by By, hashes [][]byte) error {
	if by.Kind != Administrator {
		return ErrNotOwn
	}
	return s.own(ctx, by, "recovery codes were made; those of before are good no more", func(t *turn) error {
		return t.SetRecoveryCodes(ctx, by.ID, hashes)
	})
}

// UseOwnRecovery uses one of the actor's recovery codes up, and returns how many are left.
// store.ErrNotFound when it is none of theirs, or was used before.
func (s *Service) UseOwnRecovery(ctx context.Context, by By, hash []byte) (left int, err error) {
	if by.Kind != Administrator {
		return 0, ErrNotOwn
	}
	err = s.act(ctx, by, KeepOwn, func(t *turn) error {
		if err := t.UseRecoveryCode(ctx, by.ID, hash, s.now()); err != nil {
			return err
		}
		codes, err := t.RecoveryCodes(ctx, by.ID)
		left = codes.Left
		t.did(note{
			action:  "administrator.recovery-code-used",
			subject: "administrator:" + by.ID,
			text:    "a recovery code was used in the place of the second factor",
			more:    facts{"left": left},
		})
		return err
	})
	return left, err
}

// dropRecovery takes the actor's recovery codes away with the last second factor: they stand
// in the place of one.
func (t *turn) dropRecovery(ctx context.Context) error {
	a, err := t.AdministratorByID(ctx, t.env(), t.by.ID)
	if err != nil || len(a.TOTP) > 0 {
		return err
	}
	keys, err := t.Passkeys(ctx, a.ID)
	if err != nil || len(keys) > 0 {
		return err
	}
	return t.SetRecoveryCodes(ctx, a.ID, nil)
}

// DropOwnOneTime gives the actor's one-time passwords up. ErrNotOwn for who has none here.
func (s *Service) DropOwnOneTime(ctx context.Context, by By) error {
	if by.Kind != Administrator {
		return ErrNotOwn
	}
	return s.own(ctx, by, "one-time passwords were given up", func(t *turn) error {
		return cmp.Or(t.setOneTime(ctx, nil), t.dropRecovery(ctx))
	})
}

// setOneTime keeps the actor's own secret; nil takes it away.
func (t *turn) setOneTime(ctx context.Context, sealed []byte) error {
	a, err := t.AdministratorByID(ctx, t.env(), t.by.ID)
	if err != nil {
		return err
	}
	a.TOTP = sealed
	return t.UpdateAdministrator(ctx, &a)
}

// AddOwnPasskey keeps a passkey of the actor's.
func (s *Service) AddOwnPasskey(ctx context.Context, by By, p *store.Passkey) error {
	if by.Kind != Administrator {
		return ErrNotOwn
	}
	p.EnvironmentID, p.AdministratorID = by.Environment, by.ID
	return s.own(ctx, by, "a passkey was added", func(t *turn) error { return t.AddPasskey(ctx, p) })
}

// DropOwnPasskey removes a passkey of the actor's.
// store.ErrNotFound for one of somebody else, as for one that does not exist.
func (s *Service) DropOwnPasskey(ctx context.Context, by By, id string) error {
	if by.Kind != Administrator {
		return ErrNotOwn
	}
	return s.own(ctx, by, "a passkey was removed", func(t *turn) error {
		return cmp.Or(t.DeletePasskey(ctx, by.ID, id), t.dropRecovery(ctx))
	})
}

// SignedIn notes that the actor has opened the console, and how they proved who
// they are.
// It is the one action that changes nothing but the activities: who came in, when and
// by which proof is what is looked for first when something has happened.
func (s *Service) SignedIn(ctx context.Context, by By, proof string) error {
	return s.act(ctx, by, KeepOwn, func(t *turn) error {
		subject := "administrator:" + by.ID
		if by.Kind == Person {
			subject = "user:" + by.ID
		}
		t.did(note{
			action:  "administrator.signed-in",
			subject: subject,
			text:    "the console was opened",
			more:    facts{"proof": proof, "role": t.by.Role},
		})
		return nil
	})
}
