package console_test

import (
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

var nextPage = regexp.MustCompile(`<a href="([^"]*)" rel="next">`)

// TestUserInVeryManyGroups: the page of somebody in thousands of groups has them in parts, none is missing or twice, and
// who is in some has all of them on one page, in the order of their names.
func TestUserInVeryManyGroups(t *testing.T) {
	s := open(t)
	f := s.fill(s.env.ID, "")
	const few, many = 200, 1234
	groups := s.joined(f, many)
	v := s.admin()
	at := "/console/users/" + f.user.ID
	seen := map[string]int{}
	sizes := 0
	for page := at; page != ""; sizes++ {
		a := v.get(page).is(http.StatusOK)
		if len(a.body) > 100<<10 {
			t.Errorf("%s has %d bytes", page, len(a.body))
		}
		for _, g := range groups {
			seen[g.ID] += strings.Count(a.body, `"/console/groups/`+g.ID+`"`)
		}
		page = ""
		if m := nextPage.FindStringSubmatch(a.body); m != nil {
			page = html.UnescapeString(m[1])
		}
	}
	for _, g := range groups {
		if seen[g.ID] != 1 {
			t.Fatalf("%s is there %d times, on %d pages", g.Name, seen[g.ID], sizes)
		}
	}
	v.get(at + "/groups/" + groups[many-1].ID + "/remove").is(http.StatusOK).has(groups[many-1].DisplayName)
	for _, g := range groups[few-10:] { // there are some of before
		s.must(s.store.RemoveMember(t.Context(), s.env.ID, f.user.ID, g.ID))
	}
	a := v.get(at).is(http.StatusOK).lacks("more than 200")
	if first, last := strings.Index(a.body, "many 0000"), strings.Index(a.body, "many 0189"); first < 0 || last < first {
		t.Errorf("they are not in the order of their names: %d, %d", first, last)
	}
}

// joined puts the user into so many groups of the gateway, made from the last name to the first.
func (s *site) joined(f filled, n int) []*store.Group {
	s.t.Helper()
	all, joined := make([]*store.Group, n), make([]store.Joined, n)
	for i := range n {
		all[n-1-i] = &store.Group{
			EnvironmentID: s.env.ID, Name: fmt.Sprintf("cn=many-%04d,dc=x", i), DisplayName: fmt.Sprintf("many %04d", i),
			SourceType: store.SourceGateway, SourceID: f.gateway.ID,
		}
	}
	s.must(s.store.ProvisionIn(s.t.Context(), s.env.ID, func(tx *store.Tx) error {
		if err := tx.CreateGroups(s.t.Context(), all); err != nil {
			return err
		}
		for i, g := range all {
			joined[i].GroupID = g.ID
		}
		return tx.AddMemberships(s.t.Context(), s.env.ID, f.user.ID, joined, time.Now())
	}))
	for i := range n / 2 {
		all[i], all[n-1-i] = all[n-1-i], all[i]
	}
	return all
}
