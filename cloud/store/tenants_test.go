package store_test

import (
	"fmt"
	"testing"

	"ldap-gateway/cloud/store"
)

// An environment goes with everything that is in it, and leaves the others as they are.
func TestEnvironmentsGoWhole(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	w, other := build(t, s, "one"), build(t, s, "two")
	administrator(t, s, w, "ada")
	must(t, s.CreateApplication(ctx, &store.Application{EnvironmentID: w.env.ID, Name: "Wiki"}))
	must(t, s.RecordSignOn(ctx, &store.SignOn{EnvironmentID: w.env.ID}, store.Activity{Action: "x"}))
	must(t, s.AddSigningKey(ctx, store.SigningKey{ID: "k", EnvironmentID: w.env.ID, CreatedAt: moment(1)}, moment(0), moment(0)))
	client := store.Client{EnvironmentID: w.env.ID, Name: "c"}
	must(t, s.CreateClient(ctx, &client))
	must(t, s.CreateToken(ctx, []byte("h"), client.ID, w.env.ID, moment(1)))
	for i := range 45 { // several turns
		must(t, write(ctx, s, w, fmt.Sprint("person", i), func() error { return nil }))
	}
	must(t, s.EmptyEnvironment(ctx, w.env.ID))
	if all, _, err := s.Users(ctx, w.env.ID, store.UserFilter{}, store.Page{}); err != nil || len(all) > 0 {
		t.Errorf("%d users are left, %v", len(all), err)
	}
	if all, _, err := s.Activities(ctx, w.env.ID, store.ActivityFilter{}, store.Page{}); err != nil || len(all) > 0 {
		t.Errorf("%d activities are left, %v", len(all), err)
	}
	if all, _, err := s.Groups(ctx, other.env.ID, store.GroupFilter{}, store.Page{}); err != nil || len(all) != 2 {
		t.Errorf("of another %d groups are left, %v", len(all), err)
	}
	must(t, s.DeleteEnvironment(ctx, w.env.ID))
	_, err := s.Environment(ctx, w.env.ID)
	want(t, err, store.ErrNotFound)
	want(t, s.DeleteEnvironment(ctx, w.env.ID), store.ErrNotFound)
	_, err = s.User(ctx, other.env.ID, other.user.ID)
	must(t, err)
}

// Of an environment that another made, the owners of that one are owners, and no others.
func TestClientsInEnvironmentsThatWereMade(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	w := build(t, s, "one")
	made := store.Environment{Name: "made", ParentID: w.env.ID}
	must(t, s.NewEnvironment(ctx, &made))
	p, err := s.DefaultPopulation(ctx, made.ID)
	if err != nil || p.Name != "Default" {
		t.Errorf("%+v, %v", p, err)
	}
	for role, opens := range map[store.Role]bool{
		store.RoleOwner:         true,
		store.RoleIdentityAdmin: false,
		store.RoleReadOnly:      false,
		store.RoleSignOn:        false,
	} {
		c := store.Client{EnvironmentID: w.env.ID, Name: string(role), Role: role}
		must(t, s.CreateClient(ctx, &c))
		got, err := s.ClientIn(ctx, made.ID, c.ID)
		if opens != (err == nil) || !opens && got.ID != "" {
			t.Errorf("%s: %+v, %v", role, got, err)
		}
		if got, err = s.ClientIn(ctx, w.env.ID, c.ID); err != nil || got.Role != role {
			t.Errorf("%s at home: %+v, %v", role, got, err)
		}
		_, err = s.ClientIn(ctx, "none", c.ID)
		want(t, err, store.ErrNotFound)
	}
	all, err := s.EnvironmentsOf(ctx, w.env.ID)
	if err != nil || len(all) != 2 || all[1].ID != made.ID {
		t.Errorf("%+v, %v", all, err)
	}
	want(t, s.DeleteEnvironment(ctx, w.env.ID), store.ErrDependents)
}

