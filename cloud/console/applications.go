package console

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"ldap-gateway/cloud/applications"
	"ldap-gateway/cloud/presets"
	"ldap-gateway/cloud/store"
)

// applicationList is one part of the list.
type applicationList struct {
	Applications []store.Application
	Shared       map[string]bool // those that mistake groups of two sources, by ID
	Pager        pager
}

// applicationPage is the form of one application.
type applicationPage struct {
	store.Application
	Home                       string
	Way                        way
	Redirects, SignOffs, Allow string     // a line each
	Bytes                      string     // of groups in ID tokens
	Resources, Audiences       string     // a line each
	Who                        access     // of one that is kept
	Known                      []property // sources of groups, to choose from
	Shared                     []sharedName
	Issuer                     string
	Secret                     string // when it was just made
	TwoSecrets                 bool   // the secret before is good still
	Address                    string // of the application itself, for a new one's preset
	Lines                      string // for the application's own configuration; empty: no preset
	Seen                       string // when the application was changed, when the form was shown
	Errors                     map[string]string
}

// Knows tells whether the application's rule names a source of groups.
func (p applicationPage) Knows(source string) bool { return slices.Contains(p.Groups.Sources, source) }

// Presets lists those to begin with.
func (applicationPage) Presets() []presets.Preset { return presets.All() }

// Preset is that by which the application was made; one without an ID when there is none.
func (p applicationPage) Preset() presets.Preset {
	preset, _ := presets.Of(p.OpenID.Preset)
	return preset
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
	shared := map[string]bool{}
	for _, a := range all {
		groups, err := applications.SharedNames(k.Context(), c.Store, a)
		if err != nil {
			return err
		}
		shared[a.ID] = len(groups) > 0
	}
	return k.render(http.StatusOK, "applications", "Applications", applicationList{all, shared, k.pagerOf(next)})
}

// application returns the application in the path; store.ErrNotFound for one of another
// environment.
func (c *console) application(k *call) (store.Application, error) {
	return c.Store.Application(k.Context(), k.env(), k.PathValue("a"))
}

// sharedName is a group that an application cannot tell from one of another source.
type sharedName struct {
	store.Group
	From string // the source's name; empty: the cloud's own
}

// sharedNames are those of an application that is kept.
func (c *console) sharedNames(k *call, a store.Application, sources map[string]string) (all []sharedName, err error) {
	if a.ID == "" {
		return nil, nil
	}
	groups, err := applications.SharedNames(k.Context(), c.Store, a)
	for _, g := range groups {
		all = append(all, sharedName{g, cmp.Or(sources[g.SourceID], g.SourceID)})
	}
	return all, err
}

// newApplication offers what a preset says, or a web application, enabled, with groups by
// their names.
func (c *console) newApplication(k *call) error {
	page := applicationPage{Address: k.FormValue("address"), Application: store.Application{
		Name:    k.FormValue("name"),
		Type:    store.WebApplication,
		Enabled: true,
		Groups:  store.GroupsClaim{Value: store.GroupNames},
	}}
	if preset, ok := presets.Of(k.FormValue("preset")); ok {
		preset.Fill(&page.Application, page.Address)
	}
	return c.renderApplication(k, http.StatusOK, page)
}

func (c *console) showApplication(k *call) error { return c.renderKept(k, http.StatusOK, access{}) }

// renderKept shows an application as it is kept, with what was wrong with a change of who may
// use it.
func (c *console) renderKept(k *call, status int, who access) error {
	a, err := c.application(k)
	if err != nil {
		return err
	}
	if a.Protocol == store.SAML {
		return c.renderSAML(k, status, samlPage{Application: a, Who: who})
	}
	return c.renderApplication(k, status, applicationPage{Application: a, Who: who})
}

// renderApplication shows what is kept, or, when there are faults, what was typed with
// them beside it: that is not written over with what is kept.
func (c *console) renderApplication(k *call, status int, page applicationPage) error {
	if page.Errors == nil {
		page.Redirects, page.SignOffs = lines(page.RedirectURIs), lines(page.SignOffURIs)
		page.Home = homeOf(page.Application)
		page.Resources, page.Audiences = lines(page.OpenID.Resources), lines(page.OpenID.Audiences)
		page.Allow, page.Bytes = lines(page.Groups.Allow), strconv.Itoa(page.Groups.TokenBytes())
	}
	if page.ID != "" && page.Seen == "" {
		page.Seen = seenAs(page.UpdatedAt)
	}
	named, err := c.sources(k)
	if err != nil {
		return err
	}
	page.Known, page.TwoSecrets = properties(named), page.Former.Good(c.now())
	if page.Way, err = c.wayOf(k, page.Application); err != nil {
		return err
	}
	if err := c.fillAccess(k, &page.Who, page.Application, named); err != nil {
		return err
	}
	if page.Shared, err = c.sharedNames(k, page.Application, named); err != nil {
		return err
	}
	page.Issuer = c.URL + "/" + k.env() + "/as"
	if page.ID != "" && page.Preset().ID != "" {
		if page.Lines, err = page.Preset().Lines(page.Application, page.Issuer, page.Secret); err != nil {
			return err
		}
	}
	title := "New application"
	if page.ID != "" {
		title = page.Name
	}
	return k.render(status, "application", title, page)
}

