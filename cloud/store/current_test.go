package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// Whatever changes what is kept in memory is seen at once, also when another node changed
// it; and what is not there any more is gone.
func TestCurrentIsOfNow(t *testing.T) {
	where := empty(t)
	here, there := openAt(t, where), openAt(t, where)
	w := build(t, here, "one")
	ctx, e, now := t.Context(), w.env.ID, time.Now()
	c := store.Client{EnvironmentID: e, Name: "c", Role: store.RoleIdentityAdmin, SecretHash: []byte("s")}
	must(t, here.CreateClient(ctx, &c))
	must(t, here.CreateToken(ctx, []byte("t"), c.ID, e, now.Add(time.Hour)))
	a := store.Application{EnvironmentID: e, Name: "Wiki", Type: store.WebApplication, RedirectURIs: []string{"https://a"}}
	must(t, here.CreateApplication(ctx, &a))
	policy := store.SignOnPolicy{EnvironmentID: e, Name: "Strict"}
	must(t, here.SavePolicy(ctx, &policy))
	of := func(s *store.Store) {
		t.Helper()
		g, err1 := s.Current.Gateway(ctx, e, w.gateway.ID)
		claimed, err2 := s.Current.Claimants(ctx, e, "ada@example.com")
		who, err3 := s.Current.TokenClient(ctx, []byte("t"), now)
		fresh, err4 := s.Gateway(ctx, e, w.gateway.ID)
		claimants, err5 := s.Claimants(ctx, e, "ada@example.com")
		token, err6 := s.TokenClient(ctx, []byte("t"), now)
		groups, err7 := s.Current.GroupsOf(ctx, e, w.user.ID)
		now, err8 := s.GroupsOf(ctx, e, w.user.ID)
		byID := func(a, b store.Group) int { return strings.Compare(a.ID, b.ID) }
		slices.SortFunc(groups, byID)
		slices.SortFunc(now, byID)
		app, err9 := s.Current.Application(ctx, e, a.ID)
		named, err10 := s.Current.SignOnPolicy(ctx, e, policy.ID)
		first, err11 := s.Current.DefaultSignOnPolicy(ctx, e)
		freshApp, err12 := s.Application(ctx, e, a.ID)
		freshNamed, err13 := s.SignOnPolicy(ctx, e, policy.ID)
		freshFirst, err14 := s.DefaultSignOnPolicy(ctx, e)
		same(t, []any{app, named, first, err9, err10, err11}, []any{freshApp, freshNamed, freshFirst, err12, err13, err14}, nil)
		same(t, fmt.Sprint(groups, err7), fmt.Sprint(now, err8), nil)
		same(t, []any{g, claimed, who, err1, err2, err3}, []any{fresh, claimants, token, err4, err5, err6}, nil)
	}
	for _, step := range []struct {
		name string
		do   func(s *store.Store) error
	}{
		{"nothing", func(*store.Store) error { return nil }},
		{"user type", func(s *store.Store) error {
			w.gateway.UserTypes[0].Usernames = []string{"*@example.com"}
			return s.UpdateGateway(ctx, &w.gateway)
		}},
		{"switched off", func(s *store.Store) error {
			w.gateway.Enabled = false
			return s.UpdateGateway(ctx, &w.gateway)
		}},
		{"another gateway", func(s *store.Store) error {
			return s.CreateGateway(ctx, &store.Gateway{EnvironmentID: e, Name: "Branch", Vendor: "OpenLDAP",
				UserTypes: []store.UserType{{Name: "p", Usernames: []string{"ada*"}}}})
		}},
		{"token's client", func(s *store.Store) error {
			c.Role = store.RoleSignOn
			return s.UpdateClient(ctx, &c)
		}},
		{"another token", func(s *store.Store) error {
			return s.CreateToken(ctx, []byte("t"), c.ID, e, now.Add(time.Hour))
		}},
		{"another name of a group", func(s *store.Store) error {
			return s.Provision(ctx, func(tx *store.Tx) error {
				w.jit.DisplayName += " (renamed)"
				return tx.UpdateGroup(ctx, &w.jit)
			})
		}},
		{"another group", func(s *store.Store) error { return s.AddMember(ctx, e, w.user.ID, w.group.ID, now) }},
		{"not in it", func(s *store.Store) error { return s.RemoveMember(ctx, e, w.user.ID, w.group.ID) }},
		{"group deleted", func(s *store.Store) error { return s.DeleteGroup(ctx, e, w.jit.ID) }},
		{"application", func(s *store.Store) error {
			a.Enabled, a.RedirectURIs = true, []string{"https://b"}
			return s.UpdateApplication(ctx, &a)
		}},
		{"application going", func(s *store.Store) error {
			_, err := s.LetGo(ctx, &store.Going{EnvironmentID: e, Kind: store.ApplicationGoes, Of: []string{a.ID}})
			return err
		}},
		{"policy", func(s *store.Store) error {
			policy.Actions = []store.PolicyAction{{ID: "1", Type: store.ActionMultiFactor, Priority: 1}}
			return s.SavePolicy(ctx, &policy)
		}},
		{"another default", func(s *store.Store) error {
			policy.Default = true
			return s.SavePolicy(ctx, &policy)
		}},
		{"default's order", func(s *store.Store) error {
			w.env.Settings.SignOnOrder = []store.UserTypeRef{{Gateway: w.gateway.ID}}
			return s.UpdateEnvironment(ctx, &w.env)
		}},
		{"a policy like others", func(s *store.Store) error {
			policy.Default = false
			return s.SavePolicy(ctx, &policy)
		}},
		{"no policy", func(s *store.Store) error { return s.DeletePolicy(ctx, e, policy.ID) }},
		{"no client", func(s *store.Store) error { return s.DeleteClient(ctx, e, c.ID) }},
		{"no gateway", func(s *store.Store) error { return s.DeleteGateway(ctx, e, w.gateway.ID, true) }},
	} {
		of(here) // both keep what is about to change
		of(there)
		by := here
		if len(step.name)%2 == 0 {
			by = there
		}
		must(t, step.do(by))
		t.Run(step.name, func(*testing.T) { of(here); of(there) })
	}
}

