package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// GroupMembership is one of a user's groups.
type GroupMembership struct {
	Group Group // without MemberCount and LastSeenAt
	Since time.Time
	Stamp string // of the group in the directory, when the user joined; empty when it has none
	// Doubt is why it could not be told, at DoubtedAt, whether the user is in the group
	// still; empty when the last sign-on that brought groups had it.
	Doubt     string
	DoubtedAt time.Time
}

// Member is one of a group's users.
type Member struct {
	User  User // without Correlation
	Since time.Time
}

// scanTime reads one time, which may be none.
func scanTime(r row) (t time.Time, err error) {
	err = r.Scan(at{&t})
	return t, err
}

// scanMembership reads the group with what is known of the membership in it.
func scanMembership(r row) (m GroupMembership, err error) {
	err = r.Scan(append(m.Group.fields(), at{&m.Since}, &m.Stamp, &m.Doubt, at{&m.DoubtedAt})...)
	return m, err
}

// UserGroups returns all groups of a user by display name; none for a user that
// does not exist. CROSS JOIN has SQLite begin with the user, and not with all groups in their order; what is
// added to the environment's ID has PostgreSQL do so, before it has counted what is in the tables.
func (r reader) UserGroups(ctx context.Context, env, user string) ([]GroupMembership, error) {
	return queryAll(ctx, r.c, scanMembership, userGroupColumns+`
		WHERE g.environment_id || '' = m.environment_id AND g.id = m.group_id AND m.environment_id = $1 AND m.user_id = $2
		ORDER BY g.display_folded, g.id`,
		env, user)
}

// userGroupColumns are the groups of users; see UserGroups.
const userGroupColumns = groupFields + `, m.since, m.stamp, m.doubt, m.doubted_at
	FROM memberships m
	CROSS JOIN cloud_groups g`

// UserGroupsPage lists the groups of a user by group ID: by ID a page costs the same however many there are.
func (r reader) UserGroupsPage(ctx context.Context, env, user string, page Page) ([]GroupMembership, string, error) {
	l := list{query: userGroupColumns, key: "m.group_id", id: "m.user_id", word: "member of"}
	l.where("m.environment_id = ?", env)
	l.where("m.user_id = ?", user)
	l.where("g.environment_id || '' = m.environment_id AND g.id = m.group_id")
	return queryPage(ctx, r.c, l, page, scanMembership, func(m GroupMembership) (any, string) { return m.Group.ID, user })
}

// UserGroup returns one of a user's groups, or ErrNotFound.
func (r reader) UserGroup(ctx context.Context, env, user, group string) (GroupMembership, error) {
	return queryOne(ctx, r.c, scanMembership, userGroupColumns+`
		WHERE g.environment_id || '' = m.environment_id AND g.id = m.group_id AND m.environment_id = $1
			AND m.user_id = $2 AND m.group_id = $3`,
		env, user, group)
}

// CountGroupsOf returns how many groups a user is in.
func (r reader) CountGroupsOf(ctx context.Context, env, user string) (int, error) {
	return queryOne(ctx, r.c, value[int], `
		SELECT count(*)
		FROM memberships m
		CROSS JOIN cloud_groups g
		WHERE g.environment_id || '' = m.environment_id AND g.id = m.group_id AND m.user_id = $2 AND m.environment_id = $1`,
		env, user)
}

// GroupsOf returns all groups of a user, in no order.
func (r reader) GroupsOf(ctx context.Context, env, user string) ([]Group, error) {
	ids, err := r.groupIDsOf(ctx, user)
	if err != nil {
		return nil, err
	}
	return r.groupsByID(ctx, env, ids)
}

// groupIDsOf returns the groups of a user of any environment.
func (r reader) groupIDsOf(ctx context.Context, user string) ([]string, error) {
	ids, err := queryOne(ctx, r.c, value[string],
		`SELECT coalesce(string_agg(group_id, ' '), '') FROM memberships WHERE user_id = $1`, user)
	return strings.Fields(ids), err
}

// groupsByID returns groups; those that are not there are left out.
func (r reader) groupsByID(ctx context.Context, env string, ids []string) (all []Group, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return queryAll(ctx, r.c, scanPlainGroup, groupFields+`
		FROM cloud_groups g
		WHERE g.environment_id = $1 AND g.id `+r.c.among("$2"),
		env, r.c.texts(ids))
}

// GroupMembers lists the users of a group by user ID.
// By ID a page costs the same however many there are before it.
func (r reader) GroupMembers(ctx context.Context, env, group string, page Page) ([]Member, string, error) {
	l := list{query: `SELECT m.user_id, m.since FROM memberships m`, key: "m.user_id", id: "m.group_id", word: "member"}
	l.where("m.environment_id = ?", env)
	l.where("m.group_id = ?", group)
	found, next, err := queryPage(ctx, r.c, l, page, func(r row) (m Membership, err error) {
		err = r.Scan(&m.UserID, at{&m.Since})
		m.GroupID = group
		return m, err
	}, func(m Membership) (any, string) { return m.UserID, m.GroupID })
	if err != nil || len(found) == 0 {
		return nil, "", err
	}
	members, err := r.members(ctx, env, found)
	return members, next, err
}

