package signonpage

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strings"

	"golang.org/x/text/language"

	"ldap-gateway/cloud/applications"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/web"
)

// failed is a page that says why there is no other, in the language of the page.
type failed struct {
	Text, More string // More may be empty
	Back       string // where people begin
}

// Languages implements applications.Pages.
func (*Server) Languages() []language.Tag { return languages[:] }

// Onward implements applications.Pages.
func (*Server) Onward(r *http.Request, application string) (language.Tag, string) {
	lang := spoken(r, nil)
	if application == "" {
		return lang, say(lang, "Go on to the application")
	}
	return lang, say(lang, "Go on to %s", application)
}

// Failure implements applications.Pages.
func (s *Server) Failure(w http.ResponseWriter, r *http.Request, status int, text string, args ...any) {
	web.Pages(web.Plain, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.failure(w, r, status, text, args...)
	})).ServeHTTP(w, r)
}

// Busy is a [Server.Failure] for whom there is no room at this moment.
func (s *Server) Busy(w http.ResponseWriter, r *http.Request) { s.Failure(w, r, web.Later(w), busy) }

// Refused implements applications.Pages.
func (s *Server) Refused(
	w http.ResponseWriter, r *http.Request, status int, why applications.Sentence, found applications.Found,
) {
	s.plain(w, r, found.Locales, cmp.Or(why.Heading, notSignedOn), func(k *call) (int, failed) {
		again := ""
		if why.Heading == "" {
			again = say(k.lang, beginAgain)
		}
		return status, failed{Text: say(k.lang, why.Text, why.Values...), More: strings.TrimSpace(again + k.found(found))}
	})
}

// Denied implements applications.Pages.
func (s *Server) Denied(
	w http.ResponseWriter, r *http.Request, application string, found applications.Found,
) {
	s.plain(w, r, found.Locales, notSignedOn, func(k *call) (int, failed) {
		return http.StatusForbidden, failed{
			Text: say(k.lang, "Your account may not use %s.", application),
			More: say(k.lang, "To sign on as somebody else, sign off here first.") + k.found(found),
		}
	})
}

// notSignedOn is the title of most pages here.
const notSignedOn = "Not signed on"

const beginAgain = "Go back to the application and begin again."

// found says where an administrator finds why something was refused, if anywhere, as one more sentence.
func (k *call) found(f applications.Found) string {
	switch f.At {
	case applications.InActivity:
		return " " + say(k.lang, "If that does not help, your administrator finds the reason in Activity under %s.", f.ID)
	case applications.InLog:
		return " " + say(k.lang, "If that does not help, your administrator finds the reason in the log under %s.", f.ID)
	}
	return ""
}

// Nowhere implements applications.Pages.
func (s *Server) Nowhere(w http.ResponseWriter, r *http.Request, status int) {
	web.Pages(web.Plain, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.nowhere(w, r, status)
	})).ServeHTTP(w, r)
}

// nothingHere is what people read at an address that nothing is at.
const nothingHere = "There is nothing at this address. Perhaps it was mistyped, or what was here is gone."

// aStep is what people read at an address that takes what a page sends.
const aStep = "This address is a step of a sign-on and shows nothing by itself. Please begin again where you came from."

// nowhere says that nothing is at an address: to people in a page, and to programs in JSON.
func (s *Server) nowhere(w http.ResponseWriter, r *http.Request, status int) {
	if web.Browser(r) {
		k := s.failing(w, r, nil)
		text := say(k.lang, nothingHere)
		if status == http.StatusMethodNotAllowed {
			text = say(k.lang, aStep)
		}
		k.fail(status, "Nothing is here", failed{Text: text})
		return
	}
	nothing(w, status)
}

// nothing is what programs read there.
func nothing(w http.ResponseWriter, status int) {
	body := map[string]string{"code": "NOT_FOUND", "message": "There is nothing at this path."}
	if takes := w.Header().Get("Allow"); status == http.StatusMethodNotAllowed {
		body = map[string]string{"code": "METHOD_NOT_ALLOWED", "message": "This path takes " + takes + "."}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The client is gone when it fails: nobody to tell.
	_ = json.NewEncoder(w).Encode(body)
}

// lost answers what no endpoint of a mux is for: another path, or another method.
func (s *Server) lost(mux *http.ServeMux) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		takes := web.Takes(mux, r)
		if len(takes) == 0 {
			s.nowhere(w, r, http.StatusNotFound)
			return
		}
		w.Header().Set("Allow", strings.Join(takes, ", "))
		s.nowhere(w, r, http.StatusMethodNotAllowed)
	}
}

// plain is [Server.Failure] of what body returns.
func (s *Server) plain(
	w http.ResponseWriter, r *http.Request, locales []string, title string, body func(k *call) (status int, b failed),
) {
	web.Pages(web.Plain, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k := s.failing(w, r, locales)
		status, b := body(k)
		k.fail(status, title, b)
	})).ServeHTTP(w, r)
}

// failing is a request that gets no page but one that says why.
func (s *Server) failing(w http.ResponseWriter, r *http.Request, locales []string) *call {
	return &call{Request: r, Server: s, w: w, env: s.around(r), lang: spoken(r, locales)}
}

// failure says in one sentence why there is no page.
func (s *Server) failure(w http.ResponseWriter, r *http.Request, status int, sentence string, args ...any) {
	k := s.failing(w, r, nil)
	k.fail(status, notSignedOn, failed{Text: say(k.lang, sentence, args...)})
}

// fail shows a page that leads to where people begin.
func (k *call) fail(status int, title string, body failed) {
	body.Back = "/"
	if k.env.ID != "" {
		body.Back = "/" + k.env.ID + "/signon"
	}
	if err := k.render(status, "failure.html", title, body); err != nil {
		k.Logger.Error("page failed", "error", err)
		http.Error(k.w, body.Text, status)
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
