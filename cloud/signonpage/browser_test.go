package signonpage

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"ldap-gateway/cloud/console/axetest"
	"ldap-gateway/cloud/idp/idptest"
	"ldap-gateway/cloud/store"
)

// window is a Chromium with the cookies that it has by default.
type window struct {
	t   *testing.T
	ctx context.Context
}

func openWindow(t *testing.T) *window {
	t.Helper()
	options := append(
		chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("/usr/bin/chromium"),
		chromedp.NoSandbox,
		chromedp.Flag("no-proxy-server", true),
	)
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	check(t, chromedp.Do(ctx, chromedp.EmulateViewport(390, 800)))
	ctx, cancel = context.WithTimeout(ctx, time.Minute)
	t.Cleanup(cancel)
	return &window{t, ctx}
}

// scripts switches those of pages on or off.
func (w *window) scripts(on bool) {
	w.t.Helper()
	check(w.t, chromedp.Do(w.ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
		return err
	})))
}

func (w *window) at(address string) {
	w.t.Helper()
	check(w.t, chromedp.Do(w.ctx, chromedp.Navigate(address)))
}

// press presses what matches a selector, and returns on the next page.
func (w *window) press(selector string) {
	w.t.Helper()
	_, err := chromedp.RunResponse(w.ctx, chromedp.Click(chromedp.CSS(selector)))
	check(w.t, err)
}

// sees fails unless the page has a text.
func (w *window) sees(text string) {
	w.t.Helper()
	for {
		body, err := chromedp.Run(w.ctx, chromedp.Text(chromedp.CSS("body")))
		if err != nil && w.ctx.Err() == nil {
			continue // the page before went while it was read
		}
		if err != nil || !strings.Contains(body, text) {
			w.t.Errorf("%q is not on the page: %v\n%s", text, err, body)
		}
		return
	}
}

// addSAML makes a provider at another site.
func (p *partners) addSAML(binding string) store.IdentityProvider {
	p.t.Helper()
	at := idptest.StartSAML(p.url+"/sp", "staff")
	p.t.Cleanup(at.Close)
	theirs := store.Certificate{EnvironmentID: p.env, Usage: "SIGNING", DER: at.Keys.Cert.Raw}
	check(p.t, p.db.CreateCertificate(p.t.Context(), &theirs))
	made := store.IdentityProvider{
		EnvironmentID: p.env,
		Name:          "SAML by " + binding,
		Type:          store.SAML,
		Enabled:       true,
		PopulationID:  p.alice.PopulationID,
		Mappings: []store.ProviderMapping{
			{Name: "username", Value: "${samlAssertion.subject}", Update: store.EmptyOnly},
			{Name: "memberOfExternalGroups", Value: "${providerAttributes.groups}", Update: store.Always},
		},
		Config: store.ProviderConfig{SAML: &store.SAMLConfig{
			EntityID:       idptest.EntityID,
			OwnEntityID:    at.Entity,
			Endpoint:       at.URL,
			Binding:        binding,
			CertificateIDs: []string{theirs.ID},
		}},
	}
	check(p.t, p.db.CreateIdentityProvider(p.t.Context(), &made))
	return made
}

// TestSAMLInABrowser, with its default cookies, with scripts and without, by both
// bindings: the answer comes from another site by POST, and the person is signed on.
func TestSAMLInABrowser(t *testing.T) {
	for _, binding := range []string{"HTTP_REDIRECT", "HTTP_POST"} {
		for _, scripts := range []bool{true, false} {
			p := startPartners(t)
			p.change(func(i *store.IdentityProvider) { i.Enabled = false })
			p.addSAML(binding)
			p.withGateway()
			w := openWindow(t)
			w.scripts(scripts)
			w.at(p.url + "/" + p.env + "/signon")
			w.press("a.choice")
			if binding == "HTTP_POST" {
				w.press("form button") // of ours: it posts the request
			}
			w.sees("Provider")
			w.press("form button") // of theirs: it posts the answer
			w.sees("You are signed on")
			w.sees("staff")
		}
	}
}

// TestProviderPagesAreAccessible: those of choosing, of failing, of a trial and of going on.
func TestProviderPagesAreAccessible(t *testing.T) {
	p := startPartners(t)
	saml := p.addSAML("HTTP_POST")
	w := openWindow(t)
	look := func(what, path, has string) {
		w.at(p.url + "/" + p.env + path)
		w.sees(has)
		axetest.Look(w.ctx, t, what)
	}
	look("choose", "/signon", "Continue with")
	p.withGateway()
	look("buttons", "/signon", "Continue with")
	look("stranded", "/rp/callback/openid_connect?state=x&code=y", "Choose another way")
	p.change(func(i *store.IdentityProvider) { i.Config.Domains = []string{"example.org"} })
	look("name", "/signon", "Next")
	w.at(p.url + "/" + p.env + "/signon?choose=1")
	w.press("a[href*='" + saml.ID + "']")
	w.sees("You sign on elsewhere")
	axetest.Look(w.ctx, t, "post")
}
