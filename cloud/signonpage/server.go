package signonpage

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/google/uuid"
	"github.com/hashicorp/go-hclog"
	"golang.org/x/text/language"

	"ldap-gateway/cloud/applications"
	"ldap-gateway/cloud/factors"
	"ldap-gateway/cloud/idp"
	"ldap-gateway/cloud/kerberos"
	"ldap-gateway/cloud/oidc"
	"ldap-gateway/cloud/signon"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloud/web"
)

// Passwords takes sign-ons by password, and changes of it.
type Passwords interface {
	SignOn(ctx context.Context, r signon.Request) (store.SignOn, error)
	// OffersChange tells whether a sign-on that ended for its password's sake may be
	// completed by another one.
	OffersChange(ctx context.Context, so store.SignOn) bool
	ChangePassword(ctx context.Context, r signon.ChangeRequest) (signon.Change, error)
	// KnownBrowser returns what a browser is to keep by which somebody has just signed on.
	KnownBrowser(r signon.Request) string
}

// Tickets takes sign-ons by ticket.
type Tickets interface {
	SignOn(ctx context.Context, r kerberos.Request) (kerberos.Answer, error)
	Explain(ctx context.Context, r kerberos.Request) (kerberos.Proof, error)
	Asks(ctx context.Context, env string, from netip.Addr) (bool, error)
	Taken(ctx context.Context, env string) (bool, error)
}

// Flows knows what applications want.
type Flows interface {
	// Flow returns what an application wants; store.ErrNotFound when that has taken too
	// long or is over.
	Flow(ctx context.Context, env, id string) (applications.Flow, error)
	// Complete says who signed on, and returns where the browser goes on.
	Complete(env, id string, by store.SignedOn) (next string, err error)
	// Refuse sends the browser back to the application without a sign-on, and without a
	// page.
	Refuse(w http.ResponseWriter, r *http.Request, env, id string, why applications.Refusal) error
	// SignedOff tells applications that a session has ended, and returns where the browser is
	// to go, so that those learn of it that are told through it, and then on to then.
	SignedOff(r *http.Request, env string, by store.SignedOn, then string) (next string, err error)
	// Ended tells applications that a session has ended elsewhere.
	Ended(ctx context.Context, env string, by store.SignedOn) error
	// Leaving returns what an application that has somebody signed off wants; its error is
	// one for a page of oidc's.
	Leaving(ctx context.Context, env string, form url.Values) (oidc.Leaving, error)
}

var (
	_ applications.Pages = (*Server)(nil)

	_ Passwords = (*signon.Service)(nil)
	_ Tickets   = (*kerberos.Verifier)(nil)
	_ Flows     = (*oidc.Server)(nil)
)

// Server is the sign-on pages. Safe for concurrent use.
type Server struct {
	Store     *store.Store
	Passwords Passwords
	Tickets   Tickets
	Flows     Flows
	Providers Providers
	Factors   *factors.Service
	Sessions  *Sessions
	Logger    hclog.Logger
	Now       func() time.Time // nil: time.Now
	Bounds    *throttle.Bounds // of what is refused; nil: nobody counts

	windows throttle.Window // what addresses do
	turns   *turns          // answers of SAML
}

// maxForm bounds the body of a request, in bytes.
const maxForm = 16 << 10

// call is one request and its answer.
// It knows its environment: a path of none was answered before an endpoint is asked.
type call struct {
	*http.Request
	*Server
	w    http.ResponseWriter
	env  store.Environment
	lang language.Tag // of the pages

	planned *plan                        // read by plan
	goesBy  map[string]applications.Rule // read by rule, by flow
	user    store.User                   // read by person
}

// endpoint answers one request, or returns why it cannot.
type endpoint func(k *call) error

// Handler answers every path below /ENVIRONMENT/signon, StaticPath, and the first page.
// What another site sent is refused before it is read, and told in a page of ours.
// It is called once: windows and turns are those of the server.
func (s *Server) Handler() http.Handler {
	s.windows.Length, s.windows.Bound = time.Minute, s.Bounds.Of(throttle.Answers)
	s.turns = newTurns(s.Bounds.Of(throttle.Answers))
	mux := http.NewServeMux()
	for pattern, e := range map[string]endpoint{
		"POST /{e}/signon":                     (*call).password,
		"POST /{e}/signon/password":            (*call).changePassword,
		"POST /{e}/signon/sessions":            (*call).endSessions,
		"GET /{e}/signon/factor":               (*call).showFactor,
		"POST /{e}/signon/factor":              (*call).giveFactor,
		"GET /{e}/signon/factor/new":           (*call).showNewFactor,
		"POST /{e}/signon/factor/new":          (*call).keepNewFactor,
		"GET /{e}/signon/factor/new.png":       (*call).drawOneTime,
		"GET /{e}/signon/factor/codes":         (*call).showCodes,
		"POST /{e}/signon/factor/codes":        (*call).keepCodes,
		"GET /{e}/signon/factors":              (*call).showFactors,
		"POST /{e}/signon/factors":             (*call).changeFactors,
		"GET /{e}/signon/decline":              (*call).decline,
		"POST /{e}/signon/confirm":             (*call).confirmed,
		"POST /{e}/signon/off":                 (*call).signOff,
		"GET /{e}" + idp.SignedOffPath:         (*call).signedOff,
		"GET /{e}/signon/ticket":               (*call).testTicket,
		"GET /{e}/signon/logo.png":             (*call).logo,
		"GET /{e}/signon/colours.css":          (*call).colours,
		"POST /{e}/signon/next":                (*call).next,
		"GET /{e}/signon/idp/{p}":              (*call).leave,
		"GET /{e}/signon/idp/arrive":           (*call).arriveBy,
		"GET /{e}" + idp.CallbackPath:          (*call).callback,
		"GET /{e}" + idp.CallbackPath + "/{p}": (*call).callback,
		"GET /{e}" + idp.MetadataPath + "{p}":  (*call).metadata,
	} {
		mux.Handle(pattern, s.page(e))
	}
	for pattern, e := range map[string]endpoint{
		"GET /{e}":                 (*call).toSignOn,
		"GET /{e}/{$}":             (*call).toSignOn,
		"GET /{e}/signon":          (*call).show,
		"GET /{e}/signon/password": (*call).showChange,
		"GET /{e}" + ChangePath:    (*call).toChange,
	} {
		mux.Handle(pattern, s.byShortName(s.page(e)))
	}
	for pattern, serve := range map[string]http.HandlerFunc{
		"GET " + StaticPath + "{file}": s.serveStatic,
		"GET " + ChangePath:            s.changeAnywhere,
		"GET /{$}":                     s.front,
		"GET " + RobotsPath:            serveRobots,
		"GET " + IconPath:              serveIcon,
		"/":                            s.lost(mux),
	} {
		mux.HandleFunc(pattern, serve)
	}
	all := http.NewServeMux()
	all.Handle("/", web.SameSite(s.foreign, web.Limited(maxForm, mux)))
	// An answer of SAML comes from another site, by its nature.
	all.Handle("POST /{e}"+idp.ACSPath, s.bounded(web.Limited(maxAnswer, s.page((*call).accept))))
	return web.Pages(web.Running(script), all)
}

