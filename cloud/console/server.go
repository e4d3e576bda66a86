package console

import (
	"context"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud/administrators"
	"ldap-gateway/cloud/alerts"
	"ldap-gateway/cloud/api"
	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloud/pairing"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloudlink/wire"
)

// Pairer makes pairing codes.
type Pairer interface {
	// Offer makes a one-time code for a gateway; by says who asked, in words.
	// store.ErrNotFound when the environment has no such gateway.
	Offer(ctx context.Context, env, gateway, by string) (p store.Pairing, code string, err error)
	// Shown returns the agent that shows a code and waits; Approve makes it an
	// instance, and Deny turns it away. store.ErrNotFound, store.ErrUsed or
	// store.ErrExpired when none waits with that code.
	Shown(ctx context.Context, code string) (store.PairingRequest, error)
	Approve(ctx context.Context, env, gateway, code, by string) (store.Instance, error)
	Deny(ctx context.Context, code string) error
}

// Linker knows the instances that are connected, and tells them of changes.
type Linker interface {
	// Live returns the connected instances of a gateway, each once.
	Live(gateway string) []hub.Live
	// UserTypesChanged says that a gateway was changed: its user types, or
	// whether it is enabled.
	UserTypesChanged(gateway string)
	// Explain has an agent say what a sign-on of a person would bring, without a
	// password.
	Explain(ctx context.Context, a hub.Ask) wire.Explained
	// Rotate has an instance change its keys soon.
	Rotate(instance string)
	// Revoked says that an instance's credential is not good any more.
	Revoked(instance string)
}

// People knows who has signed on with an account of their organisation.
type People interface {
	// PersonOf returns who has signed on in an environment with a request's
	// browser; false when nobody has.
	PersonOf(r *http.Request, env string) (by store.SignedOn, ok bool, err error)
}

var (
	_ Pairer = (*pairing.Desk)(nil)
	_ Linker = (*hub.Hub)(nil)
)

// Server is the console.
type Server struct {
	Store    *store.Store
	Logger   hclog.Logger // nil: none
	Pairings Pairer
	Links    Linker
	Keys     api.KeyKeeper // of Kerberos services
	Proofs   *administrators.Desk
	Post     *alerts.Post     // tells alerts
	People   People           // who have signed on with their own account
	Services []string         // Kerberos names that browsers ask tickets for, as in "HTTP/id.example.com"
	URL      string           // that applications know this cloud by
	Secure   bool             // people reach it over TLS: cookies are sent over nothing else
	Ending   <-chan struct{}  // closed when the server stops: what streams ends; nil: never
	Now      func() time.Time // of records and throttles, not of sessions; nil: time.Now
}

// console is a server at work.
type console struct {
	*Server
	sessions *scs.SessionManager
	pages    pages
	assets   assets
	guesses  throttle.Window
}

// maxForm bounds the body of a request, in bytes.
const maxForm = 256 << 10

// Handler returns the console. It answers every path below /console/.
func (s *Server) Handler() http.Handler {
	files := embeddedAssets()
	c := &console{Server: s, sessions: sessionsOf(s), assets: files, pages: parsePages(files)}
	c.guesses.Length = guessWindow
	c.sessions.ErrorFunc = func(w http.ResponseWriter, r *http.Request, err error) { c.fail(w, r, nil, err) }

	pages := http.NewServeMux()
	for pattern, e := range c.open() {
		pages.Handle(pattern, c.page(e))
	}
	for pattern, e := range c.closed() {
		pages.Handle(pattern, c.page(c.signedIn(roleFor(pattern), e)))
	}
	pages.Handle("/console/", c.page(c.signedIn(store.RoleReadOnly, func(*call) error { return store.ErrNotFound })))

	mux := http.NewServeMux()
	mux.HandleFunc("GET "+staticPath+"{file}", c.static)
	mux.Handle("/", c.sessions.LoadAndSave(pages))
	return c.guarded(mux)
}

