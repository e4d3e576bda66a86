package console_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"ldap-gateway/cloud/store"
)

// Times are those of the browser's zone, in words while they are near and exact where the order counts, with
// those of UTC to be asked for; without scripts they are of UTC, which is said.
func TestTimesAreOfWhoReads(t *testing.T) {
	s := open(t)
	s.admin()
	at := time.Date(2026, 3, 4, 23, 30, 5, 0, time.UTC)
	u := store.User{EnvironmentID: s.env.ID, Username: "long-ago", CreatedAt: at}
	p, err := s.store.DefaultPopulation(t.Context(), s.env.ID)
	s.must(err)
	u.PopulationID = p.ID
	s.must(s.store.CreateUser(t.Context(), &u))
	s.must(s.store.AddActivity(t.Context(), store.Activity{EnvironmentID: s.env.ID, Action: "x", At: at, Text: "long ago"}))
	s.must(s.store.RecordSignOn(t.Context(), &store.SignOn{
		EnvironmentID: s.env.ID, UserID: u.ID, Outcome: "ok", At: time.Now().Add(-3*time.Hour - time.Minute),
	}))
	tokyo := func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Asia/Tokyo"})
		return err
	}
	w := s.open(tokyo)
	w.at("/console/sign-in").fill("name", "admin").fill("password", password).press("form button")
	reads := func(path string, texts ...string) {
		t.Helper()
		page, err := chromedp.Run(w.at(path).ctx, chromedp.Evaluate[string](`document.body.innerText`))
		s.must(err)
		for _, text := range texts {
			if !strings.Contains(strings.Join(strings.Fields(page), " "), text) {
				t.Errorf("%q is not on %s: %s", text, path, page)
			}
		}
	}
	reads("/console/users/"+u.ID, "Mar 5, 2026, 8:30", "3 hours ago")
	title, err := chromedp.Run(w.ctx, chromedp.Evaluate[string](`document.querySelector("time").title`))
	if s.must(err); title != "2026-03-04 23:30:05 UTC" {
		t.Errorf("%q is to be asked for", title)
	}
	reads("/console/activity?action=x", "Mar 5, 2026, 8:30:05", "Days are those of Asia/Tokyo")
	w.at("/console/activity?action=x").fill("from", "03052026").press("form.filter button").sees("long ago")
	reads("/console/activity?action=x&from=2026-03-05", "Days are those of UTC", "Nothing like that happened")
	plain := s.window()
	plain.at("/console/sign-in").fill("name", "admin").fill("password", password).press("main button").sees("Sign out")
	plain.at("/console/users/" + u.ID).sees("2026-03-04 23:30:05 UTC")
	if len(w.complaints) > 0 {
		t.Errorf("%q", w.complaints)
	}
}
