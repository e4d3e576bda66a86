package signonpage

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"ldap-gateway/cloud/console/axetest"
)

// is fails unless an expression becomes true in the page, within the window's time.
func (w *window) is(expression string) {
	w.t.Helper()
	var last error
	for until := time.Now().Add(10 * time.Second); time.Now().Before(until); {
		is, err := chromedp.Run(w.ctx, chromedp.Evaluate[bool](expression))
		if err == nil && is {
			return
		}
		last = err
	}
	w.t.Fatalf("never: %s, last %v", expression, last)
}

func (w *window) do(script string) {
	w.t.Helper()
	_, err := chromedp.Run(w.ctx, chromedp.Evaluate[bool](script+"; true"))
	check(w.t, err)
}

// TestThePageHelps where scripts run: the password is shown and hidden, caps lock is told of, a slow directory
// too, and a form is sent once; in each language, accessible all along.
func TestThePageHelps(t *testing.T) {
	s := start(t)
	// A form that was sent is answered once the page has told that it says something, and the page stays.
	sent, seen := make(chan struct{}, 10), make(chan string, 10)
	sessions := NewSessions(s.db, false)
	page := &Server{Store: s.db, Passwords: s, Tickets: tickets{s}, Flows: flows{s}, Sessions: sessions, Now: s.now}
	pages := sessions.Wrap(page.Handler())
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/seen":
			seen <- r.URL.Query().Get("text")
		case r.Method == "POST":
			sent <- struct{}{}
			text := <-seen
			seen <- text
			rw.WriteHeader(http.StatusNoContent)
		default:
			pages.ServeHTTP(rw, r)
		}
	}))
	t.Cleanup(srv.Close)
	w := openWindow(t)
	for tag, says := range map[string][2]string{
		"en": {"Show password", "Still asking your directory"}, "de": {"Passwort anzeigen", "Verzeichnis wird noch abgefragt"},
		"fr": {"Afficher le mot de passe", "annuaire est encore"}, "es": {"Mostrar la contraseña", "consultando su directorio"},
	} {
		w.language(tag)
		w.at(srv.URL + "/" + s.env + "/signon?anew=1")
		w.sees(says[0])
		w.is(`document.getElementById("password").type === "password"`)
		w.do(`document.querySelector(".show input").click()`)
		w.is(`document.getElementById("password").type === "text"`)
		for _, on := range []bool{true, false} {
			w.do(fmt.Sprintf(`document.getElementById("password").dispatchEvent(
				new KeyboardEvent("keydown", {key: "a", modifierCapsLock: %t, bubbles: true}))`, on))
			w.is(fmt.Sprintf(`(document.querySelector("#password ~ .hint").textContent !== "") === %t`, on))
		}
		for _, scheme := range []string{"light", "dark"} {
			for _, width := range []int64{390, 1440} {
				check(t, chromedp.Do(w.ctx, appearance(scheme), chromedp.EmulateViewport(width, 800)))
				axetest.Look(w.ctx, t, tag+" "+scheme)
			}
		}
		w.do(`document.getElementById("username").value = "alice"; document.getElementById("password").value = "x";
			const said = document.querySelector("form > .hint:last-child"), button = document.querySelector("form > button");
			new MutationObserver(() => { new Image().src = "/seen?text=" + encodeURIComponent(said.textContent); }).observe(said, {childList: true});
			button.click(); button.click(); setTimeout(() => button.click(), 500)`)
		<-sent
		from := time.Now()
		w.is(`document.querySelector("form").ariaBusy === "true" && document.getElementById("password").type === "password"`)
		if text := <-seen; !strings.Contains(text, says[1]) || time.Since(from) < time.Second {
			t.Errorf("%s: %q after %s", tag, text, time.Since(from))
		}
		axetest.Look(w.ctx, t, tag+" busy")
		if len(sent) > 0 {
			t.Errorf("%s: the form was sent more than once", tag)
		}
	}
}

// language has the browser ask for pages in one.
func (w *window) language(tag string) {
	w.t.Helper()
	check(w.t, chromedp.Do(w.ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{
			UserAgent: "Mozilla/5.0 (X11; Linux x86_64) Chrome/130.0", AcceptLanguage: tag,
		})
		return err
	})))
}

// TestTimesAreOfWhoReads: in the zone of the browser, with that of UTC to be asked for; without scripts
// in UTC, which is said.
func TestTimesAreOfWhoReads(t *testing.T) {
	s := start(t)
	at := time.Date(2026, 3, 4, 23, 30, 0, 0, time.UTC)
	s.now = func() time.Time { return at }
	w := openWindow(t)
	check(t, chromedp.Do(w.ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Asia/Tokyo"})
		return err
	})))
	for _, scripts := range []bool{true, false} {
		w.scripts(scripts)
		w.language("en")
		w.at(s.url + "/" + s.env + "/signon?anew=1")
		check(t, chromedp.Do(w.ctx, chromedp.SendKeys(chromedp.ID("username"), "alice"), chromedp.SendKeys(chromedp.ID("password"), "x")))
		w.press("form > button")
		if !scripts {
			w.sees("4 March 2026, 23:30 UTC")
			continue
		}
		w.sees("March 5, 2026 at 8:30")
		w.is(`document.querySelector("time").title === "4 March 2026, 23:30 UTC"`)
	}
}

// TestOneScriptMayRun: the policy names the script of the page by its hash, and allows no other, also not of this host.
func TestOneScriptMayRun(t *testing.T) {
	s := start(t)
	a := s.get(s.visitor(), "")
	policy := a.header.Get("Content-Security-Policy")
	if strings.Count(policy, "script-src") != 1 || !strings.Contains(policy, "script-src 'sha256-") || strings.Contains(policy, "script-src 'self'") {
		t.Error(policy)
	}
	if a.status != http.StatusOK || strings.Count(a.page, "<script>") != 1 || strings.Contains(a.page, "<script ") {
		t.Error(a.page)
	}
}
