package console_test

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"ldap-gateway/cloud/store"
)

func (s *site) happens(action, subject, text string, at time.Time) {
	s.t.Helper()
	s.must(s.store.AddActivity(s.t.Context(), store.Activity{
		EnvironmentID: s.env.ID,
		At:            at,
		Action:        action,
		Actor:         "system",
		Subject:       subject,
		Text:          text,
	}))
}

func TestActivityIsSearched(t *testing.T) {
	s := open(t)
	v := s.admin()
	monday := time.Date(2026, 3, 2, 23, 59, 0, 0, time.UTC)
	s.happens("sign-on", "user:1", "Alice signed on, 100%", monday)
	s.happens("sign-on", "user:2", "Bob signed on", monday.Add(time.Hour))
	for query, has := range map[string]string{
		"q=ALICE":                          "Alice",
		"q=100%25":                         "Alice",
		"q=bob&action=sign-on":             "Bob",
		"from=2026-03-03&until=2026-03-03": "Bob",
		"until=2026-03-02":                 "Alice",
		"subject=user:2":                   "Bob",
	} {
		other := map[string]string{"Alice": "Bob signed", "Bob": "Alice signed"}[has]
		v.get("/console/activity?" + query).is(http.StatusOK).has(has + " signed").lacks(other)
	}
	v.get("/console/activity?q=1_0").has("Nothing like that happened")
	v.get("/console/activity?from=yesterday").is(http.StatusUnprocessableEntity).has("A day looks like")
}

// Days are those of the zone that is named, also where the clock is changed, and of UTC where none is.
func TestDaysOfActivityAreOfAZone(t *testing.T) {
	s := open(t)
	v := s.admin()
	for name, one := range map[string]struct {
		zone, day, first, last string // the day's first and last second
	}{
		"none":      {"", "2026-03-03", "2026-03-03T00:00:00Z", "2026-03-03T23:59:59Z"},
		"nonsense":  {"Mars/Phobos", "2026-03-04", "2026-03-04T00:00:00Z", "2026-03-04T23:59:59Z"},
		"path":      {"../../etc/passwd", "2026-03-05", "2026-03-05T00:00:00Z", "2026-03-05T23:59:59Z"},
		"server":    {"Local", "2026-03-06", "2026-03-06T00:00:00Z", "2026-03-06T23:59:59Z"},
		"east":      {"Asia/Tokyo", "2026-04-03", "2026-04-02T15:00:00Z", "2026-04-03T14:59:59Z"},
		"west":      {"America/New_York", "2026-05-03", "2026-05-03T04:00:00Z", "2026-05-04T03:59:59Z"},
		"shortened": {"Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T21:59:59Z"},
		"longer":    {"Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z", "2026-10-25T22:59:59Z"},
	} {
		for of, shift := range map[string]time.Duration{"inside": 0, "outside": time.Second} {
			first, err := time.Parse(time.RFC3339, one.first)
			s.must(err)
			last, err := time.Parse(time.RFC3339, one.last)
			s.must(err)
			s.happens("x."+name, "group:1", of+"-first", first.Add(-shift))
			s.happens("x."+name, "group:1", of+"-last", last.Add(shift))
		}
		list := "action=x." + name + "&from=" + one.day + "&until=" + one.day + "&zone=" + url.QueryEscape(one.zone)
		shown := v.get("/console/activity?" + list).is(http.StatusOK).has("inside-first").has("inside-last").lacks("outside-")
		if one.zone != "" && strings.Contains(one.first, "T00:00:00") {
			shown.has("Days are those of UTC")
		}
		v.get("/console/activity/export?as=jsonl&" + list).is(http.StatusOK).has("inside-first").has("inside-last").lacks("outside-")
	}
}