// One policy is the default one; the order that it has is the environment's.
func TestPolicies(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	w := build(t, s, "one")
	ref := store.UserTypeRef{Gateway: w.gateway.ID, UserType: w.gateway.UserTypes[0].ID}
	first, err := s.SignOnPolicies(ctx, w.env.ID)
	if err != nil || len(first) != 1 || !first[0].Default {
		t.Fatalf("%+v, %v", first, err)
	}
	p := store.SignOnPolicy{
		EnvironmentID: w.env.ID,
		Name:          "Staff",
		Description:   "d",
		Blank:         []string{"x"},
		Default:       true,
		Actions:       []store.PolicyAction{{ID: "a", Type: store.ActionLogin, Priority: 1, Order: []store.UserTypeRef{ref}}},
	}
	must(t, s.SavePolicy(ctx, &p))
	got, err := s.SignOnPolicy(ctx, w.env.ID, p.ID)
	got.UpdatedAt = p.UpdatedAt
	same(t, got, p, err)
	e, err := s.Environment(ctx, w.env.ID)
	if err != nil || len(e.Settings.SignOnOrder) != 1 || e.Settings.SignOnOrder[0] != ref {
		t.Errorf("%+v, %v", e.Settings, err)
	}
	want(t, s.DeletePolicy(ctx, w.env.ID, p.ID), store.ErrDependents)
	must(t, s.DeletePolicy(ctx, w.env.ID, first[0].ID))
	want(t, s.DeletePolicy(ctx, w.env.ID, first[0].ID), store.ErrNotFound)
	again := store.SignOnPolicy{EnvironmentID: w.env.ID, Name: "STAFF"}
	want(t, s.SavePolicy(ctx, &again), store.ErrConflict)
}

// Conditions that are not to hold, ends of texts, values at all and memberships find the
// same on both engines.
func TestFurtherConditions(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	person(t, s, w, "ann")
	off := person(t, s, w, "bob")
	off.ExternalID = ""
	must(t, s.UpdateUser(t.Context(), &off))
	is := func(field string, op store.Op, value string) store.Where {
		return store.Where{Condition: store.Condition{Field: field, Op: op, Value: value}}
	}
	not := func(w store.Where) store.Where { return store.Where{None: []store.Where{w}} }
	for name, c := range map[string]struct {
		where store.Where
		n     int
	}{
		"ends":               {is("username", store.EndsWith, "NN"), 1},
		"ends with wildcard": {is("username", store.EndsWith, "%"), 0},
		"present":            {is("externalId", store.Present, ""), 1},
		"enabled":            {is("enabled", store.Equal, "true"), 1},
		"not enabled":        {not(is("enabled", store.Equal, "true")), 2},
		"not present":        {not(is("externalId", store.Present, "")), 2},
		"none of two":        {store.Where{None: []store.Where{is("username", store.EndsWith, "nn"), is("id", store.Equal, off.ID)}}, 1},
		"not everybody":      {not(store.Where{}), 0},
		"in a group":         {is("memberOfGroups.id", store.Equal, w.jit.ID), 1},
		"in no such group":   {not(is("memberOfGroups.id", store.Equal, w.jit.ID)), 2},
		"by its name":        {is("memberOfGroups.name", store.Equal, w.jit.Name), 1},
	} {
		all, _, err := s.Users(t.Context(), w.env.ID, store.UserFilter{Where: c.where}, store.Page{})
		if err != nil || len(all) != c.n {
			t.Errorf("%s: found %d, want %d, %v", name, len(all), c.n, err)
		}
	}
	for name, c := range map[string]struct {
		where store.Where
		n     int
	}{
		"default":     {is("default", store.Equal, "true"), 1},
		"name":        {is("name", store.Equal, "STAFF"), 1},
		"none":        {is("name", store.Equal, "nosuch"), 0},
		"description": {is("description", store.Present, ""), 0},
	} {
		all, _, err := s.Populations(t.Context(), w.env.ID, store.Page{Where: c.where})
		if err != nil || len(all) != c.n {
			t.Errorf("%s: found %d, want %d, %v", name, len(all), c.n, err)
		}
	}
	_, _, err := s.Gateways(t.Context(), w.env.ID, store.Page{Where: is("vendor", store.Equal, "x")})
	must(t, err)
	_, _, err = s.Applications(t.Context(), w.env.ID, store.Page{Where: is("protocol", store.Equal, "x")})
	must(t, err)
	_, _, err = s.IdentityProviders(t.Context(), w.env.ID, store.Page{Where: is("enabled", store.Equal, "true")})
	must(t, err)
	_, _, err = s.Applications(t.Context(), w.env.ID, store.Page{Where: is("nosuch", store.Equal, "x")})
	want(t, err, store.ErrFilter)
}