// foreign refuses what another site sent.
func (s *Server) foreign(w http.ResponseWriter, r *http.Request) {
	s.failure(
		w, r,
		http.StatusForbidden,
		"This came from another site, so it was not carried out. Go back to the application and begin again.",
	)
}

// page makes an endpoint a handler.
// An environment that does not exist is 404, before anything of the body is read.
func (s *Server) page(e endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		env, err := s.Store.Environment(r.Context(), r.PathValue("e"))
		if errors.Is(err, store.ErrNotFound) {
			s.nowhere(w, r, http.StatusNotFound)
			return
		}
		if err == nil {
			err = parsed(r)
		}
		if err == nil {
			err = e(&call{Request: r, Server: s, w: w, env: env, lang: spoken(r, nil)})
		}
		s.answerError(w, r, err)
	})
}

// errForm says that a form came broken, or in part: whoever sent it is to be told, and
// nobody else.
var errForm = errors.New("the form cannot be read")

// parsed reads a form. Its error is errForm, throttle.ErrFull or *http.MaxBytesError.
func parsed(r *http.Request) error {
	err := r.ParseForm()
	var tooLarge *http.MaxBytesError
	if err == nil || errors.Is(err, throttle.ErrFull) || errors.As(err, &tooLarge) {
		return err
	}
	return fmt.Errorf("%w: %w", errForm, err)
}

// answerError says what went wrong; what is nobody's fault but ours is logged
// under the ID that the page shows.
// 404 is for what is over as well, where a sign-on was asked for: a flow that was completed, or never was,
// reads the same.
func (s *Server) answerError(w http.ResponseWriter, r *http.Request, err error) {
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
	case errors.Is(err, store.ErrNotFound) && r.Form.Get("flow") == "":
		s.nowhere(w, r, http.StatusNotFound)
	case errors.Is(err, store.ErrNotFound):
		s.failure(
			w, r,
			http.StatusNotFound,
			"This sign-on has taken too long or is over. Go back to the application and begin again.",
		)
	case errors.As(err, &tooLarge):
		s.failure(w, r, http.StatusRequestEntityTooLarge, "What was sent is too large.")
	case errors.Is(err, throttle.ErrFull):
		s.failure(w, r, web.Later(w), busy)
	case errors.Is(err, errForm):
		s.Logger.Debug("a form could not be read", "path", r.URL.Path, "error", err)
		s.failure(w, r, http.StatusBadRequest, "What was sent cannot be read. Go back to the application and begin again.")
	case errors.Is(err, store.ErrUnavailable):
		s.Logger.Error("page failed", "path", r.URL.Path, "error", err)
		s.failure(w, r, web.Later(w), "Signing on is not possible right now. Please try again in a moment.")
	default:
		id := uuid.NewString()
		if !errors.Is(err, context.Canceled) {
			s.Logger.Error("page failed", "id", id, "path", r.URL.Path, "error", err)
		}
		s.failure(
			w, r,
			http.StatusInternalServerError,
			"This did not work. Please try again in a moment. Your administrator finds the reason under %s.", id,
		)
	}
}

// now is the time of day, which tests set.
func (s *Server) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// address is where the request came from.
func (k *call) address() string { return web.Address(k.Request) }

// Sessions are those of people's browsers.
type Sessions struct {
	store   *store.Store
	secure  bool
	manager *scs.SessionManager
	clock   func() time.Time // nil: time.Now
}

// NewSessions returns the sessions that db keeps. Secure says that people reach
// the cloud over TLS.
func NewSessions(db *store.Store, secure bool) *Sessions {
	return &Sessions{store: db, secure: secure, manager: &scs.SessionManager{
		IdleTimeout: 2 * time.Hour,
		Lifetime:    12 * time.Hour,
		Store:       store.Sessions{Store: db},
		Codec:       codec{},
		Cookie:      web.Cookie("ldap-cloud-person", "/", secure),
		ErrorFunc: func(w http.ResponseWriter, _ *http.Request, _ error) { // the store is away
			http.Error(w, "This did not work. Please try again in a moment.", web.Later(w))
		},
	}}
}
