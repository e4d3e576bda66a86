package administrators

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// refused are the activities of what was refused in an environment.
func (o *office) refused(t *testing.T, env string) []store.Activity {
	t.Helper()
	all, _, err := o.Store.Activities(t.Context(), env, store.ActivityFilter{Action: "administrator.refused"},
		store.Page{Limit: store.MaxLimit})
	must(t, err)
	return all
}

// TestRefusedAdministratorsAreFound: of each name so many an hour are written, whether anybody has it or not, of whose
// name it is in their environment, and never a name that nobody has.
func TestRefusedAdministratorsAreFound(t *testing.T) {
	o := newOffice(t)
	now := time.Now()
	o.Now = func() time.Time { return now }
	second := store.Environment{Name: "Second"}
	must(t, o.Store.CreateEnvironment(t.Context(), &second))
	bob := store.Administrator{EnvironmentID: second.ID, Name: "bob", Role: store.RoleOwner}
	must(t, o.Store.CreateAdministrator(t.Context(), &bob))
	for range 20 {
		for _, name := range []string{"ada", "ADA", "bob", "hunter2", "a\x00\xff"} {
			must(t, o.NoteRefused(t.Context(), "sign-in", name, "192.0.2.1"))
		}
	}
	first, theirs := o.refused(t, o.admin.EnvironmentID), o.refused(t, second.ID)
	if len(first) != 15 || len(theirs) != 5 || theirs[0].Subject != "administrator:"+bob.ID ||
		!strings.Contains(theirs[0].Text, "sign-in of administrator bob") || theirs[0].Detail["address"] != "192.0.2.1" {
		t.Errorf("%d and %+v", len(first), theirs)
	}
	for _, a := range first {
		if strings.Contains(fmt.Sprint(a), "hunter2") {
			t.Errorf("a name that nobody has: %+v", a)
		}
	}
	for i := range 500 {
		must(t, o.NoteRefused(t.Context(), "set-up", fmt.Sprint("stranger", i), "192.0.2.1"))
	}
	if all := o.refused(t, o.admin.EnvironmentID); len(all)+5 != refusedInAll {
		t.Errorf("strangers wrote %d", len(all))
	}
	now = now.Add(time.Hour + time.Minute)
	must(t, o.NoteRefused(t.Context(), "set-up", "ada", "192.0.2.1"))
	if all := o.refused(t, o.admin.EnvironmentID); len(all)+5 != refusedInAll+1 || !strings.Contains(all[0].Text, "set-up of administrator ada") {
		t.Errorf("an hour later: %d %+v", len(all), all[0])
	}
}
