package console

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"strings"
	"time"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/idp"
	"ldap-gateway/cloud/idp/samlsp"
	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/providers"
	"ldap-gateway/cloud/store"
)

// Providers knows identity providers as they are out there.
type Providers interface {
	// Begin starts a sign-on, and says how the browser gets to the provider.
	Begin(ctx context.Context, env, provider string, w idp.Wish) (idp.Going, error)
	// Check asks a provider what can be asked without a person, and writes nothing.
	Check(ctx context.Context, p store.IdentityProvider) []idp.Finding
	// Discover reads what an OpenID Connect provider publishes of itself (OpenID
	// Connect Discovery 1.0 section 4).
	Discover(ctx context.Context, issuer string) (store.OIDCConfig, error)
	// ReadMetadata reads a SAML provider's metadata at an address. What it returns
	// besides is the ETag, for the next time.
	ReadMetadata(ctx context.Context, address, entityID, etag string) (samlsp.Described, string, error)
	// ReadServiceProvider reads an application's metadata at an address.
	ReadServiceProvider(ctx context.Context, address, entityID string) (samlsp.ServiceProvider, error)
	// The others are our own addresses, as they are entered at a provider.
	CallbackURL(p store.IdentityProvider) string
	ACSURL(env string) string
	SignedOffURL(env string) string
	MetadataURL(p store.IdentityProvider) string
}

var _ Providers = (*idp.Desk)(nil)

// providerRow is one line of the list.
type providerRow struct {
	store.IdentityProvider
	People int
	Last   time.Time // sign-on; zero: none
	Ends   time.Time // of the last certificate; zero: there is none
}

type providerList struct {
	Providers []providerRow
	Presets   []providers.Preset
	Pager     pager
}

// listProviders shows of each how many it knows, when it last signed somebody on, and
// when the last of its certificates ends.
func (c *console) listProviders(k *call) error {
	all, next, err := c.Store.IdentityProviders(k.Context(), k.env(), k.part())
	if err != nil {
		return err
	}
	list := providerList{Presets: providers.Presets(), Pager: k.pagerOf(next)}
	for _, p := range all {
		row := providerRow{IdentityProvider: p}
		if row.People, err = c.Store.LinkedUsers(k.Context(), k.env(), p.ID); err != nil {
			return err
		}
		last, err := c.Store.LastProviderSignOn(k.Context(), k.env(), p.ID)
		if err != nil {
			return err
		}
		row.Last = last.At
		certificates, err := c.certificatesOf(k, p)
		if err != nil {
			return err
		}
		// The last counts: one that ends before it is being replaced.
		for _, one := range certificates {
			if one.Ends.After(row.Ends) {
				row.Ends = one.Ends
			}
		}
		list.Providers = append(list.Providers, row)
	}
	return k.render(http.StatusOK, "providers", "Identity providers", list)
}

// certificateRow is a certificate of a provider, with what its dates say.
type certificateRow struct {
	store.Certificate
	Ends    time.Time
	Ended   bool
	EndsIn  int // days
	Seen    bool
	Subject string
}

// soonDays is how long before its end a certificate is spoken of.
const soonDays = 30

// Soon tells whether it ends within a month.
func (r certificateRow) Soon() bool { return !r.Ended && r.EndsIn < soonDays }

// certificatesOf returns those that a SAML provider signs with.
// One that is named and not kept any more is left out, and signs nothing.
func (c *console) certificatesOf(k *call, p store.IdentityProvider) (rows []certificateRow, err error) {
	if p.Config.SAML == nil {
		return nil, nil
	}
	for _, id := range p.Config.SAML.CertificateIDs {
		one, err := c.Store.Certificate(k.Context(), k.env(), id)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		parsed, err := x509.ParseCertificate(one.DER)
		if err != nil {
			return nil, err
		}
		left := parsed.NotAfter.Sub(c.now())
		rows = append(rows, certificateRow{
			Certificate: one,
			Ends:        parsed.NotAfter,
			Ended:       left <= 0,
			EndsIn:      int(left.Hours() / 24),
			Seen:        p.Health.CertificateID == id,
			Subject:     parsed.Subject.String(),
		})
	}
	return rows, nil
}

// newProvider is the form of a new identity provider: no more than must be said.
type newProvider struct {
	Preset      providers.Preset
	Populations []store.Population
	Name        string
	Issuer      string
	ClientID    string
	Secret      string // as typed
	Metadata    string
	MetadataURL string
	EntityID    string
	Population  string
	Callback    string
	ACS         string
	OwnEntityID string
	Errors      map[string]string
}