// read puts what was typed into the form.
// It is called on what is kept, and sets no more than what the form has fields for.
func (p *applicationPage) read(k *call) {
	p.Redirects, p.SignOffs, p.Allow = k.posted("redirects"), k.posted("signoffs"), k.posted("allow")
	p.Seen = k.posted("seen")
	p.Name, p.Description, p.Type = k.posted("name"), k.posted("description"), k.posted("type")
	p.OpenID.PKCE = k.posted("enforcement")
	p.Home = readHome(k, &p.Application)
	readPolicy(k, &p.Application)
	p.OpenID.EmailVerified, p.OpenID.JWT = k.posted("verified") == "yes", k.posted("jwt") == "yes"
	p.OpenID.BackChannel, p.OpenID.Algorithm = k.posted("backchannel"), k.posted("tokenAlgorithm")
	p.OpenID.JWKS, p.OpenID.JWKSURL = strings.TrimSpace(k.posted("jwks")), k.posted("jwksUrl")
	p.Resources, p.Audiences = k.posted("resources"), k.posted("audiences")
	p.OpenID.Resources, p.OpenID.Audiences = strings.Fields(p.Resources), strings.Fields(p.Audiences)
	if _, ok := presets.Of(k.posted("preset")); ok {
		p.OpenID.Preset = k.posted("preset")
	}
	p.Refresh, p.AskForTicket = k.posted("refresh") == "yes", k.posted("ticket") == "yes"
	p.RedirectURIs, p.SignOffURIs = strings.Fields(p.Redirects), strings.Fields(p.SignOffs)
	// Names of groups may have blanks in them, and addresses have none.
	p.Groups = store.GroupsClaim{Value: k.posted("groups"), Allow: split(p.Allow), Sources: k.PostForm["source"]}
	p.Bytes = k.posted("bytes")
	p.Groups.Bytes = bytesOf(p.Bytes)
}

// homeOf is the home page of an application; empty when it has none.
func homeOf(a store.Application) string {
	if a.Kept.HomePage == nil {
		return ""
	}
	return *a.Kept.HomePage
}

// readHome reads the home page of a form into an application, and returns it.
func readHome(k *call, a *store.Application) string {
	home := k.posted("home")
	if home != homeOf(*a) {
		a.Kept.HomePage = &home
	}
	return home
}

// bytesOf reads how many bytes of groups an ID token may have. What is no number is one
// that management refuses.
func bytesOf(text string) int {
	n, err := strconv.Atoi(text)
	switch {
	case text == "":
		return 0 // as usual
	case err != nil || n < 0:
		return store.MostGroupBytes + 1
	case n == 0:
		return store.NoGroupBytes
	}
	return n
}

// createApplication has management write into a copy: should there be faults, the form
// still has no ID and asks to make an application again.
func (c *console) createApplication(k *call) error {
	page := applicationPage{Application: store.Application{Enabled: true}}
	page.read(k)
	typed := page.Application
	return c.savedApplication(k, page, c.Management.CreateApplication(k.Context(), k.by(), &typed), &typed)
}

// changeApplication replaces what the form shows. What it does not show, such as the ID
// and the secret, stays as it is kept.
func (c *console) changeApplication(k *call) error {
	of, err := c.application(k)
	if err != nil {
		return err
	}
	if of.Protocol == store.SAML {
		return c.changeSAML(k)
	}
	var page applicationPage
	a, err := c.Management.ChangeApplication(k.Context(), k.by(), k.PathValue("a"), func(a *store.Application) error {
		page.Application = *a
		page.read(k)
		if err := unseen(&page.Seen, a.UpdatedAt, "application"); err != nil {
			return err
		}
		*a = page.Application
		return nil
	})
	return c.savedApplication(k, page, err, &a)
}

// savedApplication goes on after an application was saved, or shows the form again.
func (c *console) savedApplication(k *call, page applicationPage, err error, saved *store.Application) error {
	if wrong, ok := faults(err); ok {
		page.Errors = wrong
		return c.renderApplication(k, http.StatusUnprocessableEntity, page)
	}
	if err != nil {
		return err
	}
	return k.done(under("applications", saved.ID), "Saved.")
}

// switchApplication enables or disables an application, and touches nothing else of it.
func (c *console) switchApplication(k *call) error {
	enabled := k.posted("enabled") == "yes"
	a, err := c.Management.ChangeApplication(k.Context(), k.by(), k.PathValue("a"), func(a *store.Application) error {
		a.Enabled = enabled
		return nil
	})
	if err != nil {
		return err
	}
	if enabled {
		return k.done(under("applications", a.ID), "The application is enabled.")
	}
	return k.done(under("applications", a.ID), "The application is disabled: nobody signs on for it until it is "+
		"enabled again.")
}

// makeSecret makes a new secret, and shows it this once. The one before stays good for as long as
// was chosen.
func (c *console) makeSecret(k *call) error {
	a, secret, err := c.Management.RenewApplication(k.Context(), k.by(), k.PathValue("a"), c.keptUntil(k))
	if wrong, ok := faults(err); ok {
		return c.askSecret(k, wrong)
	}
	if err != nil {
		return err
	}
	return c.renderApplication(k, http.StatusOK, applicationPage{Application: a, Secret: secret})
}

// endSecret has the secret before the present one open nothing any more.
func (c *console) endSecret(k *call) error {
	a, err := c.Management.EndFormerSecret(k.Context(), k.by(), k.PathValue("a"))
	if err != nil {
		return err
	}
	return k.done(under("applications", a.ID), "The secret before is not good any more.")
}

// deleteApplication deletes an application. Its tokens are worth nothing from then on.
func (c *console) deleteApplication(k *call) error {
	a, err := c.Management.DeleteApplication(k.Context(), k.by(), k.PathValue("a"), nil)
	if err != nil {
		return err
	}
	return k.done("/console/applications", "The application "+a.Name+" was deleted.")
}