// members adds the users to memberships, in their order.
func (r reader) members(ctx context.Context, env string, found []Membership) ([]Member, error) {
	var ids []string
	for _, m := range found {
		ids = append(ids, m.UserID)
	}
	users, err := queryAll(ctx, r.c, scanUser, userColumns+`
		WHERE u.environment_id = $1 AND u.id `+r.c.among("$2"),
		env, r.c.texts(ids))
	if err != nil {
		return nil, err
	}
	byID := make(map[string]User, len(users))
	for _, u := range users {
		byID[u.ID] = u
	}
	members := make([]Member, 0, len(found))
	for _, m := range found {
		if u, ok := byID[m.UserID]; ok { // it may have gone between the two queries
			members = append(members, Member{User: u, Since: m.Since})
		}
	}
	return members, nil
}

// AddMember puts a user into an ordinary group, and does nothing when the user
// is in it. ErrReadOnly for a just-in-time group, whose members are the
// directory's; ErrNotFound when the environment has no such user or group.
// Who is in it keeps the time of then.
func (s *Store) AddMember(ctx context.Context, env, user, group string, at time.Time) error {
	return s.Provision(ctx, func(tx *Tx) error {
		g, err := queryOne(ctx, tx.c, scanGroup, groupColumns+` WHERE g.environment_id = $1 AND g.id = $2`, env, group)
		if err != nil {
			return err
		}
		if g.JustInTime() {
			return fmt.Errorf("%w: its members are who signs on with it", ErrReadOnly)
		}
		if _, err := tx.User(ctx, env, user); err != nil {
			return err
		}
		if err := tx.removeHidden(ctx, user, []Joined{{GroupID: group}}, 0); err != nil {
			return err
		}
		_, err = tx.c.exec(ctx, `
			INSERT INTO membership_rows (environment_id, user_id, group_id, since)
			VALUES ($1, $2, $3, $4)
			ON CONFLICT (user_id, group_id) DO NOTHING`,
			env, user, group, micros(at))
		return err
	})
}

// RemoveMember takes a user out of a group of any kind; ErrNotFound when it is
// not in it. A sign-on that updates puts a user back into a just-in-time group
// that the directory still has them in.
func (s *Store) RemoveMember(ctx context.Context, env, user, group string) error {
	return s.Provision(ctx, func(tx *Tx) error {
		return tx.c.execOne(ctx, `
			DELETE FROM membership_rows
			WHERE environment_id = $1 AND user_id = $2 AND group_id = $3 AND `+shown,
			env, user, group)
	})
}

// Joined is a group that a user joins.
type Joined struct {
	GroupID string
	Stamp   string // as in GroupMembership
}

// AddMemberships puts a user into groups that it is not in. More than MembershipsAtOnce are for a
// LargeList, as they would keep others from the turn.
// ErrConflict when the user is in one of them already: the caller compares first,
// within the same transaction. Groups that are not in the environment are passed over; ErrNotFound
// when none is, or there is no such user.
func (tx *Tx) AddMemberships(ctx context.Context, env, user string, groups []Joined, at time.Time) error {
	return tx.addMemberships(ctx, env, user, groups, at, 0)
}

// addMemberships adds rows that a large list brings, which the user may come after; 0: none does, and they
// are memberships at once. OFFSET has PostgreSQL look each group up; it would join them with all of the environment,
// since it takes any list for one of a hundred.
func (tx *Tx) addMemberships(
	ctx context.Context, env, user string, groups []Joined, at time.Time, list int64,
) error {
	if len(groups) == 0 {
		return nil
	}
	if err := tx.removeHidden(ctx, user, groups, list); err != nil {
		return err
	}
	return tx.c.execOne(ctx, `
		INSERT INTO membership_rows (environment_id, user_id, group_id, since, stamp, came)
		SELECT $1, $2, value ->> 0, CAST($3 AS BIGINT), value ->> 1, CAST($4 AS BIGINT)
		FROM `+tx.each+`($5) AS value
		WHERE ($4 <> 0 OR EXISTS (SELECT 1 FROM users WHERE environment_id = $1 AND id = $2))
			AND EXISTS (SELECT 1 FROM cloud_groups g WHERE g.environment_id = $1 AND g.id = value ->> 0 LIMIT 1 OFFSET 0)`,
		env, user, micros(at), list, joinedJSON(groups))
}

// removeHidden makes room for memberships where rows are that nobody sees, of lists that have gone or
// never came. The rows of the list that is written are not looked at: they are the most.
func (tx *Tx) removeHidden(ctx context.Context, user string, groups []Joined, list int64) error {
	ids := make([]string, len(groups))
	for i, g := range groups {
		ids[i] = g.GroupID
	}
	_, err := tx.c.exec(ctx, `
		DELETE FROM membership_rows
		WHERE user_id = $1 AND group_id `+tx.c.among("$2")+` AND (
			came IN (SELECT id FROM lists_coming WHERE id <> $3) OR goes IN (SELECT id FROM lists_gone))`,
		user, tx.c.texts(ids), list)
	return err
}

