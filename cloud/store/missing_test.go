package store_test

import (
	"context"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// finds looks for one thing of an environment.
type finds func(ctx context.Context, s *store.Store, env, id string) error

// found drops what a look-up returns besides its error.
func found[T any](_ T, err error) error { return err }

// lookups are the methods that name one thing of an environment, with which of a world
// it is.
var lookups = map[string]struct {
	id   func(w world) string
	find finds
}{
	"population": {func(w world) string { return w.population.ID }, func(ctx context.Context, s *store.Store, env, id string) error {
		return found(s.Population(ctx, env, id))
	}},
	"gateway": {func(w world) string { return w.gateway.ID }, func(ctx context.Context, s *store.Store, env, id string) error {
		return found(s.Gateway(ctx, env, id))
	}},
	"user": {func(w world) string { return w.user.ID }, func(ctx context.Context, s *store.Store, env, id string) error {
		return found(s.User(ctx, env, id))
	}},
	"username": {func(w world) string { return w.user.Username }, func(ctx context.Context, s *store.Store, env, id string) error {
		return found(s.UserByUsername(ctx, env, id))
	}},
	"group": {func(w world) string { return w.group.ID }, func(ctx context.Context, s *store.Store, env, id string) error {
		return found(s.Group(ctx, env, id))
	}},
}

// Each thing is found by its ID in its environment, and nowhere else.
func TestLookUps(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	empty := store.Environment{Name: "empty"}
	must(t, s.CreateEnvironment(t.Context(), &empty))
	for name, c := range lookups {
		must(t, c.find(t.Context(), s, w.env.ID, c.id(w)))
		for _, where := range [][2]string{{empty.ID, c.id(w)}, {w.env.ID, "none"}, {"", c.id(w)}, {w.env.ID, ""}} {
			if err := c.find(t.Context(), s, where[0], where[1]); err == nil {
				t.Errorf("%s: %q finds something", name, where)
			} else {
				want(t, err, store.ErrNotFound)
			}
		}
	}
	_, err := s.DefaultPopulation(t.Context(), empty.ID)
	want(t, err, store.ErrNotFound)
	if n, err := s.GatewayUsers(t.Context(), empty.ID, w.gateway.ID, ""); n != 0 || err != nil {
		t.Errorf("%d users, %v", n, err)
	}
	if all, err := s.UserGroups(t.Context(), empty.ID, w.user.ID); len(all) != 0 || err != nil {
		t.Errorf("%v, %v", all, err)
	}
	if all, _, err := s.GroupMembers(t.Context(), empty.ID, w.jit.ID, store.Page{}); len(all) != 0 || err != nil {
		t.Errorf("%v, %v", all, err)
	}
}

// writes are the methods that change one thing, each on what is not there.
func writes(ctx context.Context, s *store.Store, w world) map[string]func() error {
	e, now := w.env.ID, time.Now()
	return map[string]func() error{
		"UpdateUser":        func() error { return s.UpdateUser(ctx, &store.User{EnvironmentID: e, ID: "none"}) },
		"DeleteUser":        func() error { return s.DeleteUser(ctx, e, "none") },
		"SignOffUser":       func() error { return s.SignOffUser(ctx, e, "none") },
		"UpdateGroup":       func() error { return s.UpdateGroup(ctx, &store.Group{EnvironmentID: e, ID: "none"}) },
		"DeleteGroup":       func() error { return s.DeleteGroup(ctx, e, "none") },
		"AddMember":         func() error { return s.AddMember(ctx, e, w.user.ID, "none", now) },
		"AddNobody":         func() error { return s.AddMember(ctx, e, "none", w.group.ID, now) },
		"RemoveMember":      func() error { return s.RemoveMember(ctx, e, w.user.ID, w.group.ID) },
		"UpdatePopulation":  func() error { return s.UpdatePopulation(ctx, &store.Population{EnvironmentID: e, ID: "none"}) },
		"DeletePopulation":  func() error { return s.DeletePopulation(ctx, e, "none") },
		"UpdateGateway":     func() error { return s.UpdateGateway(ctx, &store.Gateway{EnvironmentID: e, ID: "none"}) },
		"DeleteGateway":     func() error { return s.DeleteGateway(ctx, e, "none", true) },
		"RemoveUserType":    func() error { return found(s.RemoveUserType(ctx, e, w.gateway.ID, "none", true)) },
		"RemoveNoType":      func() error { return found(s.RemoveUserType(ctx, e, "none", "none", true)) },
		"RelinkToNoGateway": func() error { return found(s.RelinkUsers(ctx, e, w.gateway.ID, "t", "none", "t")) },
		"RelinkToNoType":    func() error { return found(s.RelinkUsers(ctx, e, w.gateway.ID, "t", w.gateway.ID, "none")) },
		"DeletePairing":     func() error { return s.DeletePairing(ctx, e, w.gateway.ID, "none") },
		"RevokeInstance":    func() error { return s.RevokeInstance(ctx, e, w.gateway.ID, "none", "ada", now) },
		"ReportInstance":    func() error { return s.ReportInstance(ctx, "none", store.InstanceReport{At: now}) },
		"Quarantine":        func() error { return s.QuarantineInstance(ctx, "none", "copied", now) },
		"RotateKeys":        func() error { return s.RotateKeys(ctx, "none", []byte("p"), []byte("s"), "f") },
		"AdvanceEpoch":      func() error { _, _, err := s.AdvanceEpoch(ctx, "none", 0); return err },
		"DeleteKeys":        func() error { return s.DeleteKerberosKeys(ctx, e, w.gateway.ID, "none") },
		"UpdateApplication": func() error {
			return s.UpdateApplication(ctx, &store.Application{
				EnvironmentID: e,
				ID:            "none",
			})
		},
		"EndPersonSession":  func() error { return s.EndPersonSession(ctx, e, "none", "none") },
		"DeleteApplication": func() error { return s.DeleteApplication(ctx, e, "none") },
		"UseCode":           func() error { return found(s.UseCode(ctx, e, []byte("none"), now, now)) },
		"UseNoCode":         func() error { return found(s.UseCode(ctx, e, nil, now, now)) },
		"SetRoleGroup": func() error {
			return s.SetRoleGroup(ctx, store.RoleGroup{EnvironmentID: e, GroupID: "none", Role: store.RoleOwner})
		},
		"TakeNoRole":   func() error { return s.SetRoleGroup(ctx, store.RoleGroup{EnvironmentID: e, GroupID: w.group.ID}) },
		"UserOfNobody": func() error { return s.CreateUser(ctx, &store.User{EnvironmentID: e, PopulationID: "none"}) },
		"UserOfNoGateway": func() error {
			return s.CreateUser(ctx, &store.User{EnvironmentID: e, PopulationID: w.population.ID, GatewayID: "none"})
		},
		"GroupOfNoPopulation": func() error {
			return s.CreateGroup(ctx, &store.Group{EnvironmentID: e, Name: "x", PopulationID: "none"})
		},
		"NoEnvironment": func() error { return s.CreatePopulation(ctx, &store.Population{EnvironmentID: "none", Name: "x"}) },
		"NoPlace":       func() error { return s.CreateGateway(ctx, &store.Gateway{EnvironmentID: "none", Name: "x"}) },
		"AuthorizeNone": func() error { return s.CreateAuthorization(ctx, &store.Authorization{EnvironmentID: e}, nil) },
		"PairNone":      func() error { return s.CreatePairing(ctx, &store.Pairing{EnvironmentID: e, GatewayID: "none"}) },
	}
}

// What is changed of what is not there is ErrNotFound, and nothing is written.
func TestWritesOfWhatIsNotThere(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	before := everything(t, s, w)
	for name, write := range writes(t.Context(), s, w) {
		t.Run(name, func(t *testing.T) { want(t, write(), store.ErrNotFound) })
	}
	same(t, everything(t, s, w), before, nil)
}

// Names that must be unique are, whoever has them, in whatever letters.
func TestTakenNames(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	ctx, e := t.Context(), w.env.ID
	more := store.Population{EnvironmentID: e, Name: "More"}
	must(t, s.CreatePopulation(ctx, &more))
	far := store.Gateway{EnvironmentID: e, Name: "Far"}
	must(t, s.CreateGateway(ctx, &far))
	eve := person(t, s, w, "eve")
	writers := store.Group{EnvironmentID: e, Name: "writers"}
	must(t, s.CreateGroup(ctx, &writers))
	more.Name, far.Name, eve.Username, writers.Name = "STAFF", "head OFFICE", "JOSÉ", "Readers"
	for name, err := range map[string]error{
		"new population": s.CreatePopulation(ctx, &store.Population{EnvironmentID: e, Name: "staff"}),
		"population":     s.UpdatePopulation(ctx, &more),
		"new gateway":    s.CreateGateway(ctx, &store.Gateway{EnvironmentID: e, Name: "HEAD OFFICE"}),
		"gateway":        s.UpdateGateway(ctx, &far),
		"new user":       s.CreateUser(ctx, &store.User{EnvironmentID: e, PopulationID: more.ID, Username: "jose\u0301"}),
		"user":           s.UpdateUser(ctx, &eve),
		"new group":      s.CreateGroup(ctx, &store.Group{EnvironmentID: e, Name: "READERS"}),
		"group":          s.UpdateGroup(ctx, &writers),
		"same ID": s.CreateUser(ctx, &store.User{
			ID:            w.user.ID,
			EnvironmentID: e,
			PopulationID:  more.ID,
			Username:      "x",
		}),
	} {
		t.Run(name, func(t *testing.T) { want(t, err, store.ErrConflict) })
	}
	other := build(t, s, "two") // all the same names, in another environment
	if other.user.Username != w.user.Username || other.user.ID == w.user.ID {
		t.Errorf("%+v", other.user)
	}
}

// everything is what a world has, without times of reading.
func everything(t testing.TB, s *store.Store, w world) (all []any) {
	t.Helper()
	ctx, e, page := t.Context(), w.env.ID, store.Page{}
	keep := func(v any, err error) {
		t.Helper()
		must(t, err)
		all = append(all, v)
	}
	users, _, err := s.Users(ctx, e, store.UserFilter{}, page)
	keep(users, err)
	groups, _, err := s.Groups(ctx, e, store.GroupFilter{}, page)
	keep(groups, err)
	memberships, err := s.UserGroups(ctx, e, w.user.ID)
	keep(memberships, err)
	populations, _, err := s.Populations(ctx, e, page)
	keep(populations, err)
	gateways, _, err := s.Gateways(ctx, e, page)
	keep(gateways, err)
	applications, _, err := s.Applications(ctx, e, page)
	keep(applications, err)
	instances, err := s.Instances(ctx, e, w.gateway.ID)
	keep(instances, err)
	roles, err := s.RoleGroups(ctx, e)
	keep(roles, err)
	return all
}
