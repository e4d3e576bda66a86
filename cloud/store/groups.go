package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

const groupFields = `
	SELECT g.id, g.environment_id, coalesce(g.population_id, ''), g.name, g.display_name, g.description,
		g.external_id, g.source_type, g.source_id, g.directory_id, g.kept, g.created_at, g.updated_at`

// groupColumns are a group with the number of its members, as far as that is counted at once: see counted.
var groupColumns = groupFields + `,
			(` + upTo("memberships m", "m.environment_id = g.environment_id AND m.group_id = g.id") + `)
		FROM cloud_groups g`

const (
	// proof is the newest sign-on of any member that brought all of the member's
	// groups: each member's newest, and the newest of these.
	proof = `
		SELECT max((
			SELECT s.at
			FROM sign_ons s
			WHERE s.environment_id = m.environment_id AND s.user_id = m.user_id AND s.verdict = 'complete'
				AND ` + went + ` = $3
			ORDER BY s.at DESC LIMIT 1
		))
		FROM memberships m
		WHERE m.environment_id = $1 AND m.group_id = $2`
	// proofOfMany finds the same from the other end: it goes back from the newest
	// sign-on to the first of a member. It gives up after some.
	proofOfMany = `
		SELECT s.at
		FROM (
			SELECT at, user_id, gateway_id, provider_id
			FROM sign_ons
			WHERE environment_id = $1 AND verdict = 'complete'
			ORDER BY at DESC LIMIT 10000
		) s
		WHERE ` + went + ` = $3 AND EXISTS (
			SELECT 1
			FROM memberships m
			WHERE m.environment_id = $1 AND m.group_id = $2 AND m.user_id = s.user_id
		)
		ORDER BY s.at DESC LIMIT 1`
	// many is the number of members from which on proofOfMany is tried first.
	many = 1000
)

// fields are where groupFields are read to; whoever reads a group with more appends it.
func (g *Group) fields() []any {
	return []any{&g.ID, &g.EnvironmentID, &g.PopulationID, &g.Name, &g.DisplayName, &g.Description, &g.ExternalID,
		&g.SourceType, &g.SourceID, &g.DirectoryID, fromJSON{&g.Kept}, at{&g.CreatedAt}, at{&g.UpdatedAt}}
}

// scanGroup reads a group with the number of its members.
func scanGroup(r row) (g Group, err error) {
	err = r.Scan(append(g.fields(), &g.MemberCount)...)
	return g, err
}

// scanPlainGroup reads a group alone: a sign-on looks at hundreds, and does not ask how
// many are in them.
func scanPlainGroup(r row) (g Group, err error) {
	err = r.Scan(g.fields()...)
	return g, err
}

// counted has groups have the number of their members.
func (r reader) counted(ctx context.Context, groups []Group) (err error) {
	for i := range groups {
		g := &groups[i]
		if g.MemberCount, err = r.c.whole(ctx, g.MemberCount, `
			SELECT count(*) FROM memberships m WHERE m.environment_id = $1 AND m.group_id = $2`,
			g.EnvironmentID, g.ID); err != nil {
			return err
		}
	}
	return nil
}

// Group returns a group with LastSeenAt, or ErrNotFound.
func (r reader) Group(ctx context.Context, env, id string) (Group, error) {
	g, err := queryOne(ctx, r.c, scanGroup, groupColumns+` WHERE g.environment_id = $1 AND g.id = $2`, env, id)
	if err != nil {
		return g, err
	}
	one := []Group{g}
	if err := r.counted(ctx, one); err != nil || !g.JustInTime() {
		return one[0], err
	}
	g = one[0]
	g.LastSeenAt, err = r.lastSeen(ctx, g)
	return g, err
}

