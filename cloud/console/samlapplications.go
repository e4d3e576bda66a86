package console

import (
	"encoding/pem"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/idp/samlsp"
	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"

	"github.com/google/uuid"
)

// newSAMLPage is the form of an application of SAML that is to be made.
type newSAMLPage struct {
	Name, Metadata, MetadataURL string
	EntityID, ACS               string // without metadata; of one among many in it
	OurEntityID, OurMetadata    string
	Errors                      map[string]string
}

// samlPage is the form of an application of SAML.
type samlPage struct {
	store.Application
	Home                     string
	Way                      way
	Who                      access
	ACS, Allow, Attributes   string // a line each
	Certificates             string // in PEM
	Assertion, Session, Most string
	Known                    []property // sources of groups, to choose from
	Shared                   []sharedName
	Keys                     []store.Certificate
	OurEntityID, SSO, SLO    string
	MetadataAt, Start        string // the latter without our address in front
	Seen                     string
	Errors                   map[string]string
}

// Knows tells whether the application's rule names a source of groups.
func (p samlPage) Knows(source string) bool { return slices.Contains(p.Groups.Sources, source) }

// Formats are those of name IDs.
func (samlPage) Formats() []property {
	return []property{
		{samlsp.Persistent, "Persistent: a name of this application and the person alone"},
		{samlsp.Transient, "Transient: another name in each session"},
		{"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress", "E-mail address"},
		{"urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified", "Unspecified"},
	}
}

func (c *console) newSAML(k *call) error {
	return c.renderNewSAML(k, http.StatusOK, newSAMLPage{})
}

func (c *console) renderNewSAML(k *call, status int, page newSAMLPage) error {
	page.OurEntityID = c.URL + "/" + k.env()
	page.OurMetadata = page.OurEntityID + "/saml20/metadata"
	return k.render(status, "samlapplication-new", "New application of SAML", page)
}

// createSAMLApplication makes one of its metadata, pasted or at an address, or of what was
// typed.
func (c *console) createSAMLApplication(k *call) error {
	page := newSAMLPage{
		Name: k.posted("name"), Metadata: k.posted("metadata"), MetadataURL: k.posted("metadataUrl"),
		EntityID: k.posted("entityId"), ACS: k.posted("acs"),
	}
	a := store.Application{
		Name: page.Name, Protocol: store.SAML, Type: store.WebApplication, Enabled: true,
		Groups: store.GroupsClaim{Value: store.GroupNames},
		SAML: store.ServiceProvider{
			EntityID: page.EntityID, ACS: strings.Fields(page.ACS), AssertionSeconds: 60,
			AssertionSigned: true, ResponseSigned: true, // either is what some libraries want
			SLOBinding: samlsp.Post, NameIDFormat: samlsp.Persistent,
		},
	}
	for name, value := range map[string]string{
		"email": "${user.email}", "username": "${user.username}", "given_name": "${user.name.given}",
		"family_name": "${user.name.family}", "groups": "${user.memberOfGroups}",
	} {
		one := store.ApplicationAttribute{ID: uuid.NewString(), Name: name, Value: value}
		a.Kept.Attributes = append(a.Kept.Attributes, one)
	}
	slices.SortFunc(a.Kept.Attributes, func(x, y store.ApplicationAttribute) int {
		return strings.Compare(x.Name, y.Name)
	})
	err := c.makeSAML(k, page, &a)
	if wrong, ok := faults(err); ok {
		page.Errors = wrong
		return c.renderNewSAML(k, http.StatusUnprocessableEntity, page)
	}
	if err != nil {
		return err
	}
	return k.done(under("applications", a.ID), "Kept. Give the application our metadata now.")
}

