package console_test

import (
	"encoding/csv"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"ldap-gateway/cloud/store"
)

// listed are the users that a list shows.
func listed(a answer) string {
	var all []string
	for _, m := range regexp.MustCompile(`<a href="/console/users/[0-9a-f-]{36}">([^<]+)</a>`).FindAllStringSubmatch(a.body, -1) {
		all = append(all, m[1])
	}
	return strings.Join(all, " ")
}

// people makes users beside alice: who is disabled, is locked, and has never signed on.
func (s *site) others(f filled) {
	s.t.Helper()
	for _, u := range []store.User{
		{Username: "bob", GivenName: "Bob", FamilyName: "Baker", Email: "bob@example.com"},
		{Username: "carol", GivenName: "=1+1", FamilyName: "Archibald", Enabled: true, Locked: true},
		{Username: "dave", PopulationID: f.population.ID, Enabled: true},
	} {
		u.EnvironmentID = s.env.ID
		if u.PopulationID == "" {
			p, err := s.store.DefaultPopulation(s.t.Context(), s.env.ID)
			s.must(err)
			u.PopulationID = p.ID
		}
		s.must(s.store.CreateUser(s.t.Context(), &u))
	}
}

func TestUsersAreFiltered(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	s.others(f)
	for query, want := range map[string]string{
		"":                                    "alice bob carol dave",
		"q=rch":                               "alice carol",
		"q=ARCHER":                            "alice",
		"q=alice+example.com":                 "alice",
		"q=example.com":                       "alice bob",
		"state=disabled":                      "bob",
		"state=locked":                        "carol",
		"state=enabled":                       "alice dave",
		"population=" + f.population.ID:       "alice dave",
		"source=gateway:" + f.gateway.ID:      "alice",
		"source=provider:" + f.openID.ID:      "alice",
		"source=provider:" + f.saml.ID:        "",
		"last=1":                              "alice",
		"last=never":                          "bob carol dave",
		"last=not-30&q=a":                     "carol",
		"last=nonsense&state=none&sort=other": "",
		"last=&state=&sort=other":             "alice bob carol dave",
		"sort=last":                           "alice bob carol dave",
		"sort=last&order=asc":                 "alice bob carol dave",
		"sort=last&last=1":                    "alice",
		"order=desc":                          "dave carol bob alice",
		"sort=&order=nonsense":                "alice bob carol dave",
		"sort=name":                           "dave alice carol bob",
		"sort=name&order=desc&q=arch":         "carol alice",
		"sort=email&order=desc":               "bob alice dave carol",
		"q=rch&state=locked&sort=":            "carol",
	} {
		a := v.get("/console/users?" + query).is(http.StatusOK)
		if got := listed(a); got != want {
			t.Errorf("%q: %q, want %q", query, got, want)
		}
		if want == "" {
			a.has("Nobody is like that")
		} else if n := len(strings.Fields(want)); !strings.Contains(query, "last") {
			a.has(map[int]string{1: "1 user.", 2: "2 users.", 4: "4 users."}[n])
		}
	}
}

// The file has what the list has, and nothing that a spreadsheet would run.
func TestUsersAndGroupsAreExported(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	s.others(f)
	table := func(path string) [][]string {
		t.Helper()
		a := v.get(path).is(http.StatusOK)
		if a.header.Get("Content-Type") != "text/csv; "+
			"charset=utf-8" || !strings.Contains(a.header.Get("Content-Disposition"), ".csv") {
			t.Errorf("%s: %v", path, a.header)
		}
		rows, err := csv.NewReader(strings.NewReader(a.body)).ReadAll()
		s.must(err)
		return rows
	}
	rows := table("/console/users/export?q=rch")
	if len(rows) != 3 || rows[1][1] != "alice" || rows[1][6] != "Headquarters" || rows[1][7] != "enabled" || rows[1][8] == "" ||
		rows[2][2] != "'=1+1" || rows[2][7] != "locked" || rows[2][8] != "" {
		t.Errorf("%q", rows)
	}
	rows = table("/console/groups/export?type=jit")
	if len(rows) != 3 || rows[1][2] != "backend" || rows[1][4] != "Headquarters" || rows[1][5] != "1" {
		t.Errorf("%q", rows)
	}
}

