package console_test

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
)

// What is chosen for all that a filter finds is done with all of them, on whatever page, after a question that says how
// many they are, and with nobody else.
func TestAllThatTheListFinds(t *testing.T) {
	for name, c := range map[string]struct {
		kind, filter, action string
		found                int
		asks, says           string
		undone               string // what the list has afterwards that the deed was not done with
	}{
		"disable":      {"users", "q=crowd&state=enabled", "disable", 100, "Disable all users that the filter finds", "are disabled", "q=crowd&state=enabled"},
		"disable some": {"users", "q=crowd1", "disable", 10, "Disable all users that the filter finds", "are disabled", "q=crowd1&state=enabled"},
		"enable":       {"users", "state=disabled", "enable", 1, "Enable all users that the filter finds", "are enabled", "state=disabled"},
		"sign off":     {"users", "last=never", "off", 103, "Sign off everywhere: all users that the filter finds", "are signed off everywhere", ""},
		"delete":       {"users", "q=corp.example", "delete", 100, "Delete all users that the filter finds", "are deleted", "q=corp.example"},
		"everybody":    {"users", "", "disable", 104, "Disable all users<", "All users are disabled", "state=enabled"},
		"groups":       {"groups", "q=crowd&type=ordinary", "", 34, "Delete all groups that the filter finds", "are deleted", "q=crowd&type=ordinary"},
		"jit groups":   {"groups", "q=crowd&type=jit", "", 66, "next sign-on of somebody", "are deleted", "q=crowd&type=jit"},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			v := s.admin()
			f := s.fill(s.env.ID, "")
			s.others(f)
			s.crowded(f)
			before := len(linkedTo(v.get("/console/groups?q=e"), "groups"))
			at := "/console/" + c.kind + "/selected"
			list := url.QueryEscape(c.filter + "&sort=name&order=desc&cursor=x")
			page := v.get(at + "?all=yes&user=" + f.user.ID + "&action=" + c.action + "&list=" + list).is(http.StatusOK)
			of := map[bool]string{true: "user", false: "group"}[c.kind == "users"]
			counted := fmt.Sprintf("%d %ss are found", c.found, of)
			if c.found == 1 {
				counted = "1 " + of + " is found"
			}
			if c.filter == "last=never" { // which is not counted
				counted = "More than 10 users are found"
			}
			if !strings.Contains(page.body, c.asks) || !strings.Contains(page.body, counted) {
				t.Errorf("%q or %q is not in the question:\n%s", c.asks, counted, page.body)
			}
			if strings.Contains(page.body, `name="user"`) {
				t.Error("the question is of those who were chosen as well")
			}
			after := v.post(at, "all", "yes", "action", c.action, "list", html.UnescapeString(c.filter+"&sort=name&order=desc"))
			if to := after.header.Get("Location"); !strings.HasPrefix(to, "/console/"+c.kind+"?") || !strings.Contains(to, "order=desc") {
				t.Errorf("it leads to %s", to)
			} else if !strings.Contains(to, "sort=name") {
				t.Errorf("it leads to %s", to)
			}
			v.follow(after).has(c.says)
			s.must((&management.Service{Store: s.store, Links: s.links}).Finish(t.Context())) // as nodes do
			if left := linkedTo(v.get("/console/"+c.kind+"?"+c.undone), c.kind); c.undone != "" && len(left) > 0 {
				t.Errorf("%q are left", left)
			}
			if c.kind == "users" && len(linkedTo(v.get("/console/groups?q=e"), "groups")) != before {
				t.Error("groups have changed")
			}
			users, _, err := s.store.Users(t.Context(), s.env.ID, store.UserFilter{}, store.Page{Limit: store.MaxLimit})
			s.must(err)
			if want := map[bool]int{true: 4, false: 104}[c.action == "delete"]; len(users) != want {
				t.Errorf("%d users are left, want %d", len(users), want)
			}
			v.get("/console/activity").has("that a filter finds")
		})
	}
}

