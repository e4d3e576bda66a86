package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloud/vault"
	"ldap-gateway/cloud/web"
)

// How long things live.
const (
	requestLife = 30 * time.Minute // between authorize and the end of the sign-on
	codeLife    = time.Minute
	accessLife  = time.Hour // also of an ID token
	refreshLife = 30 * 24 * time.Hour
)

// beginsPerAddress is how many sign-ons may be begun from one address in a minute:
// each is kept for requestLife. Behind an address there may be a whole company.
const beginsPerAddress = 3000

// What is kept of the wishes of applications, which anybody can send: so many bytes of
// each, and so many begun in a minute at one node.
const (
	mostRequest = 4 << 10
	beginsInAll = 12_000
)

// scopeGroups is by which an application asks for groups.
const scopeGroups = "groups"

// Sessions knows who has signed on in a browser, by the context of its request;
// the sign-on page does.
type Sessions interface {
	// Person returns who has, in an environment; false when nobody has.
	Person(ctx context.Context, env string) (store.SignedOn, bool)
	// End forgets it.
	End(ctx context.Context, env string) error
}

// Server is the providers of all environments. Safe for concurrent use.
type Server struct {
	Store    *store.Store
	Vault    *vault.Vault
	URL      string // that browsers and applications know this cloud by
	Sessions Sessions
	Clients  http.Handler // takes POST token for the client credentials grant
	Logger   hclog.Logger
	Now      func() time.Time // nil: time.Now

	providers sync.Map // by environment: *provider
}

// provider is one environment's.
type provider struct {
	*Server
	env string
	op  *op.Provider
}

func (s *Server) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// Issuer returns an environment's issuer identifier.
func (s *Server) Issuer(env string) string { return s.URL + "/" + env + "/as" }

// Handler answers every path below /ENVIRONMENT/as/.
func (s *Server) Handler() http.Handler {
	mux, begun := http.NewServeMux(), &throttle.Window{Length: time.Minute, InAll: beginsInAll}
	authorize := func(p *provider, w http.ResponseWriter, r *http.Request) { p.authorize(begun, w, r) }
	for pattern, serve := range map[string]func(*provider, http.ResponseWriter, *http.Request){
		"GET /{e}/as/.well-known/openid-configuration": (*provider).discovery,
		"GET /{e}/as/authorize":                        authorize,
		"POST /{e}/as/authorize":                       authorize,
		"GET /{e}/as/authorize/callback":               (*provider).callback,
		"POST /{e}/as/token":                           (*provider).token,
		"GET /{e}/as/userinfo":                         (*provider).protocol,
		"POST /{e}/as/userinfo":                        (*provider).protocol,
		"GET /{e}/as/jwks":                             (*provider).protocol,
		"POST /{e}/as/revoke":                          (*provider).protocol,
		"POST /{e}/as/introspect":                      (*provider).protocol,
		"GET /{e}/as/signoff":                          (*provider).protocol,
		"POST /{e}/as/signoff":                         (*provider).protocol,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			p, err := s.provider(r.Context(), r.PathValue("e"))
			if errors.Is(err, store.ErrNotFound) {
				http.NotFound(w, r)
				return
			}
			if err != nil {
				s.fail(w, err)
				return
			}
			w.Header().Set("Cache-Control", "no-store")
			w.Header().Set("X-Content-Type-Options", "nosniff")
			r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
			serve(p, w, r)
		})
	}
	return mux
}

// fail says no more than that: what failed is in the log, since it may be of the store.
func (s *Server) fail(w http.ResponseWriter, err error) {
	s.Logger.Error("request failed", "error", err)
	if errors.Is(err, store.ErrUnavailable) {
		http.Error(w, "This is not possible right now. Please try again in a moment.", web.Later(w))
		return
	}
	http.Error(w, "This did not work. The server's log has the reason.", http.StatusInternalServerError)
}

// provider returns an environment's; store.ErrNotFound when there is no such
// environment.
func (s *Server) provider(ctx context.Context, env string) (*provider, error) {
	if p, ok := s.providers.Load(env); ok {
		return p.(*provider), nil
	}
	if _, err := s.Store.Environment(ctx, env); err != nil {
		return nil, err
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
		&storage{p}, op.StaticIssuer(s.Issuer(env)), options(s.URL)...)
	if err != nil {
		return nil, err
	}
	kept, _ := s.providers.LoadOrStore(env, p)
	return kept.(*provider), nil
}

// options name the endpoints as compatible clients know them, and take away what
// the library would let browsers of other sites read.
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
		op.WithCORSOptions(nil),
	}
	if strings.HasPrefix(url, "http://") {
		all = append(all, op.WithAllowInsecure()) // only loopback addresses are served so
	}
	return all
}

// pageURL is the sign-on page's address.
func (s *Server) pageURL(env string) string { return s.URL + "/" + env + "/signon" }

// protocol hands a request to the library, which knows its paths below the issuer.
func (p *provider) protocol(w http.ResponseWriter, r *http.Request) {
	http.StripPrefix("/"+p.env+"/as", p.op).ServeHTTP(w, r)
}

// authorize begins a sign-on, which is kept until it has ended.
func (p *provider) authorize(begun *throttle.Window, w http.ResponseWriter, r *http.Request) {
	network := throttle.Network(web.Address(r))
	if wait := begun.Begin(p.now(), throttle.Limit{Key: network, Most: beginsPerAddress}); wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())+1))
		http.Error(
			w,
			"Too many people sign on from this address at this moment. Wait a minute, then go back to the application.",
			http.StatusTooManyRequests,
		)
		return
	}
	p.protocol(w, r)
}

// discovery tells what there really is (OpenID Connect Discovery 1.0): the
// library lists flows that no application may use.
func (p *provider) discovery(w http.ResponseWriter, r *http.Request) {
	d := op.CreateDiscoveryConfig(op.ContextWithIssuer(r.Context(), p.Issuer(p.env)), p.op, &storage{p})
	d.ResponseTypesSupported = []string{string(oidc.ResponseTypeCode)}
	d.ResponseModesSupported = []string{string(oidc.ResponseModeQuery), string(oidc.ResponseModeFormPost)}
	d.GrantTypesSupported = []oidc.GrantType{
		oidc.GrantTypeCode,
		oidc.GrantTypeRefreshToken,
		oidc.GrantTypeClientCredentials,
	}
	d.DeviceAuthorizationEndpoint, d.CheckSessionIframe = "", ""
	d.ClaimsSupported = []string{"sub", "iss", "aud", "exp", "iat", "auth_time", "amr", "nonce", "azp", "at_hash",
		"preferred_username", "name", "given_name", "family_name", "updated_at", "email", scopeGroups, overflowClaim}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(d) // the client is gone: nobody to tell
}

// token takes codes and refresh tokens; the client credentials grant is the API's.
func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		refuseToken(w, "invalid_request", "The body is no form.")
		return
	}
	switch oidc.GrantType(r.PostForm.Get("grant_type")) {
	case oidc.GrantTypeCode, oidc.GrantTypeRefreshToken:
		p.protocol(w, r)
	case oidc.GrantTypeClientCredentials:
		p.Clients.ServeHTTP(w, r)
	case "":
		refuseToken(w, "invalid_request", "grant_type is missing.")
	default:
		refuseToken(w, "unsupported_grant_type", "Use authorization_code, refresh_token or client_credentials.")
	}
}

// refuseToken answers as RFC 6749 section 5.2 says.
func refuseToken(w http.ResponseWriter, code, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": code, "error_description": text})
}
