package signon

import (
	"crypto/rand"
	"encoding/json"
	"time"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloudlink/wire"
)

// KnownLife is how long a browser is known by which somebody has signed on.
const KnownLife = 90 * 24 * time.Hour

// browsers is the purpose of what a known browser has.
const browsers = "known browsers of people"

// Sealer keeps what browsers carry so that nobody else makes it; *vault.Vault does.
type Sealer interface {
	SealText(purpose, owner string, plain []byte) string
	OpenText(purpose, owner, text string) ([]byte, error)
}

// known is what such a browser has.
type known struct {
	Name  string // by which its tries are counted
	Until time.Time
}

// KnownBrowser returns what a browser is to keep by which somebody has just signed on. It opens
// nothing: it only has the tries of that browser be counted apart from those of strangers, so that
// nobody is locked out by them. One that had it keeps its name, and its tries.
func (s *Service) KnownBrowser(r Request) string {
	k := known{Name: s.knows(r)}
	if k.Name == "" {
		k.Name = rand.Text()
	}
	k.Until = s.now().Add(KnownLife)
	b, err := json.Marshal(k)
	if err != nil {
		panic(err) // there are a text and a time in it
	}
	return s.Vault.SealText(browsers, person(r), b)
}

// knows returns the name under which tries of a browser are counted by which somebody has signed on
// under the same username; empty when what it keeps is none of KnownBrowser, another's, or too old.
func (s *Service) knows(r Request) string {
	if r.Browser == "" {
		return ""
	}
	var k known
	b, err := s.Vault.OpenText(browsers, person(r), r.Browser)
	if err != nil || json.Unmarshal(b, &k) != nil || !s.now().Before(k.Until) {
		return ""
	}
	return k.Name
}

// typedIn says what an agent is told of where the password was typed.
func (a *attempt) typedIn() wire.Browser {
	switch {
	case a.request.Actor != "":
		return wire.BrowserUnsaid
	case a.browser == "":
		return wire.BrowserStrange
	}
	return wire.BrowserKnown
}

// person is whoever a request means, known or not.
func person(r Request) string {
	return r.EnvironmentID + "/" + store.Fold(store.Typed(r.Username))
}
