package oidc

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"ldap-gateway/cloud/store"
)

// reach says which sites' scripts may read what an endpoint answers (the CORS protocol of
// the Fetch standard). No cookie is ever taken into account.
type reach int

const (
	nowhere    reach = iota
	everywhere       // what is public anyhow
	ours             // of the applications without a secret, of those alone that the answer is for
)

// preflighted is what a script may send, and for how long a browser keeps that, in seconds.
const (
	preflightMethods = "GET, POST"
	preflightHeaders = "Authorization, Content-Type, Accept"
	preflightLife    = "600"
	exposedHeaders   = "WWW-Authenticate, Retry-After"
)

// allow has the scripts of a site read the answer, where they may.
func (p *provider) allow(to reach, w http.ResponseWriter, r *http.Request) error {
	origin := r.Header.Get("Origin")
	switch to {
	case nowhere:
		return nil
	case everywhere:
		w.Header().Set("Access-Control-Allow-Origin", "*")
		return nil
	}
	w.Header().Add("Vary", "Origin")
	if origin == "" {
		return nil
	}
	known, err := p.knownOrigin(r.Context(), origin)
	if err != nil || !known {
		return err
	}
	w.Header().Set("Access-Control-Allow-Origin", origin)
	w.Header().Set("Access-Control-Expose-Headers", exposedHeaders)
	return nil
}

// preflight answers what a browser asks ahead of a script's request.
func (p *provider) preflight(w http.ResponseWriter, _ *http.Request) error {
	if w.Header().Get("Access-Control-Allow-Origin") != "" {
		w.Header().Set("Access-Control-Allow-Methods", preflightMethods)
		w.Header().Set("Access-Control-Allow-Headers", preflightHeaders)
		w.Header().Set("Access-Control-Max-Age", preflightLife)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// only takes the answer away from a site's scripts when it turns out to be for an
// application that is not of that site.
func only(a store.Application, w http.ResponseWriter, r *http.Request) {
	if !slices.Contains(origins(a), r.Header.Get("Origin")) {
		w.Header().Del("Access-Control-Allow-Origin")
		w.Header().Del("Access-Control-Expose-Headers")
	}
}

// knownOrigin tells whether an application without a secret is at an origin.
func (p *provider) knownOrigin(ctx context.Context, origin string) (bool, error) {
	u, err := url.Parse(origin)
	if err != nil || u.Hostname() == "" {
		return false, nil
	}
	all, err := p.Store.PublicApplicationsAt(ctx, p.env, u.Hostname())
	return slices.ContainsFunc(all, func(a store.Application) bool {
		return a.Enabled && slices.Contains(origins(a), origin)
	}), err
}

// origins are those of the addresses at which an application without a secret is told its
// codes: a site that gets them may redeem them by itself. One with a secret redeems them
// in its server, and has none.
func origins(a store.Application) (all []string) {
	if !a.Public() {
		return nil
	}
	for _, address := range a.RedirectURIs {
		if o := originOf(address); o != "" {
			all = append(all, o)
		}
	}
	return all
}

// originOf returns an address's origin as browsers write it; empty when it has none.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" {
		return ""
	}
	host := strings.ToLower(u.Hostname())
	if port := u.Port(); port != "" && port != map[string]string{"https": "443", "http": "80"}[u.Scheme] {
		return u.Scheme + "://" + net.JoinHostPort(host, port)
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return u.Scheme + "://" + host
}
