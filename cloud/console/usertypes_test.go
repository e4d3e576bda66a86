package console_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/usertypes"
)

// good is a user type as a browser sends it.
func good(f filled, more ...string) []string {
	return append([]string{"name", "Staff", "base", "ou=staff,dc=example,dc=com", "filter", "(uid=${identifier})", "correlation", "entryUUID\r\n\r\n dn ",
		"population", f.population.ID, "property", "username", "attribute", "uid", "property", "nick", "attribute", "${ldapAttributes.cn}", "property", "", "attribute", "",
		"groups", "yes", "groupAttribute", "memberOf", "groupBase", "ou=groups,dc=example,dc=com", "nameAttribute", "description", "identity", "ID",
		"include", "*,ou=apps,dc=x\r\n*,ou=vpn,dc=x\r\n", "exclude", "cn=secret*", "update", "yes", "passwords", "yes"}, more...)
}

func TestUserTypeIsSavedWholeAndShownAgain(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	page := "/console/gateways/" + f.gateway.ID
	v.follow(v.post(page+"/user-types", good(f)...)).has("The user type Staff was saved", "ou=staff,dc=example,dc=com")
	g, err := s.store.Gateway(t.Context(), s.env.ID, f.gateway.ID)
	s.must(err)
	got := g.UserTypes[1]
	want := store.UserType{
		ID:                got.ID,
		Name:              "Staff",
		SearchBaseDN:      "ou=staff,dc=example,dc=com",
		Correlation:       []string{"entryUUID", "dn"},
		PasswordAuthority: "LDAP",
		AllowPasswords:    true,
		UpdateOnSignOn:    true,
		FilterPattern:     "(uid=${identifier})",
		PopulationID:      f.population.ID,
		Mappings: []store.Mapping{{
			Name:  "username",
			Value: "${ldapAttributes.uid}",
		}, {
			Name:  "nick",
			Value: "${ldapAttributes.cn}",
		}, {Name: "memberOfExternalGroups", Value: "${ldapAttributes.memberOf}"}},
		Groups: store.GroupRule{
			SearchBaseDN:  "ou=groups,dc=example,dc=com",
			NameAttribute: "description",
			Identity:      "ID",
			Include:       []string{"*,ou=apps,dc=x", "*,ou=vpn,dc=x"},
			Exclude:       []string{"cn=secret*"},
		},
	}
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	s.actor("gateway.updated", "gateway:"+g.ID)
	if !slices.Contains(s.links.told, "changed "+g.ID) {
		t.Error("the hub was not told")
	}
	form := v.get(page+"/user-types/"+got.ID).
		has(
			"Staff",
			"ou=staff,dc=example,dc=com",
			"(uid=${identifier})",
			"entryUUID dn",
			"username",
			"uid",
			"nick",
			"*,ou=vpn,dc=x",
			"cn=secret*",
		)
	if strings.Count(form.body, " checked") != 3 || strings.Count(form.body, `name="property"`) != 2+4 ||
		!strings.Contains(form.body, `value="ID" selected`) {
		t.Error(form.body)
	}
	// Saved as it was shown, nothing differs.
	v.follow(v.post(page+"/user-types/"+got.ID, good(f, "revision", fmt.Sprint(g.Revision))...)).has("was saved")
	again, err := s.store.Gateway(t.Context(), s.env.ID, g.ID)
	if err != nil || again.Revision != g.Revision || fmt.Sprint(again.UserTypes) != fmt.Sprint(g.UserTypes) {
		t.Errorf("%v %+v", err, again)
	}
}

