package idptest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"ldap-gateway/cloud/store"
)

// OpenID is an OpenID Connect provider. Its fields may be changed between sign-ons,
// with Set.
type OpenID struct {
	URL      string // issuer
	ClientID string
	Secret   string
	Requests map[string]int // by path

	mu     sync.Mutex
	server *httptest.Server
	key    *rsa.PrivateKey
	keyID  string
	people map[string]Person
	issued map[string]grant // by code
	fault  Fault
}

// Person is what the provider knows of somebody.
type Person struct {
	Token map[string]any // claims of the ID token
	Info  map[string]any // claims of UserInfo
}

// Fault is what the provider does wrong; the zero value is nothing.
type Fault struct {
	Claims     func(claims map[string]any) // changes the ID token's before it is signed
	Answer     func(answer url.Values)     // changes what the browser brings back
	Info       func(claims map[string]any)
	InfoFails  bool
	SignedInfo bool
	Unsigned   bool // the ID token has the algorithm "none"
	Shared     bool // the ID token is signed by the client's secret, HS256
	Stranger   bool // it is signed by a key of somebody else's under the provider's key ID
	UnknownKey string
}

// grant is a code that was given.
type grant struct {
	login     string
	query     url.Values
	used      bool
	signedOn  time.Time
	challenge string
}

// StartOpenID runs a provider until Close.
func StartOpenID(people map[string]Person) *OpenID {
	o := &OpenID{
		ClientID: "cloud",
		Secret:   "a secret of more than thirty-two characters",
		people:   people,
		issued:   map[string]grant{},
		Requests: map[string]int{},
	}
	o.Rotate()
	o.server = httptest.NewServer(o)
	o.URL = o.server.URL
	return o
}

// Close ends it.
func (o *OpenID) Close() { o.server.Close() }

// Set changes what the provider does wrong.
func (o *OpenID) Set(f Fault) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fault = f
}

// SetPerson changes what it knows of somebody.
func (o *OpenID) SetPerson(login string, p Person) {
	o.mu.Lock()
	defer o.mu.Unlock()
	people := maps.Clone(o.people)
	people[login] = p
	o.people = people
}

// Asked returns how often a path was.
func (o *OpenID) Asked(path string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.Requests[path]
}

// Rotate gives it another key, and forgets the one before.
func (o *OpenID) Rotate() {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // only a size that is too small fails
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.key, o.keyID = key, fmt.Sprintf("key-%d", time.Now().UnixNano())
}

// Config is how the provider is reached.
func (o *OpenID) Config() store.ProviderConfig {
	return store.ProviderConfig{OIDC: &store.OIDCConfig{
		Issuer:                o.URL,
		AuthorizationEndpoint: o.URL + "/authorize",
		TokenEndpoint:         o.URL + "/token",
		JWKSEndpoint:          o.URL + "/jwks",
		UserInfoEndpoint:      o.URL + "/userinfo",
		ClientID:              o.ClientID,
		Scopes:                []string{"openid", "profile", "email", "groups"},
		ClientAuth:            "CLIENT_SECRET_BASIC",
		PKCE:                  "S256",
	}}
}

// ServeHTTP implements http.Handler.
func (o *OpenID) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.Requests[r.URL.Path]++
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		o.discovery(w)
	case "/authorize":
		o.authorize(w, r)
	case "/token":
		o.token(w, r)
	case "/userinfo":
		o.userInfo(w, r)
	case "/jwks":
		public := jose.JSONWebKey{Key: &o.key.PublicKey, KeyID: o.keyID, Algorithm: "RS256", Use: "sig"}
		answer(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public}})
	default:
		http.NotFound(w, r)
	}
}

