package signon

import (
	"context"
	"slices"

	"ldap-gateway/cloud/store"
)

// Way is a user type that might know a person.
type Way struct {
	Gateway  store.Gateway
	UserType store.UserType
}

// Ref names the user type.
func (w Way) Ref() store.UserTypeRef {
	return store.UserTypeRef{Gateway: w.Gateway.ID, UserType: w.UserType.ID}
}

// Ways returns every user type of an environment, also of gateways that are
// switched off, in the order in which they are asked for a person whom the cloud
// does not know: the environment's own order, and then by the gateway's name.
func Ways(ctx context.Context, db *store.Store, env string) (ways []Way, err error) {
	e, err := db.Environment(ctx, env)
	if err != nil {
		return nil, err
	}
	page := store.Page{Limit: store.MaxLimit}
	for {
		gateways, next, err := db.Gateways(ctx, env, page)
		if err != nil {
			return nil, err
		}
		for _, g := range gateways {
			for _, t := range g.UserTypes {
				ways = append(ways, Way{g, t})
			}
		}
		if page.Cursor = next; next == "" {
			break
		}
	}
	order := e.Settings.SignOnOrder
	place := func(w Way) int {
		if i := slices.Index(order, w.Ref()); i >= 0 {
			return i
		}
		return len(order)
	}
	slices.SortStableFunc(ways, func(a, b Way) int { return place(a) - place(b) })
	return ways, nil
}

// policy returns the ways to ask for a person whom the cloud does not know.
func (a *attempt) policy(ctx context.Context) ([]Way, error) {
	ways, err := Ways(ctx, a.Store, a.request.EnvironmentID)
	return slices.DeleteFunc(ways, func(w Way) bool { return !w.Gateway.Enabled }), err
}
