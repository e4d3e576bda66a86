package signonpage

import (
	"encoding/json"
	"net/http"
	"strings"

	"golang.org/x/text/language"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/web"
)

// failed is a page that says why there is no other.
type failed struct {
	Text string // in the language of the page
	Back string // where people begin
}

// Languages implements applications.Pages.
func (*Server) Languages() []language.Tag { return languages[:] }

// Failure implements applications.Pages.
func (s *Server) Failure(w http.ResponseWriter, r *http.Request, status int, text string, args ...any) {
	web.Pages(web.Plain, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.failure(w, r, status, text, args...)
	})).ServeHTTP(w, r)
}

// Busy is a [Server.Failure] for whom there is no room at this moment.
func (s *Server) Busy(w http.ResponseWriter, r *http.Request) { s.Failure(w, r, web.Later(w), busy) }

// Nowhere implements applications.Pages.
func (s *Server) Nowhere(w http.ResponseWriter, r *http.Request, status int) {
	web.Pages(web.Plain, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.nowhere(w, r, status)
	})).ServeHTTP(w, r)
}

// nothingHere is what people read at an address that nothing is at.
const nothingHere = "There is nothing at this address. Perhaps it was mistyped, or what was here is gone."

// nowhere says that nothing is at an address: to people in a page, and to programs in JSON.
func (s *Server) nowhere(w http.ResponseWriter, r *http.Request, status int) {
	if web.Browser(r) {
		s.fail(w, r, status, "Nothing is here", nothingHere)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The client is gone when it fails: nobody to tell.
	_ = json.NewEncoder(w).Encode(map[string]string{"code": "NOT_FOUND", "message": "There is nothing at this path."})
}

// lost answers what no endpoint of a mux is for: another path, or another method.
// What the endpoints take is found by asking the mux for each.
func (s *Server) lost(mux *http.ServeMux) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var takes []string
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			asked := &http.Request{Method: method, URL: r.URL, Host: r.Host}
			if _, pattern := mux.Handler(asked); strings.HasPrefix(pattern, method) {
				takes = append(takes, method)
			}
		}
		if len(takes) == 0 {
			s.nowhere(w, r, http.StatusNotFound)
			return
		}
		w.Header().Set("Allow", strings.Join(takes, ", "))
		s.nowhere(w, r, http.StatusMethodNotAllowed)
	}
}

// failure says in one sentence why there is no page.
func (s *Server) failure(w http.ResponseWriter, r *http.Request, status int, sentence string, args ...any) {
	s.fail(w, r, status, "Not signed on", sentence, args...)
}

// fail is failure with a title.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, status int, title, sentence string, args ...any) {
	k := &call{Request: r, Server: s, w: w, env: s.around(r), lang: spoken(r, nil)}
	body := failed{Text: say(k.lang, sentence, args...), Back: "/"}
	if k.env.ID != "" {
		body.Back = "/" + k.env.ID + "/signon"
	}
	if err := k.render(status, "failure.html", title, body); err != nil {
		s.Logger.Error("page failed", "error", err)
		http.Error(w, body.Text, status)
	}
}

// around returns the environment that an address is below, for how a page looks; none when there is none, or
// it is not to be had.
func (s *Server) around(r *http.Request) store.Environment {
	name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if len(name) != idLength {
		return store.Environment{}
	}
	env, err := s.Store.Current.Environment(r.Context(), name)
	if err != nil {
		return store.Environment{}
	}
	return env
}
