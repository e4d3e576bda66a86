package console

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/idp"
	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/mapping"
	"ldap-gateway/cloud/providers"
	"ldap-gateway/cloud/store"
)

// mappingsOffered is how many empty lines the form of mappings has at its end.
const mappingsOffered = 3

// providerPage is one identity provider.
type providerPage struct {
	store.IdentityProvider
	Populations  []store.Population
	Population   string // name
	Certificates []certificateRow
	Keys         []store.Certificate // of ours
	People       int
	Last         time.Time
	Callback     string
	ACS          string
	SignedOff    string // where people come back to who signed off there
	MetadataAt   string // ours
	Findings     []idp.Finding
	Scopes       string
	Domains      string
	Include      string
	Exclude      string
	SecretEnds   string // day
	Links        string // what becomes of linked people, as chosen
	Asks         bool   // it is to be chosen
	Seen         string
	Settings     bool // they are shown, and not the rest
	Errors       map[string]string
}

// Ways lists how a client may prove itself.
func (providerPage) Ways() []string { return providers.Ways() }

// OwnKey is the ID of our key; empty: none.
func (p providerPage) OwnKey() string {
	if p.Config.SAML != nil {
		return p.Config.SAML.KeyID
	}
	return p.Config.OIDC.KeyID
}

// Blanks are the empty lines of the form of mappings.
func (providerPage) Blanks() []int { return make([]int, mappingsOffered) }

// Line is the number of a blank line of the form of mappings.
// They count on from the lines that are kept, since reading ends at the first gap.
func (p providerPage) Line(blank int) int { return len(p.Mappings) + blank }

// MapsGroups tells whether groups are mapped.
func (p providerPage) MapsGroups() bool {
	_, _, mapped := mapping.GroupClaim(p.IdentityProvider)
	return mapped
}

// Missing lists the claims of a mapping that the last sign-on did not bring; nil when it
// brought all, or there was none.
func (p providerPage) Missing(m store.ProviderMapping) []string {
	if len(p.Health.Names) == 0 {
		return nil
	}
	return mapping.Missing(m.Value, p.Health.Names)
}

// provider returns the provider in the path; store.ErrNotFound for one of another
// environment.
func (c *console) provider(k *call) (store.IdentityProvider, error) {
	return c.Store.IdentityProvider(k.Context(), k.env(), k.PathValue("p"))
}

func (c *console) showProvider(k *call) error {
	p, err := c.provider(k)
	if err != nil {
		return err
	}
	return c.renderProvider(k, http.StatusOK, providerPage{IdentityProvider: p})
}

func (c *console) showProviderSettings(k *call) error {
	p, err := c.provider(k)
	if err != nil {
		return err
	}
	return c.renderProvider(k, http.StatusOK, providerPage{IdentityProvider: p, Settings: true})
}

// renderProvider shows what is kept, or, when there are faults, what was typed with
// them beside it.
func (c *console) renderProvider(k *call, status int, page providerPage) (err error) {
	ctx, env := k.Context(), k.env()
	if page.Errors == nil {
		page.show()
	}
	if page.Populations, _, err = c.Store.Populations(ctx, env, store.Page{Limit: store.MaxLimit}); err != nil {
		return err
	}
	for _, p := range page.Populations {
		if p.ID == page.PopulationID {
			page.Population = p.Name
		}
	}
	if page.Certificates, err = c.certificatesOf(k, page.IdentityProvider); err != nil {
		return err
	}
	all, _, err := c.Store.Certificates(ctx, env, store.Page{Limit: store.MaxLimit})
	if err != nil {
		return err
	}
	for _, one := range all {
		if len(one.Sealed) > 0 {
			page.Keys = append(page.Keys, one)
		}
	}
	if page.People, err = c.Store.LinkedUsers(ctx, env, page.ID); err != nil {
		return err
	}
	last, err := c.Store.LastProviderSignOn(ctx, env, page.ID)
	if err != nil {
		return err
	}
	page.Last = last.At
	page.Callback, page.ACS = c.Providers.CallbackURL(page.IdentityProvider), c.Providers.ACSURL(env)
	page.SignedOff = c.Providers.SignedOffURL(env)
	page.MetadataAt = c.Providers.MetadataURL(page.IdentityProvider)
	if page.Settings {
		return k.render(status, "provider-settings", "Settings of "+page.Name, page)
	}
	return k.render(status, "provider", page.Name, page)
}

// show fills in the fields that are typed as text.
func (p *providerPage) show() {
	p.Seen = seenAs(p.UpdatedAt)
	p.Domains = lines(p.Config.Domains)
	p.Include, p.Exclude = lines(p.Config.Groups.Include), lines(p.Config.Groups.Exclude)
	if ends := p.Config.SecretEnds; !ends.IsZero() {
		p.SecretEnds = ends.UTC().Format(time.DateOnly)
	}
	if p.Config.OIDC != nil {
		p.Scopes = strings.Join(p.Config.OIDC.Scopes, " ")
	}
}

