package store

import (
	"context"
	"fmt"
	"strings"
)

// UserOrder is by what users are listed.
type UserOrder string

// The orders, each of which an index has. Who has no name or no e-mail address stands before all who have.
const (
	ByUsername   UserOrder = ""
	ByName       UserOrder = "name"  // the family name, then the given one, without regard to accents
	ByEmail      UserOrder = "email" // and the username
	ByLastSignOn UserOrder = "last"  // who signed on last comes first, who never has last, by username
)

// nameKey is the form in which users are in the order of their names.
func (u User) nameKey() string { return strings.Trim(findKey(u.FamilyName+" "+u.GivenName), " ") }

// by has SQLite go through an index: it counts nothing, and takes one whose rows it has to sort to be as good.
func (c conn) by(index string) string {
	if !c.fts {
		return ""
	}
	return " INDEXED BY " + index
}

// index is what has SQLite go through the index of an order, or of a state.
func (f UserFilter) index(c conn) string {
	switch {
	case f.Order == ByName:
		return c.by("users_name")
	case f.Order == ByEmail:
		return c.by("users_email")
	case f.State == UserDisabled:
		return c.by("users_disabled")
	case f.State == UserLocked:
		return c.by("users_locked")
	}
	return ""
}

// list is the order of a filter as a list.
func (f UserFilter) list(c conn) list {
	l := list{query: userColumns + f.index(c), key: "u.username_folded", id: "u.id"}
	l.word, l.backward = "user "+string(f.Order), f.Descending
	switch f.Order {
	case ByName:
		l.key = "u.name_folded"
	case ByEmail:
		l.key, l.then = "u.email_folded", []string{"u.username_folded"}
	}
	return l
}

// key is where somebody stands in the order.
func (o UserOrder) key(u User) (any, string) {
	switch o {
	case ByName:
		return u.nameKey(), u.ID
	case ByEmail:
		return []string{Fold(u.Email), Fold(u.Username)}, u.ID
	}
	return Fold(u.Username), u.ID
}

// usersInOrder is a page in an order of the users' own table.
func (r reader) usersInOrder(ctx context.Context, env string, f UserFilter, page Page) ([]User, string, error) {
	l := f.list(r.c)
	if err := f.narrow(&l, env); err != nil {
		return nil, "", err
	}
	r.c.between(&l, f)
	return queryPage(ctx, r.c, l, page, scanUser, f.Order.key)
}

// usersOf is a page of those of a few users whom a filter lets through.
func (r reader) usersOf(
	ctx context.Context, env string, ids []string, f UserFilter, page Page,
) ([]User, string, error) {
	all, err := r.filtered(ctx, env, ids, f)
	if err != nil {
		return nil, "", err
	}
	l, key := f.list(r.c), f.Order.key
	if f.Order == ByLastSignOn {
		l.backward, l.then = false, []string{""}
		// Numbers of one length, the largest for who is to come last, are in order as texts.
		key = func(u User) (any, string) {
			return []string{fmt.Sprintf("%020d", int64(1)<<62-micros(u.LastSignOnAt)), Fold(u.Username)}, u.ID
		}
	}
	return cut(l, all, page, key)
}
