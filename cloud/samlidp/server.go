package samlidp

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud/applications"
	"ldap-gateway/cloud/idp/samlsp"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloud/vault"
	"ldap-gateway/cloud/web"
)

// How long things live.
const (
	wishLife    = 30 * time.Minute // between a request and its answer
	sessionLife = 12 * time.Hour   // what was told is known as long as a session may last
	offLife     = 10 * time.Minute // to tell all applications of a session
)

// MostOfNetwork is how many messages of applications are taken from one network in a minute, and
// mostInAll at one node: each may have a signature to be checked, and one to be made. An office of
// thousands is one network, and begins its day within minutes.
const (
	MostOfNetwork = 12_000
	mostInAll     = 24_000
)

// What is taken, in bytes. The standard gives a RelayState 80; applications send more.
const (
	mostBody     = 128 << 10 // of a form: base64, and escapes
	mostMessage  = 64 << 10
	mostRelay    = 2 << 10
	mostOffRelay = 512 // is carried in a cookie
	mostID       = 256
	mostEntity   = 1024
)

// Keys returns a key of ours with its certificate, by the ID of that.
type Keys func(ctx context.Context, env, id string) (crypto.Signer, *x509.Certificate, error)

// Server is the identity providers of all environments. Safe for concurrent use.
type Server struct {
	Store    *store.Store
	Vault    *vault.Vault
	URL      string // that browsers and applications know this cloud by
	Secure   bool   // people reach it over TLS
	Sessions applications.Sessions
	Pages    applications.Pages
	Keys     Keys
	// Ended tells applications of other protocols that a session has ended; nil: there are none.
	Ended  func(ctx context.Context, env string, by store.SignedOn) error
	Logger hclog.Logger
	Now    func() time.Time // nil: time.Now
	Bounds *throttle.Bounds // of what is refused; nil: nobody counts

	begun    throttle.Window
	refusals *applications.Refusals
}

func (s *Server) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// EntityID returns what an environment is called as an identity provider.
func EntityID(url, env string) string { return url + "/" + env }

// The addresses of an environment, below EntityID.
const (
	SSOPath      = "/saml20/idp/sso"
	StartPath    = applications.StartPath
	SLOPath      = "/saml20/idp/slo"
	MetadataPath = "/saml20/metadata"
	offPath      = "/saml20/idp/off"
	resumePath   = "/saml20/resume"
)

func (s *Server) at(env, path string) string { return EntityID(s.URL, env) + path }

// call is one request and its answer.
type call struct {
	*http.Request
	*Server
	w     http.ResponseWriter
	env   string
	asker string // ID of the application, when it is known
}

// refusal is why nobody is signed on, as a page says it.
type refusal struct {
	status int
	why    applications.Sentence
	cause  error // for administrators; may be nil
	brief  bool  // it is no fault of the application, and is told by itself
}

// Error implements error.
func (r *refusal) Error() string {
	if r.cause != nil {
		return r.why.String() + ": " + r.cause.Error()
	}
	return r.why.String()
}

// Unwrap returns the cause.
func (r *refusal) Unwrap() error { return r.cause }

// refuse is a request that is not taken.
func refuse(cause error, text string, values ...any) error {
	return &refusal{http.StatusBadRequest, applications.Sentence{Text: text, Values: values}, cause, false}
}

// Handler answers every path of this room below /ENVIRONMENT/saml20/. It is called once.
// A request comes by a form of another site, by its nature: it begins a sign-on, and no more.
func (s *Server) Handler() http.Handler {
	s.begun.Length, s.begun.InAll, s.begun.Bound = time.Minute, mostInAll, s.Bounds.Of(throttle.Messages)
	s.refusals = &applications.Refusals{Store: s.Store, Pages: s.Pages, Logger: s.Logger, Now: s.Now, Bounds: s.Bounds}
	samlsp.Prepare()
	mux := http.NewServeMux()
	for pattern, e := range map[string]func(*call) error{
		"GET /{e}" + SSOPath:               (*call).sso,
		"POST /{e}" + SSOPath:              (*call).sso,
		"GET /{e}" + StartPath:             (*call).startSSO,
		"GET /{e}" + SLOPath:               (*call).slo,
		"POST /{e}" + SLOPath:              (*call).slo,
		"GET /{e}" + offPath:               (*call).off,
		"GET /{e}" + resumePath:            (*call).resume,
		"GET /{e}" + MetadataPath:          (*call).metadata,
		"GET /{e}" + MetadataPath + "/{a}": (*call).metadata,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(e, w, r) })
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.Pages.Nowhere(w, r, http.StatusNotFound) })
	return mux
}

