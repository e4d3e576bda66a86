package console_test

import (
	"cmp"
	"html"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ldap-gateway/cloud/console"
	m "ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
)

var (
	asked   = regexp.MustCompile(`\.May "([^"]*)"`)
	anchors = regexp.MustCompile(`<a [^>]*href="(/console/[^"]*)"`)
	sending = regexp.MustCompile(`(?s)<form method="post"(?: action="([^"]*)")?.*?</form>`)
)

// A template asks for actions that there are: another one nobody may do, and its button would be gone.
func TestTemplatesAskForActions(t *testing.T) {
	files, err := os.ReadDir("templates")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range files {
		text, err := os.ReadFile("templates/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range asked.FindAllStringSubmatch(string(text), -1) {
			if n++; !slices.Contains(m.Actions(), m.Action(found[1])) {
				t.Errorf("%s: there is no action %q", f.Name(), found[1])
			}
		}
	}
	if n == 0 {
		t.Error("none asks")
	}
}

// pressed returns where the buttons lead that a page shows: links, and forms that can be sent.
func pressed(a answer, path string) (all, forms []string) {
	for _, found := range anchors.FindAllStringSubmatch(a.body, -1) {
		all = append(all, html.UnescapeString(found[1]))
	}
	main := a.body[strings.Index(a.body, "<main"):]
	if strings.Contains(a.body, `class="reader"`) {
		return all, nil // the style sheet takes their buttons away
	}
	for _, found := range sending.FindAllStringSubmatch(main, -1) {
		if strings.Contains(found[0], "<button") {
			forms = append(forms, html.UnescapeString(cmp.Or(found[1], path)))
		}
	}
	return all, forms
}

// Whoever goes wherever the pages lead is refused nowhere, and is shown no button that would be:
// every role walks from the first page along all links.
func TestNoButtonRefuses(t *testing.T) {
	s := open(t)
	f := s.fill(s.env.ID, "")
	s.connect(f, "")
	mux, places := http.NewServeMux(), console.Places()
	for pattern := range places {
		mux.Handle(pattern, http.NotFoundHandler())
	}
	may := func(role store.Role, path string) bool {
		r, err := http.NewRequest("POST", path, nil)
		s.must(err)
		_, pattern := mux.Handler(r)
		return slices.ContainsFunc(places[pattern], func(a m.Action) bool { return m.May(role, a) })
	}
	for _, role := range store.Roles() {
		s.must(s.store.CreateAdministrator(t.Context(), &store.Administrator{
			EnvironmentID: s.env.ID, Name: "a " + string(role), Role: role,
		}))
		v, seen, next := s.signIn("a "+string(role)), map[string]bool{}, []string{"/console/"}
		for len(next) > 0 {
			path := next[0]
			if next = next[1:]; seen[path] || strings.HasPrefix(path, "/console/help") {
				continue
			}
			seen[path] = true
			a := v.get(path)
			if a.status == http.StatusForbidden || a.status == http.StatusNotFound {
				t.Errorf("%s is led to %s: %d", role, path, a.status)
				continue
			}
			if !strings.Contains(a.body, "<main") {
				continue // a file
			}
			more, forms := pressed(a, path)
			next = append(next, more...)
			for _, form := range forms {
				if !may(role, form) {
					t.Errorf("%s: %s shows a button to %s", role, path, form)
				}
			}
		}
		if len(seen) < 20 {
			t.Errorf("%s saw only %d pages", role, len(seen))
		}
	}
}

// A help desk looks, tries a person and signs people off, one or several, and nothing else.
func TestHelpDesk(t *testing.T) {
	s := open(t)
	f := s.fill(s.env.ID, "")
	s.must(s.store.CreateAdministrator(t.Context(), &store.Administrator{
		EnvironmentID: s.env.ID, Name: "desk", Role: store.RoleHelpDesk,
	}))
	v := s.signIn("desk")
	one := "/console/users/" + f.user.ID
	v.get("/console/users").has("Sign off …").lacks("Disable …", "Delete …", "Save these", "New user")
	v.get(one).has("Sign off everywhere …").lacks("Disable …", "Delete …", "Link to")
	if a := v.get(one + "/off").is(http.StatusOK); strings.Contains(a.body, `class="reader"`) {
		t.Error("the button to sign off cannot be seen")
	}
	v.follow(v.post(one + "/off")).has("signed off")
	v.get("/console/users/selected?action=off&user=" + f.user.ID).is(http.StatusOK).has("1 user")
	v.follow(v.post("/console/users/selected", "action", "off", "user", f.user.ID)).has("1 user was signed off everywhere")
	for _, action := range []string{"disable", "enable", "delete"} {
		v.get("/console/users/selected?user=" + f.user.ID + "&action=" + action).is(http.StatusForbidden)
		v.post("/console/users/selected", "action", action, "user", f.user.ID).is(http.StatusForbidden)
	}
	try := "/console/gateways/" + f.gateway.ID + "/try"
	v.get("/console/gateways/"+f.gateway.ID).has("Try a person").lacks("New user type", "Pair an instance")
	if a := v.get(try).is(http.StatusOK); strings.Contains(a.body, `class="reader"`) {
		t.Error("the button to try cannot be seen")
	}
	v.post(try, "name", "alice").is(http.StatusOK)
	v.get("/console/account").has("Help desk")
	u, err := s.store.User(t.Context(), s.env.ID, f.user.ID)
	if s.must(err); !u.Enabled {
		t.Error("the user was disabled")
	}
}