// read puts what was typed into the form.
// It is called on what is kept: what the page has no fields for, and what is of the
// other protocol, stays.
func (p *providerPage) read(k *call) {
	p.Seen = k.posted("seen")
	p.Name, p.Description, p.PopulationID = k.posted("name"), k.posted("description"), k.posted("population")
	p.Domains, p.Include, p.Exclude = k.posted("domains"), k.posted("include"), k.posted("exclude")
	p.Scopes = k.posted("scopes")
	p.Links = k.posted("links")
	p.Config.Domains = strings.Fields(p.Domains)
	p.Config.TellsUsername = k.posted("tells") == "yes"
	p.Config.TrustsMethods = k.posted("trusts") == "yes"
	p.Config.TrustsFactor = k.posted("factor") == "yes"
	p.Config.Groups = store.ProviderGroups{
		Delimiter:    k.PostForm.Get("delimiter"),
		AbsentIsNone: k.posted("absent") == "yes",
		TakesObjects: k.posted("objects") == "yes",
		Include:      split(p.Include),
		Exclude:      split(p.Exclude),
	}
	if o := p.Config.OIDC; o != nil {
		readOpenID(k, o)
	}
	if s := p.Config.SAML; s != nil {
		readSAML(k, s)
	}
}

// readSecretEnds reads the day that the client secret ends on. A form without the field
// leaves what is.
func (p *providerPage) readSecretEnds(k *call) error {
	if !k.PostForm.Has("secretEnds") {
		return nil
	}
	p.SecretEnds = k.posted("secretEnds")
	day, err := time.Parse(time.DateOnly, p.SecretEnds)
	if err != nil && p.SecretEnds != "" {
		return fault.Of(fault.SecretEnds, fault.Invalid, "State the day as in 2027-01-31.")
	}
	p.Config.SecretEnds = day
	return nil
}

// readOpenID leaves the secret alone, which goes to management by itself: without a new
// one the old stays.
func readOpenID(k *call, o *store.OIDCConfig) {
	o.Issuer, o.ClientID = k.posted("issuer"), k.posted("clientId")
	o.AuthorizationEndpoint, o.TokenEndpoint = k.posted("authorize"), k.posted("token")
	o.JWKSEndpoint, o.UserInfoEndpoint = k.posted("jwks"), k.posted("userinfo")
	o.EndSessionEndpoint = k.posted("endSession")
	o.Scopes = strings.Fields(k.posted("scopes"))
	o.ClientAuth, o.PKCE, o.KeyID = k.posted("auth"), k.posted("pkce"), k.posted("key")
	o.NamesIssuer, o.AlwaysAsks = k.posted("namesIssuer") == "yes", k.posted("always") == "yes"
}

// readSAML leaves the certificates alone: each is added and removed by a form of its
// own.
func readSAML(k *call, s *store.SAMLConfig) {
	s.EntityID, s.OwnEntityID, s.Endpoint = k.posted("entityId"), k.posted("ownEntityId"), k.posted("endpoint")
	s.Binding, s.NameIDFormat, s.SubjectFrom = k.posted("binding"), k.posted("format"), k.posted("subject")
	s.SignsRequests, s.Expired = k.posted("signs") == "yes", k.posted("expired") == "yes"
	s.KeyID, s.MetadataURL = k.posted("key"), k.posted("metadataUrl")
	s.SkewSeconds = 0
	if text := k.posted("skew"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			n = -1 // which the check refuses
		}
		s.SkewSeconds = n
	}
}

// changeProvider saves the settings.
func (c *console) changeProvider(k *call) error {
	page, before := providerPage{Settings: true}, ""
	change := func(d *management.ProviderDraft) error {
		page.IdentityProvider, before = d.IdentityProvider, c.Providers.CallbackURL(d.IdentityProvider)
		page.read(k)
		if err := unseen(&page.Seen, d.UpdatedAt, "identity provider"); err != nil {
			return err
		}
		if err := page.readSecretEnds(k); err != nil {
			return err
		}
		d.IdentityProvider, d.Secret = page.IdentityProvider, k.posted("secret")
		d.People = management.People(page.Links)
		return nil
	}
	after, err := c.Management.ChangeProvider(k.Context(), k.by(), k.PathValue("p"), change)
	page.Asks = asksForPeople(err)
	done := "Saved."
	if now := c.Providers.CallbackURL(after); err == nil && now != before {
		done += " Its redirect URI is another one now, so that no other provider is sent its answers." +
			" Enter it there: " + now
	}
	return c.savedProvider(k, page, err, done)
}

// asksForPeople tells whether a change waits for what becomes of linked people.
// Nothing was saved then; the page asks, and what was typed is still in it.
func asksForPeople(err error) bool {
	var wrong fault.List
	depended := func(f fault.Fault) bool { return f.Kind == fault.Depended }
	return errors.As(err, &wrong) && slices.ContainsFunc(wrong, depended)
}

