package applications

import (
	"context"
	"path"
	"slices"
	"strings"

	"ldap-gateway/cloud/store"
)

// Groups returns those of a person's groups that an application may know by its rule, in no order.
func Groups(
	ctx context.Context, db *store.Store, u store.User, rule store.GroupsClaim,
) (some []store.Group, err error) {
	all, err := db.Current.GroupsOf(ctx, u.EnvironmentID, u.ID)
	if err != nil {
		return nil, err
	}
	from := sources{db: db, env: u.EnvironmentID, named: rule.Sources}
	for _, g := range all {
		known, err := from.has(ctx, g)
		if err != nil {
			return nil, err
		}
		if allowed(rule.Allow, g, known) {
			some = append(some, g)
		}
	}
	return some, nil
}

// allowed tells whether an application may know of a group, which is of a source that
// it knows, or not.
func allowed(patterns []string, g store.Group, known bool) bool {
	if len(patterns) == 0 {
		return known
	}
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		return pattern == g.ID || known && matches(strings.ToLower(pattern), strings.ToLower(g.Name))
	})
}

// matches tells whether a text is what a pattern says, in which * stands for any
// text. What path.Match gives another meaning means itself.
func matches(pattern, text string) bool {
	const slash = "\x00" // path.Match's * stops at a slash
	pattern = strings.NewReplacer(`\`, `\\`, "?", `\?`, "[", `\[`, "/", slash).Replace(pattern)
	ok, err := path.Match(pattern, strings.ReplaceAll(text, "/", slash))
	return err == nil && ok
}

// groupObject is a group with its source, so that no two are mistaken for one.
type groupObject struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	DisplayName string `json:"displayName,omitempty"`
	SourceType  string `json:"sourceType,omitempty"`
	SourceID    string `json:"sourceId,omitempty"`
}

// Value is a group as an application wants it: its name unless it says otherwise. An
// object is one that JSON can be made of, everything else a text.
func Value(kind string, g store.Group) any {
	switch kind {
	case store.GroupObjects:
		return groupObject{g.ID, g.Name, g.DisplayName, string(g.SourceType), g.SourceID}
	case store.GroupIDs:
		return g.ID
	case store.GroupDisplayNames:
		return g.DisplayName
	}
	return g.Name
}

// sources are those whose groups an application learns by name.
type sources struct {
	db    *store.Store
	env   string
	named []string // by the application's rule

	looked bool
	first  string // provider that stands in for gateways where there are none; empty: none does
}

// has tells whether a group is of one of them. The cloud's own groups are.
func (s *sources) has(ctx context.Context, g store.Group) (bool, error) {
	switch {
	case g.SourceType == "":
		return true, nil
	case len(s.named) > 0:
		return slices.Contains(s.named, g.SourceID), nil
	case g.SourceType != store.SourceIDP:
		return true, nil
	}
	if !s.looked {
		first, err := First(ctx, s.db, s.env)
		if err != nil {
			return false, err
		}
		s.first, s.looked = first, true
	}
	return g.SourceID == s.first, nil
}

// First returns the ID of the provider that an environment without gateways began with;
// empty when there is none. When it is gone no other takes its place: nobody chose to
// believe that one.
func First(ctx context.Context, db *store.Store, env string) (id string, err error) {
	gateways, _, err := db.Gateways(ctx, env, store.Page{Limit: 1})
	if err != nil || len(gateways) > 0 {
		return "", err
	}
	for page := (store.Page{Limit: store.MaxLimit}); ; {
		some, next, err := db.IdentityProviders(ctx, env, page)
		if err != nil {
			return "", err
		}
		for _, p := range some {
			if p.Config.First {
				id = p.ID
			}
		}
		if page.Cursor = next; next == "" {
			return id, nil
		}
	}
}
