package store

import (
	"context"
	"slices"
	"strings"
)

// CreateUser adds u and fills in its ID and times. ErrConflict when the
// username is taken; ErrNotFound when the environment has no such population or
// gateway.
func (s *Store) CreateUser(ctx context.Context, u *User) error {
	return s.Provision(ctx, func(tx *Tx) error { return tx.CreateUser(ctx, u) })
}

// CreateUser is Store.CreateUser in this transaction.
func (tx *Tx) CreateUser(ctx context.Context, u *User) error {
	if err := newID(&u.ID); err != nil {
		return err
	}
	stamp(&u.CreatedAt)
	u.UpdatedAt = u.CreatedAt
	tx.c.counts.made.Add(1)
	_, err := tx.c.exec(ctx, `
		INSERT INTO users (id, environment_id, population_id, username, username_folded, given_name, family_name,
			email, email_folded, external_id, attributes, enabled, gateway_id, user_type_id, dn, created_at,
			updated_at, locked, kept, found_by, name_folded)
		VALUES `+placeholders(1, 1, 21),
		u.ID,
		u.EnvironmentID,
		u.PopulationID,
		u.Username,
		Fold(u.Username),
		u.GivenName,
		u.FamilyName,
		u.Email,
		Fold(u.Email),
		u.ExternalID,
		inJSON(u.Attributes),
		u.Enabled,
		orNull(u.GatewayID),
		u.UserTypeID,
		u.DN,
		micros(u.CreatedAt),
		micros(u.UpdatedAt),
		u.Locked,
		inJSON(u.Kept),
		u.foundBy(),
		u.nameKey(),
	)
	if err == nil {
		err = tx.setCorrelations(ctx, u)
	}
	if err != nil {
		return err
	}
	return tx.setFound(ctx, u)
}

// UpdateUser writes u and fills in UpdatedAt. Errors are those of CreateUser.
func (s *Store) UpdateUser(ctx context.Context, u *User) error {
	return s.Provision(ctx, func(tx *Tx) error { return tx.UpdateUser(ctx, u) })
}

// UpdateUser is Store.UpdateUser in this transaction. The caller compares: the
// row is written whether or not it differs, its correlations only when they do.
// Whoever may not sign on any more is signed off everywhere: what was open does not come
// back with the leave to sign on.
func (tx *Tx) UpdateUser(ctx context.Context, u *User) error {
	before, err := tx.User(ctx, u.EnvironmentID, u.ID)
	if err != nil {
		return err
	}
	u.UpdatedAt = now()
	err = tx.c.execOne(ctx, `
		UPDATE users
		SET population_id = $1, username = $2, username_folded = $3, given_name = $4, family_name = $5,
			email = $6, email_folded = $7, external_id = $8, attributes = $9, enabled = $10, gateway_id = $11,
			user_type_id = $12, dn = $13, updated_at = $14, locked = $17, kept = $18,
			found_by = $19, name_folded = $20
		WHERE environment_id = $15 AND id = $16`,
		u.PopulationID,
		u.Username,
		Fold(u.Username),
		u.GivenName,
		u.FamilyName,
		u.Email,
		Fold(u.Email),
		u.ExternalID,
		inJSON(u.Attributes),
		u.Enabled,
		orNull(u.GatewayID),
		u.UserTypeID,
		u.DN,
		micros(u.UpdatedAt),
		u.EnvironmentID,
		u.ID,
		u.Locked,
		inJSON(u.Kept),
		u.foundBy(),
		u.nameKey(),
	)
	if err == nil && before.foundBy() != u.foundBy() {
		err = tx.changeFound(ctx, u)
	}
	if err == nil && before.MaySignOn() && !u.MaySignOn() {
		err = tx.signOff(ctx, u.EnvironmentID, u.ID)
	}
	if err != nil || slices.Equal(before.Correlation, u.Correlation) {
		return err
	}
	if _, err := tx.c.exec(ctx, `DELETE FROM correlations WHERE environment_id = $1 AND user_id = $2`,
		u.EnvironmentID, u.ID); err != nil {
		return err
	}
	return tx.setCorrelations(ctx, u)
}

// setCorrelations adds the values of a user that has none. The attribute is kept as it
// was given and, for looking up, in small letters (RFC 4512 section 2.5: names match
// without regard to case).
func (tx *Tx) setCorrelations(ctx context.Context, u *User) error {
	if len(u.Correlation) == 0 {
		return nil
	}
	var args []any
	for i, c := range u.Correlation {
		args = append(args, u.EnvironmentID, u.ID, i, c.Attribute, strings.ToLower(c.Attribute), c.Value)
	}
	_, err := tx.c.exec(ctx, `
		INSERT INTO correlations (environment_id, user_id, position, attribute, attribute_key, value)
		VALUES `+placeholders(1, len(u.Correlation), 6),
		args...)
	return err
}

// DeleteUser removes a user with its memberships; its sign-ons and activities
// stay. ErrNotFound when there is none.
func (s *Store) DeleteUser(ctx context.Context, env, id string) error {
	return s.Provision(ctx, func(tx *Tx) error {
		if err := tx.all(ctx, leavingAll(env, id)); err != nil {
			return err
		}
		return tx.c.execOne(ctx, `DELETE FROM users WHERE environment_id = $1 AND id = $2`, env, id)
	})
}

// SignOffUser ends everything that a user has opened: sessions, which hold their
// own count against the user's, and what applications hold for them. It returns
// ErrNotFound when there is no such user.
// The count is compared at each request of a session, so that a session ends on every
// node without being looked for; tokens and unfinished sign-ons of applications are
// rows, and go.
func (s *Store) SignOffUser(ctx context.Context, env, id string) error {
	return s.Provision(ctx, func(tx *Tx) error { return tx.signOff(ctx, env, id) })
}

// signOff is SignOffUser in this transaction.
func (tx *Tx) signOff(ctx context.Context, env, id string) error {
	if err := tx.c.execOne(ctx, `UPDATE users SET sign_offs = sign_offs + 1 WHERE environment_id = $1 AND id = $2`,
		env, id); err != nil {
		return err
	}
	if _, err := tx.c.exec(ctx, `DELETE FROM authorizations WHERE environment_id = $1 AND user_id = $2`,
		env, id); err != nil {
		return err
	}
	_, err := tx.c.exec(ctx, `DELETE FROM application_tokens WHERE environment_id = $1 AND user_id = $2`, env, id)
	return err
}