// open lists the pages that need no session.
func (c *console) open() map[string]endpoint {
	return map[string]endpoint{
		"GET /console/setup":    c.showSetup,
		"POST /console/setup":   c.doSetup,
		"GET /console/sign-in":  c.showSignIn,
		"POST /console/sign-in": c.doSignIn,

		"GET /console/organisation": c.enter,

		"GET /console/sign-in/second":           c.showSecond,
		"POST /console/sign-in/second":          c.doSecond,
		"POST /console/sign-in/passkey/options": c.askPasskey,
		"POST /console/sign-in/passkey":         c.takePasskey,
	}
}

// closed lists the pages of those who have signed in.
func (c *console) closed() map[string]endpoint {
	all := map[string]endpoint{
		"GET /console/{$}":       func(k *call) error { return k.goTo("/console/gateways") },
		"POST /console/sign-out": c.doSignOut,
	}
	for _, part := range []map[string]endpoint{c.gatewayPages(), c.peoplePages(), c.settingsPages()} {
		maps.Copy(all, part)
	}
	return all
}

// gatewayPages lists what there is of gateways.
func (c *console) gatewayPages() map[string]endpoint {
	return map[string]endpoint{
		"GET /console/gateways":                                c.listGateways,
		"GET /console/gateways/new":                            c.newGateway,
		"POST /console/gateways":                               c.createGateway,
		"GET /console/gateways/{g}":                            c.showGateway,
		"POST /console/gateways/{g}/enabled":                   c.switchGateway,
		"GET /console/gateways/{g}/delete":                     c.confirmDeleteGateway,
		"POST /console/gateways/{g}/delete":                    c.deleteGateway,
		"POST /console/gateways/{g}/pairings":                  c.createPairing,
		"POST /console/gateways/{g}/pairings/{id}/delete":      c.deletePairing,
		"GET /console/gateways/{g}/approve":                    c.showWaiting,
		"POST /console/gateways/{g}/approve":                   c.decideWaiting,
		"POST /console/gateways/{g}/instances/{i}/rotate":      c.rotate,
		"GET /console/gateways/{g}/instances/{i}/revoke":       c.confirmRevoke,
		"POST /console/gateways/{g}/instances/{i}/revoke":      c.revoke,
		"GET /console/gateways/{g}/try":                        c.showTry,
		"POST /console/gateways/{g}/try":                       c.tryPerson,
		"GET /console/gateways/{g}/user-types/new":             c.newUserType,
		"POST /console/gateways/{g}/user-types":                c.saveUserType,
		"GET /console/gateways/{g}/user-types/{t}":             c.editUserType,
		"POST /console/gateways/{g}/user-types/{t}":            c.saveUserType,
		"GET /console/gateways/{g}/user-types/{t}/delete":      c.confirmDeleteUserType,
		"POST /console/gateways/{g}/user-types/{t}/relink":     c.relinkUsers,
		"POST /console/gateways/{g}/user-types/{t}/delete":     c.deleteUserType,
		"GET /console/gateways/{g}/kerberos":                   c.showKerberos,
		"POST /console/gateways/{g}/kerberos":                  c.saveKerberos,
		"POST /console/gateways/{g}/kerberos/off":              c.stopKerberos,
		"POST /console/gateways/{g}/kerberos/keys":             c.addKeys,
		"POST /console/gateways/{g}/kerberos/keys/{id}/delete": c.deleteKeys,
	}
}

