package console_test

import (
	"fmt"
	"net/http"
	"testing"

	"ldap-gateway/cloud/store"
)

// A group is chosen by what is on the screen, found by a part of its name where there are many, and told
// from another of its name.
func TestGroupIsChosenForARole(t *testing.T) {
	s := open(t)
	v := s.admin()
	const page = "/console/settings/administrators"
	v.get(page).has("There is no group yet")
	f := s.fill(s.env.ID, "")
	v.get(page).has("backend – cn=backend,ou=groups,dc=example,dc=com (Headquarters)", "partners", "Readers").
		lacks("These are the first", "ID of the group")
	for i := range 30 {
		s.must(s.store.CreateGroup(t.Context(), &store.Group{EnvironmentID: s.env.ID, Name: fmt.Sprintf("all%02d", i)}))
	}
	v.get(page).has("all00", "all19", "These are the first 20").lacks("backend –")
	v.get(page+"?find=ACK").has("backend –").lacks("all00", "These are the first")
	v.get(page + "?find=none").has("No group has “none” in its name")
	v.follow(v.post("/console/settings/role-groups", "group", f.jit.ID, "role", "READ_ONLY")).has("The members of backend are now: Read only")
	v.post("/console/settings/role-groups", "group", "gone", "role", "READ_ONLY").is(http.StatusUnprocessableEntity).
		has("There is no such group any more")
}

// TestGroupsAreChosenForAnApplication: who may use an application is chosen by what is on the
// screen, whichever protocol it speaks, and its form leaves that as it is.
func TestGroupsAreChosenForAnApplication(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	v.follow(v.post("/console/applications/saml", "name", "Handbook", "entityId", "https://sp.example", "acs", "https://sp.example/acs"))
	handbook := s.samlOf("https://sp.example")
	for i := range 30 {
		s.must(s.store.CreateGroup(t.Context(), &store.Group{EnvironmentID: s.env.ID, Name: fmt.Sprintf("all%02d", i)}))
	}
	forms := map[string]func() []string{
		f.application.ID: func() []string {
			page := "/console/applications/" + f.application.ID
			return []string{"name", "Wiki", "type", "WEB_APP", "groups", "NAMES", "redirects", "https://x.example/", "seen", v.seen(page)}
		},
		handbook.ID: func() []string { return v.samlForm(handbook) },
	}
	for id, form := range forms {
		own := store.Group{EnvironmentID: s.env.ID, Name: "Staff of " + id}
		s.must(s.store.CreateGroup(t.Context(), &own))
		page := "/console/applications/" + id
		rule := func() store.AccessRule {
			a, err := s.store.Application(t.Context(), s.env.ID, id)
			s.must(err)
			return a.AccessRule()
		}
		v.get(page).has("Everybody of the environment", "These are the first", "all").lacks("backend –")
		v.get(page + "?find=ACK").has("backend – cn=backend,ou=groups,dc=example,dc=com (Headquarters)")
		v.get(page + "?find=none").has("No group has “none” in its name")
		v.get(page+"/access?group="+f.jit.ID).has("be for “backend”", "Only people of this group may use it then")
		v.follow(v.post(page+"/access", "group", f.jit.ID)).has("Only people of these groups may use it", "one of these groups").
			lacks("They must be in all of them")
		v.get(page + "/access?group=" + own.ID).has("People of this group may use it as well")
		v.get(page + "/access?drop=" + f.jit.ID).has("Everybody of the environment may use it then")
		v.get(page + "?find=ACK").has("No other group has “ACK” in its name")
		v.follow(v.post(page+"/access", "group", own.ID)).has("They must be in all of them")
		v.get(page + "/access?drop=" + f.jit.ID).has("people who are in none of the other groups")
		v.get(page + "/access").has("Of whoever is not in each of its groups")
		v.follow(v.post(page+"/access", "how", "all")).has("all of these groups", "One of them is enough")
		v.post(page+"/access", "group", "gone").is(http.StatusUnprocessableEntity).has("no such group")
		if r := rule(); !r.AccessAll || len(r.Access) != 2 || r.Access[0] != f.jit.ID {
			t.Errorf("%+v", r)
		}
		v.follow(v.post(page, form()...)).has("Saved", "all of these groups")
		s.must(s.store.DeleteGroup(t.Context(), s.env.ID, own.ID))
		v.get(page).has("A group that is gone", own.ID)
		v.follow(v.post(page+"/access", "drop", own.ID)).has("Only people of these groups")
		v.follow(v.post(page+"/access", "drop", f.jit.ID)).has("Everybody may use it")
		if r := rule(); len(r.Access) > 0 {
			t.Errorf("%+v", r)
		}
	}
}
