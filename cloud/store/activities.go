package store

import (
	"context"
	"time"
)

// activityFields are in the order in which scanActivity reads them; so it is for every
// pair of the kind in this room.
const activityFields = `id, environment_id, at, action, actor, subject, sign_on_id, text, detail`

const activityColumns = `
	SELECT ` + activityFields + `
	FROM activities`

// scanActivity reads one line. What an older program kept in the detail is read as it
// was written: nobody looks up a name in it.
func scanActivity(r row) (a Activity, err error) {
	err = r.Scan(
		&a.ID,
		&a.EnvironmentID,
		at{&a.At},
		&a.Action,
		&a.Actor,
		&a.Subject,
		&a.SignOnID,
		&a.Text,
		fromJSON{&a.Detail},
	)
	return a, err
}

// AddActivity adds lines of what happened; those without ID or time get them.
func (s *Store) AddActivity(ctx context.Context, activities ...Activity) error {
	if len(activities) == 0 {
		return nil
	}
	return s.add(ctx, activities[0].EnvironmentID, func(tx *Tx) error { return tx.AddActivity(ctx, activities...) })
}

// AddActivity is Store.AddActivity in this transaction.
func (tx *Tx) AddActivity(ctx context.Context, activities ...Activity) error {
	for len(activities) > 0 {
		n := min(tx.rows, len(activities))
		var args []any
		for _, a := range activities[:n] {
			if err := newID(&a.ID); err != nil {
				return err
			}
			stamp(&a.At)
			args = append(args,
				a.ID,
				a.EnvironmentID,
				micros(a.At),
				a.Action,
				a.Actor,
				a.Subject,
				a.SignOnID,
				a.Text,
				inJSON(a.Detail),
			)
		}
		_, err := tx.c.exec(ctx, `
			INSERT INTO activities (id, environment_id, at, action, actor, subject, sign_on_id, text, detail)
			VALUES `+placeholders(1, n, 9),
			args...)
		if err != nil {
			return err
		}
		activities = activities[n:]
	}
	return nil
}

// ActivityFilter narrows a list of activities; empty fields do not.
type ActivityFilter struct {
	Action, Actor, Subject, SignOnID string
	Text                             string    // a part of it, without regard to case in ASCII
	From, Until                      time.Time // from is in it, until is not
}

// Activities lists the newest first, with those sign-ons that have no row of their own.
// The text is looked for within what the other conditions leave, since no index helps
// with it; narrow it by time where there is much. Case is disregarded in ASCII; beyond
// that it is the engine's.
func (r reader) Activities(ctx context.Context, env string, f ActivityFilter, page Page) ([]Activity, string, error) {
	l := list{query: activityColumns, key: "at", id: "id", word: "activity", time: true, backward: true}
	l.where("environment_id = ?", env)
	l.whereSet("action", f.Action)
	l.whereSet("actor", f.Actor)
	l.whereSet("subject", f.Subject)
	l.whereSet("sign_on_id", f.SignOnID)
	f.narrow(&l, "text")
	all, err := queryPart(ctx, r.c, l, page, scanActivity)
	if err != nil {
		return nil, "", err
	}
	if lines, ok := f.lines(env); ok {
		more, err := queryPart(ctx, r.c, lines, page, scanLine)
		if err != nil {
			return nil, "", err
		}
		all = merged(all, more, page.limit()+1, page.Before == "")
	}
	return ends(l, page, all, func(a Activity) (any, string) { return micros(a.At), a.ID })
}

// narrow adds the conditions that are alike for rows of activities and of sign-ons.
func (f ActivityFilter) narrow(l *list, text string) {
	if f.Text != "" {
		l.where(`lower(`+text+`) LIKE lower(?) ESCAPE '\'`, "%"+escapeLike(f.Text)+"%")
	}
	if !f.From.IsZero() {
		l.where("at >= ?", micros(f.From))
	}
	if !f.Until.IsZero() {
		l.where("at < ?", micros(f.Until))
	}
}