// All is offered where there is more than a page, to whoever may, and refused to who may not; nonsense does nothing.
func TestAllIsOfferedToWhoMay(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	s.crowded(f)
	v.get("/console/users").has("All users, not only this page")
	v.get("/console/users?q=crowd").has("All users that the filter finds, not only this page")
	v.get("/console/users?q=crowd1").lacks("not only this page")
	v.get("/console/groups?q=crowd").has("All groups that the filter finds, not only this page")
	v.get("/console/groups?q=crowd1").lacks("not only this page")
	v.follow(v.get("/console/users/selected?all=yes&action=burn")).warns("Choose what to do with them first")
	v.follow(v.post("/console/users/selected", "all", "yes", "action", "deleteGroups")).warns("Choose what to do with them first")
	v.follow(v.get("/console/users/selected?all=yes&action=delete&list=q%3Dnobody")).warns("Nobody is like that")
	v.follow(v.get("/console/groups/selected?all=yes&list=q%3Dnobody")).warns("No group is like that")
	s.must(s.store.CreateAdministrator(t.Context(), &store.Administrator{
		EnvironmentID: s.env.ID, Name: "desk", Role: store.RoleHelpDesk,
	}))
	desk := s.signIn("desk")
	for _, action := range []string{"disable", "enable", "delete"} {
		desk.get("/console/users/selected?all=yes&action=" + action).is(http.StatusForbidden)
		desk.post("/console/users/selected", "all", "yes", "action", action).is(http.StatusForbidden)
	}
	desk.get("/console/groups/selected?all=yes").is(http.StatusForbidden)
	desk.post("/console/groups/selected", "all", "yes").is(http.StatusForbidden)
	desk.get("/console/users/selected?all=yes&action=off&list=q%3Dcrowd").is(http.StatusOK).has("100 users are found")
	desk.follow(desk.post("/console/users/selected", "all", "yes", "action", "off", "list", "q=crowd")).has("are signed off everywhere")
	users, _, err := s.store.Users(t.Context(), s.env.ID, store.UserFilter{}, store.Page{Limit: store.MaxLimit})
	s.must(err)
	if len(users) != 101 || !users[0].Enabled {
		t.Errorf("%d users", len(users))
	}
}

// TestOddFiltersFindNobody: what no list has been narrowed by, or what cannot be read, is a filter that finds nobody. It
// was passed over, so that all were found, and what was done with them was done with all.
func TestOddFiltersFindNobody(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	s.crowded(f)
	users := func() int {
		all, _, err := s.store.Users(t.Context(), s.env.ID, store.UserFilter{}, store.Page{Limit: store.MaxLimit})
		s.must(err)
		return len(all)
	}
	groups := func() int {
		all, _, err := s.store.Groups(t.Context(), s.env.ID, store.GroupFilter{}, store.Page{Limit: store.MaxLimit})
		s.must(err)
		return len(all)
	}
	peopleBefore, groupsBefore := users(), groups()
	for _, list := range []string{
		"state=bogus", "state=Disabled", "state=enabled%00", "last=forever", "last=-30", "last=0", "last=not-", "last=99999",
		"last=1e3", "last=Never", "source=x", "source=gateway", "source=gateway:", "source=provider:", "source=%3Agateway",
		"population=none", "q=%C2%B4", "q=%CC%88", "q=+%CC%81+%CC%80", "q=%C2%A8&state=", "q=%zz", "%zz=1&q=", "q=a;state=disabled",
	} {
		v.post("/console/users/selected", "all", "yes", "action", "delete", "list", list).is(http.StatusSeeOther)
		if users() != peopleBefore {
			t.Fatalf("%s deletes %d of %d", list, peopleBefore-users(), peopleBefore)
		}
		if page := v.get("/console/users?" + list); strings.Contains(page.body, "crowd1") && !strings.ContainsAny(list, ";z") {
			t.Errorf("%s lists people whom it does not find", list)
		}
	}
	for _, list := range []string{
		"type=bogus", "type=JIT", "type=idp", "source=gone", "q=%C2%B4", "q=%CC%88", "q=%zz", "type=jit;q=x", "%",
	} {
		v.post("/console/groups/selected", "all", "yes", "list", list).is(http.StatusSeeOther)
		if groups() != groupsBefore {
			t.Fatalf("%s deletes %d of %d", list, groupsBefore-groups(), groupsBefore)
		}
	}
}
