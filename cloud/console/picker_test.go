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
