package store

import (
	"context"
	"fmt"
	"slices"
)

// What hangs on something may be a million rows, for which nobody is to wait: it ends in parts, some in each
// turn.
const (
	peopleAtOnce = 20 // much hangs on a user
	groupsAtOnce = 50
)

// some ends a part of what hangs on something, and tells whether there may be more.
type some func(ctx context.Context, tx *Tx) (more bool, err error)

// inTurns has all of it ended, each part in a turn of its own.
func (s *Store) inTurns(ctx context.Context, env string, part some) error {
	for more := true; more; {
		err := s.ProvisionIn(ctx, env, func(tx *Tx) (err error) {
			more, err = part(ctx, tx)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// all has all of it ended in this turn.
func (tx *Tx) all(ctx context.Context, part some) error {
	for more := true; more; {
		var err error
		if more, err = part(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

// ReleaseDoubted takes every user out of a group whose membership in it is in doubt,
// and returns how many there were.
// Those whom the last sign-on showed in it stay.
func (s *Store) ReleaseDoubted(ctx context.Context, env, group string) (users int, err error) {
	err = s.ProvisionIn(ctx, env, func(tx *Tx) error {
		if users, err = tx.CountDoubted(ctx, env, group); err != nil {
			return err
		}
		return tx.all(ctx, undoubted(env, group))
	})
	return users, err
}

// CountDoubted returns how many users are in a group in doubt.
func (r reader) CountDoubted(ctx context.Context, env, group string) (int, error) {
	return queryOne(ctx, r.c, value[int], `
		SELECT count(*) FROM memberships
		WHERE environment_id = $1 AND group_id = $2 AND doubt <> ''`, env, group)
}

// undoubted takes whoever is in a group in doubt out of it.
func undoubted(env, group string) some {
	return func(ctx context.Context, tx *Tx) (bool, error) {
		return much(tx.endMemberships(ctx, `m.environment_id = $1 AND m.group_id = $2 AND m.doubt <> ''`, env, group))
	}
}

// tokensOf deletes the access tokens of an API client.
func tokensOf(env, client string) some { return tokensIn("tokens", "client_id", env, client) }

// tokensIn deletes the rows of a table of tokens that are of one owner.
func tokensIn(table, owner, env, id string) some {
	key := expiring()[table]
	return func(ctx context.Context, tx *Tx) (bool, error) {
		n, err := tx.c.exec(ctx, `
			DELETE FROM `+table+`
			WHERE `+key+` IN (
				SELECT `+key+` FROM `+table+` WHERE environment_id = $1 AND `+owner+` = $2 LIMIT $3)`,
			env, id, sweptAtOnce)
		return n == sweptAtOnce, err
	}
}

// leftByAll takes everybody out of a group.
func leftByAll(env, group string) some {
	return func(ctx context.Context, tx *Tx) (bool, error) {
		return much(tx.endMemberships(ctx, `m.environment_id = $1 AND m.group_id = $2`, env, group))
	}
}

// leavingAll takes a user out of all groups.
func leavingAll(env, user string) some {
	return func(ctx context.Context, tx *Tx) (bool, error) {
		return much(tx.endMemberships(ctx, `m.environment_id = $1 AND m.user_id = $2`, env, user))
	}
}

// endMemberships deletes some rows m of memberships, seen or not, and returns how many; MembershipsAtOnce:
// there may be more.
func (tx *Tx) endMemberships(ctx context.Context, of string, args ...any) (ended int, err error) {
	n, err := tx.c.exec(ctx, fmt.Sprintf(`
		DELETE FROM membership_rows
		WHERE (user_id, group_id) IN (
			SELECT m.user_id, m.group_id
			FROM membership_rows m
			WHERE %s LIMIT %d)`, of, MembershipsAtOnce),
		args...)
	return int(n), err
}

// much tells whether so many were ended that there may be more.
func much(ended int, err error) (more bool, _ error) { return ended == MembershipsAtOnce, err }

// groupsOf deletes the groups of a source, with those who are in them.
func groupsOf(env string, kind Source, id string) some {
	return groupsFound(`
		SELECT id FROM cloud_groups
		WHERE environment_id = $1 AND source_type = $2 AND source_id = $3
		ORDER BY display_folded, id LIMIT $4`, env, kind, id)
}

// groupsIn deletes the groups of an environment, with those who are in them.
func groupsIn(env string) some {
	return groupsFound(`
		SELECT id FROM cloud_groups
		WHERE environment_id = $1
		ORDER BY display_folded, id LIMIT $2`, env)
}

// groupsFound deletes groups that a query finds some of.
func groupsFound(query string, args ...any) some {
	return func(ctx context.Context, tx *Tx) (bool, error) {
		ids, err := queryAll(ctx, tx.c, value[any], query, append(slices.Clone(args), groupsAtOnce)...)
		if err != nil || len(ids) == 0 {
			return false, err
		}
		more, err := much(tx.endMemberships(ctx, `m.group_id IN `+placeholders(1, 1, len(ids)), ids...))
		if more || err != nil {
			return true, err
		}
		_, err = tx.deleteThese(ctx, "cloud_groups", ids)
		return len(ids) == groupsAtOnce, err
	}
}

// emptiedGroups takes everybody out of the groups of a source, one group after the other.
func emptiedGroups(env string, kind Source, id string) some {
	after := [2]string{}
	return func(ctx context.Context, tx *Tx) (bool, error) {
		found, err := queryAll(ctx, tx.c, func(r row) (g [2]string, err error) {
			err = r.Scan(&g[0], &g[1])
			return g, err
		}, `
			SELECT display_folded, id FROM cloud_groups
			WHERE environment_id = $1 AND source_type = $2 AND source_id = $3 AND (display_folded, id) > ($4, $5)
			ORDER BY display_folded, id LIMIT $6`, env, kind, id, after[0], after[1], groupsAtOnce)
		if err != nil || len(found) == 0 {
			return false, err
		}
		ids := idsOf(found, func(g [2]string) string { return g[1] })
		more, err := much(tx.endMemberships(ctx, `m.group_id IN `+placeholders(1, 1, len(ids)), ids...))
		if more || err != nil {
			return true, err
		}
		after = found[len(found)-1]
		return len(found) == groupsAtOnce, nil
	}
}

// linked returns some users of a gateway, or of one of its user types.
func (tx *Tx) linked(ctx context.Context, env, gateway, userType string) ([]any, error) {
	args, of := []any{env, gateway}, ""
	if userType != "" {
		args, of = append(args, userType), " AND user_type_id = $3"
	}
	return queryAll(ctx, tx.c, value[any], fmt.Sprintf(`
		SELECT id FROM users
		WHERE environment_id = $1 AND gateway_id = $2%s
		ORDER BY username_folded, id LIMIT %d`, of, peopleAtOnce), args...)
}

// unlinked takes the users of a gateway, or of one of its user types, off it.
func unlinked(env, gateway, userType string) some {
	return func(ctx context.Context, tx *Tx) (bool, error) {
		ids, err := tx.linked(ctx, env, gateway, userType)
		if err != nil || len(ids) == 0 {
			return false, err
		}
		more, err := tx.endLinks(ctx, env, gateway, ids)
		if more || err != nil {
			return true, err
		}
		_, err = tx.c.exec(ctx, `
			UPDATE users
			SET gateway_id = NULL, user_type_id = '', updated_at = $1
			WHERE environment_id = $2 AND id IN `+placeholders(3, 1, len(ids)),
			append([]any{micros(now()), env}, ids...)...)
		return len(ids) == peopleAtOnce, err
	}
}

// relinked moves the users of a user type to another. When the gateway is another, the old link ends, with
// what hangs on it.
func relinked(env string, from, to UserTypeRef) some {
	return func(ctx context.Context, tx *Tx) (bool, error) {
		if from == to {
			return false, nil
		}
		ids, err := tx.linked(ctx, env, from.Gateway, from.UserType)
		if err != nil || len(ids) == 0 {
			return false, err
		}
		if from.Gateway != to.Gateway {
			if more, err := tx.endLinks(ctx, env, from.Gateway, ids); more || err != nil {
				return true, err
			}
		}
		_, err = tx.c.exec(ctx, `
			UPDATE users
			SET gateway_id = $1, user_type_id = $2, updated_at = $3
			WHERE environment_id = $4 AND id IN `+placeholders(5, 1, len(ids)),
			append([]any{to.Gateway, to.UserType, micros(now()), env}, ids...)...)
		return len(ids) == peopleAtOnce, err
	}
}

// endLinks ends what hangs on a directory having said who some of its users are: the groups that
// it said they are in, what identified them there, their sessions, what applications hold
// for them and their second factors. More tells that they are in more groups still.
func (tx *Tx) endLinks(ctx context.Context, env, gateway string, ids []any) (more bool, err error) {
	ends := append([]string{"DELETE FROM correlations WHERE environment_id = $1 AND user_id"}, accountEnds()...)
	more, err = tx.endPeople(ctx, env, SourceGateway, gateway, ids, ends)
	if more || err != nil {
		return more, err
	}
	_, err = tx.c.exec(ctx, `UPDATE users SET dn = '' WHERE environment_id = $1 AND id IN `+
		placeholders(2, 1, len(ids)), append([]any{env}, ids...)...)
	return false, err
}

// unlinkedAccounts ends the links of people to a provider.
func unlinkedAccounts(env, provider string) some {
	return func(ctx context.Context, tx *Tx) (bool, error) {
		ids, err := queryAll(ctx, tx.c, value[any], `
			SELECT DISTINCT user_id FROM linked_accounts
			WHERE environment_id = $1 AND provider_id = $2
			ORDER BY user_id LIMIT $3`, env, provider, peopleAtOnce)
		if err != nil || len(ids) == 0 {
			return false, err
		}
		more, err := tx.endPeople(ctx, env, SourceIDP, provider, ids, accountEnds())
		if more || err != nil {
			return true, err
		}
		_, err = tx.c.exec(ctx, `
			DELETE FROM linked_accounts
			WHERE environment_id = $1 AND provider_id = $2 AND user_id IN `+placeholders(3, 1, len(ids)),
			append([]any{env, provider}, ids...)...)
		return len(ids) == peopleAtOnce, err
	}
}

// endPeople takes some people out of the groups of a source, and ends what else hangs on its link.
func (tx *Tx) endPeople(
	ctx context.Context, env string, kind Source, source string, ids []any, ends []string,
) (more bool, err error) {
	more, err = much(tx.endMemberships(ctx, `m.user_id IN `+placeholders(4, 1, len(ids))+` AND EXISTS (
		SELECT 1
		FROM cloud_groups g
		WHERE g.environment_id = $1 AND g.id = m.group_id AND g.source_type = $2 AND g.source_id = $3)`,
		append([]any{env, kind, source}, ids...)...))
	if more || err != nil {
		return more, err
	}
	for _, end := range ends {
		_, err := tx.c.exec(ctx, end+" IN "+placeholders(2, 1, len(ids)), append([]any{env}, ids...)...)
		if err != nil {
			return false, err
		}
	}
	return false, nil
}