// Several users are disabled, enabled, signed off and deleted at once, after a question that names them.
func TestSeveralUsersAtOnce(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	s.others(f)
	id := func(name string) string {
		u, err := s.store.UserByUsername(t.Context(), s.env.ID, name)
		s.must(err)
		return u.ID
	}
	alice, dave, at := id("alice"), id("dave"), "/console/users/selected"
	v.get("/console/users").has("With those chosen:")
	v.get(at+"?action=disable&user="+alice+"&user="+dave+"&user=none").is(http.StatusOK).
		has("Disable 2 users", "alice", "dave", "2 users are chosen").lacks("bob")
	v.follow(v.get(at + "?action=disable")).warns("Choose users in the list first")
	v.follow(v.get(at + "?action=burn&user=" + alice)).warns("Choose users in the list first")
	v.follow(v.post(at, "action", "burn", "user", alice)).warns("Choose users in the list first")
	for _, c := range []struct{ action, says, list string }{
		{"disable", "2 users were disabled.", "alice bob dave"},
		{"enable", "2 users were enabled.", "bob"},
		{"off", "2 users were signed off everywhere.", "bob"},
	} {
		v.follow(v.post(at, "action", c.action, "user", alice, "user", dave, "user", "none")).has(c.says)
		if got := listed(v.get("/console/users?state=disabled")); got != c.list {
			t.Errorf("%s: %q, want %q", c.action, got, c.list)
		}
	}
	v.follow(v.post(at, "action", "delete", "user", dave)).has("1 user was deleted.")
	if got := listed(v.get("/console/users")); got != "alice bob carol" {
		t.Errorf("%q", got)
	}
	for _, action := range []string{"user.updated", "user.signed-off", "user.deleted"} {
		s.actor(action, "")
	}
}

// A question names those who were chosen in the order of their names, as the list does, whenever they came.
func TestChosenAreNamedInOrder(t *testing.T) {
	s := open(t)
	v := s.admin()
	users, groups := url.Values{"action": {"off"}}, url.Values{}
	for _, name := range []string{"mia", "Zoe", "adam", "Émile", "ben"} {
		p, err := s.store.DefaultPopulation(t.Context(), s.env.ID)
		s.must(err)
		u := store.User{EnvironmentID: s.env.ID, PopulationID: p.ID, Username: name}
		s.must(s.store.CreateUser(t.Context(), &u))
		users.Add("user", u.ID)
		g := store.Group{EnvironmentID: s.env.ID, Name: name}
		s.must(s.store.CreateGroup(t.Context(), &g))
		groups.Add("group", g.ID)
	}
	for kind, chosen := range map[string]url.Values{"users": users, "groups": groups} {
		page := v.get("/console/" + kind + "/selected?" + chosen.Encode()).is(http.StatusOK)
		var got []string
		for _, m := range regexp.MustCompile(`<a href="/console/`+kind+`/[0-9a-f-]{36}">([^<]+)</a>`).FindAllStringSubmatch(page.body, -1) {
			got = append(got, m[1])
		}
		if strings.Join(got, " ") != "adam ben mia Zoe Émile" {
			t.Errorf("%s: %q", kind, got)
		}
	}
}

// After something was done with several users the list is the one that they were chosen in, and no form leads
// anywhere else.
func TestTheListStaysAsItWas(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	at := "/console/users/selected"
	for list, want := range map[string]string{
		"":                                 "/console/users",
		"q=rch&state=disabled":             "/console/users?q=rch&state=disabled",
		"sort=last&q=a+b%26c&cursor=xyz":   "/console/users?q=a+b%26c&sort=last",
		"sort=name&order=desc&before=xyz":  "/console/users?order=desc&sort=name",
		"//evil.example/?q=x":              "/console/users",
		"q=x#/../settings&other=https://e": "/console/users?q=x%23%2F..%2Fsettings",
		"%zz&last=7":                       "/console/users?last=7",
	} {
		page := v.get(at + "?action=off&user=" + f.user.ID + "&list=" + url.QueryEscape(list)).is(http.StatusOK)
		page.has("1 user")
		if !strings.Contains(html.UnescapeString(page.body), `<a href="`+want+`">Cancel</a>`) {
			t.Errorf("%q: the question leads back elsewhere", list)
		}
		kept := regexp.MustCompile(`name="list" value="([^"]*)"`).FindStringSubmatch(page.body)
		got := v.post(at, "action", "off", "user", f.user.ID, "list", html.UnescapeString(kept[1])).header.Get("Location")
		if got != want {
			t.Errorf("%q: %s, want %s", list, got, want)
		}
	}
	page := v.get("/console/users?q=" + f.user.Username + "&state=enabled").is(http.StatusOK)
	if !strings.Contains(page.body, `name="list" value="q=`+f.user.Username+`&amp;state=enabled"`) {
		t.Error("the form of the list does not say which it is")
	}
}

// Who has a higher right is left as they are, and the others are not kept waiting for it.
func TestSeveralUsersOfHigherRights(t *testing.T) {
	s := open(t)
	owner := s.admin()
	f := s.fill(s.env.ID, "")
	s.others(f)
	owner.follow(owner.post("/console/settings/role-groups", "group", f.jit.ID, "role", "OWNER"))
	s.must(s.store.CreateAdministrator(t.Context(), &store.Administrator{
		EnvironmentID: s.env.ID, Name: "lesser", Role: store.RoleIdentityAdmin,
	}))
	v := s.signIn("lesser")
	dave, err := s.store.UserByUsername(t.Context(), s.env.ID, "dave")
	s.must(err)
	v.follow(v.post("/console/users/selected", "action", "disable", "user", f.user.ID, "user", dave.ID)).
		has("1 user was disabled", "carries the role OWNER")
	if u, err := s.store.User(t.Context(), s.env.ID, f.user.ID); err != nil || !u.Enabled {
		t.Errorf("%+v, %v", u, err)
	}
}