// joinedJSON has groups as statements read them.
func joinedJSON(groups []Joined) any {
	all := make([][2]string, len(groups))
	for i, g := range groups {
		all[i] = [2]string{Storable(g.GroupID), Storable(g.Stamp)}
	}
	return inJSON(all)
}

// RemoveMemberships takes a user out of groups; those that it is not in do not matter.
func (tx *Tx) RemoveMemberships(ctx context.Context, env, user string, groups []string) error {
	if len(groups) == 0 {
		return nil
	}
	_, err := tx.c.exec(ctx, `
		DELETE FROM membership_rows
		WHERE environment_id = $1 AND user_id = $2 AND group_id `+tx.c.among("$3"),
		env, user, tx.c.texts(groups))
	return err
}

// GroupsByKey returns the groups of a source with those names, each given as
// its NameKey, without MemberCount and LastSeenAt.
func (tx *Tx) GroupsByKey(
	ctx context.Context, env string, source Source, sourceID string, keys []string,
) ([]Group, error) {
	return tx.groupsBy(ctx, "g.name_key", env, source, sourceID, keys)
}

// GroupsByDirectoryID returns the groups of a source with those immutable IDs,
// without MemberCount and LastSeenAt. The empty one finds nothing.
func (tx *Tx) GroupsByDirectoryID(
	ctx context.Context, env string, source Source, sourceID string, ids []string,
) ([]Group, error) {
	// The index is of those alone that have one, and is used only where that is said;
	// else every group of the source is looked at, at each sign-on.
	return tx.groupsBy(ctx, "g.directory_id <> '' AND g.directory_id", env, source, sourceID, ids)
}

// groupsBy finds groups of a source of which a column is one of some values; their order is nobody's.
func (tx *Tx) groupsBy(
	ctx context.Context, column, env string, source Source, sourceID string, values []string,
) ([]Group, error) {
	if len(values) == 0 {
		return nil, nil
	}
	return queryAll(ctx, tx.c, scanPlainGroup, groupFields+`
		FROM cloud_groups g
		WHERE g.environment_id = $1 AND g.source_type = $2 AND g.source_id = $3 AND `+column+` `+tx.c.among("$4"),
		env, source, sourceID, tx.c.texts(values))
}

// DoubtMemberships notes of a user's memberships why it cannot be told whether they
// are true still; an empty doubt takes that back.
// Memberships that the user has not are passed over.
func (tx *Tx) DoubtMemberships(
	ctx context.Context, env, user string, groups []string, doubt string, at time.Time,
) error {
	if len(groups) == 0 {
		return nil
	}
	_, err := tx.c.exec(ctx, `
		UPDATE membership_rows
		SET doubt = $3, doubted_at = $4
		WHERE environment_id = $1 AND user_id = $2 AND group_id `+tx.c.among("$5"),
		env, user, doubt, micros(at), tx.c.texts(groups))
	return err
}

// DoubtedGroup is a group of which it cannot be told, for one reason, whether some
// users are in it still.
type DoubtedGroup struct {
	GroupID, Name, DisplayName string
	SourceID                   string // the gateway
	Doubt                      string
	Users                      int
}

// DoubtedGroups lists the groups of an environment that have memberships in doubt, at
// most MaxLimit, by name; once for each reason.
func (r reader) DoubtedGroups(ctx context.Context, env string) ([]DoubtedGroup, error) {
	return r.doubted(ctx, `m.environment_id = $1`, env)
}

// GroupDoubts is DoubtedGroups of one group.
func (r reader) GroupDoubts(ctx context.Context, env, group string) ([]DoubtedGroup, error) {
	return r.doubted(ctx, `m.environment_id = $1 AND m.group_id = $2`, env, group)
}

// doubted counts the users by group and reason, at most MaxLimit lines. They are sorted
// here, by name, as PostgreSQL and SQLite would not sort them alike.
func (r reader) doubted(ctx context.Context, where string, args ...any) ([]DoubtedGroup, error) {
	all, err := queryAll(ctx, r.c, func(r row) (d DoubtedGroup, err error) {
		err = r.Scan(&d.GroupID, &d.Name, &d.DisplayName, &d.SourceID, &d.Doubt, &d.Users)
		return d, err
	}, `
		SELECT g.id, g.name, g.display_name, g.source_id, m.doubt, count(*)
		FROM memberships m
		JOIN cloud_groups g ON g.environment_id = m.environment_id AND g.id = m.group_id
		WHERE `+where+` AND m.doubt <> ''
		GROUP BY g.id, g.name, g.display_name, g.source_id, m.doubt LIMIT 1000`,
		args...)
	slices.SortFunc(all, func(a, b DoubtedGroup) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.GroupID, b.GroupID), cmp.Compare(a.Doubt, b.Doubt))
	})
	return all, err
}
