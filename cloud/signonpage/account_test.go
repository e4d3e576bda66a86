package signonpage

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"ldap-gateway/cloud/console/axetest"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloudlink/wire"
)

// application makes one with a home page.
func (s *site) application(name, home string, change func(*store.Application)) store.Application {
	s.t.Helper()
	a := store.Application{
		EnvironmentID: s.env, Name: name, Type: store.WebApplication, Enabled: true, Groups: store.GroupsClaim{Value: store.GroupNames},
	}
	if home != "" {
		a.Kept.HomePage = &home
	}
	if change != nil {
		change(&a)
	}
	check(s.t, s.db.CreateApplication(s.t.Context(), &a))
	return a
}

var leads = regexp.MustCompile(`<a class="choice" href="([^"]*)">([^<]*)</a>`)

// A person finds the applications that they may use and that say where they begin; what is no address
// of the network leads nowhere, whoever wrote it.
func TestApplicationsOfAPerson(t *testing.T) {
	s := start(t)
	mine := store.Group{EnvironmentID: s.env, Name: "mine"}
	check(t, s.db.CreateGroup(t.Context(), &mine))
	check(t, s.db.AddMember(t.Context(), s.env, s.alice.ID, mine.ID, time.Now()))
	saml := func(entity string, unsolicited bool, all bool, access ...string) func(*store.Application) {
		return func(a *store.Application) {
			a.Protocol = store.SAML
			a.SAML = store.ServiceProvider{EntityID: entity, Unsolicited: unsolicited}
			a.SAML.AccessRule = store.AccessRule{Access: access, AccessAll: all}
		}
	}
	s.application("Wiki", "https://wiki.example/?a=b", nil)
	s.application("Inner", "http://inner.example", nil)
	s.application("Nowhere", "", nil)
	s.application("Script", "javascript:alert(1)", nil)
	s.application("File", "file:///etc/passwd", nil)
	s.application("Path", "/console/", nil)
	s.application("Off", "https://off.example", func(a *store.Application) { a.Enabled = false })
	s.application("For others, too", "https://2.example", func(a *store.Application) { a.OpenID.Access = []string{"other"} })
	s.application("For us", "https://us.example", func(a *store.Application) { a.OpenID.Access = []string{mine.ID} })
	s.application("Begun", "", saml("https://sp.example/a?b", true, false))
	s.application("Not begun", "", saml("https://sp.example/2", false, false))
	s.application("For mine", "", saml("https://sp.example/3", true, false, mine.ID, "other"))
	s.application("For both", "", saml("https://sp.example/4", true, true, mine.ID, "other"))
	s.application("For others", "https://others.example", saml("https://sp.example/5", true, false, "other"))
	c := s.visitor()
	s.post(c, "", "username", "alice", "password", "x")
	var got []string
	for _, m := range leads.FindAllStringSubmatch(s.get(c, "").page, -1) {
		got = append(got, m[2]+" "+m[1])
	}
	start := "/" + s.env + "/saml20/idp/startsso?spEntityId=https%3A%2F%2Fsp.example%2F"
	want := []string{
		"Begun " + start + "a%3Fb", "For mine " + start + "3", "For us https://us.example", "Inner http://inner.example", "Wiki https://wiki.example/?a=b",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// A person in very many groups reads the first of their names, and how many there are besides.
func TestVeryManyGroupsOfAPerson(t *testing.T) {
	s := start(t)
	c := s.visitor()
	s.post(c, "", "username", "alice", "password", "x")
	before := strings.Count(s.get(c, "").page, "<li>")
	for i := range 99 {
		g := store.Group{EnvironmentID: s.env, Name: fmt.Sprintf("m%02d", 99-i)}
		check(t, s.db.CreateGroup(t.Context(), &g))
		check(t, s.db.AddMember(t.Context(), s.env, s.alice.ID, g.ID, time.Now()))
	}
	page := s.get(c, "").page
	if in, err := s.db.CountGroupsOf(t.Context(), s.env, s.alice.ID); err != nil || in < 99 || in > 100 {
		t.Fatal(in, err)
	}
	if strings.Count(page, "<li>") != before+99 || strings.Contains(page, "These are the first") {
		t.Error(page)
	}
	for _, name := range []string{"z1", "z2", "z3"} {
		g := store.Group{EnvironmentID: s.env, Name: name}
		check(t, s.db.CreateGroup(t.Context(), &g))
		check(t, s.db.AddMember(t.Context(), s.env, s.alice.ID, g.ID, time.Now()))
	}
	in, err := s.db.CountGroupsOf(t.Context(), s.env, s.alice.ID)
	check(t, err)
	page = s.get(c, "").page
	more := fmt.Sprintf("These are the first. You are in %d more.", in-100)
	if !strings.Contains(page, more) || !strings.Contains(page, "<li>m50</li>") || strings.Contains(page, "<li>z3</li>") {
		t.Errorf("not %q: %s", more, page)
	}
}

// A person sees where they are signed on, and ends one of these or all others; what is somebody else's they
// do not reach.
func TestSessionsOfAPerson(t *testing.T) {
	s := start(t)
	const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
	here, there, third := s.visitor(), s.visitor(), s.visitor()
	s.post(here, "", "username", "alice", "password", "x")
	s.do(there, "POST", "/"+s.env+"/signon", map[string][]string{"username": {"alice"}, "password": {"x"}}, "User-Agent", firefox)
	s.post(third, "", "username", "alice", "password", "x")
	page := s.get(here, "").page
	if !strings.Contains(page, "Firefox, Linux") || strings.Count(page, "this one") != 1 || strings.Count(page, "Sign off there") != 2 {
		t.Error(page)
	}
	sessions, err := s.db.PersonSessions(t.Context(), s.alice)
	check(t, err)
	if len(sessions) != 3 {
		t.Fatalf("%+v", sessions)
	}
	bob := store.User{EnvironmentID: s.env, PopulationID: s.alice.PopulationID, Username: "bob", Enabled: true}
	check(t, s.db.CreateUser(t.Context(), &bob))
	stranger, alice := s.visitor(), s.alice
	s.alice = bob
	s.post(stranger, "", "username", "bob", "password", "x")
	s.post(stranger, "/sessions", "session", sessions[0].ID)
	s.post(s.visitor(), "/sessions", "session", sessions[0].ID)
	s.alice = alice
	signedOn := func(c *http.Client) bool { return strings.Contains(s.get(c, "").page, "Sign off") }
	if !signedOn(here) || !signedOn(there) || !signedOn(third) || len(s.ended) > 0 {
		t.Error("somebody else has ended a session")
	}
	i := slices.IndexFunc(sessions, func(one store.PersonSession) bool { return one.Browser == "Firefox, Linux" })
	s.post(here, "/sessions", "session", sessions[i].ID)
	if !signedOn(here) || signedOn(there) || !signedOn(third) || !slices.Equal(s.ended, []string{sessions[i].SignedOn.SignOnID}) {
		t.Errorf("after one was ended; told of %q", s.ended)
	}
	s.post(here, "/sessions")
	if !signedOn(here) || signedOn(third) || len(s.ended) != 2 {
		t.Errorf("after all others were ended; told of %q", s.ended)
	}
	s.post(here, "", "username", "alice", "password", "x") // again, in the same browser
	if all, err := s.db.PersonSessions(t.Context(), s.alice); err != nil || len(all) != 1 {
		t.Errorf("%d sessions of one browser, %v", len(all), err)
	}
	s.post(here, "/off")
	if all, err := s.db.PersonSessions(t.Context(), s.alice); err != nil || len(all) != 0 {
		t.Errorf("%d sessions after signing off, %v", len(all), err)
	}
	check(t, s.db.SignOffUser(t.Context(), s.env, bob.ID))
	if bob, err = s.db.User(t.Context(), s.env, bob.ID); err == nil {
		if all, err := s.db.PersonSessions(t.Context(), bob); err != nil || len(all) != 0 {
			t.Errorf("%d sessions of who was signed off everywhere, %v", len(all), err)
		}
	}
}

// The password is changed where the directory takes it; a password manager finds the page, and who has not
// signed on does so first.
func TestPasswordIsChangedByThePerson(t *testing.T) {
	s := start(t)
	c := s.visitor()
	for _, path := range []string{ChangePath, "/" + s.env + ChangePath} {
		if a := s.do(c, "GET", path, nil); a.status != http.StatusFound || a.to != "/"+s.env+"/signon/password" {
			t.Errorf("%s: %d %s", path, a.status, a.to)
		}
	}
	if a := s.get(c, "/password"); a.to != "/"+s.env+"/signon?then=password" {
		t.Errorf("%d %s", a.status, a.to)
	}
	if a := s.get(c, "?then=password"); !strings.Contains(a.page, "to change your password") {
		t.Error(a.page)
	}
	if a := s.post(c, "", "username", "alice", "password", "x", "then", "password"); a.to != "/"+s.env+"/signon?then=password" {
		t.Errorf("%d %s", a.status, a.to)
	}
	if a := s.get(c, "?then=password"); !strings.Contains(a.page, "is not changed here") {
		t.Error(a.page)
	}
	if a := s.get(c, ""); strings.Contains(a.page, "/signon/password") {
		t.Error("it is offered")
	}
	g := store.Gateway{EnvironmentID: s.env, Name: "HQ", Enabled: true, UserTypes: []store.UserType{{
		Name: "People", AllowPasswords: true, PopulationID: s.alice.PopulationID,
	}}}
	check(t, s.db.CreateGateway(t.Context(), &g))
	s.alice.GatewayID, s.alice.UserTypeID = g.ID, g.UserTypes[0].ID
	check(t, s.db.UpdateUser(t.Context(), &s.alice))
	if a := s.get(c, ""); !strings.Contains(a.page, `href="/`+s.env+`/signon/password"`) {
		t.Error(a.page)
	}
	wanted := regexp.MustCompile(`(?s)value="alice".*name="new".*<button>Change password</button>.*href="/` + s.env + `/signon">Back</a>`)
	if a := s.get(c, "/password"); !wanted.MatchString(a.page) {
		t.Error(a.page)
	}
	if a := s.post(c, "/password", "username", "alice", "password", "old", "new", "a", "again", "b"); !wanted.MatchString(a.page) {
		t.Errorf("after a slip: %s", a.page)
	}
	s.changed.Outcome = wire.OutcomeOK
	s.post(c, "/password", "username", "alice", "password", "old", "new", "fresh", "again", "fresh")
	if !slices.Contains(s.asked, "old>fresh") {
		t.Errorf("%q", s.asked)
	}
	for _, said := range []bool{true, false} { // once
		if a := s.get(c, ""); strings.Contains(a.page, "Your password was changed.") != said {
			t.Errorf("said %t: %s", said, a.page)
		}
	}
	g.Enabled = false
	check(t, s.db.UpdateGateway(t.Context(), &g))
	if a := s.get(c, "/password"); !strings.Contains(a.page, "is not changed here") {
		t.Error(a.page)
	}
	second := store.Environment{Name: "Second"}
	check(t, s.db.CreateEnvironment(t.Context(), &second))
	if a := s.do(c, "GET", ChangePath, nil); a.to != "/"+s.env+"/signon/password" {
		t.Errorf("of the two, where alice is signed on: %d %s", a.status, a.to)
	}
	if a := s.do(s.visitor(), "GET", ChangePath, nil); a.to != "/" {
		t.Errorf("of two, who is signed on in none: %d %s", a.status, a.to)
	}
}

func TestBrowsersAreNamed(t *testing.T) {
	for agent, want := range map[string]string{
		"": "", "x": "", "curl/8.5.0": "curl",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36":               "Chrome, Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0": "Edge, Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15":            "Safari, macOS",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/604.1":     "Safari, iPhone",
		"Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36":         "Chrome, Android",
		"<script>alert(1)</script> Firefox/1 Linux": "Firefox, Linux",
	} {
		if got := browserOf(agent); got != want {
			t.Errorf("%q: %q, want %q", agent, got, want)
		}
	}
}

// TestAccountIsAccessible in each language, light and dark, narrow and wide.
func TestAccountIsAccessible(t *testing.T) {
	s := start(t)
	s.application("Wiki", "https://wiki.example", nil)
	s.application("A long name of an application that says much", "https://long.example", nil)
	s.post(s.visitor(), "", "username", "alice", "password", "x")
	w := openWindow(t)
	w.at(s.url + "/" + s.env + "/signon")
	check(t, chromedp.Do(w.ctx, chromedp.SendKeys(chromedp.ID("username"), "alice"), chromedp.SendKeys(chromedp.ID("password"), "x")))
	w.press("form button")
	w.sees("Sign off everywhere but here")
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{390, 1440} {
			check(t, chromedp.Do(w.ctx, appearance(scheme), chromedp.EmulateViewport(width, 800)))
			axetest.Look(w.ctx, t, scheme)
			if over, err := chromedp.Run(
				w.ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth - window.innerWidth`),
			); err != nil || over > 0 {
				t.Errorf("%d pixels over the edge, %v", over, err)
			}
		}
	}
}

// appearance has pages be light or dark.
func appearance(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
}
