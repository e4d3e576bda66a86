package idptest

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"html/template"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"
)

// SAML is a SAML provider that answers browsers, at a host of its own: to them it is
// another site than what runs at 127.0.0.1.
type SAML struct {
	URL    string // of single sign-on
	Keys   Pair
	Entity string // ours

	mu     sync.Mutex
	server *httptest.Server
	change func(*Letter)
}

// StartSAML runs a provider until Close. It says of everybody that they are u-1234, in
// those groups.
func StartSAML(ours string, groups ...string) *SAML {
	s := &SAML{Keys: NewPair(time.Now().Add(time.Hour)), Entity: ours}
	s.change = func(l *Letter) { l.Attributes = Attribute("groups", groups...) }
	s.server = httptest.NewServer(s)
	s.URL = strings.Replace(s.server.URL, "127.0.0.1", "localhost", 1) + "/sso"
	return s
}

// Close ends it.
func (s *SAML) Close() { s.server.Close() }

// Set changes what it answers.
func (s *SAML) Set(change func(*Letter)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.change = change
}

// post hands an answer to the browser, which takes it on when the button is pressed.
var post = template.Must(template.New("").Parse(`<!doctype html><html lang="en"><title>Provider</title><h1>Provider</h1>
<form method="post" action="{{.ACS}}"><input type="hidden" name="SAMLResponse" value="{{.Response}}">
<input type="hidden" name="RelayState" value="{{.Relay}}"><button>Go back</button></form>`))

// ServeHTTP implements http.Handler: it takes requests by redirect and by POST.
func (s *SAML) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	packed, err := base64.StdEncoding.DecodeString(r.FormValue("SAMLRequest"))
	if err == nil && r.Method == http.MethodGet {
		packed, err = io.ReadAll(flate.NewReader(bytes.NewReader(packed)))
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	id, acs, err := readRequest(packed)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	l := Answer(id, acs, s.Entity, time.Now())
	s.mu.Lock()
	s.change(&l)
	s.mu.Unlock()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = post.Execute(w, map[string]string{ // the browser is gone: nobody to tell
		"ACS":      acs,
		"Response": base64.StdEncoding.EncodeToString(s.Keys.Good(l)),
		"Relay":    r.FormValue("RelayState"),
	})
}