func (o *OpenID) discovery(w http.ResponseWriter) {
	answer(w, map[string]any{
		"issuer":                                o.URL,
		"authorization_endpoint":                o.URL + "/authorize",
		"token_endpoint":                        o.URL + "/token",
		"jwks_uri":                              o.URL + "/jwks",
		"userinfo_endpoint":                     o.URL + "/userinfo",
		"response_types_supported":              []string{"code"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"authorization_response_iss_parameter_supported": true,
	})
}

// form asks who somebody is.
var form = template.Must(template.New("").Parse(`<!doctype html><html lang="en"><title>Sign on</title><h1>Sign on</h1>
<form action="/authorize">{{range $name, $values := .}}{{range $values}}
<input type="hidden" name="{{$name}}" value="{{.}}">
{{end}}{{end}}<label>User name <input name="user" autofocus></label><button>Sign on</button></form>`))

// authorize asks who somebody is, believes it, and sends the browser back with a code.
func (o *OpenID) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	login := q.Get("user")
	if hint := q.Get("login_hint"); login == "" {
		login = hint
	}
	if login == "" && q.Get("prompt") != "none" {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = form.Execute(w, q)
		return
	}
	back := url.Values{"state": {q.Get("state")}, "iss": {o.URL}}
	if login == "" {
		back.Set("error", "login_required")
	} else {
		code := rand.Text()
		o.issued[code] = grant{login: login, query: q, signedOn: time.Now(), challenge: q.Get("code_challenge")}
		back.Set("code", code)
	}
	if o.fault.Answer != nil {
		o.fault.Answer(back)
	}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
}

// token gives tokens for a code, once.
func (o *OpenID) token(w http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth()
	code := r.FormValue("code")
	g, ok := o.issued[code]
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	proven := base64.RawURLEncoding.EncodeToString(sum[:]) == g.challenge
	if !ok || g.used || !proven || r.FormValue("redirect_uri") != g.query.Get("redirect_uri") {
		refuse(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	if unescaped, _ := url.QueryUnescape(secret); id != o.ClientID || unescaped != o.Secret {
		refuse(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	g.used = true
	o.issued[code] = g
	answer(w, map[string]any{
		"access_token": "access-" + code,
		"token_type":   "Bearer",
		"expires_in":   60,
		"id_token":     o.idToken(g),
	})
}

func (o *OpenID) idToken(g grant) string {
	now := time.Now()
	claims := map[string]any{
		"iss":       o.URL,
		"sub":       "sub-" + g.login,
		"aud":       o.ClientID,
		"nonce":     g.query.Get("nonce"),
		"iat":       now.Unix(),
		"exp":       now.Add(5 * time.Minute).Unix(),
		"auth_time": g.signedOn.Unix(),
	}
	maps.Copy(claims, o.people[g.login].Token)
	if o.fault.Claims != nil {
		o.fault.Claims(claims)
	}
	return o.sign(claims)
}

// sign signs claims, or does what the fault says.
func (o *OpenID) sign(claims map[string]any) string {
	body, err := json.Marshal(claims)
	if err != nil {
		panic(err) // whoever wrote the test sees where
	}
	key := jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: o.key, KeyID: o.keyID}}
	switch {
	case o.fault.Unsigned:
		encode := base64.RawURLEncoding.EncodeToString
		return encode([]byte(`{"alg":"none"}`)) + "." + encode(body) + "."
	case o.fault.Shared:
		key = jose.SigningKey{Algorithm: jose.HS256, Key: []byte(o.Secret)}
	case o.fault.Stranger:
		stranger, _ := rsa.GenerateKey(rand.Reader, 2048) // only a size that is too small fails
		key.Key = jose.JSONWebKey{Key: stranger, KeyID: o.keyID}
	case o.fault.UnknownKey != "":
		key.Key = jose.JSONWebKey{Key: o.key, KeyID: o.fault.UnknownKey}
	}
	signer, err := jose.NewSigner(key, nil)
	if err != nil {
		panic(err)
	}
	signed, err := signer.Sign(body)
	if err != nil {
		panic(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		panic(err)
	}
	return text
}

func (o *OpenID) userInfo(w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer access-")
	g, ok := o.issued[token]
	if !ok || o.fault.InfoFails {
		http.Error(w, "not now", http.StatusServiceUnavailable)
		return
	}
	claims := map[string]any{"sub": "sub-" + g.login}
	maps.Copy(claims, o.people[g.login].Info)
	if o.fault.Info != nil {
		o.fault.Info(claims)
	}
	if o.fault.SignedInfo {
		w.Header().Set("Content-Type", "application/jwt")
		_, _ = w.Write([]byte(o.sign(claims)))
		return
	}
	answer(w, claims)
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	answer(w, map[string]string{"error": code})
}

func answer(w http.ResponseWriter, v any) {
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	_ = json.NewEncoder(w).Encode(v) // the client is gone: nobody to tell
}
