package console_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/chromedp"

	"ldap-gateway/cloud/store"
)

// chromium is where Debian installs it.
const chromium = "/usr/bin/chromium"

// window is a browser's window.
type window struct {
	*site
	ctx context.Context

	mu         sync.Mutex
	complaints []string // of the browser, as of what the Content-Security-Policy stopped
}

// window opens one in which scripts are switched off.
func (s *site) window() *window {
	s.t.Helper()
	return s.open(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(
			ctx,
			t,
			emulation.SetScriptExecutionDisabled,
			emulation.SetScriptExecutionDisabledParams{Value: true},
		)
		return err
	})
}

// open opens a window and prepares it.
func (s *site) open(prepare func(ctx context.Context, t *chromedp.Target) error) *window {
	s.t.Helper()
	if _, err := os.Stat(chromium); err != nil {
		s.t.Fatalf("%v: run \"make tools\"", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.NoSandbox,
		chromedp.Flag("disable-component-update", true), chromedp.Flag("no-proxy-server", true))
	ctx, cancel := chromedp.NewExecAllocator(s.t.Context(), options...)
	s.t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	s.t.Cleanup(cancel)
	w := &window{site: s}
	s.must(chromedp.Do(ctx, chromedp.EmulateViewport(1440, 900), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, cdplog.Enable, cdp.Empty{})
		return errors.Join(err, prepare(ctx, t))
	}))) // starts the browser, which a deadline must not end
	s.must(chromedp.Listen(ctx, w.listen))
	w.ctx, cancel = context.WithTimeout(ctx, time.Minute)
	s.t.Cleanup(cancel)
	return w
}

// listen keeps what the browser complains about. That a field has the focus already, as when
// somebody is quick to type, is an information.
func (w *window) listen(event any) {
	e, ok := event.(*cdplog.EventEntryAdded)
	if ok && e.Entry.Level != cdplog.EntryLevelInfo && e.Entry.Level != cdplog.EntryLevelVerbose {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.complaints = append(w.complaints, e.Entry.Text)
	}
}

// at opens a page.
func (w *window) at(path string) *window {
	w.t.Helper()
	w.must(chromedp.Do(w.ctx, chromedp.Navigate(w.url+path)))
	return w
}

// fill types into the field with that ID.
func (w *window) fill(id, text string) *window {
	w.t.Helper()
	w.must(chromedp.Do(w.ctx, chromedp.SendKeys(chromedp.ID(id), text)))
	return w
}

// press clicks what the CSS selector finds, and waits for the page that it leads to.
func (w *window) press(selector string) *window {
	w.t.Helper()
	_, err := chromedp.RunResponse(w.ctx, chromedp.Click(chromedp.CSS(selector)))
	w.must(err)
	return w
}

// sees fails when a text is not on the page.
func (w *window) sees(texts ...string) *window {
	w.t.Helper()
	page, err := chromedp.Run(w.ctx, chromedp.Text(chromedp.CSS("body")))
	w.must(err)
	page = strings.Join(strings.Fields(page), " ")
	for _, text := range texts {
		if !strings.Contains(page, text) {
			w.t.Errorf("%q is not seen on the page:\n%s", text, page)
		}
	}
	return w
}

// The link that is printed leads straight to a first password: its secret is taken out of the
// address, and not lost by a password that is too short.
func TestBrowserSetUpByLink(t *testing.T) {
	s := open(t)
	w := s.open(func(context.Context, *chromedp.Target) error { return nil })
	w.at("/console/sign-in").sees("Nobody has set a password yet")
	w.at("/console/setup?name=admin#" + secret)
	address, err := chromedp.Run(w.ctx, chromedp.Location())
	if s.must(err); strings.Contains(address, secret) || strings.Contains(address, "#") {
		t.Errorf("the address is %s", address)
	}
	w.fill("password", strings.Repeat("ä", 12)).fill("again", password).press("form button").sees("are not the same")
	w.fill("password", password).fill("again", password).press("form button").sees("Your password is set")
	w.fill("password", password).press("form button").sees("Sign out")
	s.visitor().get("/console/sign-in").lacks("Nobody has set a password yet")
	for _, said := range w.complaints {
		if !strings.Contains(said, "422") { // the passwords that are not the same
			t.Error(said)
		}
	}
}

