package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// large is a person with groups, and the list of a sign-on that changes most of them.
type large struct {
	world
	t        *testing.T
	s        *store.Store
	had, new []string // groups
	list     *store.LargeList
}

// begin makes n groups that the person is in, of which a list takes all but the first, and n that it brings.
func begin(t *testing.T, s *store.Store, n int) *large {
	t.Helper()
	l := &large{world: build(t, s, t.Name()), t: t, s: s}
	var groups []*store.Group
	for i := range 2 * n {
		groups = append(groups, &store.Group{
			EnvironmentID: l.env.ID,
			Name:          fmt.Sprint("cn=", i),
			SourceType:    store.SourceGateway,
			SourceID:      l.gateway.ID,
		})
	}
	l.had = []string{l.jit.ID, l.group.ID}
	must(t, s.Provision(t.Context(), func(tx *store.Tx) error {
		if err := tx.RemoveMemberships(t.Context(), l.env.ID, l.user.ID, l.had); err != nil {
			return err
		}
		return tx.CreateGroups(t.Context(), groups)
	}))
	l.had = nil
	for i, g := range groups {
		if i < n {
			l.had = append(l.had, g.ID)
		} else {
			l.new = append(l.new, g.ID)
		}
	}
	must(t, l.add(l.had...))
	var err error
	l.list, err = s.BeginLargeList(t.Context(), l.env.ID, l.user.ID)
	must(t, err)
	return l
}

// joined are groups as they are joined.
func joined(ids ...string) (all []store.Joined) {
	for _, id := range ids {
		all = append(all, store.Joined{GroupID: id})
	}
	return all
}

// add puts the person into groups by a turn alone.
func (l *large) add(ids ...string) error {
	return l.s.Provision(l.t.Context(), func(tx *store.Tx) error {
		return tx.AddMemberships(l.t.Context(), l.env.ID, l.user.ID, joined(ids...), moment(1))
	})
}

// write writes all that the list changes, ahead.
func (l *large) write() {
	l.t.Helper()
	must(l.t, l.list.Join(l.t.Context(), joined(l.new...), moment(2)))
	must(l.t, l.list.Leave(l.t.Context(), l.had[1:]))
}

// come makes the list true.
func (l *large) come() error {
	return l.s.Provision(l.t.Context(), func(tx *store.Tx) error { return tx.Come(l.t.Context(), l.list) })
}

// after are the groups of the person once the list has come.
func (l *large) after() []string { return append([]string{l.had[0]}, l.new...) }

// in checks, by every way to read it, which groups the person is in.
func (l *large) in(want []string) {
	l.t.Helper()
	ctx, e, u := l.t.Context(), l.env.ID, l.user.ID
	all, err := l.s.UserGroups(ctx, e, u)
	must(l.t, err)
	var is []string
	for _, m := range all {
		is = append(is, m.Group.ID)
	}
	plain, err := l.s.GroupsOf(ctx, e, u)
	must(l.t, err)
	n, err := l.s.CountGroupsOf(ctx, e, u)
	must(l.t, err)
	if slices.Sort(is); !slices.Equal(is, slices.Sorted(slices.Values(want))) || n != len(want) || len(plain) != n {
		l.t.Fatalf("in %d groups, counted %d, plain %d, want %d", len(is), n, len(plain), len(want))
	}
	for _, id := range []string{l.had[0], l.had[1], l.new[0], l.new[len(l.new)-1]} {
		l.member(id, slices.Contains(want, id))
	}
}

// member checks, from the group's side, whether the person is in it.
func (l *large) member(group string, want bool) {
	l.t.Helper()
	ctx, e := l.t.Context(), l.env.ID
	g, err := l.s.Group(ctx, e, group)
	must(l.t, err)
	members, _, err := l.s.GroupMembers(ctx, e, group, store.Page{})
	must(l.t, err)
	found, _, err := l.s.Users(ctx, e, store.UserFilter{
		Where: store.Where{Condition: store.Condition{Field: "memberOfGroups.id", Op: store.Equal, Value: group}},
	}, store.Page{})
	must(l.t, err)
	must(l.t, l.s.SetRoleGroup(ctx, store.RoleGroup{EnvironmentID: e, GroupID: group, Role: store.RoleReadOnly}))
	role, err := l.s.UserRole(ctx, e, l.user.ID)
	must(l.t, err)
	must(l.t, l.s.SetRoleGroup(ctx, store.RoleGroup{EnvironmentID: e, GroupID: group}))
	is := []bool{g.MemberCount == 1, len(members) == 1, len(found) == 1, role != ""}
	if slices.Contains(is, !want) {
		l.t.Fatalf("group %s: count, list, filter and role say %v, want %v", g.Name, is, want)
	}
}