func (c *console) makeSAML(k *call, page newSAMLPage, a *store.Application) error {
	if page.Metadata == "" && page.MetadataURL == "" {
		return c.Management.CreateApplication(k.Context(), k.by(), a)
	}
	described, err := samlsp.ReadServiceProvider([]byte(page.Metadata), page.EntityID, c.now())
	if page.Metadata == "" {
		described, err = c.Providers.ReadServiceProvider(k.Context(), page.MetadataURL, page.EntityID)
	}
	if err != nil {
		return fault.Of(fault.MetadataURL, fault.Invalid, "The metadata could not be used: "+wordsOf(err))
	}
	return c.Management.CreateApplicationOf(k.Context(), k.by(), a, described)
}

// renderSAML shows what is kept, or what was typed with the faults beside it.
func (c *console) renderSAML(k *call, status int, page samlPage) error {
	if page.Errors == nil {
		if err := c.fillSAML(k, &page); err != nil {
			return err
		}
	}
	named, err := c.sources(k)
	if err != nil {
		return err
	}
	page.Known = properties(named)
	if page.Way, err = c.wayOf(k, page.Application); err != nil {
		return err
	}
	if err := c.fillAccess(k, &page.Who, page.Application, named); err != nil {
		return err
	}
	if page.Shared, err = c.sharedNames(k, page.Application, named); err != nil {
		return err
	}
	if page.Keys, err = c.ownKeys(k); err != nil {
		return err
	}
	page.OurEntityID = c.URL + "/" + k.env()
	page.SSO, page.SLO = page.OurEntityID+"/saml20/idp/sso", page.OurEntityID+"/saml20/idp/slo"
	page.MetadataAt = page.OurEntityID + "/saml20/metadata/" + page.ID
	page.Start = "/" + k.env() + "/saml20/idp/startsso?" + url.Values{"spEntityId": {page.SAML.EntityID}}.Encode()
	return k.render(status, "samlapplication", page.Name, page)
}

// fillSAML puts what is kept into the fields.
func (c *console) fillSAML(k *call, page *samlPage) error {
	p := page.SAML
	page.Home = homeOf(page.Application)
	page.ACS, page.Allow = lines(p.ACS), lines(page.Groups.Allow)
	page.Assertion, page.Most = strconv.Itoa(p.AssertionSeconds), strconv.Itoa(p.Groups())
	if p.SessionSeconds > 0 {
		page.Session = strconv.Itoa(p.SessionSeconds)
	}
	var all []string
	for _, m := range page.Kept.Attributes {
		all = append(all, m.Name+" = "+m.Value)
	}
	page.Attributes = lines(all)
	for _, id := range p.CertificateIDs {
		one, err := c.Store.Certificate(k.Context(), k.env(), id)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err == nil {
			page.Certificates += string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: one.DER}))
		}
	}
	if page.Seen == "" {
		page.Seen = seenAs(page.UpdatedAt)
	}
	return nil
}

// ownKeys are the keys of ours.
func (c *console) ownKeys(k *call) (keys []store.Certificate, err error) {
	all, _, err := c.Store.Certificates(k.Context(), k.env(), store.Page{Limit: store.MaxLimit})
	for _, one := range all {
		if len(one.Sealed) > 0 {
			keys = append(keys, one)
		}
	}
	return keys, err
}

// number reads a number; what is none is one that management refuses.
func number(text string) int {
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return -1
	}
	return n
}

