package oidc

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"ldap-gateway/cloud/applications"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloud/vault"
	"ldap-gateway/cloud/web"
)

// How long things live.
const (
	requestLife = 30 * time.Minute // between authorize and the end of the sign-on
	accessLife  = time.Hour        // also of an ID token
	refreshLife = 30 * 24 * time.Hour
)

// mostBody bounds the body of a request, in bytes.
const mostBody = 64 << 10

// scopeGroups is by which an application asks for groups.
const scopeGroups = "groups"

// Server is the providers of all environments. Safe for concurrent use.
type Server struct {
	Store    *store.Store
	Vault    *vault.Vault
	URL      string // that browsers and applications know this cloud by
	Sessions applications.Sessions
	Pages    applications.Pages
	HTTP     *http.Client // reaches applications that are told when a session ends
	Clients  http.Handler // takes POST token for the client credentials grant
	// Leave returns where the browser of somebody who was signed off is to go, so that applications
	// of other protocols learn of it, and then on to then; nil: there are none.
	Leave  func(r *http.Request, env string, by store.SignedOn, then string) (next string, err error)
	Logger hclog.Logger
	Now    func() time.Time // nil: time.Now
	Bounds *throttle.Bounds // of what is refused; nil: nobody counts

	providers sync.Map // by environment: *provider
	refusals  *applications.Refusals
	lines     throttle.Sample // of the log, about proofs
}

// provider is one environment's.
type provider struct {
	*Server
	env     string
	op      *op.Provider
	keyring openedKeys

	addresses addresses // of applications' keys
}

func (s *Server) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// Issuer returns an environment's issuer identifier.
func (s *Server) Issuer(env string) string { return s.URL + "/" + env + "/as" }

// endpoint answers one request. Its error says why it cannot, and is answered in the
// way of the endpoint's kind.
type endpoint func(p *provider, w http.ResponseWriter, r *http.Request) error

// route is an endpoint with how its errors are told.
type route struct {
	serve endpoint
	fail  func(p *provider, w http.ResponseWriter, r *http.Request, err error)
	read  reach
}

// Handler answers every path below /ENVIRONMENT/as/. It is called once.
// No handler of the library is among them: it is asked as a library, and what it refuses
// is an error, for one of three answers.
func (s *Server) Handler() http.Handler {
	s.lines.Bound = s.Bounds.Of(throttle.Lines)
	s.refusals = &applications.Refusals{Store: s.Store, Pages: s.Pages, Logger: s.Logger, Now: s.Now, Bounds: s.Bounds}
	mux, asked := http.NewServeMux(), map[string]http.HandlerFunc{} // ahead, by browsers
	for pattern, at := range map[string]route{
		"GET /{e}/as/.well-known/openid-configuration": {(*provider).discovery, (*provider).failProgram, everywhere},
		"GET /{e}/as/jwks":               {(*provider).jwks, (*provider).failProgram, everywhere},
		"GET /{e}/as/authorize":          {(*provider).authorize, (*provider).failPerson, nowhere},
		"POST /{e}/as/authorize":         {(*provider).authorize, (*provider).failPerson, nowhere},
		"GET /{e}/as/authorize/callback": {(*provider).callback, (*provider).failPerson, nowhere},
		"GET /{e}/as/signoff":            {(*provider).signOff, (*provider).failPerson, nowhere},
		"POST /{e}/as/signoff":           {(*provider).signOff, (*provider).failPerson, nowhere},
		"POST /{e}/as" + pushPath:        {(*provider).push, (*provider).failProgram, ours},
		"POST /{e}/as/token":             {(*provider).token, (*provider).failProgram, ours},
		"POST /{e}/as/revoke":            {(*provider).revoke, (*provider).failProgram, ours},
		"POST /{e}/as/introspect":        {(*provider).introspect, (*provider).failProgram, nowhere},
		"GET /{e}/as" + groupsPath:       {(*provider).groups, (*provider).failBearer, ours},
		"GET /{e}/as/userinfo":           {(*provider).userinfo, (*provider).failBearer, ours},
		"POST /{e}/as/userinfo":          {(*provider).userinfo, (*provider).failBearer, ours},
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(at, w, r) })
		if _, path, _ := strings.Cut(pattern, " "); at.read != nowhere {
			ahead := route{(*provider).preflight, at.fail, at.read}
			asked["OPTIONS "+path] = func(w http.ResponseWriter, r *http.Request) { s.serve(ahead, w, r) }
		}
	}
	for pattern, serve := range asked {
		mux.HandleFunc(pattern, serve)
	}
	mux.HandleFunc("/{e}/as/", s.nowhere(mux))
	return mux
}

