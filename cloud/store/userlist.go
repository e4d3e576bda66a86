package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// UserState is whether somebody may sign on.
type UserState string

// The states by which users are listed.
const (
	UserEnabled  UserState = "enabled"
	UserDisabled UserState = "disabled"
	UserLocked   UserState = "locked"
)

// UserFilter narrows a list of users; empty fields do not.
type UserFilter struct {
	PopulationID, GatewayID string
	UserTypeID              string // with GatewayID
	ProviderID              string // that they are linked to
	// Search has words, each of which is part of the username, a name or the e-mail address, without
	// regard to case. One of less than three letters is the beginning of a word there.
	Search string
	State  UserState
	Since  time.Time // they have signed on since
	Silent time.Time // they have not signed on since
	Never  bool      // they have never signed on
	Nobody bool      // whatever else there is
	Order  UserOrder
	// Descending has the last of the order come first. ByLastSignOn has one direction.
	Descending bool
	Where      Where
}

// signedOn is the condition that a user has signed on since a time.
const signedOn = `EXISTS (
	SELECT 1 FROM sign_ons s
	WHERE s.environment_id = u.environment_id AND s.user_id = u.id AND s.outcome = 'ok' AND s.at >= ?)`

// narrow adds what a filter asks for.
func (f UserFilter) narrow(l *list, env string) error {
	l.where("u.environment_id = ?", env)
	if f.Nobody || noWord(f.Search) {
		l.where("FALSE")
	}
	l.whereSet("u.population_id", f.PopulationID)
	l.whereSet("u.gateway_id", f.GatewayID)
	l.whereSet("u.user_type_id", f.UserTypeID)
	if f.ProviderID != "" {
		l.where(`EXISTS (
			SELECT 1 FROM linked_accounts l
			WHERE l.environment_id = u.environment_id AND l.user_id = u.id AND l.provider_id = ?)`, f.ProviderID)
	}
	for _, word := range searched(f.Search) {
		before := ""
		if len([]rune(word)) < 3 {
			before = "\n"
		}
		l.where(`u.found_by LIKE ? ESCAPE '\'`, "%"+before+escapeLike(word)+"%")
	}
	switch f.State { // in the words of their indexes
	case UserEnabled:
		l.where("u.enabled AND NOT u.locked")
	case UserDisabled:
		l.where("NOT u.enabled")
	case UserLocked:
		l.where("u.locked")
	case "":
	default:
		l.where("FALSE")
	}
	if !f.Since.IsZero() {
		l.where(signedOn, micros(f.Since))
	}
	if !f.Silent.IsZero() {
		l.where("NOT "+signedOn, micros(f.Silent))
	}
	if f.Never {
		l.where("NOT "+signedOn, 0)
	}
	return l.matching(f.Where, userField)
}

// Users lists in the order that a filter names. It returns ErrFilter for a field that it cannot search.
func (r reader) Users(ctx context.Context, env string, f UserFilter, page Page) (users []User, next string, err error) {
	ids, few, err := r.few(ctx, env, f)
	switch {
	case err != nil:
	case few:
		users, next, err = r.usersOf(ctx, env, ids, f, page)
	case f.Order == ByLastSignOn:
		users, next, err = r.usersByLastSignOn(ctx, env, f, page)
	default:
		users, next, err = r.usersInOrder(ctx, env, f, page)
	}
	if err != nil {
		return nil, "", err
	}
	return users, next, r.addCorrelations(ctx, users)
}

// between has SQLite, where texts are in the order of their letters, look at those names alone that begin so.
// PostgreSQL's order is the database's.
func (c conn) between(l *list, f UserFilter) {
	prefix := f.Where.prefix()
	if !c.fts || prefix == "" || f.Order != ByUsername {
		return
	}
	l.where("u.username_folded >= ?", prefix)
	last, size := utf8.DecodeLastRuneInString(prefix)
	if next := last + 1; utf8.ValidRune(next) {
		l.where("u.username_folded < ?", prefix[:len(prefix)-size]+string(next))
	}
}

// readAtOnce is how many users a statement looks up by their IDs.
const readAtOnce = 100

// filtered returns those of some users whom a filter lets through, in no order.
func (r reader) filtered(ctx context.Context, env string, ids []string, f UserFilter) (users []User, err error) {
	for some := range slices.Chunk(ids, readAtOnce) {
		l := list{}
		if err := f.narrow(&l, env); err != nil {
			return nil, err
		}
		l.where("u.id "+r.c.among("?"), r.c.texts(some))
		query := userColumns + " WHERE " + strings.Join(l.conds, " AND ")
		found, err := queryAll(ctx, r.c, scanUser, query, l.args...)
		if err != nil {
			return nil, err
		}
		users = append(users, found...)
	}
	return users, nil
}

// CountUsers returns how many users a filter lets through, up to PeopleCounted; more is true when there are
// more than it returns. What would take a look at everybody is not counted: it is 0, and more.
func (r reader) CountUsers(ctx context.Context, env string, f UserFilter) (n int, more bool, err error) {
	f.Order = ByUsername // any order has as many
	ids, few, err := r.few(ctx, env, f)
	if err != nil {
		return 0, false, err
	}
	if few {
		users, err := r.filtered(ctx, env, ids, f)
		return len(users), false, err
	}
	if f.Search != "" {
		return fewFound, true, nil
	}
	if !f.Since.IsZero() || !f.Silent.IsZero() || f.Never || f.ProviderID != "" {
		return 0, true, nil
	}
	l := list{}
	if err := f.narrow(&l, env); err != nil {
		return 0, false, err
	}
	n, err = queryOne(ctx, r.c, value[int], fmt.Sprintf(`
		SELECT count(*)
		FROM (SELECT 1 FROM users u WHERE %s LIMIT %d) AS counted`,
		strings.Join(l.conds, " AND "), PeopleCounted+1), l.args...)
	return min(n, PeopleCounted), n > PeopleCounted, err
}
