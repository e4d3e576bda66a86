package oidc

import (
	"context"
	"slices"

	"ldap-gateway/cloud/store"
)

// sources are those whose groups an application learns by name.
type sources struct {
	p     *provider
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
		if err := s.look(ctx); err != nil {
			return false, err
		}
		s.looked = true
	}
	return g.SourceID == s.first, nil
}

// look finds the provider that an environment without gateways began with. When it is
// gone no other takes its place: nobody chose to believe that one.
func (s *sources) look(ctx context.Context) error {
	gateways, _, err := s.p.Store.Gateways(ctx, s.p.env, store.Page{Limit: 1})
	if err != nil || len(gateways) > 0 {
		return err
	}
	for page := (store.Page{Limit: store.MaxLimit}); ; {
		some, next, err := s.p.Store.IdentityProviders(ctx, s.p.env, page)
		if err != nil {
			return err
		}
		for _, p := range some {
			if p.Config.First {
				s.first = p.ID
			}
		}
		if page.Cursor = next; next == "" {
			return nil
		}
	}
}
