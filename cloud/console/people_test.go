package console_test

import (
	"cmp"
	"crypto/rand"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"ldap-gateway/cloud/store"
)

// seenIn returns what a form carries to tell whether somebody came between.
func seenIn(a answer) string {
	a.t.Helper()
	found := regexp.MustCompile(`name="seen" value="(\d+)"`).FindStringSubmatch(a.body)
	if found == nil {
		a.t.Fatalf("%s: no form", a.what)
	}
	return found[1]
}

func TestUserIsMadeChangedAndDeleted(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	v.get("/console/users").has("New user")
	v.get("/console/users/new").is(http.StatusOK).has("Make user", "Staff", "Default")
	v.post("/console/users", "username", " ", "given", "kept words", "population", f.population.ID).
		is(http.StatusUnprocessableEntity).has("Give the user a username.", "kept words", "Not saved")
	v.post("/console/users", "username", "ALICE", "population", f.population.ID).
		is(http.StatusUnprocessableEntity).has("Another user of this environment has this username.")
	v.post("/console/users", "username", "eve", "population", "none").
		is(http.StatusUnprocessableEntity).has("no such population")
	a := v.post(
		"/console/users",
		"username", "eve",
		"given", "Eve",
		"email", "eve@example.com",
		"population", f.population.ID,
	)
	page := a.header.Get("Location")
	v.follow(a).has("eve was made", "eve@example.com", "Staff", "No gateway checks this user's password")

	edit := v.get(page+"/edit").is(http.StatusOK).has("Change a user", "eve@example.com")
	fields := []string{
		"username", "eve",
		"email", "new@example.com",
		"population", f.population.ID,
		"seen", seenIn(edit),
	}
	v.follow(v.post(page, fields...)).has("Saved.", "new@example.com")
	again := v.post(page, fields...).is(http.StatusUnprocessableEntity).
		has("This user was changed meanwhile", "Saving again replaces")
	fields[len(fields)-1] = seenIn(again)
	v.post(page, fields...).is(http.StatusSeeOther)
	v.get("/console/users/" + f.user.ID + "/edit").has("A directory has the last word of this record")

	v.follow(v.post(page+"/enabled", "enabled", "no")).has("eve is disabled", "Disabled", "Enable")
	v.follow(v.post(page+"/enabled", "enabled", "yes")).has("eve is enabled", "Disable")
	v.follow(v.post(page + "/off")).has("eve was signed off everywhere")
	v.get(page + "/delete").has("Delete the user “eve”").lacks("No user depends on it")
	v.follow(v.post(page + "/delete")).has("The user eve was deleted.")
	v.get(page).is(http.StatusNotFound)
	id := page[strings.LastIndexByte(page, '/')+1:]
	for _, action := range []string{"user.created", "user.updated", "user.signed-off", "user.deleted"} {
		s.actor(action, "user:"+id)
	}
}

func TestGroupIsMadeFilledAndDeleted(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	v.get("/console/groups").has("New group")
	v.post("/console/groups", "name", "", "description", "kept words").
		is(http.StatusUnprocessableEntity).has("Give the group a name.", "kept words")
	v.post("/console/groups", "name", "READERS").is(http.StatusUnprocessableEntity).
		has("Another group of this environment has this name.")
	a := v.post("/console/groups", "name", "Writers", "description", "Made by hand", "population", f.population.ID)
	page := a.header.Get("Location")
	v.follow(a).has("Writers was made", "Made by hand", "Nobody is in it yet", "Add a user, by username")

	v.post(page+"/members", "username", "nobody").is(http.StatusUnprocessableEntity).
		has("no user of that name", "nobody")
	v.follow(v.post(page+"/members", "username", "ALICE")).has("alice was added.", "alice")
	v.post("/console/groups/"+f.jit.ID+"/members", "username", "alice").is(http.StatusUnprocessableEntity)
	v.get("/console/groups/" + f.jit.ID).lacks("Add a user, by username")

	edit := v.get(page + "/edit").is(http.StatusOK)
	fields := []string{"name", "Authors", "displayName", "", "seen", seenIn(edit)}
	v.follow(v.post(page, fields...)).has("Saved.", "Authors")
	v.post(page, fields...).is(http.StatusUnprocessableEntity).has("This group was changed meanwhile")
	jit := v.get("/console/groups/" + f.jit.ID + "/edit").has("are those of where it comes from").lacks("Display name")
	v.follow(v.post("/console/groups/"+f.jit.ID, "name", "stolen", "description", "told", "seen", seenIn(jit))).
		has("told", "backend").lacks("stolen")

	v.get("/console/groups/" + f.jit.ID + "/delete").has("brings it back, without a role")
	v.follow(v.post(page + "/delete")).has("The group Authors was deleted.")
	v.get(page).is(http.StatusNotFound)
}

