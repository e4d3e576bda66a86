package console

import (
	"html/template"
	"net/http"

	"ldap-gateway/cloud/handbook"
	"ldap-gateway/cloud/store"
)

const helpPath = "/console/help/"

// helpPage is one page of the handbook, with the list of all.
type helpPage struct {
	Name  string // empty: only the list
	Text  template.HTML
	Pages []handbook.Page
}

func (c *console) showHelp(k *call) error {
	return k.render(http.StatusOK, "help", "Help", helpPage{Pages: handbook.Pages()})
}

// showHelpPage is store.ErrNotFound for a page that is not in the handbook.
func (c *console) showHelpPage(k *call) error {
	page := helpPage{Name: k.PathValue("page"), Pages: handbook.Pages()}
	var ok bool
	if page.Text, ok = handbook.HTML(page.Name, helpPath); !ok {
		return store.ErrNotFound
	}
	for _, p := range page.Pages {
		if p.Name == page.Name {
			return k.render(http.StatusOK, "help", p.Title, page)
		}
	}
	return store.ErrNotFound
}

// picture answers with a picture of the handbook. It is of this version, and tells nothing of
// anybody, so that it needs no session.
func (c *console) picture(w http.ResponseWriter, r *http.Request) {
	b, ok := handbook.Picture(r.PathValue("file"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Cache-Control", "max-age=3600")
	_, _ = w.Write(b)
}