// nowhere answers what no endpoint is for: another method, or another path; in JSON to programs.
func (s *Server) nowhere(mux *http.ServeMux) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		takes := web.Takes(mux, r)
		status, why := http.StatusNotFound, "There is nothing at this path."
		if len(takes) > 0 {
			w.Header().Set("Allow", strings.Join(takes, ", "))
			status, why = http.StatusMethodNotAllowed, "This endpoint takes "+strings.Join(takes, " and ")+"."
		}
		s.nothingAt(w, r, status, why)
	}
}

// nothingAt answers a request that nothing here is for.
func (s *Server) nothingAt(w http.ResponseWriter, r *http.Request, status int, why string) {
	if web.Browser(r) {
		s.Pages.Nowhere(w, r, status)
		return
	}
	answer(w, status, map[string]string{"error": string(oidc.InvalidRequest), "error_description": why})
}

// serve has an endpoint answer for the environment in the path; 404 for none.
func (s *Server) serve(at route, w http.ResponseWriter, r *http.Request) {
	p, err := s.provider(r.Context(), r.PathValue("e"))
	if errors.Is(err, store.ErrNotFound) {
		s.nothingAt(w, r, http.StatusNotFound, "There is no such environment.")
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if err != nil {
		at.fail(&provider{Server: s}, w, r, err)
		return
	}
	r = r.WithContext(op.ContextWithIssuer(r.Context(), s.Issuer(p.env)))
	r.Body = readAll(http.MaxBytesReader(w, r.Body, mostBody))
	r = r.WithContext(s.Store.Current.Held(r.Context())) // not before: a body may come slowly
	err = p.allow(at.read, w, r)
	if err == nil {
		err = at.serve(p, w, r)
	}
	if err != nil {
		at.fail(p, w, r, err)
	}
}

// readAll reads a body to its end, and returns one that is there, with the error that came of it.
func readAll(body io.ReadCloser) io.ReadCloser {
	read, err := io.ReadAll(body)
	if err != nil {
		return io.NopCloser(io.MultiReader(bytes.NewReader(read), broken{err}))
	}
	return io.NopCloser(bytes.NewReader(read))
}

// broken is a body of which no more comes.
type broken struct{ err error }

// Read implements io.Reader.
func (b broken) Read([]byte) (int, error) { return 0, b.err }

// provider returns an environment's; store.ErrNotFound when there is no such
// environment.
func (s *Server) provider(ctx context.Context, env string) (*provider, error) {
	if _, err := s.Store.Current.Environment(ctx, env); err != nil {
		s.providers.Delete(env) // it may have been deleted at another node
		return nil, err
	}
	if p, ok := s.providers.Load(env); ok {
		return p.(*provider), nil
	}
	p := &provider{Server: s, env: env}
	var err error
	p.op, err = op.NewProvider(&op.Config{
		CryptoKey:                s.Vault.Derive("access tokens of " + env),
		CodeMethodS256:           true,
		AuthMethodPost:           true,
		GrantTypeRefreshToken:    true,
		DefaultLogoutRedirectURI: s.pageURL(env),
		SupportedScopes: []string{
			oidc.ScopeOpenID,
			oidc.ScopeProfile,
			oidc.ScopeEmail,
			scopeGroups,
			oidc.ScopeOfflineAccess,
		},
	},
		&storage{provider: p}, op.StaticIssuer(s.Issuer(env)), options(s.URL)...)
	if err != nil {
		return nil, err
	}
	kept, _ := s.providers.LoadOrStore(env, p)
	return kept.(*provider), nil
}

// options name the endpoints as compatible clients know them.
func options(url string) []op.Option {
	all := []op.Option{
		op.WithCustomEndpoints(
			op.NewEndpoint("authorize"),
			op.NewEndpoint("token"),
			op.NewEndpoint("userinfo"),
			op.NewEndpoint("revoke"),
			op.NewEndpoint("signoff"),
			op.NewEndpoint("jwks"),
		),
		op.WithCustomIntrospectionEndpoint(op.NewEndpoint("introspect")),
		op.WithIDTokenHintVerifierOpts(op.WithSupportedIDTokenHintSigningAlgorithms(algorithms[:]...)),
	}
	if strings.HasPrefix(url, "http://") {
		all = append(all, op.WithAllowInsecure()) // only loopback addresses are served so
	}
	return all
}

// pageURL is the sign-on page's address.
func (s *Server) pageURL(env string) string { return s.URL + "/" + env + "/signon" }
