package signon

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloud/vault"
	"ldap-gateway/cloudlink/wire"
)

// TestStrangersKeepNobodyOut: who guesses at a username keeps nobody out of a browser by which its
// owner has signed on, wherever that is, at any node; and that browser has tries of its own, no more.
func TestStrangersKeepNobodyOut(t *testing.T) {
	c := newCloud(t)
	keys, err := vault.New(bytes.Repeat([]byte{1}, 32))
	must(t, err)
	c.Vault = keys
	now := time.Now()
	c.Now = func() time.Time { return now }
	right := right("ada", "1")
	wrong := wire.SignOnResult{Outcome: wire.OutcomeInvalidCredentials, BindSent: true}
	try := func(s *Service, answer wire.SignOnResult, name, browser, address string) string {
		t.Helper()
		c.agents.answers[c.first.ID], c.agents.answers[c.second.ID] = answer, answer
		so, err := s.SignOn(t.Context(), Request{
			EnvironmentID: c.env, Username: name, Password: []byte("x"), Browser: browser, Address: address,
		})
		must(t, err)
		return so.Outcome
	}
	ada := Request{EnvironmentID: c.env, Username: "Ada "}
	ada.Browser = c.KnownBrowser(ada)
	another := &Service{Store: c.Store, Agents: c.agents, Provisioner: c.Provisioner, Logger: c.Logger, Vault: keys, Now: c.Now}
	try(c.Service, right, "ada", "", "192.0.2.1") // has a record from now on
	for i := range 200 {
		try(c.Service, wrong, "ada", "", fmt.Sprintf("198.51.%d.1", i))
		try(c.Service, wrong, fmt.Sprint("nobody", i), "", "203.0.113.9") // the owner's network, too
	}
	stolen, _ := vault.New(bytes.Repeat([]byte{2}, 32))
	other := Request{EnvironmentID: c.env, Username: "eve"}
	elsewhere := Request{EnvironmentID: "another", Username: "ada"}
	for name, kept := range map[string]string{
		"a stranger": "", "made up": "AAAA", "another's": c.KnownBrowser(other), "of elsewhere": c.KnownBrowser(elsewhere),
		"altered": ada.Browser + "A", "cut": ada.Browser[:20], "long": strings.Repeat("A", 10_000),
		"of another cloud": (&Service{Vault: stolen}).KnownBrowser(Request{EnvironmentID: c.env, Username: "ada"}),
	} {
		if got := try(c.Service, right, "ada", kept, "203.0.113.9"); got != "busy" {
			t.Errorf("%s: %s", name, got)
		}
	}
	for name, s := range map[string]*Service{"here": c.Service, "another node": another} {
		c.agents.asked = nil
		for _, typed := range []string{"ada", "ADA", " ada"} {
			if got := try(s, right, typed, ada.Browser, "203.0.113.9"); got != "ok" {
				t.Errorf("%s, as %q: %s", name, typed, got)
			}
		}
		for _, asked := range c.agents.asked {
			if asked.Browser != wire.BrowserKnown {
				t.Errorf("%s: the agent is told %d", name, asked.Browser)
			}
		}
	}
	again := ada
	again.Browser = c.KnownBrowser(ada)
	for i := range wrongPerPerson {
		another := c.KnownBrowser(Request{EnvironmentID: c.env, Username: "ADA"}) // as many as one likes
		if got := try(c.Service, wrong, "ada", []string{ada.Browser, another}[i%2], ""); got != "invalidCredentials" {
			t.Errorf("try %d: %s", i, got)
		}
	}
	for name, s := range map[string]*Service{"here": c.Service, "another node": another} {
		if got := try(s, right, "ada", again.Browser, ""); got != "busy" {
			t.Errorf("%s: a browser guesses without end: %s", name, got)
		}
	}
	now = now.Add(throttle.KnownLife + time.Second)
	if c.knows(ada) {
		t.Error("known for ever")
	}
}

// TestAgentsLearnWhereAPasswordWasTyped, at sign-ons and changes of passwords: a program that asks for
// somebody says nothing of that, whatever it sends.
func TestAgentsLearnWhereAPasswordWasTyped(t *testing.T) {
	c := newCloud(t)
	keys, err := vault.New(bytes.Repeat([]byte{1}, 32))
	must(t, err)
	c.Vault = keys
	c.allow(&c.first)
	known := c.KnownBrowser(Request{EnvironmentID: c.env, Username: "ada"})
	for name, x := range map[string]struct {
		actor, browser string
		want           wire.Browser
	}{
		"program":           {"client:x", "", wire.BrowserUnsaid},
		"known by programs": {"client:x", known, wire.BrowserUnsaid},
		"strange":           {"", "", wire.BrowserStrange},
		"made up":           {"", "x", wire.BrowserStrange},
		"known":             {"", known, wire.BrowserKnown},
	} {
		c.agents.asked, c.agents.changes = nil, nil
		c.agents.answers[c.first.ID] = right("ada", "1")
		_, err := c.SignOn(t.Context(), Request{
			EnvironmentID: c.env, Username: "ada", Password: []byte("x"), Actor: x.actor, Browser: x.browser,
		})
		must(t, err)
		_, err = c.ChangePassword(t.Context(), ChangeRequest{
			EnvironmentID: c.env, Username: "ada", Old: []byte("x"), New: []byte("y"), Actor: x.actor, Browser: x.browser,
		})
		must(t, err)
		if len(c.agents.asked) != 1 || c.agents.asked[0].Browser != x.want {
			t.Errorf("%s: %+v", name, c.agents.asked)
		}
		if len(c.agents.changes) != 1 || c.agents.changes[0].Browser != x.want {
			t.Errorf("%s: %+v", name, c.agents.changes)
		}
	}
}
