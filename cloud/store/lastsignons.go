package store

import "context"

// The list by last sign-on is two put together: those who have signed on, by a walk through the sign-ons from
// the newest on, and those who never have, by username. A place among the latter has a word before it.

// latestColumns are the users whose last sign-on s is. CROSS JOIN has SQLite begin with the
// sign-ons, which are in the order of the list.
const latestColumns = recordFields + `, s.at, ` + firstProvider + `, s.id
	FROM sign_ons s
	CROSS JOIN users u`

// latestUser is a user with the sign-on by which they are in the order.
type latestUser struct {
	User
	signOn string
}

// never is the word before the place of somebody who has never signed on.
const never = "never"

// neverList is what cursors among those who have never signed on are of.
func neverList() list { return list{key: "u.username_folded", id: "u.id", word: never} }

// amongNever tells whether a cursor names a place among those who have never signed on.
func amongNever(cursor string) bool {
	l := neverList()
	_, err := l.place(cursor)
	return err == nil
}

// beforeNever is the place before all who have never signed on.
func beforeNever() string {
	l := neverList()
	return l.cursor("", "")
}

// latestList is the order of those who have signed on.
func latestList() list {
	return list{
		query: latestColumns, key: "s.at", id: "s.id", word: "user " + string(ByLastSignOn), time: true, backward: true,
	}
}

// afterLatest is the place after all who have signed on.
func afterLatest() string {
	l := latestList()
	return l.cursor(-1, "")
}

// usersByLastSignOn is a page of both lists.
func (r reader) usersByLastSignOn(ctx context.Context, env string, f UserFilter, page Page) ([]User, string, error) {
	if page.Before != "" {
		return r.backByLastSignOn(ctx, env, f, page)
	}
	if amongNever(page.Cursor) {
		return r.neverSignedOn(ctx, env, f, page)
	}
	users, next, err := r.latestUsers(ctx, env, f, page)
	if err != nil || next != "" {
		return users, next, err
	}
	rest := page.limit() - len(users)
	others, next, err := r.neverSignedOn(ctx, env, f, Page{Limit: max(rest, 1)})
	if rest == 0 && len(others) > 0 {
		others, next = nil, beforeNever()
	}
	return append(users, others...), next, err
}

// backByLastSignOn is usersByLastSignOn of a page that is come back to.
func (r reader) backByLastSignOn(ctx context.Context, env string, f UserFilter, page Page) ([]User, string, error) {
	if !amongNever(page.Before) {
		return r.latestUsers(ctx, env, f, page)
	}
	previous := ""
	others, next, err := r.neverSignedOn(ctx, env, f, Page{Before: page.Before, Previous: &previous, Limit: page.Limit})
	if err == nil && previous == "" { // the others are at their beginning
		rest := page.limit() - len(others)
		end := Page{Before: afterLatest(), Previous: &previous, Limit: max(rest, 1)}
		var users []User
		var after string
		users, after, err = r.latestUsers(ctx, env, f, end)
		switch {
		case rest > 0 && len(others) == 0:
			next = after
		case rest == 0 && len(users) > 0:
			users, previous = nil, beforeNever()
		}
		others = append(users, others...)
	}
	if page.Previous != nil {
		*page.Previous = previous
	}
	return others, next, err
}

// neverSignedOn is a page of those who never have.
func (r reader) neverSignedOn(ctx context.Context, env string, f UserFilter, page Page) ([]User, string, error) {
	if !f.Since.IsZero() {
		return nil, "", nil
	}
	f.Never, f.Order, f.Descending = true, ByUsername, false
	l := f.list(r.c)
	l.word = never
	if err := f.narrow(&l, env); err != nil {
		return nil, "", err
	}
	return queryPage(ctx, r.c, l, page, scanUser, ByUsername.key)
}

// latestUsers is a page of those who have signed on: it goes through the sign-ons from the newest on.
func (r reader) latestUsers(ctx context.Context, env string, f UserFilter, page Page) ([]User, string, error) {
	if f.Never {
		return nil, "", nil
	}
	l := latestList()
	l.where("s.environment_id = ?", env)
	l.where(`s.outcome = 'ok' AND u.environment_id = s.environment_id AND u.id = s.user_id AND NOT EXISTS (
		SELECT 1 FROM sign_ons x
		WHERE x.environment_id = s.environment_id AND x.user_id = s.user_id AND x.outcome = 'ok' AND x.at >= s.at
			AND (x.at > s.at OR x.id > s.id))`)
	if err := f.narrow(&l, env); err != nil {
		return nil, "", err
	}
	found, next, err := queryPage(ctx, r.c, l, page, func(r row) (u latestUser, err error) {
		provider := ""
		err = r.Scan(append(u.fields(), at{&u.LastSignOnAt}, &provider, &u.signOn)...)
		u.through(provider)
		return u, err
	}, func(u latestUser) (any, string) { return micros(u.LastSignOnAt), u.signOn })
	users := make([]User, len(found))
	for i, u := range found {
		users[i] = u.User
	}
	return users, next, err
}