// savedProvider goes on after a provider was saved, or shows the page with what is wrong.
func (c *console) savedProvider(k *call, page providerPage, err error, done string) error {
	if wrong, ok := faults(err); ok {
		page.show()
		page.Errors = wrong
		return c.renderProvider(k, http.StatusUnprocessableEntity, page)
	}
	if err != nil {
		return err
	}
	to := under("providers", k.PathValue("p"))
	if page.Settings {
		to += "/settings"
	}
	return k.done(to, done)
}

// saveMappings saves the table of mappings. A line without a property goes.
func (c *console) saveMappings(k *call) error {
	var page providerPage
	_, err := c.Management.ChangeProvider(k.Context(), k.by(), k.PathValue("p"), func(d *management.ProviderDraft) error {
		page.IdentityProvider, page.Seen = d.IdentityProvider, k.posted("seen")
		page.Mappings = readMappings(k, d.Mappings)
		if err := unseen(&page.Seen, d.UpdatedAt, "identity provider"); err != nil {
			return err
		}
		// management gets a list of its own, so that the form keeps the lines as they
		// were typed.
		d.Mappings = slices.Clone(page.Mappings)
		return nil
	})
	return c.savedProvider(k, page, err, "The mappings are saved.")
}

// readMappings reads the lines of the form. One keeps its ID with its property.
// They are numbered from zero, and the first number that is missing ends them.
func readMappings(k *call, old []store.ProviderMapping) (all []store.ProviderMapping) {
	for i := 0; k.PostForm.Has(fmt.Sprint("name", i)); i++ {
		m := store.ProviderMapping{
			Name:   k.posted(fmt.Sprint("name", i)),
			Value:  k.posted(fmt.Sprint("value", i)),
			Update: store.UpdateRule(k.posted(fmt.Sprint("update", i))),
		}
		same := func(o store.ProviderMapping) bool { return o.Name == m.Name }
		if at := slices.IndexFunc(old, same); at >= 0 {
			m.ID, m.Core = old[at].ID, old[at].Core
		}
		if m.Name != "" {
			all = append(all, m)
		}
	}
	return all
}

// switchProvider touches nothing but that. To enable one may be refused, as without a
// certificate.
func (c *console) switchProvider(k *call) error {
	var page providerPage
	enabled := k.posted("enabled") == "yes"
	_, err := c.Management.ChangeProvider(k.Context(), k.by(), k.PathValue("p"), func(d *management.ProviderDraft) error {
		page.IdentityProvider = d.IdentityProvider
		d.Enabled = enabled
		return nil
	})
	if enabled {
		return c.savedProvider(k, page, err, "Enabled: people find it on the sign-on page.")
	}
	return c.savedProvider(k, page, err, "Disabled: nobody signs on through it.")
}

// addProviderCertificate keeps a certificate and has the provider's answers checked by
// it, beside those that there are.
// Both are good while the provider changes from one to the other.
func (c *console) addProviderCertificate(k *call) error {
	p, err := c.provider(k)
	if err != nil {
		return err
	}
	_, err = c.Management.AddProviderCertificate(k.Context(), k.by(), p.ID, []byte(k.posted("file")))
	return c.savedProvider(k, providerPage{IdentityProvider: p}, err, "The certificate was added.")
}

// dropProviderCertificate has a certificate prove nothing any more, and deletes it.
func (c *console) dropProviderCertificate(k *call) error {
	id := k.PathValue("id")
	var page providerPage
	_, err := c.Management.ChangeProvider(k.Context(), k.by(), k.PathValue("p"), func(d *management.ProviderDraft) error {
		page.IdentityProvider = d.IdentityProvider
		if d.Config.SAML == nil || !slices.Contains(d.Config.SAML.CertificateIDs, id) {
			return store.ErrNotFound
		}
		gone := func(kept string) bool { return kept == id }
		d.Config.SAML.CertificateIDs = slices.DeleteFunc(d.Config.SAML.CertificateIDs, gone)
		return nil
	})
	if err == nil {
		err = c.Management.DeleteCertificate(k.Context(), k.by(), id, nil)
	}
	var wrong fault.List
	if errors.As(err, &wrong) && wrong[0].Kind == fault.Depended {
		err = nil // another provider signs with it, too
	}
	return c.savedProvider(k, page, err, "The certificate proves nothing here any more.")
}

// makeKey makes a key of ours and has this provider use it. The old one is kept, as
// another provider may use it.
func (c *console) makeKey(k *call) error {
	p, err := c.provider(k)
	if err != nil {
		return err
	}
	_, err = c.Management.MakeProviderKey(k.Context(), k.by(), p.ID, management.KeyDraft{Name: "ldap-cloud " + p.Name})
	done := "A key was made and chosen: give the provider our metadata anew."
	return c.savedProvider(k, providerPage{IdentityProvider: p}, err, done)
}
