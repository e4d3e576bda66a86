package web

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net"
	"net/http"
	"strings"

	"github.com/alexedwards/scs/v2"
)

// The content security policies of pages.
const (
	// Plain lets a page have styles, pictures and forms of this cloud.
	Plain = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; " +
		"frame-ancestors 'none'; base-uri 'none'"
	// Scripted lets it have scripts of this cloud, too, and ask this cloud by them.
	Scripted = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; " +
		"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

// Running is Plain for a page that runs one script, which stands in it and is named by the SHA-256 of
// its text (W3C Content Security Policy Level 3, section 6.7.3), and no other.
func Running(script string) string {
	sum := sha256.Sum256([]byte(script))
	return Plain + "; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// PostingTo is Plain for a page whose form goes to another origin, which may send it on
// over TLS: browsers hold a form's redirects to the policy as well.
func PostingTo(origin string) string {
	return strings.Replace(Plain, "form-action 'self'", "form-action https: "+origin, 1)
}

// Address is where a request came from, without the port. A proxy that is trusted has
// put the real one in its place.
func Address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// Browser tells whether a request comes from somebody who opens an address, and not from a program: a page is
// what they take.
func Browser(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), "text/html") }

// Later has an answer say when to try again, in seconds (RFC 9110 section 10.2.3), and
// returns its status: for what is away at this moment and is nobody's fault.
func Later(w http.ResponseWriter) (status int) {
	w.Header().Set("Retry-After", "2")
	return http.StatusServiceUnavailable
}

// Pages sets what every answer says to the browser.
func Pages(policy string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		// With no-referrer browsers would send the origin "null", and their own
		// forms would look like those of another site.
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// Bare is a context with the end of another and without its values: among them may be the
// session of another kind of page, or one that has changed meanwhile.
func Bare(ctx context.Context) context.Context { return bare{ctx} }

type bare struct{ context.Context }

// Value implements context.Context.
func (bare) Value(any) any { return nil }

// Limited bounds the body of a request, in bytes. Reading more is an
// *http.MaxBytesError.
func Limited(most int64, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, most)
		next.ServeHTTP(w, r)
	})
}

// SameSite has refuse answer what a browser sends for another site. Reading is not
// refused.
func SameSite(refuse http.HandlerFunc, next http.Handler) http.Handler {
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(refuse)
	return guard.Handler(next)
}

// Cookie is how a session's token is kept by the browser. Secure says that people
// reach this cloud over TLS: the cookie then has a name that no neighbouring host can
// plant, which takes the whole site as its path.
func Cookie(name, path string, secure bool) scs.SessionCookie {
	cookie := scs.SessionCookie{
		Name:     name,
		Path:     path,
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	}
	if secure {
		cookie.Name, cookie.Path, cookie.Secure = "__Host-"+name, "/", true
	}
	return cookie
}

// Takes returns the methods, of GET and POST, that a mux has an endpoint for at a request's address: none when
// nothing is there. It is found by asking the mux for each.
func Takes(mux *http.ServeMux, r *http.Request) (methods []string) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		asked := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if _, pattern := mux.Handler(asked); strings.HasPrefix(pattern, method) {
			methods = append(methods, method)
		}
	}
	return methods
}
