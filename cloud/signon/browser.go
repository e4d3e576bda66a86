package signon

import (
	"strings"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloudlink/wire"
)

func (s *Service) browsers() throttle.Known {
	return throttle.Known{Seals: s.Vault, Purpose: "known browsers of people"}
}

// KnownBrowser returns what a browser is to keep by which somebody has just signed on.
func (s *Service) KnownBrowser(r Request) string { return s.browsers().Mark(person(r), s.now()) }

// knows tells whether a browser keeps that somebody has signed on by it under the same username.
func (s *Service) knows(r Request) bool { return s.browsers().Knows(person(r), r.Browser, s.now()) }

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