func TestUserTypeWithMistakesKeepsWhatWasTyped(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	page := "/console/gateways/" + f.gateway.ID + "/user-types"
	a := v.post(page, "name", "people", "base", "nowhere", "filter", "(uid=alice)", "correlation", "entry uuid", "population", "none",
		"property", "nick", "attribute", "c n", "property", "nick", "attribute", "cn", "property", "", "attribute", "mail",
		"groups", "yes", "groupAttribute", "", "groupBase", "elsewhere", "nameAttribute", "c n", "identity", "BOTH", "include", "cn=kept*", "exclude", "cn=kept too*", "update", "yes").
		is(http.StatusUnprocessableEntity)
	a.has("Not saved: see the messages beside the fields", "Another user type of this gateway has this name.", `It is not a distinguished name: "nowhere"`,
		"It must have ${identifier} where the person's own input goes", `"entry uuid" is not the name of an attribute`, "Choose a population",
		"Name one attribute, as in mail.", "Another row has this property.", "Name the property.", "There must be a mapping with the name username",
		"It must be the name of an attribute, as in memberOf.", `It is not a distinguished name: "elsewhere"`, "It must be NAME or ID.")
	for field, kept := range map[string]string{
		"name":          "people",
		"base":          "nowhere",
		"groupBase":     "elsewhere",
		"nameAttribute": "c n",
		"property":      "nick",
		"attribute":     "c n",
	} {
		if !strings.Contains(a.body, `value="`+kept+`"`) {
			t.Errorf("%s: %q is lost", field, kept)
		}
	}
	a.has("(uid=alice)", "entry uuid", "cn=kept*", "cn=kept too*")
	if strings.Count(a.body, " checked") != 2 {
		t.Error("the boxes that were ticked are not ticked")
	}
	v.post(page, "population", f.population.ID).is(http.StatusUnprocessableEntity).has("Fill this in.")
	broken := good(f)
	broken[slices.Index(broken, "filter")+1] = "(uid=${identifier}"
	v.post(page, broken...).is(http.StatusUnprocessableEntity).has("is not closed")
	g, err := s.store.Gateway(t.Context(), s.env.ID, f.gateway.ID)
	if err != nil || len(g.UserTypes) != 1 {
		t.Errorf("%+v %v", g.UserTypes, err)
	}
}

func TestUsualValuesForEveryVendorAreGood(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	page := "/console/gateways/" + f.gateway.ID + "/user-types"
	for _, vendor := range usertypes.Vendors() {
		a := v.get(page+"/new?usual="+urlOf(vendor)+"&name=Kept&base=dc%3Dkept&population="+f.population.ID+"&filter=abandoned").is(http.StatusOK).
			has(
				"The usual values for "+vendor+" are filled in",
				"Kept",
				"dc=kept",
				usertypes.Usual(vendor).FilterPattern,
				"memberOf",
				"givenName",
			).lacks("abandoned")
		if strings.Count(a.body, " checked") != 1 || !strings.Contains(a.body, `value="`+f.population.ID+`" selected`) {
			t.Errorf("%s: %s", vendor, a.body)
		}
	}
	v.get(page + "/new?usual=Abacus").is(http.StatusOK).lacks("are filled in")
	own := page + "/" + f.gateway.UserTypes[0].ID
	v.get(own+"?usual="+urlOf("Microsoft Active Directory")).has("sAMAccountName", "People")
	v.get(own).has("(uid=${identifier})").lacks("sAMAccountName")
}

func TestSavingOverSomebodyElsesChangeIsAskedFirst(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	own := "/console/gateways/" + f.gateway.ID + "/user-types/" + f.gateway.UserTypes[0].ID
	v.post(own, good(f, "revision", fmt.Sprint(f.gateway.Revision))...).is(http.StatusSeeOther)
	a := v.post(own, good(f, "revision", fmt.Sprint(f.gateway.Revision))...).is(http.StatusUnprocessableEntity).
		has("were changed meanwhile")
	g, err := s.store.Gateway(t.Context(), s.env.ID, f.gateway.ID)
	s.must(err)
	if !strings.Contains(a.body, fmt.Sprintf(`name="revision" value="%d"`, g.Revision)) {
		t.Error("saving again would be refused too")
	}
	v.post(own, good(f, "revision", fmt.Sprint(g.Revision))...).is(http.StatusSeeOther)
}

func TestPopulationOfAnotherEnvironmentIsNoChoice(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	theirs := s.fill(s.newEnvironment("Other", "eve").ID, "")
	v.post("/console/gateways/"+f.gateway.ID+"/user-types", good(theirs)...).is(http.StatusUnprocessableEntity).
		has("Choose a population.")
}
