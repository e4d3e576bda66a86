package store

import "context"

// MostShared bounds what SharedGroups returns.
const MostShared = 200

// SharedGroups returns groups of one source that have the name of a group of another, or with
// displayed its display name, without regard to case. Of the cloud's own groups both are
// empty. MostShared at most, by display name, after one that was returned; the zero group:
// from the first on.
func (r reader) SharedGroups(
	ctx context.Context, env string, kind Source, source string, others []string, displayed bool, after Group,
) ([]Group, error) {
	if len(others) == 0 {
		return nil, nil
	}
	others = others[:min(len(others), chunk)]
	same := "o.search_key = g.search_key"
	if displayed {
		same = "o.display_folded = g.display_folded"
	}
	args := []any{env, kind, source, MostShared, Fold(after.DisplayName), after.ID}
	for _, id := range others {
		args = append(args, id)
	}
	return queryAll(ctx, r.c, scanPlainGroup, groupFields+`
		FROM cloud_groups g
		WHERE g.environment_id = $1 AND g.source_type = $2 AND g.source_id = $3
			AND (g.display_folded, g.id) > ($5, $6) AND EXISTS (
			SELECT 1
			FROM cloud_groups o
			WHERE o.environment_id = $1 AND `+same+` AND o.source_id IN `+placeholders(7, 1, len(others))+`)
		ORDER BY g.display_folded, g.id
		LIMIT $4`, args...)
}

// GroupsLike returns the other groups of an environment that have the name of a group, or with
// displayed its display name, without regard to case; MostShared at most. CROSS JOIN has SQLite
// begin with that group.
func (r reader) GroupsLike(ctx context.Context, env, group string, displayed bool) ([]Group, error) {
	same := "g.search_key = o.search_key"
	if displayed {
		same = "g.display_folded = o.display_folded"
	}
	return queryAll(ctx, r.c, scanPlainGroup, groupFields+`
		FROM cloud_groups o
		CROSS JOIN cloud_groups g
		WHERE o.environment_id = $1 AND o.id = $2 AND g.environment_id = $1 AND `+same+` AND g.id <> o.id
		LIMIT $3`, env, group, MostShared)
}
