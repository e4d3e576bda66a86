package console

import (
	"errors"
	"net/http"
	"strings"

	"ldap-gateway/cloud/api"
	"ldap-gateway/cloud/oidc"
	"ldap-gateway/cloud/store"
)

type applicationList struct {
	Applications []store.Application
	Pager        pager
}

// applicationPage is the form of one application.
type applicationPage struct {
	store.Application
	Redirects, SignOffs, Allow string // a line each
	Issuer                     string
	Secret                     string // when it was just made
	Errors                     map[string]string
}

// Types lists those to choose from.
func (applicationPage) Types() []string {
	return []string{store.WebApplication, store.SinglePage, store.NativeApplication}
}

func (c *console) listApplications(k *call) error {
	all, next, err := c.Store.Applications(k.Context(), k.env(), k.part())
	if err != nil {
		return err
	}
	return k.render(http.StatusOK, "applications", "Applications", applicationList{all, k.pagerOf(next)})
}

func (c *console) application(k *call) (store.Application, error) {
	return c.Store.Application(k.Context(), k.env(), k.PathValue("a"))
}

func (c *console) newApplication(k *call) error {
	return c.renderApplication(k, http.StatusOK, applicationPage{Application: store.Application{Type: store.WebApplication, Enabled: true, Groups: store.GroupsClaim{Value: store.GroupNames}}})
}

func (c *console) showApplication(k *call) error {
	a, err := c.application(k)
	if err != nil {
		return err
	}
	return c.renderApplication(k, http.StatusOK, applicationPage{Application: a})
}

func (c *console) renderApplication(k *call, status int, page applicationPage) error {
	if page.Errors == nil {
		page.Redirects, page.SignOffs, page.Allow = lines(page.RedirectURIs), lines(page.SignOffURIs), lines(page.Groups.Allow)
	}
	page.Issuer = c.URL + "/" + k.env() + "/as"
	title := "New application"
	if page.ID != "" {
		title = page.Name
	}
	return k.render(status, "application", title, page)
}

// readApplication reads the form on top of what a is.
func readApplication(k *call, a store.Application) applicationPage {
	p := applicationPage{Application: a, Redirects: k.posted("redirects"), SignOffs: k.posted("signoffs"), Allow: k.posted("allow"), Errors: map[string]string{}}
	p.Name, p.Description, p.Type, p.Enabled = k.posted("name"), k.posted("description"), k.posted("type"), k.posted("enabled") == "yes"
	p.Refresh, p.AskForTicket = k.posted("refresh") == "yes", k.posted("ticket") == "yes"
	p.RedirectURIs, p.SignOffURIs = strings.Fields(p.Redirects), strings.Fields(p.SignOffs)
	p.Groups = store.GroupsClaim{Value: k.posted("groups")}
	for line := range strings.Lines(p.Allow) {
		if line = strings.TrimSpace(line); line != "" {
			p.Groups.Allow = append(p.Groups.Allow, line)
		}
	}
	for _, d := range api.CheckApplication(p.Application) {
		target, _, _ := strings.Cut(d.Target, "[")
		p.Errors[target] = d.Message
	}
	if p.Type != store.WebApplication {
		p.SecretHash = nil
	}
	return p
}

func (c *console) saveApplication(k *call) error {
	a := store.Application{EnvironmentID: k.env()}
	var err error
	if k.PathValue("a") != "" {
		if a, err = c.application(k); err != nil {
			return err
		}
	}
	page := readApplication(k, a)
	if len(page.Errors) == 0 {
		err = c.writeApplication(k, &page.Application)
		if err != nil && !errors.Is(err, store.ErrConflict) {
			return err
		}
		if err != nil {
			page.Errors["name"] = "Another application of this environment has this name."
		}
	}
	if len(page.Errors) > 0 {
		return c.renderApplication(k, http.StatusUnprocessableEntity, page)
	}
	return k.done(under("applications", page.ID), "Saved.")
}

func (c *console) writeApplication(k *call, a *store.Application) error {
	if a.ID == "" {
		return k.notingApplication("created", a).CreateApplication(k.Context(), a)
	}
	return k.notingApplication("updated", a).UpdateApplication(k.Context(), a)
}

// notingApplication returns the store, which adds to what is written what was done
// to an application.
func (k *call) notingApplication(done string, a *store.Application) *store.Store {
	return k.noting(func() note {
		action, _, _ := strings.Cut(done, " ")
		return note{"application." + action, "application:" + a.ID, "application " + a.Name + " was " + done, nil}
	})
}

// makeSecret makes a new secret, and shows it this once.
func (c *console) makeSecret(k *call) error {
	a, err := c.application(k)
	if err != nil {
		return err
	}
	secret, hash := oidc.NewSecret()
	a.SecretHash = hash
	if a.Type != store.WebApplication {
		return &refusal{http.StatusBadRequest, "No secret", "An application of this type cannot keep one: it proves itself by PKCE alone."}
	}
	if err := k.notingApplication("given a new secret", &a).UpdateApplication(k.Context(), &a); err != nil {
		return err
	}
	return c.renderApplication(k, http.StatusOK, applicationPage{Application: a, Secret: secret})
}

func (c *console) deleteApplication(k *call) error {
	a, err := c.application(k)
	if err != nil {
		return err
	}
	if err := k.notingApplication("deleted", &a).DeleteApplication(k.Context(), k.env(), a.ID); err != nil {
		return err
	}
	return k.done("/console/applications", "The application "+a.Name+" was deleted.")
}
