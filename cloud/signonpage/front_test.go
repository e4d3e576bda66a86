package signonpage

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"ldap-gateway/cloud/console/axetest"
	"ldap-gateway/cloud/store"
)

// front gets the first page.
func (s *site) front(c *http.Client, query string, headers ...string) answer {
	s.t.Helper()
	return s.do(c, "GET", "/"+query, nil, headers...)
}

// Who knows the cloud's name alone is led to the only environment, in their language, and
// administrators to the console.
func TestFirstPage(t *testing.T) {
	s := start(t)
	for header, says := range map[string][]string{
		"":               {"Sign on", "with the account of your organisation", "Console for administrators"},
		"de-AT,en;q=0.5": {"Anmelden", "mit dem Konto Ihrer Organisation", "Konsole für Administratoren"},
		"fr":             {"Se connecter", "Console pour les administrateurs"},
		"es":             {"Iniciar sesión", "Consola para administradores"},
	} {
		a := s.front(s.visitor(), "", "Accept-Language", header)
		says = append(says, `href="/`+s.env+`/signon"`, `href="/console/"`, "Acme &lt;b&gt;")
		for _, text := range says {
			if a.status != http.StatusOK || !strings.Contains(a.page, text) {
				t.Errorf("%q: %d without %q:\n%s", header, a.status, text, a.page)
			}
		}
	}
	if a := s.do(s.visitor(), "GET", "/nothing", nil); a.status != http.StatusNotFound {
		t.Errorf("another path: %d", a.status)
	}
}

// Of several environments nobody learns who there is: one is found by its whole name, and shown to
// who is signed on to it.
func TestFirstPageOfSeveral(t *testing.T) {
	s := start(t)
	others := map[string]string{}
	for _, name := range []string{"Größe & Söhne", "Twice", "twice", "<script>alert(1)</script>"} {
		e := store.Environment{Name: name}
		check(t, s.db.CreateEnvironment(t.Context(), &e))
		others[name] = e.ID
	}
	c := s.visitor()
	a := s.front(c, "")
	for _, secret := range []string{"Acme", "Twice", "Söhne", s.env, others["Twice"]} {
		if strings.Contains(a.page, secret) {
			t.Errorf("a stranger learns of %q:\n%s", secret, a.page)
		}
	}
	for query, to := range map[string]string{
		"?organisation=GR%C3%96SSE+%26+s%C3%B6hne":              "",
		"?organisation=gr%C3%B6%C3%9Fe+%26+S%C3%96HNE+":         others["Größe & Söhne"],
		"?organisation=acme+%3Cb%3E":                            s.env,
		"?organisation=%3Cscript%3Ealert%281%29%3C%2Fscript%3E": others["<script>alert(1)</script>"],
		"?organisation=acme":                                    "",
		"?organisation=twice":                                   "",
		"?organisation=%3Cscript%3Ealert%282%29%3C%2Fscript%3E": "",
		"?organisation=" + s.env:                                "",
		"?organisation=" + strings.Repeat("x", 2000):            "",
		"?organisation=https%3A%2F%2Fevil.example%2F":           "",
		"?organisation=%2F%2Fevil.example":                      "",
	} {
		a := s.front(c, query)
		if to != "" && (a.status != http.StatusSeeOther || a.to != "/"+to+"/signon") ||
			to == "" && (a.status != http.StatusNotFound || !strings.Contains(a.page, "No organisation of that name")) ||
			strings.Contains(a.page, "<script>alert") {
			t.Errorf("%s: %d %s\n%s", query, a.status, a.to, a.page)
		}
	}
	s.post(c, "", "username", "alice", "password", "x")
	if a := s.front(c, ""); !strings.Contains(a.page, `href="/`+s.env+`/signon">Acme &lt;b&gt;</a>`) || strings.Contains(a.page, "Twice") {
		t.Errorf("who is signed on: %s", a.page)
	}
	if a := s.front(s.visitor(), ""); strings.Contains(a.page, "Acme") {
		t.Errorf("another browser: %s", a.page)
	}
}

// The first page can be used by everybody, of one environment and of several, light and dark,
// narrow and wide.
func TestFirstPageIsAccessible(t *testing.T) {
	s := start(t)
	w := openWindow(t)
	look := func() {
		t.Helper()
		for _, scheme := range []string{"light", "dark"} {
			for _, width := range []int64{390, 1440} {
				check(t, chromedp.Do(w.ctx, appearance(scheme), chromedp.EmulateViewport(width, 800)))
				axetest.Look(w.ctx, t, scheme)
			}
		}
	}
	w.at(s.url + "/")
	look()
	w.press("a.choice")
	w.sees("User name")
	second := store.Environment{Name: "Second"}
	check(t, s.db.CreateEnvironment(t.Context(), &second))
	w.at(s.url + "/?organisation=nobody")
	w.sees("No organisation of that name")
	look()
	check(t, chromedp.Do(w.ctx, chromedp.SetValue(chromedp.ID("organisation"), "second")))
	w.press("form button")
	w.sees("Second")
}
