package console_test

import (
	"net/http"
	"testing"

	"ldap-gateway/cloud/store"
)

// TestWhatIsNamedIsTold: before a deletion the page says what names the thing, or what goes with
// it, and a deletion that was asked for all the same says it, too.
func TestWhatIsNamedIsTold(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	own := store.Group{EnvironmentID: s.env.ID, Name: "Editors"}
	s.must(s.store.CreateGroup(t.Context(), &own))
	wiki := store.Application{
		EnvironmentID: s.env.ID,
		Name:          "Handbook",
		Type:          store.WebApplication,
		RedirectURIs:  []string{"https://wiki.example/cb"},
		Groups:        store.GroupsClaim{Value: store.GroupNames, Sources: []string{f.gateway.ID}},
	}
	wiki.OpenID.Access = []string{own.ID}
	s.must(s.store.CreateApplication(t.Context(), &wiki))

	group := "/console/groups/" + own.ID + "/delete"
	v.get(group).is(http.StatusOK).has("Other things name it", "Handbook : who may use it").lacks(`class="danger"`)
	v.post(group).is(http.StatusConflict).has("Handbook : who may use it")
	gateway := "/console/gateways/" + f.gateway.ID + "/delete"
	v.get(gateway).has("Handbook : the sources of the groups that it learns", "1 user")
	v.post(gateway).is(http.StatusConflict).has("Handbook", "Nothing was deleted")

	wiki.OpenID.Access = nil
	s.must(s.store.UpdateApplication(t.Context(), &wiki))
	v.follow(v.post(group)).has("The group Editors was deleted")
	s.must(s.store.DeleteUser(t.Context(), s.env.ID, f.user.ID))
	v.post(gateway).is(http.StatusConflict).has("Delete it although other things name it").lacks("0 users")
	v.follow(v.post(gateway, "force", "yes")).has("was deleted")
}