// newProvider shows the form of the kind in the address; of the first kind when there
// is none of that name.
func (c *console) newProvider(k *call) error {
	preset, ok := providers.FindPreset(k.query("preset"))
	if !ok {
		preset = providers.Presets()[0]
	}
	return c.renderNewProvider(k, http.StatusOK, newProvider{Preset: preset})
}

// renderNewProvider shows our own addresses beside the form, as they are to be entered
// at the provider.
func (c *console) renderNewProvider(k *call, status int, page newProvider) error {
	var err error
	page.Populations, _, err = c.Store.Populations(k.Context(), k.env(), store.Page{Limit: store.MaxLimit})
	if err != nil {
		return err
	}
	// It is the common address: one has another only when it must not share it.
	page.Callback = c.Providers.CallbackURL(store.IdentityProvider{EnvironmentID: k.env()})
	page.ACS = c.Providers.ACSURL(k.env())
	page.OwnEntityID = idp.OwnEntityID(c.URL, k.env())
	return k.render(status, "provider-new", "New identity provider: "+page.Preset.Name, page)
}

// createProvider asks the provider itself for all that it publishes, and keeps it
// disabled: somebody looks at it before people are sent there.
func (c *console) createProvider(k *call) error {
	preset, ok := providers.FindPreset(k.posted("preset"))
	if !ok {
		return store.ErrNotFound
	}
	page := newProvider{
		Preset:      preset,
		Name:        k.posted("name"),
		Issuer:      k.posted("issuer"),
		ClientID:    k.posted("clientId"),
		Secret:      k.posted("secret"),
		Metadata:    k.posted("metadata"),
		MetadataURL: k.posted("metadataUrl"),
		EntityID:    k.posted("entityId"),
		Population:  k.posted("population"),
	}
	d := management.ProviderDraft{IdentityProvider: store.IdentityProvider{
		Name:         page.Name,
		Type:         preset.Type,
		PopulationID: page.Population,
		Mappings:     preset.Mappings(),
	}}
	var err error
	if preset.Type == store.SAML {
		err = c.createSAML(k, page, &d)
	} else {
		err = c.createOpenID(k, page, &d)
	}
	if wrong, is := faults(err); is {
		page.Errors = wrong
		return c.renderNewProvider(k, http.StatusUnprocessableEntity, page)
	}
	if err != nil {
		return err
	}
	done := "Kept, and not enabled yet: look at it, try a sign-on, then enable it."
	if s := d.Config.SAML; s != nil && s.SignsRequests {
		done += " It wants our requests signed: a key was made, so give it our metadata."
	}
	return k.done(under("providers", d.ID), done)
}

// createOpenID has the provider say its endpoints itself, so that none is mistyped.
// Without a secret we are a public client (RFC 6749 section 2.1).
func (c *console) createOpenID(k *call, page newProvider, d *management.ProviderDraft) error {
	o, err := c.Providers.Discover(k.Context(), page.Issuer)
	if err != nil {
		return fault.Of(fault.Issuer, fault.Invalid, "The provider could not be asked about itself: "+wordsOf(err))
	}
	o.ClientID = page.ClientID
	d.Config.OIDC, d.Secret = &o, page.Secret
	if page.Secret == "" {
		o.ClientAuth = "NONE"
	}
	return c.Management.CreateProvider(k.Context(), k.by(), d)
}

// createSAML takes the metadata that was pasted; without any, what the address has.
func (c *console) createSAML(k *call, page newProvider, d *management.ProviderDraft) error {
	described, err := samlsp.ReadMetadata([]byte(page.Metadata), page.EntityID, c.now())
	if page.Metadata == "" && page.MetadataURL != "" {
		described, _, err = c.Providers.ReadMetadata(k.Context(), page.MetadataURL, page.EntityID, "")
	}
	if err != nil {
		return fault.Of(fault.MetadataURL, fault.Invalid, "The metadata could not be used: "+wordsOf(err))
	}
	d.Config.SAML = &store.SAMLConfig{
		EntityID:    described.EntityID,
		Endpoint:    described.Endpoint,
		Binding:     described.Binding,
		MetadataURL: page.MetadataURL,
	}
	return c.Management.CreateProviderWith(k.Context(), k.by(), d, described)
}

// maxCause is how much of an error a page shows, in bytes.
const maxCause = 300

// wordsOf is an error as a page shows it.
// What others answered may be in it, so it is cut, and a letter that the cut goes
// through is left out.
func wordsOf(err error) string {
	text := strings.ToValidUTF8(err.Error()[:min(len(err.Error()), maxCause)], "")
	return strings.TrimSuffix(text, ".") + "."
}