func TestPopulationIsChanged(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	page := "/console/populations/" + f.population.ID
	v.get(page).is(http.StatusOK).has("Change a population", "Make it the default one")
	v.post(page, "name", "").is(http.StatusUnprocessableEntity).has("Give the population a name.")
	v.post(page, "name", "DEFAULT").is(http.StatusUnprocessableEntity).
		has("Another population of this environment has this name.")
	v.follow(v.post(page, "name", "Everybody", "default", "yes")).has("The population Everybody was changed.")
	if p, err := s.store.DefaultPopulation(t.Context(), s.env.ID); err != nil || p.ID != f.population.ID {
		t.Errorf("%+v, %v", p, err)
	}
	v.get(page).has("It is the default one")
}

// A person whose role comes by a group gives the second factor on the sign-on page: who has one, whoever the
// environment or its policy wants one of, and nobody who has given it there. Nothing opens without.
func TestSecondFactorOfAPersonByGroup(t *testing.T) {
	passkey := func(s *site, user string) error {
		return s.store.AddPersonPasskey(t.Context(), &store.Passkey{ID: rand.Text(), EnvironmentID: s.env.ID, UserID: user, Name: "p"})
	}
	for name, c := range map[string]struct {
		set   func(s *site, user string) error
		wants bool
	}{
		"nobody": {func(*site, string) error { return nil }, false},
		"one-time passwords": {func(s *site, user string) error {
			return s.store.SetPersonFactor(t.Context(), s.env.ID, user, []byte("sealed"))
		}, true},
		"a passkey": {passkey, true},
		"the setting": {func(s *site, _ string) error {
			e, err := s.store.Environment(t.Context(), s.env.ID)
			e.Settings.SecondFactor = true
			return cmp.Or(err, s.store.UpdateEnvironment(t.Context(), &e))
		}, true},
		"the policy": {func(s *site, _ string) error {
			p, err := s.store.DefaultSignOnPolicy(t.Context(), s.env.ID)
			p.Actions = append(p.Actions, store.PolicyAction{ID: "x", Type: store.ActionMultiFactor, Priority: 2})
			return cmp.Or(err, s.store.SavePolicy(t.Context(), &p))
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			f := s.fill(s.env.ID, "")
			owner := s.admin()
			owner.follow(owner.post("/console/settings/role-groups", "group", f.jit.ID, "role", "IDENTITY_ADMIN"))
			s.must(c.set(s, f.user.ID))
			enter := "/console/organisation?e=" + s.env.ID
			s.people.by = store.SignedOn{UserID: f.user.ID, Method: "password"}
			v := s.visitor()
			to := v.get(enter).is(http.StatusSeeOther).header.Get("Location")
			if wants := to == "/"+s.env.ID+"/signon?then=console"; wants != c.wants {
				t.Errorf("leads to %q", to)
			}
			if c.wants {
				v.get("/console/users").is(http.StatusSeeOther)
				s.must(passkey(s, f.user.ID)) // the setting has one set up
			}
			s.people.by.Factor = store.FactorOneTime
			v.get(enter).is(http.StatusSeeOther)
			v.get("/console/users").is(http.StatusOK)
			if own := v.get("/console/account").has("Your second factor").lacks("Set up one-time"); !strings.Contains(own.body,
				`href="/`+s.env.ID+`/signon/factors"`) {
				t.Error(own.body)
			}
			v.get("/console/account/one-time").is(http.StatusBadRequest)
			v.post("/console/account/one-time", "code", "000000").is(http.StatusSeeOther)
			v.post("/console/account/one-time/delete", "password", "x").is(http.StatusBadRequest)
		})
	}
}

