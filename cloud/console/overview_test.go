package console_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/console"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloudlink/wire"
)

// TestFirstSteps lead to what is to be done next, until somebody has signed on.
func TestFirstSteps(t *testing.T) {
	s := open(t)
	v := s.admin()
	steps := func(done int, link string) {
		t.Helper()
		a := v.get("/console/").is(http.StatusOK).has("Until people can sign on", "Sign on")
		for _, to := range []string{link, "/" + s.env.ID + "/signon"} {
			if !strings.Contains(a.body, to) {
				t.Errorf("no link to %s", to)
			}
		}
		if n := strings.Count(a.body, `class="done"`); n != done {
			t.Errorf("%d done, want %d", n, done)
		}
	}
	steps(0, `href="/console/gateways/new"`)
	g := store.Gateway{EnvironmentID: s.env.ID, Name: "HQ", Vendor: "OpenLDAP", Enabled: true}
	s.must(s.store.CreateGateway(t.Context(), &g))
	steps(1, "/console/gateways/"+g.ID+"/user-types/new")
	v.get("/console/").has("HQ", "no instance is paired yet")
	g.UserTypes = []store.UserType{{ID: "t", Name: "Staff"}}
	s.must(s.store.UpdateGateway(t.Context(), &g))
	steps(2, "/console/gateways/"+g.ID)
	s.must(s.store.RecordSignOn(t.Context(), &store.SignOn{EnvironmentID: s.env.ID, Outcome: "busy", At: s.clock()}))
	steps(2, "/console/gateways/"+g.ID)
	s.must(s.store.RecordSignOn(t.Context(), &store.SignOn{EnvironmentID: s.env.ID, Outcome: "ok", At: s.clock()}))
	v.get("/console/").lacks("Until people can sign on").has("Users 0", "Median time 1 ms")
}

// TestOverviewCounts draws what was counted: nothing is left out, nothing twice, and each
// span has what is within it.
func TestOverviewCounts(t *testing.T) {
	s := open(t)
	v := s.admin()
	s.now = time.Date(2026, 5, 20, 12, 30, 0, 0, time.UTC)
	for _, c := range []struct {
		ago     time.Duration
		outcome string
		n       int
	}{
		{time.Minute, "ok", 3}, {time.Hour, "invalidCredentials", 2}, {23 * time.Hour, "ok", 1},
		{25 * time.Hour, "busy", 4}, {6 * 24 * time.Hour, "ok", 1}, {8 * 24 * time.Hour, "ok", 5}, {40 * 24 * time.Hour, "ok", 7},
	} {
		for range c.n {
			s.must(s.store.RecordSignOn(t.Context(), &store.SignOn{
				EnvironmentID: s.env.ID, At: s.now.Add(-c.ago), Outcome: c.outcome, Duration: 20 * time.Millisecond,
			}))
		}
	}
	v.get("/console/?span=month").has("still being counted")
	s.must(s.store.CountHours(t.Context(), s.now))
	for span, want := range map[string][]string{
		"":        {"Sign-ons 6", "Failed 2", "32 ms", "2 × wrong password"},
		"?span=x": {"Sign-ons 6"},
		"?span=week": {
			"Sign-ons 11", "Failed 6", "4 × too many at once", "7 days: 11, of which 6 failed",
		},
		"?span=month": {"Sign-ons 16", "Failed 6"},
	} {
		v.get("/console/" + span).is(http.StatusOK).has(want...).lacks("still being counted")
	}
	alert := store.Alert{Key: "x", Code: "noInstance", Text: "Gateway <b>HQ</b> is away", Remedy: "Look there"}
	s.must(s.store.SeeAlerts(t.Context(), s.env.ID, s.now, time.Hour, []store.Alert{alert}))
	v.get("/console/").has("What needs attention", "Gateway <b>HQ</b> is away", "Look there")
}

// TestOutcomesHaveWords has a word for every way in which an agent says a sign-on ended.
func TestOutcomesHaveWords(t *testing.T) {
	for o := wire.OutcomeOK; o.Known(); o++ {
		if words := console.OutcomeWords(o.String()); words == "" || words == o.String() {
			t.Errorf("%s has no words", o)
		}
	}
	if console.OutcomeWords("new in a later version") != "new in a later version" {
		t.Error("an unknown one is not told as it is")
	}
}

// TestChartsFit keeps every bar within the picture, whatever the numbers are.
func TestChartsFit(t *testing.T) {
	from := time.Date(2026, 5, 20, 0, 0, 0, 0, time.UTC)
	for _, numbers := range [][]int{{1}, {1, 1_000_000_000}, {7, 0, 3}, {1 << 40}} {
		var counts []store.HourCount
		for i, n := range numbers {
			counts = append(counts, store.HourCount{Hour: from.Add(time.Duration(i) * time.Hour), Outcome: "ok", N: n},
				store.HourCount{Hour: from.Add(time.Duration(i) * time.Hour), Outcome: "busy", N: n})
		}
		for _, rect := range console.Rectangles(counts, from) {
			var top, tall int
			if _, err := fmt.Sscan(rect, &top, &tall); err != nil || top < 0 || tall < 1 || top+tall > console.ChartTall {
				t.Errorf("%v: %s", numbers, rect)
			}
		}
	}
}
