package store

import "context"

// MostShared bounds what SharedGroups returns.
const MostShared = 200

// SharedGroups returns groups of one source that have the name of a group of another, or with
// displayed its display name, without regard to case. Of the cloud's own groups both are
// empty. MostShared at most, by display name.
func (r reader) SharedGroups(
	ctx context.Context, env string, kind Source, source string, others []string, displayed bool,
) ([]Group, error) {
	if len(others) == 0 {
		return nil, nil
	}
	others = others[:min(len(others), chunk)]
	same := "o.search_key = g.search_key"
	if displayed {
		same = "o.display_folded = g.display_folded"
	}
	args := []any{env, kind, source, MostShared}
	for _, id := range others {
		args = append(args, id)
	}
	return queryAll(ctx, r.c, scanPlainGroup, groupFields+`
		FROM cloud_groups g
		WHERE g.environment_id = $1 AND g.source_type = $2 AND g.source_id = $3 AND EXISTS (
			SELECT 1
			FROM cloud_groups o
			WHERE o.environment_id = $1 AND `+same+` AND o.source_id IN `+placeholders(5, 1, len(others))+`)
		ORDER BY g.display_folded, g.id
		LIMIT $4`, args...)
}