// read puts what was typed into the form.
func (p *samlPage) read(k *call) {
	p.Seen = k.posted("seen")
	p.Name, p.Description = k.posted("name"), k.posted("description")
	p.Home = readHome(k, &p.Application)
	readPolicy(k, &p.Application)
	p.ACS, p.Allow = k.posted("acs"), k.posted("allow")
	p.Attributes, p.Certificates = k.posted("attributes"), k.posted("certificates")
	p.Assertion, p.Session, p.Most = k.posted("assertion"), k.posted("session"), k.posted("most")
	s := &p.SAML
	before := s.ACS
	s.EntityID, s.ACS = k.posted("entityId"), strings.Fields(p.ACS)
	if !slices.Equal(before, s.ACS) {
		s.ACSIndexes = nil // they were of other addresses
	}
	s.AssertionSeconds, s.SessionSeconds, s.MostGroups = number(p.Assertion), number(p.Session), number(p.Most)
	signed := k.posted("signed")
	s.AssertionSigned, s.ResponseSigned = signed != "response", signed != "assertion"
	s.Algorithm, s.KeyID = k.posted("algorithm"), k.posted("key")
	s.NameIDFormat, s.Subject = k.posted("format"), k.posted("subject")
	s.RequestsSigned, s.Contexts = k.posted("requests") == "yes", k.posted("contexts") == "yes"
	s.Cipher, s.DefaultTarget = k.posted("cipher"), k.posted("target")
	s.Unsolicited = k.posted("begun") == "yes"
	s.SLOEndpoint, s.SLOResponse, s.SLOBinding = k.posted("slo"), k.posted("slr"), k.posted("sloBinding")
	p.OpenID.EmailVerified, p.AskForTicket = k.posted("verified") == "yes", k.posted("ticket") == "yes"
	p.Groups = store.GroupsClaim{Value: k.posted("groups"), Allow: split(p.Allow), Sources: k.PostForm["source"]}
	p.readAttributes()
}

// readAttributes reads a line each, as in "email = ${user.email}". What else is known of an
// attribute stays.
func (p *samlPage) readAttributes() {
	known := map[string]store.ApplicationAttribute{}
	for _, m := range p.Kept.Attributes {
		known[m.Name] = m
	}
	p.Kept.Attributes = nil
	for _, line := range split(p.Attributes) {
		name, value, _ := strings.Cut(line, "=")
		m := known[strings.TrimSpace(name)]
		m.Name, m.Value = strings.TrimSpace(name), strings.TrimSpace(value)
		if m.ID == "" {
			m.ID = uuid.NewString()
		}
		p.Kept.Attributes = append(p.Kept.Attributes, m)
	}
}

// changeSAML replaces what the form shows.
func (c *console) changeSAML(k *call) error {
	var page samlPage
	a, err := c.Management.ChangeApplicationWith(k.Context(), k.by(), k.PathValue("a"), k.posted("certificates"),
		k.posted("cipher") != "", func(a *store.Application) error {
			page.Application = *a
			page.read(k)
			if err := unseen(&page.Seen, a.UpdatedAt, "application"); err != nil {
				return err
			}
			*a = page.Application
			return nil
		})
	if wrong, ok := faults(err); ok {
		if page.ID == "" { // the certificates were refused before
			if page.Application, err = c.application(k); err != nil {
				return err
			}
			page.read(k)
		}
		page.Errors = wrong
		return c.renderSAML(k, http.StatusUnprocessableEntity, page)
	}
	if err != nil {
		return err
	}
	return k.done(under("applications", a.ID), "Saved.")
}

// nextKey makes a key that does not sign yet: applications have to know it first.
func (c *console) nextKey(k *call) error {
	draft := management.KeyDraft{Name: "Sign-on of applications"}
	if _, err := c.Management.MakeKey(k.Context(), k.by(), draft); err != nil {
		return err
	}
	return k.done(keysOn(k), "A key was made. It is in the metadata, and signs when you choose it.")
}

// chooseKey has a key sign from now on.
func (c *console) chooseKey(k *call) error {
	if _, err := c.Management.ChooseKey(k.Context(), k.by(), k.PathValue("id")); err != nil {
		return err
	}
	return k.done(keysOn(k), "The key signs from now on. The one before stays in the metadata until it is deleted.")
}

// deleteKey deletes one that nothing uses.
func (c *console) deleteKey(k *call) error {
	err := c.Management.DeleteCertificate(k.Context(), k.by(), k.PathValue("id"), nil)
	if wrong, ok := faults(err); ok {
		return k.undone(keysOn(k), slices.Collect(maps.Values(wrong))[0])
	}
	if err != nil {
		return err
	}
	return k.done(keysOn(k), "The key was deleted.")
}

// keysOn is the application that a form of keys was on.
func keysOn(k *call) string { return keysOf(k.posted("back")) }

// keysOf is the page of an application, or of them all.
func keysOf(id string) string {
	if id != "" {
		return under("applications", id)
	}
	return "/console/applications"
}
