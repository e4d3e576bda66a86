package cloud

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

var scale = flag.Int("scale", 1000,
	"how many users BenchmarkLists has; a tenth as many groups, and twenty memberships each")

// BenchmarkLists asks a running cloud for each list of the console and the API,
// and reports the median in milliseconds. "make scale" has it do so for 100,000
// users, 10,000 groups and 2 million memberships.
func BenchmarkLists(b *testing.B) {
	s := startSiegeOn(b, func(db *store.Store, env string) { populate(b, db, env, *scale) })
	s.signIn()
	user, group := s.anyOf("users"), s.anyOf("groups")
	for name, path := range map[string]string{
		"ConsoleUsers":         "/console/users",
		"ConsoleUsersFound":    "/console/users?q=person99",
		"ConsoleUser":          "/console/users/" + user,
		"ConsoleGroups":        "/console/groups",
		"ConsoleGroupsFound":   "/console/groups?q=team%2099&type=jit",
		"ConsoleGroup":         "/console/groups/" + group,
		"ConsoleGroupOfAll":    "/console/groups/" + everyone,
		"ConsolePopulations":   "/console/populations",
		"ConsoleActivity":      "/console/activity",
		"ConsoleActivityOfOne": "/console/activity?subject=user:" + user,
		"ConsoleGateways":      "/console/gateways",
		"ConsoleGateway":       "/console/gateways/" + s.honest.Gateway,
		"Users":                "/users",
		"UsersFound":           `/users?filter=username%20sw%20"person99"`,
		"UsersFoundNowhere":    `/users?filter=username%20co%20"nobody"`,
		"UsersByMail":          `/users?filter=email%20eq%20"person99@example.com"`,
		"UsersWithGroups":      "/users?include=memberOfGroupNames",
		"Groups":               "/groups",
		"GroupsFoundNowhere":   `/groups?filter=name%20co%20"nobody"`,
		"GroupsOfUser":         "/users/" + user + "/memberOfGroups",
		"Group":                "/groups/" + everyone,
		"Populations":          "/populations",
		"Gateways":             "/gateways",
		"SignOns":              "/signOns",
		"Activities":           "/activities",
	} {
		b.Run(name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				from := time.Now()
				s.mustRead(path)
				took = append(took, time.Since(from))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "median-ms")
		})
	}
}

// BenchmarkSignOns signs one known person on, whose record is held against the directory,
// beside few people of the same gateway and beside many, and reports the median and what
// the process spends, this client included.
func BenchmarkSignOns(b *testing.B) {
	for _, people := range []int{1000, *scale} {
		b.Run(fmt.Sprint(people), func(b *testing.B) {
			s := startSiegeOn(b, func(*store.Store, string) {})
			db, err := store.Open(b.Context(), InFolder(s.data))
			must(b, err)
			populateAt(b, db, s.api.Environment, s.honest, people)
			must(b, db.Close())
			s.signOn("alice")
			var took []time.Duration
			before := spent(b)
			for b.Loop() {
				from := time.Now()
				if r := s.signOn("alice"); r.Outcome != "ok" {
					b.Fatal(r)
				}
				took = append(took, time.Since(from))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "median-ms")
			b.ReportMetric(float64((spent(b)-before).Microseconds())/float64(len(took)), "cpu-µs")
		})
	}
}

// everyone is the ID of the group that every person is in.
const everyone = "00000000-0000-4000-8000-00000000e0e0"

// populate adds n people, a tenth as many just-in-time groups and twenty
// memberships each, with a sign-on and an activity of each person.
func populate(b *testing.B, db *store.Store, env string, n int) {
	b.Helper()
	g := store.Gateway{
		EnvironmentID: env,
		Name:          "Large",
		Vendor:        "OpenLDAP",
		Enabled:       true,
		UserTypes:     []store.UserType{{ID: "t", Name: "People"}},
	}
	must(b, db.CreateGateway(context.Background(), &g))
	populateAt(b, db, env, place{g.ID, "t"}, n)
}

// populateAt adds them to a gateway that there is.
func populateAt(b *testing.B, db *store.Store, env string, at place, n int) {
	b.Helper()
	ctx := context.Background()
	population, err := db.DefaultPopulation(ctx, env)
	must(b, err)
	groups := make([]*store.Group, n/10)
	for i := range groups {
		groups[i] = &store.Group{
			EnvironmentID: env,
			Name:          fmt.Sprintf("cn=team %d,dc=example", i),
			DisplayName:   fmt.Sprintf("Team %d", i),
			SourceType:    store.SourceGateway,
			SourceID:      at.Gateway,
		}
	}
	groups[0].ID = everyone
	must(b, db.Provision(ctx, func(tx *store.Tx) error { return tx.CreateGroups(ctx, groups) }))
	const step = 1000
	for from := 0; from < n; from += step {
		must(b, db.Provision(ctx, func(tx *store.Tx) error {
			for i := from; i < min(from+step, n); i++ {
				if err := person(ctx, tx, i, store.User{
					EnvironmentID: env,
					PopulationID:  population.ID,
					GatewayID:     at.Gateway,
					UserTypeID:    at.UserType,
				}, groups); err != nil {
					return err
				}
			}
			return nil
		}))
	}
}

// person adds the i-th of the people to the store.
func person(ctx context.Context, tx *store.Tx, i int, u store.User, groups []*store.Group) error {
	u.Username, u.Email = fmt.Sprintf("person%d", i), fmt.Sprintf("person%d@example.com", i)
	u.GivenName, u.FamilyName, u.DN, u.Enabled = "Given", "Family", "uid="+u.Username+",dc=example", true
	u.Correlation = []store.Correlation{{Attribute: "entryUUID", Value: fmt.Sprint(i)}}
	if err := tx.CreateUser(ctx, &u); err != nil {
		return err
	}
	joined := []store.Joined{{GroupID: everyone}}
	for k := range 19 {
		joined = append(joined, store.Joined{GroupID: groups[1+(i*19+k)%(len(groups)-1)].ID})
	}
	if err := tx.AddMemberships(ctx, u.EnvironmentID, u.ID, joined, time.Now()); err != nil {
		return err
	}
	so := store.SignOn{
		EnvironmentID: u.EnvironmentID,
		UserID:        u.ID,
		Username:      u.Username,
		GatewayID:     u.GatewayID,
		Method:        "password",
		Outcome:       "ok",
		Verdict:       "complete",
	}
	return tx.RecordSignOn(ctx, &so, store.Activity{
		EnvironmentID: u.EnvironmentID,
		Action:        "sign-on",
		Subject:       "user:" + u.ID,
		Text:          u.Username + " signed on",
	})
}

// anyOf returns the ID of the first of a list.
func (s *siege) anyOf(resource string) string {
	s.t.Helper()
	var list struct {
		Embedded map[string][]struct{ ID string } `json:"_embedded"`
	}
	s.must("GET", "/"+resource+"?limit=1", nil, &list)
	return list.Embedded[resource][0].ID
}

// mustRead reads a page of the console to its end, or a resource of the API.
func (s *siege) mustRead(path string) {
	s.t.Helper()
	if len(path) < 9 || path[:9] != "/console/" {
		var all json.RawMessage
		s.must("GET", path, nil, &all)
		return
	}
	answer, err := s.browser.Get(s.url + path)
	must(s.t, err)
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	must(s.t, err)
	if answer.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %s", path, answer.Status)
	}
}
