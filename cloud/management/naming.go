package management

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"ldap-gateway/cloud/store"
)

// Naming is something that names another by its ID in what is kept of it, where no key of
// the database sees it: without that it would do less, or let nobody in.
type Naming struct {
	Kind     string // of what names it, as the paths of the API have it: "applications", "signOnPolicies"
	ID, Name string // of what names it
	Where    string // it does so, for people, as in "who may use it"
	named    store.UserTypeRef
	id       string // what is named, when it is no user type
}

// String says it for people.
func (n Naming) String() string {
	what := map[string]string{"applications": "application", "signOnPolicies": "sign-on policy"}[n.Kind]
	return fmt.Sprintf("The %s %s names it: %s.", what, n.Name, n.Where)
}

// goes tells whether what is named goes with something by its ID: it is that, or a user type
// or a group of it.
func (n Naming) goes(ctx context.Context, db *store.Store, env, with string) (bool, error) {
	if n.id == "" {
		return n.named.Gateway == with || n.named.UserType == with, nil
	}
	if n.id == with {
		return true, nil
	}
	g, err := db.Group(ctx, env, n.id)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil && g.SourceID == with, err
}

// NamedBy returns what names a gateway, a user type, an identity provider, a group or a
// sign-on policy, each once, or what goes with it; none when nothing does.
func NamedBy(ctx context.Context, db *store.Store, env, id string) (all []Naming, err error) {
	named, err := namings(ctx, db, env)
	if err != nil {
		return nil, err
	}
	for _, n := range named {
		yes, err := n.goes(ctx, db, env, id)
		if err != nil {
			return nil, err
		}
		n.named, n.id = store.UserTypeRef{}, ""
		if yes && !slices.Contains(all, n) {
			all = append(all, n)
		}
	}
	return all, nil
}

// namings are all that there are in an environment.
func namings(ctx context.Context, db *store.Store, env string) (all []Naming, err error) {
	page := store.Page{Limit: store.MaxLimit}
	for more := true; more; more = page.Cursor != "" {
		var some []store.Application
		if some, page.Cursor, err = db.Applications(ctx, env, page); err != nil {
			return nil, err
		}
		for _, a := range some {
			all = append(all, ofApplication(a)...)
		}
	}
	policies, err := db.SignOnPolicies(ctx, env)
	for _, p := range policies {
		all = append(all, ofPolicy(p)...)
	}
	return all, err
}

// ofApplication are those of an application. What it lets know by a pattern is named by none.
func ofApplication(a store.Application) (all []Naming) {
	for _, by := range []struct {
		where string
		ids   []string
	}{
		{"who may use it", a.AccessRule().Access},
		{"the groups that it learns", a.Groups.Allow},
		{"the sources of the groups that it learns", a.Groups.Sources},
		{"its sign-on policies", a.Kept.PolicyIDs()},
	} {
		for _, id := range by.ids {
			all = append(all, Naming{Kind: "applications", ID: a.ID, Name: a.Name, Where: by.where, id: id})
		}
	}
	return all
}

// ofPolicy are those of a sign-on policy. The order of the default one is a wish: a user type
// that it does not name comes last.
func ofPolicy(p store.SignOnPolicy) (all []Naming) {
	n := Naming{Kind: "signOnPolicies", ID: p.ID, Name: p.Name}
	for _, a := range p.Actions {
		for _, ref := range a.Order {
			if !p.Default {
				n.Where, n.named, n.id = "where people are looked for", ref, ""
				all = append(all, n)
			}
		}
		n.Where, n.named = "identity providers", store.UserTypeRef{}
		for _, n.id = range a.Providers {
			all = append(all, n)
		}
		for _, rule := range a.Rules {
			n.id = rule.Provider
			all = append(all, n)
		}
	}
	return all
}

// unnamed returns a *DependentsError when something names what is to go.
func (t *turn) unnamed(ctx context.Context, id string) error {
	named, err := NamedBy(ctx, t.Store, t.env(), id)
	if err == nil && len(named) > 0 {
		err = &DependentsError{Named: named, Final: true}
	}
	return err
}