// A large list changes nothing until it comes, and then all: whoever reads, by whatever way, and however
// many rows it is.
func TestLargeListComesAtOnce(t *testing.T) {
	s := open(t)
	for _, n := range []int{2, store.MembershipsAtOnce, store.MembershipsAtOnce + 1, 2*store.MembershipsAtOnce + 3} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			l := begin(t, s, n)
			l.in(l.had)
			l.write()
			l.in(l.had)
			must(t, l.come())
			l.in(l.after())
			must(t, l.list.End(t.Context()))
			l.in(l.after())
			want(t, l.come(), store.ErrStale)
		})
	}
}

// A list that is given up leaves all as it was, whether its end is asked for or it is too old; so does one
// whose end was cut off.
func TestLargeListGivenUp(t *testing.T) {
	s := open(t)
	for name, end := range map[string]func(l *large) error{
		"asked for": func(l *large) error { return l.list.End(t.Context()) },
		"swept":     func(l *large) error { return second(s.Sweep(t.Context(), time.Now().Add(time.Hour), nil)) },
	} {
		t.Run(name, func(t *testing.T) {
			l := begin(t, s, store.MembershipsAtOnce+1)
			l.write()
			must(t, end(l))
			l.in(l.had)
			want(t, l.come(), store.ErrStale)
			want(t, l.list.Join(t.Context(), joined(l.new...), moment(3)), store.ErrStale) // who was slow writes on
			want(t, l.list.Leave(t.Context(), l.had), store.ErrStale)
			l.in(l.had)
			another, err := s.BeginLargeList(t.Context(), l.env.ID, l.user.ID)
			must(t, err)
			l.list = another
			l.write()
			must(t, l.come())
			l.in(l.after())
		})
	}
	l := begin(t, s, 2)
	l.write()
	must(t, second(s.Sweep(t.Context(), time.Now(), nil)))
	must(t, l.come()) // one under way is nobody's to sweep
	l.in(l.after())
}

// second drops what is returned besides an error.
func second(_ store.Swept, err error) error { return err }

// One person has one list at a time; others have theirs.
func TestOneLargeListOfAPerson(t *testing.T) {
	s := open(t)
	l := begin(t, s, 2)
	_, err := s.BeginLargeList(t.Context(), l.env.ID, l.user.ID)
	want(t, err, store.ErrConflict)
	other := begin(t, open(t), 2)
	other.write()
	must(t, other.come())
	must(t, l.list.End(t.Context()))
	_, err = s.BeginLargeList(t.Context(), l.env.ID, l.user.ID)
	must(t, err)
}

// What others change of the person while a list is written is as if the list were not there, and what they
// change after it has come as if its rows were gone.
func TestBesideALargeList(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	for name, row := range map[string]struct {
		do   func(l *large) error
		want func(l *large) []string // before the list comes, and in place of that when it has
	}{
		"joins what the list brings": {
			func(l *large) error { return l.add(l.new[0]) },
			func(l *large) []string { return append(slices.Clone(l.had), l.new[0]) },
		},
		"leaves what the list takes": {
			func(l *large) error { return s.RemoveMember(ctx, l.env.ID, l.user.ID, l.had[1]) },
			func(l *large) []string { return append([]string{l.had[0]}, l.had[2:]...) },
		},
		"a group goes that the list brings": {
			func(l *large) error { return s.DeleteGroup(ctx, l.env.ID, l.new[1]) },
			func(l *large) []string { return l.had },
		},
		"is not in what the list brings": {
			func(l *large) error {
				want(l.t, s.RemoveMember(ctx, l.env.ID, l.user.ID, l.new[0]), store.ErrNotFound)
				return nil
			},
			func(l *large) []string { return l.had },
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := begin(t, s, 3)
			l.write()
			must(t, row.do(l))
			l.in(row.want(l))
			must(t, l.list.End(ctx))
			l.in(row.want(l))
		})
	}
	t.Run("comes back to what a list took", func(t *testing.T) {
		l := begin(t, s, 3)
		l.write()
		must(t, l.come())
		want(t, l.add(l.new[0]), store.ErrConflict)
		want(t, s.RemoveMember(ctx, l.env.ID, l.user.ID, l.had[1]), store.ErrNotFound)
		must(t, l.add(l.had[1]))
		l.in(append(l.after(), l.had[1]))
		must(t, l.list.End(ctx))
		l.in(append(l.after(), l.had[1]))
	})
}

// With a user go the rows that a list brings, too; what it was to change after that is nobody's.
func TestLargeListOfNobody(t *testing.T) {
	s := open(t)
	l := begin(t, s, store.MembershipsAtOnce+1)
	l.write()
	must(t, s.DeleteUser(t.Context(), l.env.ID, l.user.ID))
	must(t, l.come())
	for _, id := range l.new {
		g, err := s.Group(t.Context(), l.env.ID, id)
		must(t, err)
		if g.MemberCount > 0 {
			t.Fatalf("%s has %d members", g.Name, g.MemberCount)
		}
	}
}