// serve has an endpoint answer for the environment in the path; 404 for none.
func (s *Server) serve(e func(*call) error, w http.ResponseWriter, r *http.Request) {
	k := &call{Request: r, Server: s, w: w, env: r.PathValue("e")}
	_, err := s.Store.Environment(r.Context(), k.env)
	if errors.Is(err, store.ErrNotFound) {
		s.Pages.Nowhere(w, r, http.StatusNotFound)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	r.Body = http.MaxBytesReader(w, r.Body, mostBody)
	if err == nil {
		err = e(k)
	}
	if err != nil {
		k.fail(err)
	}
}

// fail shows a page: where the application is to be told is not known, or it is nothing that
// it could be told. The ID leads an administrator to what was sent.
func (k *call) fail(err error) {
	var r *refusal
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, store.ErrUnavailable):
		k.Logger.Error("request failed", "path", k.Request.URL.Path, "error", err)
		k.Pages.Failure(k.w, k.Request, web.Later(k.w),
			"Signing on is not possible right now. Please try again in a moment.")
		return
	case errors.Is(err, store.ErrNotFound) && !errors.As(err, &r):
		k.Pages.Nowhere(k.w, k.Request, http.StatusNotFound)
		return
	case errors.As(err, &tooLarge):
		k.Pages.Failure(k.w, k.Request, http.StatusRequestEntityTooLarge, "What was sent is too large.")
		return
	}
	var denied *applications.Denial
	if errors.As(err, &denied) && k.refusals.Deny(k.w, k.Request, denied) == nil {
		return
	}
	if !errors.As(err, &r) {
		id := uuid.NewString()
		k.Logger.Error("request failed", "id", id, "path", k.Request.URL.Path, "error", err)
		k.Pages.Failure(k.w, k.Request, http.StatusInternalServerError,
			"This did not work. Please try again in a moment. Your administrator finds the reason under %s.", id)
		return
	}
	if r.brief {
		k.Pages.Failure(k.w, k.Request, r.status, r.why.Text, r.why.Values...)
		return
	}
	k.refusals.Refuse(k.w, k.Request, applications.Refused{
		EnvironmentID: k.env,
		Application:   k.asker,
		Status:        r.status,
		Why:           r.why,
		More:          r.more(),
		Err:           err,
	})
}

// more is what an administrator is to know besides what the page says.
func (r *refusal) more() string {
	if r.cause == nil {
		return ""
	}
	return cut(r.cause.Error())
}

// mostLogged is how much of what a stranger sent is in one value of the log, in bytes.
const mostLogged = 500

func cut(text string) string { return text[:min(len(text), mostLogged)] }

// mayBegin refuses who begins too many sign-ons.
func (k *call) mayBegin() error {
	network := throttle.Network(web.Address(k.Request))
	wait := k.begun.Begin(k.now(), throttle.Limit{Key: network, Most: MostOfNetwork})
	if wait <= 0 {
		return nil
	}
	k.w.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())+1))
	return late(http.StatusTooManyRequests, nil,
		"Too many people sign on from here at once. Please try again in a minute.")
}

// application returns one that is enabled and speaks SAML; store.ErrNotFound when there is
// none. It is looked up anew each time: what was true when a request came may be so no longer.
func (s *Server) application(ctx context.Context, env, id string) (store.Application, error) {
	a, err := s.Store.Application(ctx, env, id)
	return ours(a, err)
}

func ours(a store.Application, err error) (store.Application, error) {
	if err == nil && (a.Protocol != store.SAML || !a.Enabled) {
		err = store.ErrNotFound
	}
	return a, err
}

// gone is for what has taken too long or is over.
func gone(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return late(http.StatusNotFound, err,
			"This sign-on has taken too long or is over. Go back to the application and begin again.")
	}
	return err
}

// late is for what is no fault of the application.
func late(status int, cause error, text string, values ...any) error {
	return &refusal{status, applications.Sentence{Text: text, Values: values}, cause, true}
}

// lacking is for somebody whose account is not what an application takes; the cause is the administrator's.
func (k *call) lacking(a store.Application, cause error, text string) error {
	k.asker = a.ID
	return &refusal{http.StatusForbidden, applications.Sentence{Text: text, Values: []any{a.Name}}, cause, false}
}
