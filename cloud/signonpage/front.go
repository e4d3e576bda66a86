package signonpage

import (
	"net/http"
	"strings"

	"ldap-gateway/cloud/store"
)

// frontPage is for who knows the cloud's name alone. Where there are several environments it lists
// those alone in which somebody is signed on here: who else there is, is nobody's to learn.
type frontPage struct {
	Only    bool                // there is one environment, that of the page
	Mine    []store.Environment // in which somebody is signed on in this browser
	Name    string              // as it was typed
	Missing bool                // nobody has that name
}

// front answers the first page: it leads to where people sign on, and administrators to the console.
func (s *Server) front(w http.ResponseWriter, r *http.Request) {
	s.answerError(w, r, (&call{Request: r, Server: s, w: w, lang: spoken(r, nil)}).showFront())
}

func (k *call) showFront() error {
	all, err := k.Store.Environments(k.Context())
	if err != nil {
		return err
	}
	if len(all) == 1 {
		k.env = all[0]
		return k.render(http.StatusOK, "front.html", "Sign on", frontPage{Only: true})
	}
	page, status := frontPage{Name: strings.TrimSpace(k.URL.Query().Get("organisation"))}, http.StatusOK
	if page.Name != "" {
		if to := named(all, page.Name); to != "" {
			http.Redirect(k.w, k.Request, "/"+to+"/signon", http.StatusSeeOther)
			return nil
		}
		status = http.StatusNotFound
		page.Missing = true
	}
	for _, env := range all {
		if _, ok := k.Sessions.Person(k.Context(), env.ID); ok {
			page.Mine = append(page.Mine, env)
		}
	}
	return k.render(status, "front.html", "Sign on", page)
}

// named returns the ID of the environment of that name, without regard to case; empty when there is
// none, or more than one.
func named(all []store.Environment, name string) (id string) {
	for _, env := range all {
		if store.Fold(env.Name) != store.Fold(name) {
			continue
		}
		if id != "" {
			return ""
		}
		id = env.ID
	}
	return id
}
