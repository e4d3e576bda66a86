package signon

import (
	"encoding/json"
	"strings"
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
type known struct{ Until time.Time }

// KnownBrowser returns what a browser is to keep by which somebody has just signed on. It opens
// nothing: it only has tries by such browsers be counted apart from those of strangers, so that
// nobody is locked out by them. All of one person are counted together: who signs on again and again
// has no more tries by that.
func (s *Service) KnownBrowser(r Request) string {
	b, err := json.Marshal(known{s.now().Add(KnownLife)})
	if err != nil {
		panic(err) // there is a time in it
	}
	return s.Vault.SealText(browsers, person(r), b)
}

// knows tells whether a browser keeps that somebody has signed on by it under the same username; not
// when that is none of KnownBrowser, another's, or too old.
func (s *Service) knows(r Request) bool {
	if r.Browser == "" {
		return false
	}
	var k known
	b, err := s.Vault.OpenText(browsers, person(r), r.Browser)
	return err == nil && json.Unmarshal(b, &k) == nil && s.now().Before(k.Until)
}

// typedIn says what an agent is told of where the password was typed.
func (a *attempt) typedIn() wire.Browser {
	switch {
	case a.request.Actor != "":
		return wire.BrowserUnsaid
	case !a.byKnown:
		return wire.BrowserStrange
	}
	return wire.BrowserKnown
}

// person is whoever a request means, known or not. Directories take any number of blanks for one
// (RFC 4518 section 2.6.1).
func person(r Request) string {
	return r.EnvironmentID + "/" + strings.Join(strings.Fields(store.Fold(store.Typed(r.Username))), " ")
}
