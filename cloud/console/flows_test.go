package console_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// actor fails when no activity of that action on that subject is the administrator's.
func (s *site) actor(action, subject string) {
	s.t.Helper()
	all, _, err := s.store.Activities(s.t.Context(), s.env.ID, store.ActivityFilter{
		Action:  action,
		Subject: subject,
		Actor:   "admin:admin",
	}, store.Page{})
	s.must(err)
	if len(all) == 0 {
		s.t.Errorf("no activity %s of %s by the administrator", action, subject)
	}
}

func TestGatewayIsMadeSwitchedAndDeleted(t *testing.T) {
	s := open(t)
	v := s.admin()
	v.post("/console/gateways", "name", " ", "description", "kept words", "vendor", "Abacus").
		is(http.StatusUnprocessableEntity).
		has("Give the gateway a name", "Choose the directory", "kept words")
	a := v.post("/console/gateways", "name", "Headquarters", "vendor", "OpenLDAP")
	page := a.header.Get("Location")
	v.follow(a).is(http.StatusOK).has(
		"The gateway was made",
		"Unhealthy",
		"no instance is paired yet",
		"nobody can sign on through this gateway",
	)
	v.get(page).lacks("The gateway was made")
	v.post("/console/gateways", "name", "headquarters", "vendor", "OpenLDAP").is(http.StatusUnprocessableEntity).
		has("Another gateway of this environment has this name")
	id := page[strings.LastIndexByte(page, '/')+1:]
	v.follow(v.post(page+"/enabled", "enabled", "no")).has("disabled: nobody signs on", "Disabled")
	v.get("/console/gateways").has("Headquarters Disabled")
	v.follow(v.post(page+"/enabled", "enabled", "yes")).has("The gateway is enabled")
	v.get(page + "/delete").has("No user depends on it")
	v.follow(v.post(page+"/delete")).has("The gateway Headquarters was deleted", "No gateway yet")
	for _, action := range []string{"gateway.created", "gateway.updated", "gateway.deleted"} {
		s.actor(action, "gateway:"+id)
	}
	if want := []string{"changed " + id, "changed " + id}; !slices.Equal(s.links.told, want) {
		t.Errorf("the hub was told %q", s.links.told)
	}
}

func TestDeletingShowsWhoDependsOnIt(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	page := "/console/gateways/" + f.gateway.ID
	kind := page + "/user-types/" + f.gateway.UserTypes[0].ID + "/delete"
	for _, path := range []string{page + "/delete", kind} {
		v.get(path).has("1 user depends on it", "alice")
		v.post(path).is(http.StatusConflict).has("Nothing was deleted", "alice")
	}
	v.follow(v.post(kind, "force", "yes")).has("The user type People was deleted", "No user type yet")
	v.get("/console/users/" + f.user.ID).has("No gateway checks this user's password")
	v.get(page + "/delete").has("No user depends on it")
	v.follow(v.post(page + "/delete")).has("was deleted")
	if got := fmt.Sprint(s.links.told); !strings.Contains(got, "revoked "+f.instance.ID) ||
		!strings.Contains(got, "changed "+f.gateway.ID) {
		t.Errorf("the hub was told %s", got)
	}
}

func TestPairingCodeIsShownOnce(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	page := "/console/gateways/" + f.gateway.ID
	made := v.post(page+"/pairings").is(http.StatusCreated).
		has("ldap-gateway pair", "--code-file", "10 minutes", when(s.clock().Add(10*time.Minute)))
	code := regexp.MustCompile(`id="code">([^<]+)<`).FindStringSubmatch(made.body)
	if code == nil || len(code[1]) < 8 {
		t.Fatalf("no code: %s", made.text())
	}
	v.get(page).has("administrator admin", "Take back").lacks(code[1])
	s.actor("pairing.created", "gateway:"+f.gateway.ID)
	v.get("/console/activity").lacks(code[1])
	v.follow(v.post(page + "/pairings/" + f.pairing.ID + "/delete")).has("The pairing code was taken back")
	v.post(page + "/pairings/" + f.pairing.ID + "/delete").is(http.StatusNotFound)
	s.actor("pairing.deleted", "gateway:"+f.gateway.ID)
}