// peoplePages lists what there is of applications, people and what happened.
func (c *console) peoplePages() map[string]endpoint {
	return map[string]endpoint{
		"GET /console/applications":                     c.listApplications,
		"POST /console/applications":                    c.saveApplication,
		"GET /console/applications/new":                 c.newApplication,
		"GET /console/applications/{a}":                 c.showApplication,
		"POST /console/applications/{a}":                c.saveApplication,
		"POST /console/applications/{a}/secret":         c.makeSecret,
		"POST /console/applications/{a}/delete":         c.deleteApplication,
		"GET /console/users":                            c.listUsers,
		"GET /console/users/{u}":                        c.showUser,
		"POST /console/users/{u}/link":                  c.linkUser,
		"GET /console/users/{u}/groups/{group}/remove":  c.confirmRemoveMember,
		"POST /console/users/{u}/groups/{group}/remove": c.removeMember,
		"GET /console/groups":                           c.listGroups,
		"GET /console/groups/{group}":                   c.showGroup,
		"GET /console/activity":                         c.listActivity,
		"GET /console/activity/live":                    c.streamActivity,
		"GET /console/activity/export":                  c.exportActivity,
		"GET /console/populations":                      c.listPopulations,
		"POST /console/populations":                     c.createPopulation,
		"GET /console/populations/{p}/delete":           c.confirmDeletePopulation,
		"POST /console/populations/{p}/delete":          c.deletePopulation,
	}
}

// settingsPages lists what somebody settles about their account, and owners about the environment.
func (c *console) settingsPages() map[string]endpoint {
	return map[string]endpoint{
		"GET /console/account":                               c.showAccount,
		"POST /console/account/password":                     c.changePassword,
		"GET /console/account/one-time":                      c.newOneTime,
		"GET /console/account/one-time.png":                  c.drawOneTime,
		"POST /console/account/one-time":                     c.keepOneTime,
		"POST /console/account/one-time/delete":              c.dropOneTime,
		"POST /console/account/passkey/options":              c.askNewPasskey,
		"POST /console/account/passkey":                      c.keepPasskey,
		"POST /console/account/passkey/delete":               c.dropPasskey,
		"GET /console/settings":                              c.showSettings,
		"POST /console/settings":                             c.saveSettings,
		"POST /console/settings/logo":                        c.saveLogo,
		"GET /console/settings/logo.png":                     c.drawLogo,
		"GET /console/settings/administrators":               c.listAdministrators,
		"POST /console/settings/administrators":              c.addAdministrator,
		"POST /console/settings/administrators/{id}":         c.changeAdministrator,
		"POST /console/settings/administrators/{id}/reset":   c.resetAdministrator,
		"POST /console/settings/administrators/{id}/delete":  c.deleteAdministrator,
		"POST /console/settings/role-groups":                 c.setRoleGroup,
		"GET /console/settings/clients":                      c.listClients,
		"POST /console/settings/clients":                     c.addClient,
		"POST /console/settings/clients/{id}/secret":         c.renewClient,
		"POST /console/settings/clients/{id}/delete":         c.deleteClient,
		"GET /console/settings/alerts":                       c.showAlerts,
		"POST /console/settings/alerts/channels":             c.addChannel,
		"POST /console/settings/alerts/channels/{id}/try":    c.tryChannel,
		"POST /console/settings/alerts/channels/{id}/delete": c.deleteChannel,
		"POST /console/settings/alerts/quiet":                c.quietAlert,
		"GET /console/settings/sign-on":                      c.showOrder,
		"POST /console/settings/sign-on":                     c.moveOrder,
	}
}

// roleFor returns the role that a page needs: who reads may look, identity
// administrators change, and owners settle who may.
func roleFor(pattern string) store.Role {
	method, path, _ := strings.Cut(pattern, " ")
	switch {
	case strings.HasPrefix(path, "/console/account"), path == "/console/sign-out", path == "/console/settings/logo.png":
		return store.RoleReadOnly
	case strings.HasPrefix(path, "/console/settings"):
		return store.RoleOwner
	case method == http.MethodGet && !strings.HasSuffix(path, "/try"):
		return store.RoleReadOnly
	}
	return store.RoleIdentityAdmin
}

// guarded does what holds for every request.
func (c *console) guarded(next http.Handler) http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { c.fail(w, r, nil, errCrossOrigin) }))
	return headers(crossOrigin.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		next.ServeHTTP(w, r)
	})))
}

// headers sets what every answer says to the browser.
func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		// With no-referrer browsers would send the origin "null", and their own
		// forms would look like those of another site.
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

func (s *Server) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

func (s *Server) log() hclog.Logger {
	if s.Logger == nil {
		return hclog.NewNullLogger()
	}
	return s.Logger
}
