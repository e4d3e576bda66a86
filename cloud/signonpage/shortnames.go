package signonpage

import (
	"errors"
	"net/http"
	"strings"

	"ldap-gateway/cloud/store"
)

// idLength is that of an environment's ID; short names are shorter.
const idLength = 36

// byShortName leads who comes by the short name of an environment to the same page by its ID, which
// never changes: browsers keep nothing of it. Without a page it is the sign-on page.
func (s *Server) byShortName(page http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("e")
		rest := strings.TrimPrefix(r.URL.EscapedPath(), "/"+name)
		if rest == "" || rest == "/" {
			rest = "/signon"
		}
		if len(name) >= idLength {
			page.ServeHTTP(w, r)
			return
		}
		env, err := s.Store.EnvironmentByShortName(r.Context(), strings.ToLower(name))
		switch {
		case errors.Is(err, store.ErrNotFound):
			page.ServeHTTP(w, r)
			return
		case err != nil:
			s.answerError(w, r, err)
			return
		}
		to := "/" + env.ID + rest
		if r.URL.RawQuery != "" {
			to += "?" + r.URL.RawQuery
		}
		http.Redirect(w, r, to, http.StatusFound)
	})
}

// toSignOn leads to the sign-on page.
func (k *call) toSignOn() error {
	http.Redirect(k.w, k.Request, "/"+k.env.ID+"/signon", http.StatusFound)
	return nil
}
