package console

import (
	"context"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud/administrators"
	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/pairing"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloud/web"
	"ldap-gateway/cloudlink/wire"
)

// Pairer knows the agents that wait for an administrator.
type Pairer interface {
	// Shown returns the agent that shows a code and waits. store.ErrNotFound,
	// store.ErrUsed or store.ErrExpired when none waits with that code.
	Shown(ctx context.Context, code string) (store.PairingRequest, error)
}

// Linker knows the instances that are connected.
type Linker interface {
	// Live returns the connected instances of a gateway, each once.
	Live(gateway string) []hub.Live
	// Explain has an agent say what a sign-on of a person would bring, without a
	// password.
	Explain(ctx context.Context, a hub.Request) wire.Explained
}

// People knows who has signed on with an account of their organisation.
type People interface {
	// PersonOf returns who has signed on in an environment with a request's
	// browser; false when nobody has.
	PersonOf(r *http.Request, env string) (by store.SignedOn, ok bool, err error)
}

var (
	_ Pairer = (*pairing.Broker)(nil)
	_ Linker = (*hub.Hub)(nil)
)

// Server is the console.
type Server struct {
	Store      *store.Store // to read, and for sessions
	Management *management.Service
	Logger     hclog.Logger // nil: none
	Pairings   Pairer
	Links      Linker
	Proofs     *administrators.Authenticator
	Mails      bool // there is a mail server for alerts
	Providers  Providers
	People     People   // who have signed on with their own account
	Services   []string // Kerberos names that browsers ask tickets for, as in "HTTP/id.example.com"
	URL        string   // that applications know this cloud by
	Secure     bool     // people reach it over TLS: cookies are sent over nothing else
	// Bytes returns how many the database has; nil: nobody is told.
	Bytes  func(context.Context) (int64, error)
	Ending <-chan struct{}  // closed when the server stops: what streams ends; nil: never
	Now    func() time.Time // of throttles, not of sessions; nil: time.Now

	// Exports has lists that are sent whole, and Streams those of activities, by environment and
	// account; nil: there is any number.
	Exports, Streams *throttle.Queue
	Bounds           *throttle.Bounds // of what is refused; nil: nobody counts
}

// console is a server at work.
type console struct {
	*Server
	sessions *scs.SessionManager
	pages    pages
	assets   assets
	guesses  throttle.Window
	asks     throttle.Window // for passkeys, of strangers
	lines    throttle.Sample // of the log, about strangers
}

// maxForm bounds the body of a request, in bytes.
// A form comes as a whole or is refused: a logo is the largest thing in one.
const maxForm = 256 << 10

// Handler returns the console. It answers every path below /console/.
// Tries are counted in what it returns, so a server has one handler.
func (s *Server) Handler() http.Handler {
	files := embeddedAssets()
	c := &console{Server: s, sessions: sessionsOf(s), assets: files, pages: parsePages(files)}
	c.guesses.Length, c.guesses.Bound = guessWindow, s.Bounds.Of(throttle.Tries)
	c.asks.Length, c.asks.InAll, c.asks.Bound = time.Minute, asksPerMinute, s.Bounds.Of(throttle.Passkeys)
	c.lines.Bound = s.Bounds.Of(throttle.Lines)
	// Without it a store of sessions that fails would be answered in the library's
	// words.
	c.sessions.ErrorFunc = func(w http.ResponseWriter, r *http.Request, err error) { c.fail(w, r, nil, err) }

	pages := http.NewServeMux()
	for pattern, e := range c.open() {
		pages.Handle(pattern, c.page(e))
	}
	for pattern, r := range c.closed() {
		pages.Handle(pattern, c.page(c.signedIn(r.action, r.answer)))
	}
	// A stranger does not learn which pages there are: what is none leads to the
	// sign-in as well.
	pages.Handle("/console/", c.page(c.signedIn(management.Read, func(*call) error { return store.ErrNotFound })))

	mux := http.NewServeMux()
	// Files need no session, and so no look into the database.
	mux.HandleFunc("GET "+staticPath+"{file}", c.static)
	mux.HandleFunc("GET "+helpPath+"pictures/{file}", c.picture)
	mux.Handle("/", c.sessions.LoadAndSave(pages))
	return c.guarded(mux)
}

// guarded does what holds for every request.
func (c *console) guarded(next http.Handler) http.Handler {
	refuse := func(w http.ResponseWriter, r *http.Request) { c.fail(w, r, nil, errCrossOrigin) }
	return web.Pages(web.Scripted, web.SameSite(refuse, web.Limited(maxForm, next)))
}

// now is the time of day, which tests set.
func (s *Server) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

// log is where refusals and our own faults go; without a logger, nowhere.
func (s *Server) log() hclog.Logger {
	if s.Logger == nil {
		return hclog.NewNullLogger()
	}
	return s.Logger
}
