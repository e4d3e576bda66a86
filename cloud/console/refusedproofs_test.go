package console_test

import (
	"net/http"
	"strings"
	"testing"

	"ldap-gateway/cloud/store"
)

// TestRefusedSignInsAreInActivity: a wrong password and a set-up by no secret of theirs, by the name of an administrator
// or of nobody, are found by whoever looks; what was typed is not.
func TestRefusedSignInsAreInActivity(t *testing.T) {
	s := open(t)
	v := s.visitor()
	for _, name := range []string{"admin", "nobody-has-this"} {
		v.post("/console/sign-in", "name", name, "password", "guessed-wrongly").is(http.StatusForbidden)
		v.post("/console/setup", "name", name, "secret", "no-secret", "password", password, "again", password)
	}
	all, _, err := s.store.Activities(t.Context(), s.env.ID, store.ActivityFilter{Action: "administrator.refused"}, store.Page{})
	if err != nil || len(all) != 4 {
		t.Fatalf("%d, %v", len(all), err)
	}
	said := ""
	for _, a := range all {
		said += a.Text + "\n"
	}
	for _, want := range []string{
		"a sign-in of administrator admin ", "a set-up of administrator admin ", "a sign-in at the console was refused: no",
		"a set-up at the console was refused: no",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in %s", want, said)
		}
	}
	page := s.admin().get("/console/activity?action=administrator.refused").has("a sign-in of administrator admin")
	for _, typed := range []string{"nobody-has-this", "guessed-wrongly", "no-secret"} {
		page.lacks(typed)
	}
}
