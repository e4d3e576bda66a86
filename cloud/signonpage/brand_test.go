package signonpage

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"ldap-gateway/cloud/console/axetest"
	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
)

// brand has the environment look like that.
func (s *site) brand(b store.Brand) {
	s.t.Helper()
	env, err := s.db.Environment(s.t.Context(), s.env)
	check(s.t, err)
	env.Settings.Brand = b
	check(s.t, s.db.UpdateEnvironment(s.t.Context(), &env))
}

// People are led to what the environment names, in their language, on every page of it.
func TestLinksOfAnEnvironment(t *testing.T) {
	s := start(t)
	if a := s.get(s.visitor(), ""); strings.Contains(a.page, `class="links"`) || strings.Contains(a.page, "colours.css") {
		t.Errorf("there is something:\n%s", a.page)
	}
	s.brand(store.Brand{Help: "https://example.com/help?a=1&b=2", Imprint: "https://example.com/imprint"})
	for language, words := range map[string]string{"en": "Help Imprint", "de": "Hilfe Impressum", "fr": "Aide Mentions légales"} {
		for _, more := range []string{"", "/off", "?flow=f1"} {
			a := s.get(s.visitor(), more, "Accept-Language", language)
			help, imprint, _ := strings.Cut(words, " ")
			for _, want := range []string{
				`<a href="https://example.com/help?a=1&amp;b=2">` + help + `</a>`,
				`<a href="https://example.com/imprint">` + imprint + `</a></p>`,
			} {
				if !strings.Contains(a.page, want) {
					t.Errorf("%s%s: no %s:\n%s", language, more, want, a.page)
				}
			}
		}
	}
	s.brand(store.Brand{Privacy: "https://example.com/privacy"})
	if a := s.get(s.visitor(), ""); !strings.Contains(a.page, `<a href="https://example.com/privacy">Privacy</a>`) ||
		strings.Contains(a.page, ">Help<") {
		t.Errorf("another link:\n%s", a.page)
	}
}

// What an administrator has to say stands as text on every page that people sign on by, and on no other; the picture
// of the environment is the icon of its pages.
func TestTextOfAnEnvironment(t *testing.T) {
	s := start(t)
	own := `href="/` + s.env + `/signon/logo.png?`
	said := `<p class="said">&lt;b&gt;Ask&lt;/b&gt; {{.}} 1234</p>`
	if a := s.get(s.visitor(), ""); strings.Contains(a.page, `class="said"`) || strings.Contains(a.page, `<link rel="icon" `+own) {
		t.Errorf("nothing is set: %s", a.page)
	}
	check(t, s.db.SetLogo(t.Context(), s.env, []byte("a picture")))
	s.brand(store.Brand{Text: "<b>Ask</b> {{.}} 1234"})
	for path, has := range map[string]bool{"": true, "?then=console": true, "/off": false, "/nothing": false} {
		if a := s.get(s.visitor(), path); strings.Contains(a.page, said) != has {
			t.Errorf("%s, has %t: %s", path, has, a.page)
		}
	}
	if a := s.get(s.visitor(), ""); !strings.Contains(a.page, `<link rel="icon" `+own) || strings.Contains(a.page, `rel="icon" href="/signon/static`) {
		t.Errorf("the icon: %s", a.page)
	}
}

// An environment's colours are a stylesheet of this origin, and nothing but colours.
func TestColoursOfAnEnvironment(t *testing.T) {
	s := start(t)
	for _, c := range []struct {
		brand               store.Brand
		light, dark, linked bool
	}{
		{store.Brand{}, false, false, false},
		{store.Brand{Colour: "#7a1fa2"}, true, false, true},
		{store.Brand{DarkColour: "#e1bee7"}, false, true, true},
		{store.Brand{Colour: "#7a1fa2", DarkColour: "#e1bee7"}, true, true, true},
		{store.Brand{Colour: "red; } body { display: none", DarkColour: "#e1bee7"}, false, true, true},
	} {
		s.brand(c.brand)
		page := s.get(s.visitor(), "")
		at := "/" + s.env + "/signon/colours.css?"
		if strings.Contains(page.page, `<link rel="stylesheet" href="`+at) != c.linked ||
			!strings.Contains(page.header.Get("Content-Security-Policy"), "style-src 'self';") {
			t.Errorf("%+v: %v\n%s", c.brand, page.header, page.page)
		}
		a := s.get(s.visitor(), "/colours.css")
		light := "@media (prefers-color-scheme: light) { :root { --act: " + c.brand.Colour + "; } }\n"
		dark := "@media (prefers-color-scheme: dark) { :root { --act: " + c.brand.DarkColour + "; } }\n"
		if a.status != http.StatusOK || a.header.Get("Content-Type") != "text/css; charset=utf-8" ||
			strings.Contains(a.page, light) != c.light || strings.Contains(a.page, dark) != c.dark ||
			strings.Contains(a.page, "display") {
			t.Errorf("%+v: %d %v\n%s", c.brand, a.status, a.header, a.page)
		}
	}
}

// What management compares colours with is what the stylesheet has.
func TestColoursAreComparedWithThePage(t *testing.T) {
	b, err := staticFiles.ReadFile("static/signon.css")
	check(t, err)
	light, dark, _ := strings.Cut(strings.ReplaceAll(string(b), "#fff;", "#ffffff;"), "prefers-color-scheme: dark")
	for _, c := range []struct{ in, name, value string }{
		{light, "--sheet", management.LightSheet},
		{light, "--act-ink", management.LightSheet},
		{dark, "--sheet", management.DarkSheet},
		{dark, "--act-ink", management.DarkInk},
	} {
		if !strings.Contains(c.in, c.name+": "+c.value+";") {
			t.Errorf("%s is not %s", c.name, c.value)
		}
	}
}

// TestBrandIsSeen in Chromium, light and dark, narrow and wide: the button has the environment's
// colour, all can be read, and nothing is loaded from elsewhere.
func TestBrandIsSeen(t *testing.T) {
	s := start(t)
	s.brand(store.Brand{
		Colour: "#7a1fa2", DarkColour: "#e1bee7",
		Help: "https://example.com/help", Privacy: "https://example.com/privacy", Imprint: "https://example.com/imprint",
	})
	w := openWindow(t)
	for scheme, want := range map[string]string{"light": "rgb(122, 31, 162)", "dark": "rgb(225, 190, 231)"} {
		for _, width := range []int64{390, 1440} {
			check(t, chromedp.Do(w.ctx, appearance(scheme), chromedp.EmulateViewport(width, 800)))
			w.at(s.url + "/" + s.env + "/signon")
			got, err := chromedp.Run(w.ctx, chromedp.Evaluate[string](
				`getComputedStyle(document.querySelector("form button")).backgroundColor`))
			if err != nil || got != want {
				t.Errorf("%s: the button is %s, %v", scheme, got, err)
			}
			others, err := chromedp.Run(w.ctx, chromedp.Evaluate[int](
				`performance.getEntriesByType("resource").filter(r => new URL(r.name).origin !== location.origin).length`))
			over, err2 := chromedp.Run(
				w.ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth - window.innerWidth`))
			if err != nil || err2 != nil || others != 0 || over > 0 {
				t.Errorf("%d files from elsewhere, %d pixels over the edge, %v %v", others, over, err, err2)
			}
			axetest.Look(w.ctx, t, scheme)
		}
	}
}
