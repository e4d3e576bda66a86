package console_test

import (
	"net/http"
	"testing"

	"ldap-gateway/cloud/store"
)

func TestRelink(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	other := store.Gateway{
		EnvironmentID: s.env.ID,
		Name:          "Branch",
		Vendor:        "OpenLDAP",
		Enabled:       true,
		UserTypes:     []store.UserType{{Name: "Partners", PopulationID: f.population.ID}},
	}
	s.must(s.store.CreateGateway(t.Context(), &other))
	to := other.ID + "/" + other.UserTypes[0].ID
	v.get("/console/users/" + f.user.ID).has("Partners of Branch").lacks("People of Headquarters")
	v.post("/console/users/"+f.user.ID+"/link", "to", other.ID+"/none").is(http.StatusNotFound)
	v.follow(v.post("/console/users/"+f.user.ID+"/link", "to", to)).
		has("alice is linked to Partners of Branch", "alice")
	u, err := s.store.User(t.Context(), s.env.ID, f.user.ID)
	if err != nil || u.GatewayID != other.ID || len(u.Correlation) != 0 {
		t.Errorf("%+v, %v", u, err)
	}
	v.get("/console/activity?action=user.linked").has("user alice was linked to Partners of Branch by admin")

	back := f.gateway.ID + "/" + f.gateway.UserTypes[0].ID
	path := "/console/gateways/" + other.ID + "/user-types/" + other.UserTypes[0].ID
	v.get(path+"/delete").has("1 user depends on it", "Move 1 user", "People of Headquarters")
	v.follow(v.post(path+"/relink", "to", back)).has("1 user moved to People of Headquarters")
	v.get(path + "/delete").has("No user depends on it").lacks("Move")
}

func TestPopulationIsDeleted(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	path := "/console/populations/" + f.population.ID + "/delete"
	v.get(path).is(http.StatusOK).has("It has 1 user", "alice")
	v.post(path).is(http.StatusConflict)
	empty := store.Population{EnvironmentID: s.env.ID, Name: "Empty"}
	s.must(s.store.CreatePopulation(t.Context(), &empty))
	v.get("/console/populations/" + empty.ID + "/delete").has("No user depends on it")
	v.follow(v.post("/console/populations/" + empty.ID + "/delete")).has("The population Empty was deleted")
	standard, err := s.store.DefaultPopulation(t.Context(), s.env.ID)
	s.must(err)
	v.get("/console/populations/" + standard.ID + "/delete").has("no user type sends elsewhere")
}
