package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"html/template"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// application is one that people sign on to by the cloud, as those of an organisation are: it shows who
// came, and what it learned of them.
type application struct {
	login    oauth2.Config
	verifier *gooidc.IDTokenVerifier
	signOff  string // of the cloud
	address  string // its own

	mu    sync.Mutex
	under map[string]journey // sign-ons under way, by state
	who   map[string]person  // by session
}

// mostVisits bounds each of the two: it is for one person who tries it.
const mostVisits = 1000

// journey is what is compared when somebody comes back.
type journey struct{ visit, nonce, verifier string }

// person is who has signed on.
type person struct {
	Name   string  `json:"name"`
	Groups []group `json:"groups"`
	token  string
}

// group is one as the application learns it.
type group struct {
	Name   string `json:"displayName"`
	Source string `json:"sourceType"`
}

// From says where a group comes from.
func (g group) From() string {
	return map[string]string{"GATEWAY": "from the directory", "IDP": "from the partner"}[g.Source]
}

// startApplication makes one known to the cloud, and serves it until ctx ends.
func (s *stage) startApplication(ctx context.Context) (address string, ended chan struct{}, err error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	address = "http://" + l.Addr().String()
	a, err := s.register(ctx, address)
	if err != nil {
		return "", nil, errors.Join(err, l.Close())
	}
	server := &http.Server{Handler: a.handler(), ReadHeaderTimeout: 5 * time.Second}
	ended = make(chan struct{})
	go func() { defer close(ended); _ = server.Serve(l) }()
	context.AfterFunc(ctx, func() { _ = server.Close() })
	return address, ended, nil
}

// register makes the application in the cloud, as an administrator does.
func (s *stage) register(ctx context.Context, address string) (*application, error) {
	var made struct{ ID, Secret string }
	err := s.api.Do(ctx, "POST", "/applications", map[string]any{
		"name":                   "Notice board",
		"type":                   "WEB_APP",
		"enabled":                true,
		"homePageUrl":            address,
		"redirectUris":           []string{address + "/back"},
		"postLogoutRedirectUris": []string{address + "/"},
		"groupsClaim":            map[string]any{"value": "OBJECTS", "sources": []string{s.gateway, s.partner}},
	}, &made)
	if err == nil {
		err = s.api.Do(ctx, "POST", "/applications/"+made.ID+"/secret", struct{}{}, &made)
	}
	if err != nil {
		return nil, err
	}
	issuer := s.api.URL + "/" + s.setup.EnvironmentID + "/as"
	provider, err := gooidc.NewProvider(ctx, issuer)
	if err != nil {
		return nil, err
	}
	var more struct {
		SignOff string `json:"end_session_endpoint"`
	}
	a := &application{
		login: oauth2.Config{
			ClientID:     made.ID,
			ClientSecret: made.Secret,
			Endpoint:     provider.Endpoint(),
			RedirectURL:  address + "/back",
			Scopes:       []string{"openid", "profile", "groups"},
		},
		verifier: provider.Verifier(&gooidc.Config{ClientID: made.ID}),
		address:  address,
		under:    map[string]journey{},
		who:      map[string]person{},
	}
	err = provider.Claims(&more)
	a.signOff = more.SignOff
	return a, err
}

func (a *application) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.show)
	mux.HandleFunc("GET /on", a.begin)
	mux.HandleFunc("GET /back", a.back)
	mux.HandleFunc("GET /off", a.off)
	return mux
}

// visit is the cookie of a browser; a new one for who has none.
func visit(w http.ResponseWriter, r *http.Request) string {
	if c, err := r.Cookie("visit"); err == nil && c.Value != "" {
		return c.Value
	}
	value := rand.Text()
	http.SetCookie(w, &http.Cookie{
		Name:     "visit",
		Value:    value,
		Path:     "/",
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	})
	return value
}

var page = template.Must(template.New("").Parse(`<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Notice board</title><link rel="icon" href="data:,"><style>
:root { color-scheme: light dark; background: light-dark(#fff, #12171c); color: light-dark(#1c2630, #e4e9ee); }
a { color: light-dark(#17598a, #86c1ec); }
main { font: 1.1rem/1.5 system-ui; max-width: 34rem; margin: 3rem auto; padding: 0 1rem; }
</style></head><body><main>
<h1>Notice board</h1>
{{with .}}<p>Good morning, {{.Name}}. The cloud says that you are in these groups:</p>
<ul>{{range .Groups}}<li>{{.Name}} <small>{{.From}}</small></li>{{else}}<li>none</li>{{end}}</ul>
<p><a href="/off">Sign off</a></p>
{{else}}<p>This is an application of your organisation. It knows no passwords.</p>
<p><a href="/on">Sign on</a></p>
{{end}}</main></body></html>
`))

func (a *application) show(w http.ResponseWriter, r *http.Request) {
	id := visit(w, r)
	a.mu.Lock()
	p, on := a.who[id]
	a.mu.Unlock()
	w.Header().Set("Cache-Control", "no-store")
	var shown *person
	if on {
		shown = &p
	}
	_ = page.Execute(w, shown) // the browser is gone: nobody to tell
}

func (a *application) begin(w http.ResponseWriter, r *http.Request) {
	j, state := journey{visit(w, r), rand.Text(), oauth2.GenerateVerifier()}, rand.Text()
	a.mu.Lock()
	if len(a.under) >= mostVisits {
		clear(a.under)
	}
	a.under[state] = j
	a.mu.Unlock()
	to := a.login.AuthCodeURL(state, gooidc.Nonce(j.nonce), oauth2.S256ChallengeOption(j.verifier))
	http.Redirect(w, r, to, http.StatusFound)
}

// back takes the answer of the cloud, in the browser that asked for it alone.
func (a *application) back(w http.ResponseWriter, r *http.Request) {
	state := r.FormValue("state")
	a.mu.Lock()
	j, begun := a.under[state]
	delete(a.under, state)
	a.mu.Unlock()
	if !begun || j.visit != visit(w, r) {
		http.Error(w, "This sign-on was not begun here.", http.StatusBadRequest)
		return
	}
	p, err := a.redeem(r.Context(), r.FormValue("code"), j)
	if err != nil {
		http.Error(w, "The sign-on did not work: "+err.Error()+" "+r.FormValue("error_description"), http.StatusForbidden)
		return
	}
	a.mu.Lock()
	if len(a.who) >= mostVisits {
		clear(a.who)
	}
	a.who[j.visit] = p
	a.mu.Unlock()
	http.Redirect(w, r, "/", http.StatusFound)
}

var errNonce = errors.New("the token is of another sign-on")

// redeem returns who signed on.
func (a *application) redeem(ctx context.Context, code string, j journey) (p person, err error) {
	token, err := a.login.Exchange(ctx, code, oauth2.VerifierOption(j.verifier))
	if err != nil {
		return p, err
	}
	p.token, _ = token.Extra("id_token").(string)
	id, err := a.verifier.Verify(ctx, p.token)
	if err != nil {
		return p, err
	}
	if id.Nonce != j.nonce {
		return p, errNonce
	}
	return p, id.Claims(&p)
}

func (a *application) off(w http.ResponseWriter, r *http.Request) {
	id := visit(w, r)
	a.mu.Lock()
	p := a.who[id]
	delete(a.who, id)
	a.mu.Unlock()
	to := url.Values{"id_token_hint": {p.token}, "post_logout_redirect_uri": {a.address + "/"}}
	http.Redirect(w, r, a.signOff+"?"+to.Encode(), http.StatusFound)
}