func when(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

func TestInstanceIsRevoked(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	s.connect(f, "")
	page := "/console/gateways/" + f.gateway.ID
	v.get(page).has(
		"gw1.example.com",
		"4F2A-91C0",
		"Degraded",
		"User type “People” is refused",
		"ldap",
		"down",
		"Revoked instances (1)",
	)
	v.get(page+"/instances/"+f.instance.ID+"/revoke").has("It is the only instance of this gateway", "refused for ever")
	v.get(page + "/instances/" + f.revoked.ID + "/revoke").has("It was revoked already")
	v.follow(v.post(page+"/instances/"+f.instance.ID+"/revoke")).
		has("was revoked. Its key is refused from now on", "Revoked instances (2)", "No instance yet")
	s.actor("instance.revoked", "instance:"+f.instance.ID)
	i, err := s.store.Instance(t.Context(), f.instance.ID)
	if err != nil || i.RevokedBy != "administrator admin" || i.RevokedAt.IsZero() ||
		!slices.Contains(s.links.told, "revoked "+i.ID) {
		t.Errorf("%+v %v %q", i, err, s.links.told)
	}
}

func TestUsersAreFoundAndPaged(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	for i := range 60 {
		s.must(s.store.CreateUser(t.Context(), &store.User{
			EnvironmentID: s.env.ID,
			PopulationID:  f.population.ID,
			Username:      fmt.Sprintf("bob%02d", i),
			Enabled:       i != 0,
		}))
	}
	first := v.get("/console/users?q=BOB").has("bob00 Disabled", "bob49", "Next page").
		lacks("alice", "bob50", "First page")
	next := regexp.MustCompile(`href="([^"]+)" rel="next"`).FindStringSubmatch(first.body)
	v.get(strings.ReplaceAll(next[1], "&amp;", "&")).has("bob50", "bob59", "First page", "Previous page").
		lacks("bob49", "Next page")
	back := regexp.MustCompile(`href="([^"]+)" rel="prev"`).FindStringSubmatch(
		v.get(strings.ReplaceAll(next[1], "&amp;", "&")).body)
	v.get(strings.ReplaceAll(back[1], "&amp;", "&")).has("bob00", "bob49", "Next page", "60 users").lacks("bob50", "Previous page")
	user := "/console/users/" + f.user.ID
	v.get(user).has("uid=alice,ou=people", "entryUUID", "6b1f0e1c", "Headquarters", "People", "Just-in-time", "LDAP Gateway", "External IdP", "Ordinary",
		"As the directory had them on", "kerberos", "not refreshed because a Kerberos sign-on does not update the record", "complete", "cn=backend,ou=groups,dc=example,dc=com", "phone")
}

func TestMemberIsRemovedByHand(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	user := "/console/users/" + f.user.ID
	jit := user + "/groups/" + f.jit.ID + "/remove"
	v.get(user + "/groups/" + f.ordinary.ID + "/remove").has("Readers").lacks("puts alice back")
	v.get(user + "/groups/" + f.idp.ID + "/remove").has("puts alice back, as long as the identity provider says so").
		lacks("the directory says so")
	v.get(jit).has("puts alice back, as long as the directory says so").lacks("is off for this user")
	g := f.gateway
	g.UserTypes[0].UpdateOnSignOn = false
	s.must(s.store.UpdateGateway(t.Context(), &g))
	v.get(jit).has("“Update as users sign on” is off for this user")
	v.follow(v.post(jit)).has("alice was taken out of backend")
	v.get(jit).is(http.StatusNotFound)
	v.post(jit).is(http.StatusNotFound)
	s.actor("membership.removed", "user:"+f.user.ID)
}

func TestGroupsAreFilteredAndExplained(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	for query, want := range map[string]string{
		"":                       "backend partners Readers",
		"q=ACK":                  "backend",
		"q=ou%3DGROUPS":          "backend",
		"q=example+end":          "backend",
		"q=end+partners":         "",
		"q=%25":                  "",
		"type=jit":               "backend partners",
		"type=ordinary":          "Readers",
		"type=IDP":               "partners",
		"type=GATEWAY":           "backend",
		"source=" + f.gateway.ID: "backend",
		"type=IDP&q=ack":         "",
	} {
		var got []string
		for _, m := range regexp.MustCompile(`/console/groups/[0-9a-f-]+">([^<]+)<`).
			FindAllStringSubmatch(v.get("/console/groups?"+query).is(http.StatusOK).body, -1) {
			got = append(got, m[1])
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %q, want %q", query, got, want)
		}
	}
	v.get("/console/groups").has(
		"backend cn=backend,ou=groups,dc=example,dc=com Just-in-time LDAP Gateway Headquarters",
		"partners Just-in-time External IdP",
		"Readers Ordinary",
	)
	v.get("/console/groups/"+f.jit.ID).has(
		"Here you cannot",
		"add users",
		"nest it",
		"alice Alice Archer "+when(s.clock()),
		"DN cn=backend",
	)
	v.get("/console/groups/"+f.ordinary.ID).has("Made here").lacks("Here you cannot", "Just-in-time")
}

func TestPopulationIsMade(t *testing.T) {
	s := open(t)
	v := s.admin()
	v.post("/console/populations", "name", "", "description", "kept words").is(http.StatusUnprocessableEntity).
		has("Give the population a name", "kept words")
	v.post("/console/populations", "name", "DEFAULT").is(http.StatusUnprocessableEntity).has("has this name")
	v.follow(v.post("/console/populations", "name", "Contractors", "description", "From outside")).
		has("The population Contractors was made", "From outside")
	all, _, err := s.store.Populations(t.Context(), s.env.ID, store.Page{})
	s.must(err)
	s.actor("population.created", "population:"+all[0].ID)
}

func TestActivityIsFiltered(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	v.get("/console/activity").has(
		"alice signed on",
		"administrator.signed-in",
		"the console was opened by admin",
		"alice joined backend",
	)
	v.get("/console/activity?action=membership.added").has("alice joined backend", `cn=backend`).
		lacks("the console was opened", "group backend was seen")
	v.get("/console/activity?subject=group:" + f.jit.ID).has("group backend was seen for the first time").
		lacks("partners")
	s.must(s.store.AddActivity(t.Context(), store.Activity{
		EnvironmentID: s.env.ID,
		Action:        "x",
		Subject:       "instance:1",
		Text:          "of an instance",
		Detail:        map[string]any{"gateway": f.gateway.ID, "list": []any{"one", 2}},
	}))
	a := v.get("/console/activity?action=x").has("of an instance", `"one", 2`)
	if !strings.Contains(a.body, `href="/console/gateways/`+f.gateway.ID+`"`) {
		t.Error("the instance's gateway is not linked")
	}
}
