package console_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ldap-gateway/cloud/store"
)

// groupNamed makes an ordinary group of somebody.
func (s *site) groupNamed(env, name string, members ...string) store.Group {
	s.t.Helper()
	g := store.Group{EnvironmentID: env, Name: name}
	s.must(s.store.CreateGroup(s.t.Context(), &g))
	for _, u := range members {
		s.must(s.store.AddMember(s.t.Context(), env, u, g.ID, s.clock()))
	}
	return g
}

// dropped deletes a group, whatever names it.
func (s *site) dropped(name string) {
	s.t.Helper()
	all, _, err := s.store.Groups(s.t.Context(), s.env.ID, store.GroupFilter{Name: name}, store.Page{})
	s.must(err)
	s.must(s.store.DeleteGroup(s.t.Context(), s.env.ID, all[0].ID))
}

// Several groups are deleted at once, after a question that names them and says how many are in each. What may not be
// deleted stays, and is told: a group that an application names, one that gives more than whoever asks has, one of
// another environment. The list is the one that they were chosen in.
func TestSeveralGroupsAtOnce(t *testing.T) {
	s := open(t)
	owner := s.admin()
	f := s.fill(s.env.ID, "")
	other := store.Environment{Name: "Other"}
	s.must(s.store.CreateEnvironment(t.Context(), &other))
	strange := s.groupNamed(other.ID, "strange")
	s.must(s.store.CreateAdministrator(t.Context(), &store.Administrator{
		EnvironmentID: s.env.ID, Name: "lesser", Role: store.RoleIdentityAdmin,
	}))
	lesser := s.signIn("lesser")
	at := "/console/groups/selected"
	for name, c := range map[string]struct {
		v      *visitor
		groups func() []string
		asks   []string // that the question says
		says   string
		stay   []string
	}{
		"none": {owner, func() []string { return nil }, nil, "Choose groups in the list first.", nil},
		"gone": {owner, func() []string { return []string{"gone", strange.ID} }, nil, "Choose groups in the list first.", nil},
		"one":  {lesser, func() []string { return []string{s.groupNamed(s.env.ID, "x-one").ID} }, []string{"Delete 1 group", "0 memberships end", "x-one : 0 members"}, "1 group was deleted.", nil},
		"several": {lesser, func() []string {
			one, two := s.groupNamed(s.env.ID, "x-one", f.user.ID), s.groupNamed(s.env.ID, "x-two", f.user.ID)
			return []string{one.ID, two.ID, one.ID, strange.ID, "gone"}
		}, []string{"Delete 2 groups", "2 memberships end", "x-one : 1 member", "x-two : 1 member"}, "2 groups were deleted.", nil},
		"jit": {owner, func() []string {
			g := store.Group{EnvironmentID: s.env.ID, Name: "x-jit", SourceType: store.SourceGateway, SourceID: f.gateway.ID}
			s.must(s.store.Provision(t.Context(), func(tx *store.Tx) error { return tx.CreateGroups(t.Context(), []*store.Group{&g}) }))
			return []string{g.ID}
		}, []string{"comes back with the next sign-on"}, "1 group was deleted.", nil},
		"named": {owner, func() []string {
			free, named := s.groupNamed(s.env.ID, "x-free", f.user.ID), s.groupNamed(s.env.ID, "x-named", f.user.ID)
			a := store.Application{EnvironmentID: s.env.ID, Name: "Intranet", Type: store.WebApplication, Enabled: true}
			a.OpenID.Access = []string{named.ID}
			s.must(s.store.CreateApplication(t.Context(), &a))
			return []string{free.ID, named.ID}
		}, []string{"1 membership ends", "x-named stays: it is named by Intranet"}, "1 group was deleted. Something names x-named: change that first.", []string{"x-named"}},
		"mighty": {lesser, func() []string {
			free, mighty := s.groupNamed(s.env.ID, "x-free"), s.groupNamed(s.env.ID, "x-mighty")
			owner.follow(owner.post("/console/settings/role-groups", "group", mighty.ID, "role", "OWNER"))
			return []string{mighty.ID, free.ID}
		}, []string{"Delete 2 groups"}, "1 group was deleted. Of the others, the group x-mighty", []string{"x-mighty"}},
	} {
		t.Run(name, func(t *testing.T) {
			ids := c.groups()
			list := url.Values{"q": {"x-"}, "order": {"desc"}, "cursor": {"x"}, "to": {"//evil.example"}}
			page := c.v.get(at + "?" + url.Values{"group": ids, "list": {list.Encode()}}.Encode())
			if c.asks == nil {
				c.v.follow(page).has(c.says)
			} else {
				page.is(http.StatusOK).has(c.asks...).lacks("strange")
				if !strings.Contains(html.UnescapeString(page.body), `<a href="/console/groups?order=desc&q=x-">Cancel</a>`) {
					t.Error("the question leads back elsewhere")
				}
			}
			form := []string{"list", list.Encode()}
			for _, id := range ids {
				form = append(form, "group", id)
			}
			after := c.v.post(at, form...)
			if to := after.header.Get("Location"); to != "/console/groups?order=desc&q=x-" {
				t.Errorf("it leads to %s", to)
			}
			c.v.follow(after).has(c.says)
			left := linkedTo(owner.get("/console/groups?q=x-"), "groups")
			if !slices.Equal(left, c.stay) {
				t.Errorf("%q are left, want %q", left, c.stay)
			}
			for _, name := range left {
				s.dropped(name)
			}
		})
	}
	if _, err := s.store.Group(t.Context(), other.ID, strange.ID); err != nil {
		t.Errorf("the group of another environment: %v", err)
	}
	s.actor("group.deleted", "")
	box := regexp.MustCompile(`<input type="checkbox" name="group" value="` + f.jit.ID + `"`)
	if a := owner.get("/console/groups?type=jit"); !box.MatchString(a.body) || !strings.Contains(a.body, `name="list" value="type=jit"`) {
		t.Error("groups cannot be chosen in the list")
	}
	s.must(s.store.CreateAdministrator(t.Context(), &store.Administrator{
		EnvironmentID: s.env.ID, Name: "desk", Role: store.RoleHelpDesk,
	}))
	reader := s.signIn("desk")
	reader.get("/console/groups").lacks("With those chosen", `type="checkbox"`)
	reader.get(at + "?group=" + f.jit.ID).is(http.StatusForbidden)
	reader.post(at, "group", f.jit.ID).is(http.StatusForbidden)
}