// A request that holds the revision asks for it once, and never sees what was before its first question.
func TestCurrentHeld(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	name := func(ctx context.Context) string {
		t.Helper()
		g, err := s.Current.Gateway(ctx, w.env.ID, w.gateway.ID)
		must(t, err)
		return g.Name
	}
	before, later := s.Current.Held(t.Context()), s.Current.Held(t.Context())
	first := name(before)
	w.gateway.Name = "renamed"
	must(t, s.UpdateGateway(t.Context(), &w.gateway))
	if got := name(before); got != first {
		t.Errorf("the revision was asked for once more: %q", got)
	}
	for range 3 { // whatever is kept by then
		if got := []string{name(later), name(t.Context())}; got[0] != "renamed" || got[1] != "renamed" {
			t.Errorf("after the change: %q", got)
		}
		name(before)
	}
}

// A token that is kept in memory ends when it ends.
func TestCurrentTokenEnds(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	c := store.Client{EnvironmentID: w.env.ID, Name: "c", SecretHash: []byte("s")}
	must(t, s.CreateClient(t.Context(), &c))
	end := time.Now().Add(time.Minute)
	must(t, s.CreateToken(t.Context(), []byte("t"), c.ID, w.env.ID, end))
	_, err := s.Current.TokenClient(t.Context(), []byte("t"), end.Add(-time.Second))
	must(t, err)
	_, err = s.Current.TokenClient(t.Context(), []byte("t"), end.Add(time.Second))
	want(t, err, store.ErrNotFound)
}

// Of many who read while it is changed none sees what was before a change that had ended.
func TestCurrentOfMany(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	var reading sync.WaitGroup
	for range 40 {
		before, err := s.Gateway(t.Context(), w.env.ID, w.gateway.ID)
		must(t, err)
		since := before.UpdatedAt
		for range 16 {
			reading.Go(func() {
				g, err := s.Current.Gateway(t.Context(), w.env.ID, w.gateway.ID)
				if err != nil || g.UpdatedAt.Before(since) {
					t.Errorf("%s, %v: after %s", g.UpdatedAt, err, since)
				}
			})
		}
		before.Revision = 0
		must(t, s.UpdateGateway(t.Context(), &before))
	}
	reading.Wait()
}
