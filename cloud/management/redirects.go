package management

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/store"
)

// browserSchemes are those that browsers give a meaning of their own.
var browserSchemes = []string{
	"javascript", "data", "vbscript", "file", "blob", "about", "filesystem", "view-source", "ws", "wss", "ftp", "mailto",
}

// checkRedirect says what is wrong with an address that browsers are sent to: it
// must be a whole one, by TLS, to this machine, or of a program's own scheme.
// A code goes to it, so that whoever reads the network would have it.
func checkRedirect(field fault.Field, item int, text, applicationType string) fault.List {
	u, err := url.Parse(text)
	switch {
	case err != nil || !u.IsAbs() || u.Fragment != "" || u.User != nil:
		return wrong(
			field,
			item,
			"%q is not a whole address without a fragment, as in https://app.example.com/callback.",
			text,
		)
	case strings.Contains(text, "*"):
		return wrong(field, item, "%q has a wildcard, and addresses are compared to the letter: name each.", text)
	case u.Scheme == "https" && u.Host != "", u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	case u.Scheme == "http" || u.Scheme == "https":
		return wrong(field, item, "%q goes over the network without TLS: use https.", text)
	case u.Scheme == "urn":
		return wrong(field, item, "%q is no place that a browser goes to: a program listens on http://127.0.0.1/ "+
			"(RFC 8252).", text)
	case slices.Contains(browserSchemes, u.Scheme) || applicationType != store.NativeApplication:
		return wrong(field, item, "%q has a scheme that only a NATIVE_APP may have of its own.", text)
	}
	return nil
}

// loopback tells whether a host is this machine: by its address, or by the one name
// that RFC 6761 keeps for it.
func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}
