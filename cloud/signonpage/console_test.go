package signonpage

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"ldap-gateway/cloud/console/axetest"
	"ldap-gateway/cloud/kerberos"
)

// Who wants to go to the console gets there, and nobody gets anywhere else.
func TestThenConsole(t *testing.T) {
	s := start(t)
	c := s.visitor()
	if a := s.get(c, "?then=console"); !strings.Contains(a.page, "to go on to the console") ||
		!strings.Contains(a.page, `name="then" value="console"`) {
		t.Error(a.page)
	}
	if a := s.get(c, "?then=https://evil.example"); strings.Contains(a.page, "evil") ||
		strings.Contains(a.page, `name="then"`) {
		t.Error(a.page)
	}
	if a := s.post(
		c, "",
		"username", "alice",
		"password", "x",
		"then", "console",
	); a.to != "/"+s.env+"/signon?then=console" {
		t.Errorf("leads to %q", a.to)
	}
	if a := s.get(c, "?then=console"); a.to != "/console/organisation?e="+s.env {
		t.Errorf("leads to %q", a.to)
	}
}

// Another page's session in the context of a request is not taken for ours.
func TestPersonOfARequest(t *testing.T) {
	s := start(t)
	sessions := NewSessions(s.db, false)
	var cookie *http.Cookie
	in := sessions.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		so, err := tickets{s}.SignOn(r.Context(), kerberos.Request{EnvironmentID: s.env})
		check(t, err)
		check(t, sessions.keep(r, s.alice, kept{SignedOn: signedOn(so.SignOn)}))
	}))
	w := httptest.NewRecorder()
	in.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	cookie = w.Result().Cookies()[0]
	for name, c := range map[string]struct {
		cookie *http.Cookie
		env    string
		want   bool
	}{
		"ours":                {cookie, s.env, true},
		"another environment": {cookie, "other", false},
		"forged":              {&http.Cookie{Name: cookie.Name, Value: "x" + cookie.Value}, s.env, false},
		"none":                {nil, s.env, false},
	} {
		// The console's own session is in the context, under the same key. It came
		// with a cookie of its own: ours is added afterwards.
		other := NewSessions(s.db, false)
		other.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if c.cookie != nil {
				r.AddCookie(c.cookie)
			}
			other.manager.Put(r.Context(), s.env, []byte(`{"UserID":"somebody else"}`))
			by, ok, err := sessions.PersonOf(r, c.env)
			if err != nil || ok != c.want || ok && by.UserID != s.alice.ID {
				t.Errorf("%s: %+v %v %v", name, by, ok, err)
			}
		})).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	}
}

func TestLogo(t *testing.T) {
	s := start(t)
	c := s.visitor()
	if a := s.get(c, "/logo.png"); a.status != http.StatusNotFound {
		t.Error(a.status)
	}
	var picture bytes.Buffer
	check(t, png.Encode(&picture, image.NewGray(image.Rect(0, 0, 2, 2))))
	check(t, s.db.SetLogo(t.Context(), s.env, picture.Bytes()))
	if a := s.get(c, "/logo.png"); a.header.Get("Content-Type") != "image/png" || a.page != picture.String() {
		t.Error(a.header)
	}
	if a := s.get(c, ""); !strings.Contains(a.page, `src="/`+s.env+`/signon/logo.png?`) {
		t.Error(a.page)
	}
}

// The pages are such as people with a screen reader, a keyboard or weak eyes can
// use them, by day and at night.
func TestPagesAreAccessible(t *testing.T) {
	s := start(t)
	s.taken = true
	ctx := openWindow(t).ctx
	look := func(what string) {
		for _, scheme := range []string{"light", "dark"} {
			check(t, chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
				_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{
					Name:  "prefers-color-scheme",
					Value: scheme,
				}}})
				return err
			})))
			axetest.Look(ctx, t, scheme+" "+what)
		}
	}
	submit := func(outcome string, offers bool) {
		s.outcome, s.offers = outcome, offers
		check(t, chromedp.Do(ctx, chromedp.Navigate(s.url+"/"+s.env+"/signon")))
		check(t, chromedp.Do(ctx, chromedp.SendKeys(chromedp.ID("username"), "alice")))
		check(t, chromedp.Do(ctx, chromedp.SendKeys(chromedp.ID("password"), "x")))
		_, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS("form button")))
		check(t, err)
	}
	check(t, chromedp.Do(ctx, chromedp.Navigate(s.url+"/"+s.env+"/signon")))
	look("form")
	submit("invalidCredentials", false)
	look("wrong password")
	submit("passwordMustChange", true)
	look("change of the password")
	submit("ok", false)
	look("account")
	check(t, chromedp.Do(ctx, chromedp.Navigate(s.url+"/"+s.env+"/signon/ticket")))
	look("ticket")
	check(t, chromedp.Do(ctx, chromedp.Navigate(s.url+"/none/signon")))
	look("failure")
}
