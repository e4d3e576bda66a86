package applications

import (
	"context"
	"errors"
	"slices"
	"strings"

	"ldap-gateway/cloud/store"
)

// source is one whose groups an application learns by name; the cloud's own has neither.
type source struct {
	kind store.Source
	id   string
	size int // groups
}

// mostLooked is how many groups of one source are looked at, whose names others have.
const mostLooked = 50 * store.MostShared

// SharedNames returns groups that an application cannot tell from one of another source, since
// it learns both by a name that they share: some of them, store.MostShared at most. None for one
// that learns no groups, or learns them by what names their source.
func SharedNames(ctx context.Context, db *store.Store, a store.Application) (shared []store.Group, err error) {
	if value := a.Groups.Value; value != store.GroupNames && value != store.GroupDisplayNames || !learnsGroups(a) {
		return nil, nil
	}
	all, err := believed(ctx, db, a)
	if err != nil {
		return nil, err
	}
	// What two share, the smaller one has too: the largest is never gone through.
	slices.SortFunc(all, func(x, y source) int { return x.size - y.size })
	for i, s := range all[:max(len(all)-1, 0)] {
		some, err := sharedBy(ctx, db, a, s, all[i+1:])
		if err != nil {
			return nil, err
		}
		shared = append(shared, some...)
	}
	named, err := sharedByID(ctx, db, a)
	shared = append(shared, named...)
	return shared[:min(len(shared), store.MostShared)], err
}

// sharedBy returns the groups of a source that the application may know, and whose names
// larger ones have.
func sharedBy(
	ctx context.Context, db *store.Store, a store.Application, s source, larger []source,
) (shared []store.Group, err error) {
	var others []string
	for _, o := range larger {
		others = append(others, o.id)
	}
	var last store.Group
	for looked := 0; looked < mostLooked && len(shared) < store.MostShared; looked += store.MostShared {
		displayed := a.Groups.Value == store.GroupDisplayNames
		some, err := db.SharedGroups(ctx, a.EnvironmentID, s.kind, s.id, others, displayed, last)
		if err != nil {
			return nil, err
		}
		for _, g := range some {
			if allowed(a.Groups.Allow, g, true) {
				shared = append(shared, g)
			}
		}
		if len(some) < store.MostShared {
			break
		}
		last = some[len(some)-1]
	}
	return shared, nil
}

// sharedByID returns the groups that the rule names by their ID, of whichever source they are,
// and whose names others have that the application may know.
func sharedByID(ctx context.Context, db *store.Store, a store.Application) (shared []store.Group, err error) {
	from := sources{db: db, env: a.EnvironmentID, named: a.Groups.Sources}
	for _, id := range a.Groups.Allow {
		g, err := db.Group(ctx, a.EnvironmentID, id)
		if errors.Is(err, store.ErrNotFound) {
			continue // it is a name, or gone
		}
		if err != nil {
			return nil, err
		}
		like, err := db.GroupsLike(ctx, a.EnvironmentID, id, a.Groups.Value == store.GroupDisplayNames)
		if err != nil {
			return nil, err
		}
		may := func(o store.Group) bool {
			known, failed := from.has(ctx, o)
			err = errors.Join(err, failed)
			return o.SourceID != g.SourceID && allowed(a.Groups.Allow, o, known)
		}
		if slices.ContainsFunc(like, may) {
			shared = append(shared, g)
		}
		if err != nil {
			return nil, err
		}
	}
	return shared, nil
}

// learnsGroups tells whether an application learns any: by the scope, or by an attribute of SAML.
func learnsGroups(a store.Application) bool {
	return a.Protocol != store.SAML || slices.ContainsFunc(a.Kept.Attributes, func(m store.ApplicationAttribute) bool {
		return strings.Contains(m.Value, "memberOfGroups")
	})
}

// believed are the sources whose groups an application learns by name, those without groups
// left out.
func believed(ctx context.Context, db *store.Store, a store.Application) (all []source, err error) {
	some := []source{{}}
	for _, id := range a.Groups.Sources {
		s, err := kindOf(ctx, db, a.EnvironmentID, id)
		if err != nil {
			return nil, err
		}
		some = append(some, s)
	}
	if len(a.Groups.Sources) == 0 {
		usual, err := usualSources(ctx, db, a.EnvironmentID)
		if err != nil {
			return nil, err
		}
		some = append(some, usual...)
	}
	for _, s := range some {
		if s.size, err = db.CountGroups(ctx, a.EnvironmentID, s.kind, s.id); err != nil {
			return nil, err
		}
		if s.size > 0 {
			all = append(all, s)
		}
	}
	return all, nil
}

// kindOf tells what a source that is named is.
func kindOf(ctx context.Context, db *store.Store, env, id string) (source, error) {
	_, err := db.Gateway(ctx, env, id)
	if errors.Is(err, store.ErrNotFound) {
		return source{kind: store.SourceIDP, id: id}, nil
	}
	return source{kind: store.SourceGateway, id: id}, err
}

// usualSources are those of an application that names none: see sources.has.
func usualSources(ctx context.Context, db *store.Store, env string) (all []source, err error) {
	for page := (store.Page{Limit: store.MaxLimit}); ; {
		gateways, next, err := db.Gateways(ctx, env, page)
		if err != nil {
			return nil, err
		}
		for _, g := range gateways {
			all = append(all, source{kind: store.SourceGateway, id: g.ID})
		}
		if page.Cursor = next; next == "" {
			break
		}
	}
	if len(all) > 0 {
		return all, nil
	}
	first, err := First(ctx, db, env)
	if first == "" {
		return nil, err
	}
	return []source{{kind: store.SourceIDP, id: first}}, err
}