// An administrator's first hour, in a real browser.
func TestBrowserFirstHour(t *testing.T) {
	s := open(t)
	w := s.window()
	w.at("/console/").sees("Sign in").press(`a[href="/console/setup"]`)
	w.fill("name", "admin").fill("secret", secret).fill("password", password).fill("again", password).
		press("form button").sees("Your password is set")
	w.fill("password", password).press("form button").sees("Make a gateway", "Sign out", "Example")

	w.press(".steps a").fill("name", "Headquarters")
	w.must(chromedp.Do(w.ctx, chromedp.SetValue(chromedp.ID("vendor"), "OpenLDAP")))
	w.press("form.fields button").sees("The gateway was made", "Unhealthy", "no instance is paired yet")
	w.press(`a[href$="/user-types/new"]`).fill("name", "Staff").fill("base", "ou=people,dc=example,dc=com")
	w.press("#fill").sees("The usual values for OpenLDAP are filled in", "stands for what the person typed")
	w.press("#save").sees("The user type Staff was saved", "ou=people,dc=example,dc=com")
	w.press(`form[action$="/pairings"] button`).sees("good for 10 minutes", "ldap-gateway setup --cloud", "Waiting for an agent").
		press("main a.button").sees("Take back")

	gateways, _, err := s.store.Gateways(t.Context(), s.env.ID, store.Page{})
	s.must(err)
	f := filled{gateway: gateways[0], instance: s.pair(gateways[0], "gw1.example.com")}
	s.signOns(s.env.ID, "", &f)
	w.at("/console/groups").sees("backend", "Just-in-time", "LDAP Gateway", "partners", "External IdP")
	w.press(`a[href="/console/groups/`+f.jit.ID+`"]`).sees("Here you cannot", "alice").
		press(`section a[href^="/console/users/"]`)
	w.sees("uid=alice,ou=people,dc=example,dc=com", "backend").press(`a[href$="/` + f.jit.ID + `/remove"]`).
		sees("puts alice back")
	w.press("button.danger").sees("alice was taken out of backend")
	w.at("/console/activity").sees("membership.removed", "alice was taken out of backend by admin").
		press("form.who button").sees("Sign in")
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.complaints) > 0 {
		t.Errorf("the browser complains: %q", w.complaints)
	}
}

func TestBrowserHostileNamesDoNothing(t *testing.T) {
	s := open(t)
	w := s.window()
	s.admin()
	mark := hostile + strings.Repeat("x", 200)
	f := s.fill(s.env.ID, mark)
	s.connect(f, mark)
	w.at("/console/sign-in?next="+urlOf("/console/groups")).fill("name", "admin").fill("password", password).
		press("form button").sees("<script>alert(1)</script>")
	for _, path := range []string{
		"/console/gateways/" + f.gateway.ID,
		"/console/users/" + f.user.ID,
		"/console/groups/" + f.jit.ID,
		"/console/activity",
	} {
		n, err := chromedp.Run(
			w.at(path).ctx,
			chromedp.Evaluate[int](`document.querySelectorAll("script:not([src]), main img, [onerror], [style]").length`),
		)
		if err != nil || n != 0 {
			t.Errorf("%s: %d elements that no template has, %v", path, n, err)
		}
		for _, width := range []int64{1440, 390} {
			w.must(chromedp.Do(w.ctx, chromedp.EmulateViewport(width, 800)))
			if over, err := chromedp.Run(
				w.ctx,
				chromedp.Evaluate[int](`document.documentElement.scrollWidth - window.innerWidth`),
			); err != nil || over > 0 {
				t.Errorf("%s runs %d pixels over the edge at %d, %v", path, over, width, err)
			}
		}
	}
	styled, err := chromedp.Run(w.ctx, chromedp.Evaluate[int](`document.styleSheets[0].cssRules.length`))
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil || styled < 10 || len(w.complaints) > 0 {
		t.Errorf("%d rules, %v, %q", styled, err, w.complaints)
	}
}

// click clicks what the CSS selector finds, and waits for nothing.
func (w *window) click(selector string) *window {
	w.t.Helper()
	w.must(chromedp.Do(w.ctx, chromedp.Click(chromedp.CSS(selector))))
	return w
}

// waits polls until a text is on the page.
func (w *window) waits(text string) *window {
	w.t.Helper()
	for {
		page, err := chromedp.Run(w.ctx, chromedp.Text(chromedp.CSS("body"))) // ends with the context
		w.must(err)
		if strings.Contains(page, text) {
			return w
		}
	}
}
