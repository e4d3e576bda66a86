package management_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"ldap-gateway/cloud/fault"
	m "ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
)

// named are what may be named, each with the action that deletes it.
var named = map[string]struct {
	of m.Action
	id func(w *world) string
}{
	"a group":                      {m.DeleteGroup, func(w *world) string { return w.group.ID }},
	"a gateway":                    {m.DeleteGateway, func(w *world) string { return w.gateway.ID }},
	"a group of a gateway":         {m.DeleteGateway, func(w *world) string { return w.came(store.SourceGateway, w.gateway.ID) }},
	"a user type":                  {m.RemoveUserType, func(w *world) string { return w.kind.UserType }},
	"a user type that is left out": {m.ChangeGateway, func(w *world) string { return w.kind.UserType }},
	"a provider":                   {m.DeleteProvider, func(w *world) string { return w.saml.ID }},
	"a group of a provider":        {m.DeleteProvider, func(w *world) string { return w.came(store.SourceIDP, w.saml.ID) }},
	"a sign-on policy":             {m.DeletePolicy, func(w *world) string { return w.policy.ID }},
}

// delete carries one of those actions out.
func (w *world) delete(a m.Action, force bool) (err error) {
	ctx, by := w.t.Context(), w.as(store.RoleOwner)
	switch a {
	case m.DeleteGroup:
		return w.DeleteGroup(ctx, by, w.group.ID, nil)
	case m.DeleteGateway:
		return w.DeleteGateway(ctx, by, w.gateway.ID, force, nil)
	case m.RemoveUserType:
		return w.RemoveUserType(ctx, by, w.kind, force, nil)
	case m.DeleteProvider:
		return w.DeleteProvider(ctx, by, w.saml.ID, force, nil)
	case m.DeletePolicy:
		return w.DeletePolicy(ctx, by, w.policy.ID, nil)
	}
	_, err = w.ChangeGateway(ctx, by, w.gateway.ID, func(g *m.Draft) error {
		g.UserTypes = nil
		return nil
	})
	return err
}

// alone takes away what depends on the gateway.
func (w *world) alone() {
	w.t.Helper()
	must(w.t, w.Store.DeleteUser(w.t.Context(), w.env, w.user.ID))
	w.policy.Actions = nil
	must(w.t, w.Store.SavePolicy(w.t.Context(), &w.policy))
}

// came makes a just-in-time group of a source, and returns its ID.
func (w *world) came(kind store.Source, source string) string {
	w.t.Helper()
	g := store.Group{EnvironmentID: w.env, Name: "cn=came", SourceType: kind, SourceID: source}
	must(w.t, w.Store.Provision(w.t.Context(), func(tx *store.Tx) error {
		return tx.CreateGroups(w.t.Context(), []*store.Group{&g})
	}))
	return g.ID
}

// applies has an application be as a function makes it.
func (w *world) applies(change func(*store.Application)) {
	w.t.Helper()
	a, err := w.Store.Application(w.t.Context(), w.env, w.application.ID)
	must(w.t, err)
	change(&a)
	must(w.t, w.Store.UpdateApplication(w.t.Context(), &a))
}

// acts has the policy have an action.
func (w *world) acts(a store.PolicyAction) {
	w.t.Helper()
	p := w.policy
	a.ID = "a"
	p.Actions = []store.PolicyAction{a}
	must(w.t, w.Store.SavePolicy(w.t.Context(), &p))
}

// names are the ways to name something by its ID.
var names = map[string]func(w *world, id string){
	"who may use it": func(w *world, id string) {
		w.applies(func(a *store.Application) { a.OpenID.Access = []string{"other", id} })
	},
	"who may use it, by SAML": func(w *world, id string) {
		a := store.Application{EnvironmentID: w.env, Name: "SP", Type: store.WebApplication, Protocol: store.SAML}
		a.SAML.EntityID, a.SAML.Access = "e", []string{id}
		must(w.t, w.Store.CreateApplication(w.t.Context(), &a))
	},
	"the groups that it learns": func(w *world, id string) {
		w.applies(func(a *store.Application) { a.Groups.Allow = []string{id} })
	},
	"the sources of the groups that it learns": func(w *world, id string) {
		w.applies(func(a *store.Application) { a.Groups.Sources = []string{id} })
	},
	"its sign-on policies": func(w *world, id string) {
		w.applies(func(a *store.Application) { a.Kept.Policies = []store.PolicyAssignment{{ID: "x", Policy: id}} })
	},
	"identity providers": func(w *world, id string) {
		w.acts(store.PolicyAction{Type: store.ActionLogin, Providers: []string{id}})
	},
	"identity providers, by rule": func(w *world, id string) {
		rules := []store.PolicyDomain{{Contains: "@x", Provider: id}}
		w.acts(store.PolicyAction{Type: store.ActionIdentifierFirst, Rules: rules})
	},
	"where people are looked for": func(w *world, id string) {
		ref := store.UserTypeRef{Gateway: w.gateway.ID, UserType: w.kind.UserType}
		w.acts(store.PolicyAction{Type: store.ActionLogin, Order: []store.UserTypeRef{ref}})
	},
}