// lastSeen tries the cheaper end first. Of a group with many members the newest sign-on
// that brought groups is likely one of theirs, so the search goes back from there and
// gives up after some; of a small one each member is asked.
func (r reader) lastSeen(ctx context.Context, g Group) (time.Time, error) {
	if g.MemberCount >= many {
		t, err := queryOne(ctx, r.c, scanTime, proofOfMany, g.EnvironmentID, g.ID, g.SourceID)
		if !errors.Is(err, ErrNotFound) {
			return t, err
		}
	}
	return queryOne(ctx, r.c, scanTime, proof, g.EnvironmentID, g.ID, g.SourceID)
}

// GroupFilter narrows a list of groups; empty fields do not.
type GroupFilter struct {
	Name                 string // the whole name
	Search               string // words, each of which is part of the display name or of the name
	SourceType           Source
	SourceID, ExternalID string
	JustInTime           *bool
	Order                GroupOrder
	Descending           bool // the last of the order comes first
	None                 bool // whatever else there is
	Where                Where
}

// Groups lists in the order that a filter names, without LastSeenAt. It returns ErrFilter for a
// field that it cannot search.
func (r reader) Groups(ctx context.Context, env string, f GroupFilter, page Page) ([]Group, string, error) {
	if f.SourceID != "" && f.Order == BySource {
		f.Order = ByDisplayName // which is the same among those of one source
	}
	l := f.Order.list(r.c)
	l.backward = f.Descending
	if err := f.narrow(&l, env); err != nil {
		return nil, "", err
	}
	all, next, err := queryPage(ctx, r.c, l, page, scanGroup, f.Order.key)
	if err != nil {
		return nil, "", err
	}
	return all, next, r.counted(ctx, all)
}

// GroupsMatching returns how many groups a filter lets through, up to PeopleCounted; more is true when
// there are more.
func (r reader) GroupsMatching(ctx context.Context, env string, f GroupFilter) (n int, more bool, err error) {
	l := list{}
	if err := f.narrow(&l, env); err != nil {
		return 0, false, err
	}
	n, err = queryOne(ctx, r.c, value[int], fmt.Sprintf(`
		SELECT count(*)
		FROM (SELECT 1 FROM cloud_groups g WHERE %s LIMIT %d) AS counted`,
		strings.Join(l.conds, " AND "), PeopleCounted+1), l.args...)
	return min(n, PeopleCounted), n > PeopleCounted, err
}

// narrow adds what a filter asks for.
func (f GroupFilter) narrow(l *list, env string) error {
	l.where("g.environment_id = ?", env)
	if f.None || noWord(f.Search) {
		l.where("FALSE")
	}
	l.whereSet("g.source_type", string(f.SourceType))
	l.whereSet("g.source_id", f.SourceID)
	l.whereSet("g.external_id", f.ExternalID)
	if f.Name != "" {
		l.where("g.search_key = ?", GroupKey(f.Name))
	}
	if f.JustInTime != nil {
		l.where("(g.source_type <> '') = ?", *f.JustInTime)
	}
	for _, word := range searched(f.Search) {
		l.where(`g.found_by LIKE ? ESCAPE '\'`, "%"+escapeLike(word)+"%")
	}
	return l.matching(f.Where, groupField)
}

// CountGroups returns how many just-in-time groups a source has.
func (r reader) CountGroups(ctx context.Context, env string, kind Source, source string) (int, error) {
	return queryOne(ctx, r.c, value[int], `
		SELECT count(*) FROM cloud_groups
		WHERE environment_id = $1 AND source_type = $2 AND source_id = $3`, env, kind, source)
}

// CreateGroup adds an ordinary group and fills in its ID and times; without a
// display name it has its name. ErrReadOnly for a just-in-time group, which
// only a sign-on makes; ErrConflict when the name is taken.
func (s *Store) CreateGroup(ctx context.Context, g *Group) error {
	if g.JustInTime() {
		return fmt.Errorf("%w: only a sign-on creates such a group", ErrReadOnly)
	}
	return s.Provision(ctx, func(tx *Tx) error { return tx.CreateGroups(ctx, []*Group{g}) })
}

