package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// selectedAtOnce is how many are done at once of all that a filter finds.
const selectedAtOnce = 20

// SelectedUsers returns the IDs of the first after one, some at once, of the users whom a filter lets through and who
// were there at a time. They are in the order of their IDs, which neither what is done with them nor a collation
// changes.
func (r reader) SelectedUsers(
	ctx context.Context, env string, f UserFilter, at time.Time, after string,
) ([]string, error) {
	f.Order = byID
	ids, few, err := r.few(ctx, env, f)
	if err != nil {
		return nil, err
	}
	if few {
		return r.selectedOf(ctx, env, ids, f, at, after)
	}
	l := list{query: "SELECT u.id FROM users u" + r.c.by("sqlite_autoindex_users_2")}
	if err := f.narrow(&l, env); err != nil {
		return nil, err
	}
	return r.selected(ctx, l, "u", at, after)
}

// byID is the order of the users' IDs, which no list has.
const byID UserOrder = "id"

// selectedOf is SelectedUsers of a few.
func (r reader) selectedOf(
	ctx context.Context, env string, ids []string, f UserFilter, at time.Time, after string,
) (all []string, err error) {
	slices.Sort(ids)
	first, _ := slices.BinarySearch(ids, after+"\x00")
	for some := range slices.Chunk(ids[first:], readAtOnce) {
		users, err := r.filtered(ctx, env, some, f)
		if err != nil {
			return nil, err
		}
		for _, u := range users {
			if !u.CreatedAt.After(at) {
				all = append(all, u.ID)
			}
		}
		if len(all) >= selectedAtOnce {
			break
		}
	}
	slices.Sort(all)
	return all[:min(len(all), selectedAtOnce)], nil
}

// SelectedGroups is SelectedUsers of groups.
func (r reader) SelectedGroups(
	ctx context.Context, env string, f GroupFilter, at time.Time, after string,
) ([]string, error) {
	l := list{query: "SELECT g.id FROM cloud_groups g" + r.c.by("sqlite_autoindex_cloud_groups_2")}
	if err := f.narrow(&l, env); err != nil {
		return nil, err
	}
	return r.selected(ctx, l, "g", at, after)
}

// selected are some of a list, by their IDs.
func (r reader) selected(ctx context.Context, l list, table string, at time.Time, after string) ([]string, error) {
	l.where(table+".created_at <= ?", micros(at))
	l.where(table+".id > ?", after)
	query := fmt.Sprintf("%s WHERE %s ORDER BY %s.id LIMIT %d",
		l.query, strings.Join(l.conds, " AND "), table, selectedAtOnce)
	return queryInTurn(ctx, r.c, value[string], l, query)
}

// AddGoing notes what is to be done in short turns, and fills in the ID.
func (s *Store) AddGoing(ctx context.Context, g *Going) error {
	return s.ProvisionIn(ctx, g.EnvironmentID, func(tx *Tx) error { return tx.addGoing(ctx, g) })
}

// Going returns something that is not all done, or ErrNotFound.
func (r reader) Going(ctx context.Context, id string) (Going, error) {
	return queryOne(ctx, r.c, scanGoing, goingColumns+` WHERE id = $1`, id)
}

// MoveGoing keeps how far something has come.
func (s *Store) MoveGoing(ctx context.Context, g Going) error {
	return s.ProvisionIn(ctx, g.EnvironmentID, func(tx *Tx) error {
		return tx.c.execOne(ctx, `UPDATE goings SET subjects = $1 WHERE id = $2`, inJSON(g.Of), g.ID)
	})
}

// EndGoing forgets what is done.
func (s *Store) EndGoing(ctx context.Context, g Going) error {
	return s.ProvisionIn(ctx, g.EnvironmentID, func(tx *Tx) error {
		return tx.c.execOne(ctx, `DELETE FROM goings WHERE id = $1`, g.ID)
	})
}