// fits tells whether something can be named in a way.
func fits(thing, way string) bool {
	all := map[string][]string{
		"who may use it":                           {"a group", "a group of a gateway", "a group of a provider"},
		"who may use it, by SAML":                  {"a group", "a group of a gateway", "a group of a provider"},
		"the groups that it learns":                {"a group", "a group of a gateway", "a group of a provider"},
		"the sources of the groups that it learns": {"a gateway", "a provider"},
		"its sign-on policies":                     {"a sign-on policy"},
		"identity providers":                       {"a provider"},
		"identity providers, by rule":              {"a provider"},
		"where people are looked for":              {"a gateway", "a user type", "a user type that is left out"},
	}
	return slices.Contains(all[way], thing)
}

// TestWhatIsNamedIsTold: nothing that something else names is deleted without a word, and
// what goes by force goes all the same.
func TestWhatIsNamedIsTold(t *testing.T) {
	h := open(t)
	for thing, x := range named {
		for way, name := range names {
			if !fits(thing, way) {
				continue
			}
			w := h.world()
			w.alone()
			id := x.id(w)
			name(w, id)
			where, _, _ := strings.Cut(way, ",")
			err := w.delete(x.of, false)
			if x.of == m.ChangeGateway {
				if told := faulty(err); !strings.Contains(told, fmt.Sprint(fault.UserTypes, " ", fault.Depended)) {
					t.Errorf("%s, %s: %s", thing, way, told)
				}
				continue
			}
			e := new(m.DependentsError)
			if !errors.As(err, &e) || len(e.Named) != 1 || e.Named[0].Where != where || !errors.Is(err, store.ErrDependents) {
				t.Errorf("%s, %s: %v, %+v", thing, way, err, e.Named)
				continue
			}
			if e.Final != (x.of == m.DeleteGroup || x.of == m.DeletePolicy) {
				t.Errorf("%s, %s: final is %v", thing, way, e.Final)
			}
			if err := w.delete(x.of, true); (err == nil) == e.Final {
				t.Errorf("%s, %s, by force: %v", thing, way, err)
			}
		}
	}
}

// TestNobodyNamesIt: what nothing names, or is named alike, goes.
func TestNobodyNamesIt(t *testing.T) {
	h := open(t)
	for thing, x := range named {
		if x.of == m.ChangeGateway {
			continue
		}
		w := h.world()
		w.alone()
		if id := x.id(w); strings.HasPrefix(thing, "a group of") {
			must(t, w.Store.DeleteGroup(t.Context(), w.env, id))
		}
		w.applies(func(a *store.Application) { a.Groups.Allow = []string{"cn=*", w.group.Name} })
		must(t, w.delete(x.of, false))
	}
}

// TestEveryDeletionIsThoughtOf: an action that deletes is of something that can be named, or
// it is said here why nothing names that.
func TestEveryDeletionIsThoughtOf(t *testing.T) {
	unnamed := map[m.Action]string{
		m.DeleteUser:          "memberships, sessions and links, which go with it",
		m.DeletePopulation:    "by keys of the database, and by user types: store.ErrDependents",
		m.DeleteApplication:   "its own tokens and sessions alone",
		m.DeleteCertificate:   "usesOf finds who uses it",
		m.DeleteKeys:          "a gateway has them",
		m.DeleteAdministrator: "their own sessions alone",
		m.DeleteClient:        "its own tokens alone",
		m.DeleteEnvironment:   "all that is in it goes with it, and nothing outside names that",
		m.DeleteChannel:       "deliveries, which go with it",
		m.RemoveMember:        "a membership is named by nothing",
	}
	for _, a := range m.Actions() {
		text := fmt.Sprint(a)
		if !strings.HasPrefix(text, "delete") && !strings.HasPrefix(text, "remove") {
			continue
		}
		tested := false
		for _, x := range named {
			tested = tested || x.of == a
		}
		if _, said := unnamed[a]; said == tested {
			t.Errorf("%s: what names it is told: %v; nothing does: %v", text, tested, said)
		}
	}
}

// TestEveryNameIsThoughtOf: a list of an application or a policy that names things is one of
// those that are looked through; a new one is to be put here, or above.
func TestEveryNameIsThoughtOf(t *testing.T) {
	known := strings.Fields(`
		RedirectURIs SignOffURIs OpenID.Resources OpenID.Audiences SAML.ACS SAML.ACSIndexes SAML.CertificateIDs
		Kept.Blank Kept.Usual Kept.Attributes Kept.Scopes SecretHash SecretSealed Former.Hash Former.Sealed
		Groups.Allow Groups.Sources OpenID.Access SAML.Access Kept.Policies Blank Actions`)
	var seen []string
	var walk func(at string, k reflect.Type)
	walk = func(at string, k reflect.Type) {
		for i := range k.NumField() {
			f := k.Field(i)
			name := strings.TrimPrefix(at+"."+f.Name, ".")
			if f.Anonymous {
				name = at
			}
			switch {
			case f.Type.Kind() == reflect.Slice:
				seen = append(seen, name)
			case f.Type.Kind() == reflect.Struct && f.Type.PkgPath() != "time":
				walk(name, f.Type)
			}
		}
	}
	walk("", reflect.TypeFor[store.Application]())
	walk("", reflect.TypeFor[store.SignOnPolicy]())
	for _, name := range seen {
		if !slices.Contains(known, name) {
			t.Errorf("does %s name anything by its ID?", name)
		}
	}
}
