package signon

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloudlink/wire"
)

// Route is a user type that might know a person.
type Route struct {
	Gateway  store.Gateway
	UserType store.UserType
}

// Ref names the user type.
func (r Route) Ref() store.UserTypeRef {
	return store.UserTypeRef{Gateway: r.Gateway.ID, UserType: r.UserType.ID}
}

// Routes returns every user type of an environment, also of gateways that are
// switched off, in the order in which they are asked for a person whom the cloud
// does not know: the environment's own order, and then the oldest gateway first, so
// that who adds or renames a gateway puts it before no other.
func Routes(ctx context.Context, db *store.Store, env string) (routes []Route, err error) {
	e, err := db.Environment(ctx, env)
	if err != nil {
		return nil, err
	}
	gateways, err := oldestFirst(ctx, db, env)
	if err != nil {
		return nil, err
	}
	for _, g := range gateways {
		for _, t := range g.UserTypes {
			routes = append(routes, Route{g, t})
		}
	}
	order := e.Settings.SignOnOrder
	place := func(r Route) int {
		if i := slices.Index(order, r.Ref()); i >= 0 {
			return i
		}
		return len(order)
	}
	slices.SortStableFunc(routes, func(a, b Route) int { return place(a) - place(b) })
	return routes, nil
}

// oldestFirst returns all gateways of an environment.
func oldestFirst(ctx context.Context, db *store.Store, env string) (all []store.Gateway, err error) {
	page := store.Page{Limit: store.MaxLimit}
	for {
		gateways, next, err := db.Gateways(ctx, env, page)
		if err != nil {
			return nil, err
		}
		all = append(all, gateways...)
		if page.Cursor = next; next == "" {
			break
		}
	}
	slices.SortStableFunc(all, func(a, b store.Gateway) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return all, nil
}

// passes tells whether a gateway has nothing to say of a person whom the cloud does not
// know: no instance has ever linked to it, so that it has no people yet. One whose
// instances are away has: to go on would hand their passwords, and their usernames, to
// the next gateway.
func (a *attempt) passes(ctx context.Context, r Route, o wire.Outcome, bindSent bool, instance string) bool {
	return a.user == nil && o == wire.OutcomeDirectoryUnavailable && !bindSent && instance == "" && !a.hasPeople(ctx, r)
}

// hasPeople tells whether an instance has ever linked to a gateway; also when that
// cannot be found out.
func (a *attempt) hasPeople(ctx context.Context, r Route) bool {
	all, err := a.Store.Instances(ctx, a.request.EnvironmentID, r.Gateway.ID)
	return err != nil || slices.ContainsFunc(all, func(i store.Instance) bool { return !i.InitializedAt.IsZero() })
}

// Open returns those of routes that are for no usernames in particular.
func Open(routes []Route) (open []Route) {
	for _, r := range routes {
		if len(r.UserType.Usernames) == 0 {
			open = append(open, r)
		}
	}
	return open
}

// claimed returns those of routes that claim a username, or the open ones when none does:
// a name that a pattern gives to one user type is asked of no other.
func claimed(routes []Route, username string) (mine []Route) {
	for _, r := range routes {
		if r.UserType.Claims(username) {
			mine = append(mine, r)
		}
	}
	if len(mine) == 0 {
		return Open(routes)
	}
	return mine
}

// policy returns the routes to ask for a person whom the cloud does not know. A gateway
// that is switched off keeps the names that are its own, and so does a user type that
// finds nobody new.
func (a *attempt) policy(ctx context.Context) ([]Route, error) {
	routes, err := Routes(ctx, a.Store, a.request.EnvironmentID)
	if err != nil {
		return nil, err
	}
	mine := slices.DeleteFunc(claimed(routes, a.request.Username), func(r Route) bool {
		return !r.Gateway.Enabled || r.UserType.LinksOnly
	})
	return a.within(ctx, mine)
}

// within returns those of routes that the policy of the request names, in its order. The
// default one is the environment's order, and a policy that was deleted meanwhile names
// nobody.
func (a *attempt) within(ctx context.Context, routes []Route) (mine []Route, err error) {
	if a.request.Policy == "" {
		return routes, nil
	}
	p, err := a.Store.SignOnPolicy(ctx, a.request.EnvironmentID, a.request.Policy)
	switch {
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return nil, err
	case err == nil && p.Default:
		return routes, nil
	}
	a.bounded = true
	login, _ := p.Action(store.ActionLogin)
	for _, ref := range login.Order {
		if i := slices.IndexFunc(routes, func(r Route) bool { return r.Ref() == ref }); i >= 0 {
			mine = append(mine, routes[i])
		}
	}
	return mine, nil
}

// recorded returns the record for the username, as it was given or as it was meant.
func (a *attempt) recorded(ctx context.Context) (store.User, error) {
	if a.read != nil {
		return *a.read, nil
	}
	typed := store.Typed(a.request.Username)
	if typed == a.request.Username {
		return store.User{}, store.ErrNotFound
	}
	return a.Store.PersonByUsername(ctx, a.request.EnvironmentID, typed)
}
