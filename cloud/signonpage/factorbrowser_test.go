package signonpage

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"ldap-gateway/cloud/console/axetest"
	"ldap-gateway/cloud/factors"
	"ldap-gateway/cloud/store"
)

// key plugs a security key in that asks for no PIN and keeps no names, and returns what takes it out.
func (w *window) key() (out func()) {
	w.t.Helper()
	var id webauthn.AuthenticatorID
	do := func(f func(ctx context.Context, t *chromedp.Target) error) {
		w.t.Helper()
		check(w.t, chromedp.Do(w.ctx, chromedp.Func(f)))
	}
	do(func(ctx context.Context, t *chromedp.Target) error {
		if _, err := cdp.Call(ctx, t, webauthn.Enable, webauthn.EnableParams{}); err != nil {
			return err
		}
		options := webauthn.VirtualAuthenticatorOptions{
			Protocol:                    webauthn.AuthenticatorProtocolCtap2,
			Transport:                   webauthn.AuthenticatorTransportUsb,
			AutomaticPresenceSimulation: true,
		}
		made, err := cdp.Call(ctx, t, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &options})
		id = made.AuthenticatorID
		return err
	})
	return func() {
		do(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, webauthn.RemoveVirtualAuthenticator,
				webauthn.RemoveVirtualAuthenticatorParams{AuthenticatorID: id})
			return err
		})
	}
}

// fill types into a field.
func (w *window) fill(id, text string) {
	w.t.Helper()
	check(w.t, chromedp.Do(w.ctx, chromedp.SendKeys(chromedp.ID(id), text)))
}

// TestSecondFactorInABrowser: somebody who is asked for a second factor and has none makes a passkey, keeps the
// codes and reaches the application; signs on by the passkey; sets an authenticator app up beside it; signs on by a one-time
// password where no script runs, and by a recovery code. Every page is accessible on the way.
func TestSecondFactorInABrowser(t *testing.T) {
	s := start(t)
	s.asksFactor(true)
	s.url = strings.Replace(s.url, "127.0.0.1", "localhost", 1)
	page := s.url + "/" + s.env + "/signon"
	w := openWindow(t)
	w.key()
	signOn := func(address string) {
		t.Helper()
		w.at(address)
		w.fill("username", "alice")
		w.fill("password", "x")
		w.press("form button")
	}
	signOn(page + "?flow=f1")
	w.sees("Set up a second factor")
	w.is(`!document.querySelector("[data-needs-passkey]").hidden`)
	axetest.Look(w.ctx, t, "set up")
	w.press(`form[data-passkey=create] button`)
	w.sees("Your recovery codes")
	axetest.Look(w.ctx, t, "codes")
	w.press("form button")
	w.is(`location.pathname.startsWith("/completed/f1/")`)
	if f := s.have(); len(f.Passkeys) != 1 || f.Recovery.Left != 10 {
		t.Fatalf("%+v", f)
	}

	w.at(page + "/factors")
	w.sees("Passkeys")
	w.sees("Left: 10")
	axetest.Look(w.ctx, t, "own")
	w.at(page + "/factor/new?then=factors")
	w.sees("With an authenticator app")
	secret, err := chromedp.Run(w.ctx, chromedp.Text(chromedp.CSS("code")))
	check(t, err)
	w.fill("code", s.code(secret))
	w.press(`form:not([data-passkey]) button`)
	w.sees("Your second factor")
	w.at(page)
	w.press(`form[action$="/off"] button`)
	w.sees("You are signed off")

	signOn(page + "?flow=f1")
	w.sees("One more step")
	axetest.Look(w.ctx, t, "asked")
	w.press(`form[data-passkey=get] button`)
	w.is(`location.pathname.startsWith("/completed/f1/")`)
	if f := s.have(); len(f.Passkeys) != 1 || f.Passkeys[0].UsedAt.IsZero() {
		t.Errorf("%+v", f)
	}

	s.clock += time.Hour
	w.scripts(false)
	signOnWithout := func() {
		t.Helper()
		w.at(page + "?anew=1")
		w.fill("username", "alice")
		w.fill("password", "x")
		w.press("form button")
		w.sees("One more step")
	}
	signOnWithout()
	w.fill("code", s.code(secret))
	w.press(`form:not([data-passkey]) button`)
	w.sees("You are signed on")
	signOnWithout()
	w.press(`a[href*="recovery=1"]`)
	w.sees("Recovery code")
	w.scripts(true)
	axetest.Look(w.ctx, t, "recovery")
	w.scripts(false)
	w.fill("code", "aaaa-aaaa-aaaa-aaaa")
	w.press(`form button`)
	w.sees("none of your recovery codes")
	codes, hashes := factors.NewCodes()
	check(t, s.factors().KeepCodes(t.Context(), who(s), hashes))
	w.fill("code", codes[0])
	w.press(`form button`)
	w.sees("You are signed on")
	if f := s.have(); f.Recovery.Left != 9 {
		t.Errorf("%+v", f.Recovery)
	}
	w.kinds(s)
}

// kinds fails unless the activities say by what the factor was given.
func (w *window) kinds(s *site) {
	w.t.Helper()
	all, _, err := s.db.Activities(w.t.Context(), s.env, store.ActivityFilter{Action: "user.factor-proven"}, store.Page{})
	check(w.t, err)
	var told []string
	for _, a := range all {
		told = append(told, a.Text)
	}
	for _, kind := range []string{"passkey", "one-time password", "recovery code"} {
		if !strings.Contains(strings.Join(told, "\n"), kind) {
			w.t.Errorf("%s is not told: %q", kind, told)
		}
	}
}

// TestNoPasskeyIsGiven: where the key is not there, or is another, the page says so and offers what else there is.
func TestNoPasskeyIsGiven(t *testing.T) {
	s := start(t)
	s.asksFactor(true)
	s.url = strings.Replace(s.url, "127.0.0.1", "localhost", 1)
	page := s.url + "/" + s.env + "/signon"
	w := openWindow(t)
	out := w.key()
	w.at(page)
	w.fill("username", "alice")
	w.fill("password", "x")
	w.press("form button")
	w.press(`form[data-passkey=create] button`)
	w.sees("Your recovery codes")
	w.press("form button")
	out()
	w.key() // another
	w.at(page + "?anew=1")
	w.fill("username", "alice")
	w.fill("password", "x")
	w.press("form button")
	w.sees("One more step")
	w.do(`document.querySelector("form[data-passkey=get] button").click()`)
	w.is(`!document.querySelector("form[data-passkey=get] .error")?.hidden`)
	w.sees("Use a recovery code instead")
	w.do(`document.querySelector("form[data-passkey=get]").elements.answer.value = "{}"`)
	w.press(`form[data-passkey=get] button`)
	w.sees("not one of yours")
}

// who is alice, who has given a factor.
func who(s *site) factors.Who { return factors.Who{User: s.alice, Proven: true} }