// CreateGroups adds groups of any source and fills in their IDs and times.
func (tx *Tx) CreateGroups(ctx context.Context, groups []*Group) error {
	for len(groups) > 0 {
		n := min(tx.rows, len(groups))
		if err := tx.createGroups(ctx, groups[:n]); err != nil {
			return err
		}
		groups = groups[n:]
	}
	return nil
}

// createGroups adds as many as one statement takes. A group without a display name is
// shown by its name, and found by it.
func (tx *Tx) createGroups(ctx context.Context, groups []*Group) error {
	var args []any
	for _, g := range groups {
		if err := newID(&g.ID); err != nil {
			return err
		}
		if g.DisplayName == "" {
			g.DisplayName = g.Name
		}
		stamp(&g.CreatedAt)
		g.UpdatedAt = g.CreatedAt
		args = append(args,
			g.ID,
			g.EnvironmentID,
			orNull(g.PopulationID),
			g.Name,
			g.Key(),
			g.DisplayName,
			Fold(g.DisplayName),
			g.Description,
			g.ExternalID,
			g.SourceType,
			g.SourceID,
			g.DirectoryID,
			micros(g.CreatedAt),
			micros(g.UpdatedAt),
			GroupKey(g.Name),
			inJSON(g.Kept),
			g.foundBy(),
		)
	}
	_, err := tx.c.exec(ctx, `
		INSERT INTO cloud_groups (id, environment_id, population_id, name, name_key, display_name, display_folded,
			description, external_id, source_type, source_id, directory_id, created_at, updated_at,
			search_key, kept, found_by)
		VALUES `+placeholders(1, len(groups), 17),
		args...)
	return err
}

// UpdateGroup writes g and fills in UpdatedAt. The name and display name of a
// just-in-time group are the directory's: ErrReadOnly when they differ.
// ErrConflict when the name is taken.
func (s *Store) UpdateGroup(ctx context.Context, g *Group) error {
	return s.Provision(ctx, func(tx *Tx) error {
		before, err := tx.Group(ctx, g.EnvironmentID, g.ID)
		if err != nil {
			return err
		}
		if before.JustInTime() && (before.Name != g.Name || before.DisplayName != g.DisplayName) {
			return fmt.Errorf("%w: its name changes where it comes from", ErrReadOnly)
		}
		g.SourceType, g.SourceID, g.DirectoryID = before.SourceType, before.SourceID, before.DirectoryID
		g.CreatedAt = before.CreatedAt
		return tx.UpdateGroup(ctx, g)
	})
}

// UpdateGroup writes what may change of g, whatever its source, and fills in UpdatedAt.
// Its source never changes: one that another directory names is another group.
// ErrNotFound, or ErrConflict when the name or the immutable ID is another's.
func (tx *Tx) UpdateGroup(ctx context.Context, g *Group) error {
	g.UpdatedAt = now()
	return tx.c.execOne(ctx, `
		UPDATE cloud_groups
		SET population_id = $1, name = $2, name_key = $3, display_name = $4, display_folded = $5,
			description = $6, external_id = $7, directory_id = $8, updated_at = $9, search_key = $12, kept = $13,
			found_by = $14
		WHERE environment_id = $10 AND id = $11`,
		orNull(g.PopulationID),
		g.Name,
		g.Key(),
		g.DisplayName,
		Fold(g.DisplayName),
		g.Description,
		g.ExternalID,
		g.DirectoryID,
		micros(g.UpdatedAt),
		g.EnvironmentID,
		g.ID,
		GroupKey(g.Name),
		inJSON(g.Kept),
		g.foundBy(),
	)
}

// DeleteGroup removes a group with its memberships. A just-in-time group may
// come back with the next updating sign-on of a member. ErrNotFound when there is none.
func (s *Store) DeleteGroup(ctx context.Context, env, id string) error {
	return s.Provision(ctx, func(tx *Tx) error {
		if err := tx.all(ctx, leftByAll(env, id)); err != nil {
			return err
		}
		return tx.c.execOne(ctx, `DELETE FROM cloud_groups WHERE environment_id = $1 AND id = $2`, env, id)
	})
}