// A person without a second factor, in whose session one is wanted from now on, goes no further, whatever
// it is wanted for; with it they do. They may always sign out.
func TestSecondFactorIsWantedMeanwhile(t *testing.T) {
	for name, want := range map[string]func(s *site, f filled, owner *visitor){
		"the setting": func(_ *site, _ filled, owner *visitor) {
			owner.post("/console/settings", "name", "Example", "second-factor", "yes").is(http.StatusSeeOther)
		},
		"the policy": func(s *site, _ filled, _ *visitor) {
			p, err := s.store.DefaultSignOnPolicy(t.Context(), s.env.ID)
			s.must(err)
			p.Actions = append(p.Actions, store.PolicyAction{ID: "x", Type: store.ActionMultiFactor, Priority: 2})
			s.must(s.store.SavePolicy(t.Context(), &p))
		},
		"the user": func(s *site, f filled, _ *visitor) {
			f.user.Kept.MFA = true
			s.must(s.store.UpdateUser(t.Context(), &f.user))
		},
		"a passkey made in another browser": func(s *site, f filled, _ *visitor) {
			s.must(s.store.AddPersonPasskey(t.Context(), &store.Passkey{ID: rand.Text(), EnvironmentID: s.env.ID, UserID: f.user.ID, Name: "p"}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			f := s.fill(s.env.ID, "")
			owner := s.admin()
			owner.follow(owner.post("/console/settings/role-groups", "group", f.jit.ID, "role", "IDENTITY_ADMIN"))
			s.people.by = store.SignedOn{UserID: f.user.ID, Method: "password"}
			v, enter := s.visitor(), "/console/organisation?e="+s.env.ID
			v.get(enter).is(http.StatusSeeOther)
			v.get("/console/users").is(http.StatusOK)
			want(s, f, owner)
			if a := v.get("/console/users").is(http.StatusSeeOther); a.header.Get("Location") != enter {
				t.Errorf("it leads to %q", a.header.Get("Location"))
			}
			if a := v.get(enter).is(http.StatusSeeOther); a.header.Get("Location") != "/"+s.env.ID+"/signon?then=console" {
				t.Errorf("it leads to %q", a.header.Get("Location"))
			}
			for _, path := range []string{"/console/populations", "/console/groups", "/console/users/" + f.user.ID + "/off"} {
				v.post(path, "name", "sneaked in").is(http.StatusSeeOther)
			}
			all, _, err := s.store.Groups(t.Context(), s.env.ID, store.GroupFilter{Name: "sneaked in"}, store.Page{})
			if err != nil || len(all) > 0 {
				t.Errorf("%v, %v", all, err)
			}
			s.people.by.Factor = store.FactorOneTime
			v.get(enter).is(http.StatusSeeOther)
			v.get("/console/users").is(http.StatusOK)
			v.post("/console/sign-out").is(http.StatusSeeOther)
		})
	}
}

// Who has lost the second factor has it taken away by an administrator who may; who
// is signed off everywhere has no session of the console.
func TestFactorIsTakenAwayAndSessionsEnd(t *testing.T) {
	s := open(t)
	f := s.fill(s.env.ID, "")
	owner := s.admin()
	owner.follow(owner.post("/console/settings/role-groups", "group", f.jit.ID, "role", "READ_ONLY"))
	s.people.by = store.SignedOn{UserID: f.user.ID, Method: "password"}
	v := s.visitor()
	v.get("/console/organisation?e=" + s.env.ID).is(http.StatusSeeOther)
	page := "/console/users/" + f.user.ID
	owner.get(page).has("role in this console", "Read only").lacks("Take away the second factor")
	s.must(s.store.SetPersonFactor(t.Context(), s.env.ID, f.user.ID, []byte("sealed")))
	v.get("/console/users").is(http.StatusSeeOther) // its proofs are others now
	owner.get(page).has("Take away the second factor")
	for range 2 { // a second click finds none, and is no second line
		owner.follow(owner.post(page + "/factor")).has("no second factor any more")
	}
	s.actor("user.factor-reset", "user:"+f.user.ID)
	all, _, err := s.store.Activities(t.Context(), s.env.ID, store.ActivityFilter{Action: "user.factor-reset"}, store.Page{})
	if err != nil || len(all) != 1 {
		t.Errorf("%d are told, %v", len(all), err)
	}

	v = s.visitor()
	v.get("/console/organisation?e=" + s.env.ID).is(http.StatusSeeOther)
	v.get("/console/users").is(http.StatusOK)
	owner.follow(owner.post(page + "/off")).has("signed off everywhere")
	v.get("/console/users").is(http.StatusSeeOther)
}

// Every form that replaces what it shows tells whoever saves it second that somebody
// came between, shows what they typed, and saves when they say so again.
func TestFormsTellWhoCameBetween(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	for name, c := range map[string]struct {
		form, to string
		fields   []string
	}{
		"user":        {"/console/users/" + f.user.ID + "/edit", "/console/users/" + f.user.ID, []string{"username", "alice", "population", f.population.ID}},
		"group":       {"/console/groups/" + f.ordinary.ID + "/edit", "/console/groups/" + f.ordinary.ID, []string{"name", "Readers"}},
		"population":  {"/console/populations/" + f.population.ID, "/console/populations/" + f.population.ID, []string{"name", "Staff"}},
		"application": {"/console/applications/" + f.application.ID, "/console/applications/" + f.application.ID, []string{"name", "Wiki", "type", "WEB_APP", "redirects", "https://wiki.example.com/", "groups", "NAMES"}},
		"gateway":     {"/console/gateways/" + f.gateway.ID + "/kerberos", "/console/gateways/" + f.gateway.ID + "/kerberos", []string{"retain", "10"}},
		"environment": {"/console/settings", "/console/settings", []string{"name", "Example"}},
	} {
		t.Run(name, func(t *testing.T) {
			first, second := append(c.fields, "seen", seenIn(v.get(c.form))), append(c.fields, "seen", seenIn(v.get(c.form)))
			v.post(c.to, first...).is(http.StatusSeeOther)
			told := v.post(c.to, second...).is(http.StatusUnprocessableEntity).
				has("This "+name+" was changed meanwhile", c.fields[1])
			v.post(c.to, append(c.fields, "seen", seenIn(told))...).is(http.StatusSeeOther)
			v.post(c.to, c.fields...).is(http.StatusSeeOther) // a program that says nothing of what it saw
		})
	}
}
