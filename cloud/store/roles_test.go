package store_test

import (
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// Which roles hang on what: on a group, on a user, on the gateway and the user type
// that check the user's password, on the gateway that a group comes from, and on
// nothing of another environment.
func TestRolesThatHangOnThings(t *testing.T) {
	s := open(t)
	w, other := build(t, s, "one"), build(t, s, "two")
	ctx := t.Context()
	give := func(w world, group string, role store.Role) {
		t.Helper()
		must(t, s.SetRoleGroup(ctx, store.RoleGroup{EnvironmentID: w.env.ID, GroupID: group, Role: role}))
	}
	ordinary := store.Group{EnvironmentID: w.env.ID, Name: "gives"}
	theirs := store.Group{EnvironmentID: other.env.ID, Name: "gives"}
	second := store.Group{EnvironmentID: w.env.ID, Name: "nobody's"}
	for _, g := range []*store.Group{&ordinary, &theirs, &second} {
		must(t, s.CreateGroup(ctx, g))
	}
	at := func(wanted store.Role, what string) {
		t.Helper()
		for name, find := range map[string]func() (store.Role, error){
			"group":     func() (store.Role, error) { return s.GroupRole(ctx, w.env.ID, ordinary.ID) },
			"user":      func() (store.Role, error) { return s.UserRole(ctx, w.env.ID, w.user.ID) },
			"gateway":   func() (store.Role, error) { return s.GatewayRole(ctx, w.env.ID, w.gateway.ID) },
			"user type": func() (store.Role, error) { return s.UserTypeRole(ctx, w.env.ID, w.gateway.ID, w.user.UserTypeID) },
		} {
			if role, err := find(); err != nil || role != wanted {
				t.Errorf("%s: the %s carries %q, %v, want %q", what, name, role, err, wanted)
			}
		}
	}
	at("", "nothing was given")
	must(t, s.AddMember(ctx, other.env.ID, other.user.ID, theirs.ID, time.Now()))
	give(other, theirs.ID, store.RoleOwner)
	at("", "another environment gave it")

	must(t, s.AddMember(ctx, w.env.ID, w.user.ID, ordinary.ID, time.Now()))
	give(w, ordinary.ID, store.RoleReadOnly)
	at(store.RoleReadOnly, "a group of the user gives it")
	give(w, second.ID, store.RoleOwner)
	at(store.RoleReadOnly, "nobody is in the other group")
	give(w, ordinary.ID, store.RoleIdentityAdmin)
	at(store.RoleIdentityAdmin, "the group gives another")
	must(t, s.RemoveMember(ctx, w.env.ID, w.user.ID, ordinary.ID))
	give(w, ordinary.ID, "")
	at("", "it was taken away")

	give(w, w.jit.ID, store.RoleOwner)
	if role, err := s.GatewayRole(ctx, w.env.ID, w.gateway.ID); err != nil || role != store.RoleOwner {
		t.Errorf("a group that the gateway's directory fills: %q, %v", role, err)
	}
}

// Whoever is signed off everywhere has a count that is another, and no codes and
// tokens; others have theirs.
func TestSignedOffEverywhere(t *testing.T) {
	s := open(t)
	for name, end := range map[string]func(w world, far store.Gateway) error{
		"alone": func(w world, _ store.Gateway) error { return s.SignOffUser(t.Context(), w.env.ID, w.user.ID) },
		"with all of a user type, by moving them": func(w world, far store.Gateway) error {
			_, err := s.RelinkUsers(
				t.Context(),
				w.env.ID,
				w.gateway.ID,
				w.gateway.UserTypes[0].ID,
				far.ID,
				far.UserTypes[0].ID,
			)
			return err
		},
		"with the user type": func(w world, _ store.Gateway) error {
			_, err := s.RemoveUserType(t.Context(), w.env.ID, w.gateway.ID, w.gateway.UserTypes[0].ID, true)
			return err
		},
		"with the gateway": func(w world, _ store.Gateway) error {
			return s.DeleteGateway(t.Context(), w.env.ID, w.gateway.ID, true)
		},
	} {
		t.Run(name, func(t *testing.T) { signsOff(t, s, build(t, s, name), end) })
	}
	want(t, s.SignOffUser(t.Context(), "none", "none"), store.ErrNotFound)
}

func signsOff(t *testing.T, s *store.Store, w world, end func(w world, far store.Gateway) error) {
	ctx := t.Context()
	far := store.Gateway{EnvironmentID: w.env.ID, Name: "Far", UserTypes: []store.UserType{{Name: "People"}}}
	must(t, s.CreateGateway(ctx, &far))
	other := store.User{EnvironmentID: w.env.ID, PopulationID: w.population.ID, Username: "another"}
	must(t, s.CreateUser(ctx, &other))
	a := store.Application{EnvironmentID: w.env.ID, Name: "signed off", Type: store.WebApplication}
	must(t, s.CreateApplication(ctx, &a))
	tokens := map[string]string{}
	for _, u := range []store.User{w.user, other} {
		by := store.SignedOn{UserID: u.ID, Method: "password", At: time.Now()}
		grant := store.Authorization{
			EnvironmentID: w.env.ID,
			ApplicationID: a.ID,
			Request:       []byte("{}"),
			SignedOn:      by,
			ExpiresAt:     time.Now().Add(time.Hour),
		}
		must(t, s.CreateAuthorization(ctx, &grant, nil))
		token := store.Token{
			EnvironmentID:   w.env.ID,
			ApplicationID:   a.ID,
			AuthorizationID: grant.ID,
			SignedOn:        by,
			AccessUntil:     time.Now().Add(time.Hour),
			ExpiresAt:       time.Now().Add(time.Hour),
		}
		must(t, s.AddToken(ctx, &token, nil, time.Now()))
		tokens[u.ID] = token.ID
		_, err := s.Token(ctx, w.env.ID, token.ID, time.Now())
		must(t, err)
	}
	must(t, end(w, far))
	_, err := s.Token(ctx, w.env.ID, tokens[w.user.ID], time.Now())
	want(t, err, store.ErrNotFound)
	_, err = s.Token(ctx, w.env.ID, tokens[other.ID], time.Now())
	must(t, err)
	for id, count := range map[string]int{w.user.ID: w.user.SignOffs + 1, other.ID: 0} {
		if u, err := s.User(ctx, w.env.ID, id); err != nil || u.SignOffs != count {
			t.Errorf("%s: %d, %v", u.Username, u.SignOffs, err)
		}
	}
}

func TestPersonFactor(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	ctx, env, user := t.Context(), w.env.ID, w.user.ID
	has := func(wanted string) {
		t.Helper()
		if sealed, err := s.PersonFactor(ctx, env, user); err != nil || string(sealed) != wanted {
			t.Errorf("%q, %v, want %q", sealed, err, wanted)
		}
	}
	has("")
	want(t, s.UsePersonOneTime(ctx, env, user, 1), store.ErrNotFound)
	want(t, s.SetPersonFactor(ctx, env, "none", []byte("x")), store.ErrNotFound)
	must(t, s.SetPersonFactor(ctx, env, user, []byte("first")))
	must(t, s.UsePersonOneTime(ctx, env, user, 7))
	want(t, s.UsePersonOneTime(ctx, env, user, 7), store.ErrUsed)
	want(t, s.UsePersonOneTime(ctx, env, user, 6), store.ErrUsed)
	must(t, s.SetPersonFactor(ctx, env, user, []byte("second")))
	want(t, s.UsePersonOneTime(ctx, env, user, 7), store.ErrUsed) // another secret does not make old steps good
	has("second")
	must(t, s.SetPersonFactor(ctx, env, user, nil))
	has("")
	must(t, s.SetPersonFactor(ctx, env, user, []byte("third")))
	must(t, s.DeleteUser(ctx, env, user))
	has("") // it does not outlive its user
}