// Who and what activities are of is found by name, and what is nobody's name is said to be: nothing is listed then.
func TestActivityIsFoundByName(t *testing.T) {
	s := open(t)
	v := s.admin()
	p, err := s.store.DefaultPopulation(t.Context(), s.env.ID)
	s.must(err)
	u := store.User{EnvironmentID: s.env.ID, PopulationID: p.ID, Username: "j.doe@example.com"}
	s.must(s.store.CreateUser(t.Context(), &u))
	g := store.Group{EnvironmentID: s.env.ID, Name: "CN=Staff:A,DC=example", DisplayName: "Staff"}
	one, two := g, g
	one.Name, two.Name, one.DisplayName, two.DisplayName = "CN=a", "CN=b", "Twice", "Twice"
	for _, g := range []*store.Group{&g, &one, &two} {
		s.must(s.store.CreateGroup(t.Context(), g))
		s.happens("x", "group:"+g.ID, "happened to "+g.Name, s.clock())
	}
	s.happens("x", "user:"+u.ID, "happened to j.doe", s.clock())
	for typed, has := range map[string]string{
		"j.doe@example.com": "to j.doe", "J.DOE@example.com": "to j.doe", "user:" + u.ID: "to j.doe",
		"Staff": "to CN=Staff", "staff": "to CN=Staff", "CN=Staff:A,DC=example": "to CN=Staff", "CN=b": "to CN=b", "group:" + g.ID: "to CN=Staff",
	} {
		page := v.get("/console/activity?action=x&subject=" + url.QueryEscape(typed)).is(http.StatusOK)
		if n := strings.Count(page.body, "happened to"); n != 1 {
			t.Errorf("%s: %d of them", typed, n)
		}
		page.has(has)
	}
	for typed, has := range map[string]string{"nobody": "Nobody and no group", "Twice": "Several groups", "Sta": "Nobody and no group"} {
		for _, path := range []string{"?", "/export?as=csv&", "/live?"} {
			v.get("/console/activity" + path + "subject=" + typed).is(http.StatusUnprocessableEntity).has(has).lacks("happened to")
		}
	}
}

func TestActivityIsExported(t *testing.T) {
	s := open(t)
	v := s.admin()
	s.happens("sign-on", "user:1", "=HYPERLINK(\"x\")\nand, more", s.clock())
	for range 1100 { // more than a page
		s.happens("group.created", "group:1", "made", s.clock())
	}
	a := v.get("/console/activity/export?as=csv&until=" + s.clock().Format("2006-01-02")).is(http.StatusOK)
	rows, err := csv.NewReader(strings.NewReader(a.body)).ReadAll()
	s.must(err)
	if len(rows) != 1+1101+1 || rows[0][0] != "at" ||
		!strings.HasPrefix(a.header.Get("Content-Disposition"), `attachment; filename="activity-`) {
		t.Errorf("%d rows, %v", len(rows), a.header)
	}
	count := 0
	for _, r := range rows {
		if strings.HasPrefix(r[5], "'=HYPERLINK") {
			count++
		}
	}
	if count != 1 {
		t.Errorf("%d rows with a formula taken out of force", count)
	}
	for line := range strings.Lines(v.get("/console/activity/export?as=jsonl&q=hyperlink").is(http.StatusOK).body) {
		var m map[string]any
		s.must(json.Unmarshal([]byte(line), &m))
		if m["text"] != "=HYPERLINK(\"x\")\nand, more" || m["action"] != "sign-on" {
			t.Error(m)
		}
	}
}

// A stream brings what comes and nothing else, and goes on where it was.
func TestActivityIsStreamed(t *testing.T) {
	s := open(t)
	v := s.admin()
	s.happens("group.created", "group:1", "before", s.clock())
	page := regexp.MustCompile(`data-from="([^"]+)"`).
		FindStringSubmatch(v.get("/console/activity?action=group.created").body)[1]
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	next := func(last string) (id, data string) {
		r, err := http.NewRequestWithContext(ctx, "GET", s.url+html.UnescapeString(page), nil)
		s.must(err)
		r.Header.Set("Last-Event-ID", last)
		resp, err := v.client.Do(r)
		s.must(err)
		defer resp.Body.Close()
		lines := bufio.NewScanner(resp.Body)
		for lines.Scan() {
			text := lines.Text()
			switch {
			case strings.HasPrefix(text, "retry:") && last == "":
				s.happens("user.created", "user:1", "filtered out", s.clock())
				s.happens("group.created", "group:2", "<b>the first</b>", s.clock())
			case strings.HasPrefix(text, "id: "):
				id = text[4:]
			case strings.HasPrefix(text, "data: "):
				data += text[6:]
			case text == "" && data != "":
				return id, data
			}
		}
		t.Fatal(errors.Join(lines.Err(), ctx.Err()))
		return "", ""
	}
	first, data := next("")
	if !strings.Contains(data, "&lt;b&gt;the first") || strings.Contains(data, "filtered out") ||
		strings.Contains(data, "before") {
		t.Error(data)
	}
	s.happens("group.created", "group:3", "the second", s.clock().Add(time.Millisecond))
	if _, data := next(first); !strings.Contains(data, "the second") {
		t.Error(data)
	}
	s.visitor().get("/console/activity/live").is(http.StatusSeeOther)
}

