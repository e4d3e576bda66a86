package store

import (
	"cmp"
	"context"
	"errors"
	"time"
)

const signOnFields = `id, environment_id, at, method, username, user_id, gateway_id, user_type_id, instance_id, outcome,
	reason, message, updated, update_reason, verdict, verdict_reason, added, removed, duration, address, provider_id, line`

// signOnWidth is how many of them there are.
const signOnWidth = 22

// insertSignOn goes before what makes rows of that shape.
const insertSignOn = `INSERT INTO sign_ons (` + signOnFields + `)`

const signOnColumns = `
	SELECT ` + signOnFields + `
	FROM sign_ons`

// went is the source that a sign-on s went by.
const went = `CASE s.provider_id WHEN '' THEN s.gateway_id ELSE s.provider_id END`

// scanSignOn reads a sign-on; its duration is kept in microseconds.
func scanSignOn(r row) (s SignOn, err error) {
	var micros int64
	err = r.Scan(
		&s.ID,
		&s.EnvironmentID,
		at{&s.At},
		&s.Method,
		&s.Username,
		&s.UserID,
		&s.GatewayID,
		&s.UserTypeID,
		&s.InstanceID,
		&s.Outcome,
		&s.Reason,
		&s.Message,
		&s.Updated,
		&s.UpdateReason,
		&s.Verdict,
		&s.VerdictReason,
		fromJSON{&s.Added},
		fromJSON{&s.Removed},
		&micros,
		&s.Address,
		&s.ProviderID,
		&s.Line,
	)
	s.Duration = time.Duration(micros) * time.Microsecond
	return s, err
}

// row is what is written of a sign-on, in the order of signOnFields.
func (s *SignOn) row() []any {
	return []any{
		s.ID,
		s.EnvironmentID,
		micros(s.At),
		string(s.Method),
		s.Username,
		s.UserID,
		s.GatewayID,
		s.UserTypeID,
		s.InstanceID,
		s.Outcome,
		s.Reason,
		s.Message,
		s.Updated,
		s.UpdateReason,
		s.Verdict,
		s.VerdictReason,
		inJSON(s.Added),
		inJSON(s.Removed),
		s.Duration.Microseconds(),
		s.Address,
		s.ProviderID,
		s.Line,
	}
}

// RecordSignOn adds a sign-on and the activities that belong to it, and fills
// in IDs and times. An activity without environment, time or sign-on gets those
// of so. ErrConflict when a sign-on of that ID is recorded already.
func (s *Store) RecordSignOn(ctx context.Context, so *SignOn, activities ...Activity) error {
	return s.add(ctx, so.EnvironmentID, func(tx *Tx) error { return tx.RecordSignOn(ctx, so, activities...) })
}

// RecordSignOn is Store.RecordSignOn in this transaction.
func (tx *Tx) RecordSignOn(ctx context.Context, s *SignOn, activities ...Activity) error {
	if err := newID(&s.ID); err != nil {
		return err
	}
	stamp(&s.At)
	_, err := tx.c.exec(ctx, insertSignOn+` VALUES `+placeholders(1, 1, signOnWidth), s.row()...)
	if err != nil {
		return err
	}
	owned := make([]Activity, 0, len(activities))
	for _, a := range activities {
		a.EnvironmentID = cmp.Or(a.EnvironmentID, s.EnvironmentID)
		a.At = cmp.Or(a.At, s.At)
		a.SignOnID = cmp.Or(a.SignOnID, s.ID)
		owned = append(owned, a)
	}
	return tx.AddActivity(ctx, owned...)
}

// SignOn returns a sign-on, or ErrNotFound.
func (r reader) SignOn(ctx context.Context, env, id string) (SignOn, error) {
	return queryOne(ctx, r.c, scanSignOn, signOnColumns+` WHERE environment_id = $1 AND id = $2`, env, id)
}

// GroupsProven returns when a sign-on last brought all of a user's groups of one
// source, a gateway or an identity provider; the zero time when none has.
func (r reader) GroupsProven(ctx context.Context, env, user, source string) (time.Time, error) {
	t, err := queryOne(ctx, r.c, scanTime, `
		SELECT at
		FROM sign_ons s
		WHERE environment_id = $1 AND user_id = $2 AND verdict = 'complete' AND `+went+` = $3
		ORDER BY at DESC LIMIT 1`,
		env, user, source)
	if errors.Is(err, ErrNotFound) {
		err = nil
	}
	return t, err
}

// SignOnFilter narrows a list of sign-ons; an empty field does not.
type SignOnFilter struct{ UserID string }

// SignOns lists the newest first.
// There is one filter, and an index for it: sign-ons are the table that grows most, and
// a list of them must never look at all.
func (r reader) SignOns(ctx context.Context, env string, f SignOnFilter, page Page) ([]SignOn, string, error) {
	l := list{query: signOnColumns, key: "at", id: "id", word: "sign-on", time: true, backward: true}
	l.where("environment_id = ?", env)
	l.whereSet("user_id", f.UserID)
	return queryPage(ctx, r.c, l, page, scanSignOn, func(s SignOn) (any, string) { return micros(s.At), s.ID })
}
