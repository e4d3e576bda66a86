package oidc_test

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

var idShown = regexp.MustCompile(`under ([0-9a-f-]{36})`)

// refusedAt asks as an application that is refused, and returns the ID that the page names and where it says that an
// administrator finds it.
func (s *site) refusedAt(query url.Values) (id, at string) {
	s.t.Helper()
	_, page := s.ask("/authorize?"+query.Encode(), nil)
	if m := idShown.FindStringSubmatch(page); m != nil {
		id = m[1]
	}
	for _, place := range []string{"in Activity", "in the log"} {
		if strings.Contains(page, place+" under") {
			at = place
		}
	}
	return id, at
}

// found are the activities that a search for an ID finds.
func (s *site) found(id string) []store.Activity {
	s.t.Helper()
	all, _, err := s.db.Activities(s.t.Context(), s.env, store.ActivityFilter{Text: id}, store.Page{})
	check(s.t, err)
	return all
}

// TestRefusedApplicationsAreFound: whatever an application sent, the ID of the page leads to an activity that says what
// it was, as long as there is room for one within the hour; then to the log, and the page says so.
func TestRefusedApplicationsAreFound(t *testing.T) {
	for name, row := range map[string]struct {
		sent          []string
		known, unsent bool // the application; anything of it
		says          string
	}{
		"unknown":   {[]string{"client_id", "none"}, false, false, "client_id none"},
		"elsewhere": {[]string{"redirect_uri", "https://evil.example/"}, true, false, "redirect_uri https://evil.example/"},
		"notText":   {[]string{"client_id", "a\x00b\xff\n<script>"}, false, false, "client_id a?b??<script>"},
		"noAddress": {[]string{"redirect_uri", ""}, true, true, "sent no redirect_uri"},
		"pushed":    {[]string{"request_uri", "urn:ietf:params:oauth:request_uri:x"}, true, false, "has taken too long"},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			query, subject := url.Values{"client_id": {s.app.ID}, "redirect_uri": {redirect}}, "environment:"+s.env
			query.Set(row.sent[0], row.sent[1])
			if row.unsent {
				query.Del(row.sent[0])
			}
			if row.known {
				subject = "application:" + s.app.ID
			}
			for try := range 5 {
				id, at := s.refusedAt(query)
				all := s.found(id)
				switch {
				case id == "" || !strings.Contains(s.log.String(), id):
					t.Error("no ID that is in the log")
				case try < 3 && (at != "in Activity" || len(all) != 1 || all[0].Action != "application.refused" ||
					all[0].Subject != subject || !strings.Contains(all[0].Text, row.says)):
					t.Errorf("%d: %q %+v", try, at, all)
				case try >= 3 && (at != "in the log" || len(all) != 0):
					t.Errorf("%d: %q %+v", try, at, all)
				}
			}
		})
	}
}

// TestRefusalOfADisabledApplication names it to the administrator, and not to whoever was sent by it.
func TestRefusalOfADisabledApplication(t *testing.T) {
	s := start(t)
	off := store.Application{EnvironmentID: s.env, Name: "Secret plans", Type: store.WebApplication, RedirectURIs: []string{redirect}}
	check(t, s.db.CreateApplication(t.Context(), &off))
	_, page := s.ask("/authorize?"+url.Values{"client_id": {off.ID}, "redirect_uri": {redirect}}.Encode(), nil)
	all := s.found(idShown.FindStringSubmatch(page)[1])
	if strings.Contains(page, "Secret") || len(all) != 1 || all[0].Subject != "application:"+off.ID ||
		!strings.Contains(all[0].Text, "application Secret plans was refused") {
		t.Errorf("%+v %s", all, page)
	}
}

// TestStrangersWriteFewRefusals: whatever strangers send, an environment has so many activities of it within an hour,
// and pages promise no more.
func TestStrangersWriteFewRefusals(t *testing.T) {
	s := start(t)
	for i := range 40 {
		a := store.Application{EnvironmentID: s.env, Name: fmt.Sprint("A", i), Type: store.WebApplication, RedirectURIs: []string{redirect}, Enabled: true}
		check(t, s.db.CreateApplication(t.Context(), &a))
		for range 4 {
			s.refusedAt(url.Values{"client_id": {a.ID}, "redirect_uri": {"https://evil.example/" + strings.Repeat("x", 5000)}})
			s.refusedAt(url.Values{"client_id": {fmt.Sprint("stranger", i)}, "redirect_uri": {redirect}})
		}
	}
	all, _, err := s.db.Activities(t.Context(), s.env, store.ActivityFilter{Action: "application.refused"}, store.Page{Limit: store.MaxLimit})
	if err != nil || len(all) != 60 {
		t.Errorf("%d activities, %v", len(all), err)
	}
	for _, a := range all {
		if len(a.Text) > 1500 {
			t.Errorf("%d bytes are kept of one", len(a.Text))
		}
	}
	s.clock += time.Hour + time.Minute
	if id, at := s.refusedAt(url.Values{"client_id": {"later"}, "redirect_uri": {redirect}}); at != "in Activity" || len(s.found(id)) != 1 {
		t.Errorf("an hour later: %q", at)
	}
}