func TestBrowserShowsWhatHappensNow(t *testing.T) {
	s := open(t)
	s.admin()
	w := s.open(func(context.Context, *chromedp.Target) error { return nil })
	w.at("/console/sign-in?next=/console/activity").fill("name", "admin").fill("password", password).
		press("form button")
	w.click("#live button").waits("Waiting for what comes")
	s.happens("group.created", "group:2", "Cooks were made <img src=x>", s.clock())
	w.waits("Cooks were made <img src=x>").waits("1 new.")
	w.click("#live button").waits("Show new ones as they come")
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.complaints) > 0 {
		t.Errorf("the browser complains: %q", w.complaints)
	}
}

// A server that bounds how long an answer takes does not end a stream by that.
func TestStreamsOutliveTheTimeOfAnAnswer(t *testing.T) {
	s := open(t)
	server := httptest.NewUnstartedServer(nil)
	s.url = "http://" + server.Listener.Addr().String()
	server.Config.Handler, server.Config.WriteTimeout = s.server().Handler(), 500*time.Millisecond
	server.Start()
	t.Cleanup(server.Close)
	v := s.admin()
	r, err := http.NewRequestWithContext(t.Context(), "GET", s.url+"/console/activity/live", nil)
	s.must(err)
	resp, err := v.client.Do(r)
	s.must(err)
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for seen := 0; seen < 2; {
		if !lines.Scan() {
			t.Fatalf("it ended after %d: %v", seen, lines.Err())
		}
		switch text := lines.Text(); {
		case strings.HasPrefix(text, "retry:"):
			s.happens("user.created", "user:1", "the first", s.clock())
		case strings.Contains(text, "event: activity"):
			// The next comes a second later at least, when the server looks again.
			s.happens("user.created", "user:2", "the second", s.clock().Add(time.Millisecond))
			seen++
		}
	}
}

// What did not come to be, or should not have, is marked, by a sign and in words; what did is not.
func TestFailuresAreMarked(t *testing.T) {
	s := open(t)
	v := s.admin()
	for text, a := range map[string]store.Activity{
		"failed wrong password": {Action: "sign-on", Detail: map[string]any{"outcome": "invalidCredentials"}},
		"failed ticket":         {Action: "sign-on", Detail: map[string]any{"outcome": "error", "method": "kerberos"}},
		"failed denied":         {Action: "application.denied"},
		"failed factor":         {Action: "user.factor-refused"},
		"failed missing":        {Action: "user.factor-missing"},
		"failed update":         {Action: "update.refused"},
		"failed unwritten":      {Action: "sign-on.unwritten"},
		"failed password":       {Action: "password.notChanged"},
		"failed clone":          {Action: "instance.quarantined"},
		"failed backup":         {Action: "database.wentBack"},
		"went well":             {Action: "sign-on", Detail: map[string]any{"outcome": "ok"}},
		"went, says nothing":    {Action: "sign-on"},
		"went out":              {Action: "user.signed-off"},
		"went by a factor":      {Action: "user.factor-proven"},
		"went away":             {Action: "user.deleted", Detail: map[string]any{"outcome": 7}},
	} {
		a.EnvironmentID, a.Text, a.Actor, a.Subject = s.env.ID, "x "+text, "user:x", "user:x"
		s.must(s.store.AddActivity(t.Context(), a))
		page := v.get("/console/activity?q=" + url.QueryEscape(text)).has(text)
		if marked := strings.Contains(page.body, "■") && strings.Contains(page.body, "Failed: "); marked != strings.HasPrefix(text, "failed") {
			t.Errorf("%s is marked: %t", text, marked)
		}
	}
}
