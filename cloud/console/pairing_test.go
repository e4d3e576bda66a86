package console_test

import (
	"bytes"
	"context"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"ldap-gateway/cloud/pairing"
	"ldap-gateway/cloud/store"
)

// redeems has an agent come with the code that a page shows.
func (s *site) redeems(page string) store.Instance {
	s.t.Helper()
	code := regexp.MustCompile(`id="code">([^<]+)<`).FindStringSubmatch(page)
	if code == nil {
		s.t.Fatalf("no code: %s", page)
	}
	i := store.Instance{
		PublicKey:   bytes.Repeat([]byte{9}, 32),
		SealKey:     bytes.Repeat([]byte{8}, 32),
		Hostname:    "dc1 <b>x</b>",
		Fingerprint: "AAAA-BBBB",
	}
	_, err := s.store.RedeemPairing(s.t.Context(), pairing.HashCode(code[1]), s.clock(), &i)
	s.must(err)
	return i
}

// TestPairingTellsWhatBecameOfIt: the page asks for one line with the cloud's URL, and says when an agent
// is paired, or that none came; another gateway's page says nothing of it.
func TestPairingTellsWhatBecameOfIt(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	page := "/console/gateways/" + f.gateway.ID + "/pairings"
	made := v.post(page).is(http.StatusCreated).
		has("sudo ldap-gateway setup --cloud https://id.example.com", "Windows", "Waiting for an agent")
	state := regexp.MustCompile(`data-from="([^"]+)" data-waits`).FindStringSubmatch(made.body)
	if state == nil {
		t.Fatal(made.text())
	}
	v.get(state[1]).is(http.StatusOK).has("Waiting for an agent").lacks("setup --cloud")
	i := s.redeems(made.body)
	v.get(state[1]).is(http.StatusOK).has("dc1 <b>x</b> is paired", "AAAA-BBBB").lacks("Waiting", "data-waits")
	v.get("/console/gateways/" + f.gateway.ID + "/instances/" + i.ID + "/revoke").is(http.StatusOK)
	v.get("/console/gateways/none/pairings/" + f.pairing.ID).is(http.StatusNotFound)
	v.get(page + "/none").is(http.StatusNotFound)
	other := store.Gateway{EnvironmentID: s.env.ID, Name: "Another", Enabled: true, Vendor: "OpenLDAP"}
	s.must(s.store.CreateGateway(t.Context(), &other))
	v.get("/console/gateways/" + other.ID + "/pairings/" + f.pairing.ID).is(http.StatusNotFound)
	late := v.post(page).is(http.StatusCreated)
	state = regexp.MustCompile(`data-from="([^"]+)"`).FindStringSubmatch(late.body)
	s.pass(11 * time.Minute)
	v.get(state[1]).is(http.StatusOK).has("No agent came with this code").lacks("data-waits")
}

// TestBrowserSeesAnAgentPaired by itself, where it has scripts, and each line has a button that copies it.
func TestBrowserSeesAnAgentPaired(t *testing.T) {
	s := open(t)
	s.admin()
	f := s.fill(s.env.ID, "")
	w := s.open(func(context.Context, *chromedp.Target) error { return nil })
	gateway := "/console/gateways/" + f.gateway.ID
	w.at("/console/sign-in?next="+gateway).fill("name", "admin").fill("password", password).press("form button")
	w.press(`form[action="` + gateway + `/pairings"] button`).waits("Waiting for an agent")
	buttons, err := chromedp.Run(w.ctx, chromedp.Evaluate[int](`document.querySelectorAll("pre.take + div button").length`))
	if err != nil || buttons != 4 {
		t.Errorf("%d lines can be copied, %v", buttons, err)
	}
	html, err := chromedp.Run(w.ctx, chromedp.Evaluate[string](`document.documentElement.outerHTML`))
	s.must(err)
	s.redeems(html)
	w.waits("is paired")
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.complaints) > 0 {
		t.Errorf("the browser complains: %q", w.complaints)
	}
}
