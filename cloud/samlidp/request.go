package samlidp

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"
	dsig "github.com/russellhaering/goxmldsig"

	"ldap-gateway/cloud/idp/samlsp"
	"ldap-gateway/cloud/store"
)

// sso begins a sign-on, of which nothing is kept here.
func (k *call) sso() error {
	if err := k.mayBegin(); err != nil {
		return err
	}
	req, a, err := k.request()
	if err != nil {
		return err
	}
	w, no := wishOf(req, a)
	if no != nil {
		return k.tell(a, w, *no)
	}
	return k.begin(a, w)
}

// ncName is what an ID may be (xml-names 4), of the letters that libraries use.
var ncName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)

// request reads the request of an application and verifies it. From here on it is known
// where the application is to be told.
func (k *call) request() (*saml.IdpAuthnRequest, store.Application, error) {
	p := &party{call: k}
	if err := k.single("SAMLRequest", mostRelay); err != nil {
		return nil, p.a, err
	}
	library := k.library(p)
	req, err := saml.NewIdpAuthnRequest(library, k.unsigned(p))
	if err == nil {
		err = samlsp.Examine(req.RequestBuffer, mostMessage)
	}
	if err == nil {
		req.RequestBuffer, err = k.bare(p, req.RequestBuffer)
	}
	if err == nil {
		err = req.Validate()
	}
	if err != nil {
		return nil, p.a, p.why(err)
	}
	if id := req.Request.ID; len(id) > mostID || !ncName.MatchString(id) {
		return nil, p.a, refuse(nil, "The application sent a request whose ID is none.")
	}
	if req.Request.AssertionConsumerServiceIndex != "" && req.Request.AssertionConsumerServiceURL != "" {
		return nil, p.a, refuse(nil, "The application named both an address for the answer and the number of one.")
	}
	return req, p.a, nil
}

// single refuses what came more than once, or is too long, before anything of it is read.
func (k *call) single(message string, relay int) error {
	if err := k.ParseForm(); err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return err
		}
		return refuse(err, "What was sent cannot be read.")
	}
	for _, name := range []string{message, "RelayState", "SigAlg", "Signature"} {
		if len(k.Form[name]) > 1 {
			return refuse(nil, "The application sent more than one %s.", name)
		}
	}
	switch {
	case k.Form.Get(message) == "":
		return refuse(nil, "The application sent no request (%s).", message)
	case k.Method == http.MethodPost && k.PostForm.Get(message) == "":
		return refuse(nil, "The application sent its request in the address, by a POST.")
	case len(k.Form.Get("RelayState")) > relay:
		return refuse(nil, "The application sent a RelayState of more than %s bytes.", strconv.Itoa(relay))
	case k.Method == http.MethodPost && (k.Form.Has("SigAlg") || k.Form.Has("Signature")):
		return refuse(nil, "The application used a binding that there is not here (HTTP-POST-SimpleSign).")
	}
	return nil
}

// party is the application of a request, as the library asks for it.
type party struct {
	*call
	a      store.Application
	failed error // of the store
}

// lookUp finds the application that a message says to be of, without believing it.
func (p *party) lookUp(entity string) error {
	if len(entity) > mostEntity {
		return os.ErrNotExist
	}
	a, err := ours(p.Store.ApplicationByEntity(p.Context(), p.env, entity))
	if errors.Is(err, store.ErrNotFound) {
		return os.ErrNotExist
	}
	p.a, p.failed = a, err
	p.asker = a.ID
	return err
}

// GetServiceProvider implements saml.ServiceProviderProvider.
func (p *party) GetServiceProvider(r *http.Request, entity string) (*saml.EntityDescriptor, error) {
	if err := p.lookUp(entity); err != nil {
		return nil, err
	}
	post := saml.SPSSODescriptor{AuthnRequestsSigned: &p.a.SAML.RequestsSigned}
	for _, id := range p.a.SAML.CertificateIDs {
		c, err := p.Store.Certificate(r.Context(), p.env, id)
		if err != nil {
			p.failed = err
			return nil, err
		}
		data := []saml.X509Certificate{{Data: base64.StdEncoding.EncodeToString(c.DER)}}
		post.KeyDescriptors = append(post.KeyDescriptors, saml.KeyDescriptor{
			Use:     "signing",
			KeyInfo: saml.KeyInfo{X509Data: saml.X509Data{X509Certificates: data}},
		})
	}
	for i, acs := range p.a.SAML.ACS {
		if len(p.a.SAML.ACSIndexes) == len(p.a.SAML.ACS) {
			i = p.a.SAML.ACSIndexes[i]
		}
		post.AssertionConsumerServices = append(post.AssertionConsumerServices,
			saml.IndexedEndpoint{Binding: saml.HTTPPostBinding, Location: acs, Index: i})
	}
	if to := p.a.SAML.SLOEndpoint; to != "" {
		post.SingleLogoutServices = []saml.Endpoint{{
			Binding: bindingOf(p.a.SAML), Location: to, ResponseLocation: p.a.SAML.SLOResponse,
		}}
	}
	return &saml.EntityDescriptor{EntityID: entity, SPSSODescriptors: []saml.SPSSODescriptor{post}}, nil
}

// why tells people why a message is not taken. What is wrong in it is for the log.
func (p *party) why(err error) error {
	var tooLarge *http.MaxBytesError
	switch {
	case p.failed != nil:
		return p.failed
	case errors.As(err, &tooLarge):
		return err
	case errors.Is(err, saml.ErrUnknownServiceProvider), errors.Is(err, os.ErrNotExist) && p.a.ID == "":
		return refuse(err, "The application that sent you here is not known, or is disabled.")
	case errors.Is(err, saml.ErrUnknownAssertionConsumerService):
		return refuse(err, "%s wants the answer at an address that is not registered for it.", p.a.Name)
	case errors.Is(err, saml.ErrExpired):
		return refuse(err, "This was begun too long ago, or the clock of the application is wrong.")
	case errors.Is(err, saml.ErrNotYetValid):
		return refuse(err, "The clock of the application is wrong: it is ahead by more than three minutes.")
	case errors.Is(err, saml.ErrDestinationMismatch):
		return refuse(err, "The application sent a request that is for another address than ours.")
	case errors.Is(err, saml.ErrInvalidSignature):
		return refuse(err, "The request of the application is not signed as it must be: by a key of a certificate that is "+
			"registered for it, and SHA-256 or better.")
	}
	return refuse(err, "The application sent a request that is not taken.")
}

// library is the environment as the library knows it, which reads and verifies requests.
func (k *call) library(p *party) *saml.IdentityProvider {
	return &saml.IdentityProvider{
		MetadataURL:             addressOf(EntityID(k.Server.URL, k.env)), // what it takes for the entity ID
		SSOURL:                  addressOf(k.at(k.env, SSOPath)),
		LogoutURL:               addressOf(k.at(k.env, SLOPath)),
		RejectSHA1Signatures:    true,
		ServiceProviderProvider: p,
		Clock:                   dsig.NewFakeClockAt(k.now()),
	}
}

// addressOf reads one of ours.
func addressOf(text string) url.URL {
	u, err := url.Parse(text)
	if err != nil {
		return url.URL{} // none of ours, and none matches it
	}
	return *u
}

// checks tells whether a signature of a message is looked at: an application without
// certificates may sign for others, and nothing could prove it here. One that must sign has
// its message refused for the want of a certificate.
func (k *call) checks(p *party, doc []byte) bool {
	entity := issuerOf(doc)
	return entity == "" || p.lookUp(entity) != nil || len(p.a.SAML.CertificateIDs) > 0 || p.a.SAML.RequestsSigned
}

// unsigned is the request without a signature in the address that nothing can prove.
func (k *call) unsigned(p *party) *http.Request {
	if k.Method != http.MethodGet || !k.Form.Has("Signature") {
		return k.Request
	}
	plain := k.Clone(k.Context())
	var parts []string
	for part := range strings.SplitSeq(k.Request.URL.RawQuery, "&") {
		if name, _, _ := strings.Cut(part, "="); name != "SigAlg" && name != "Signature" {
			parts = append(parts, part)
		}
	}
	plain.URL.RawQuery = strings.Join(parts, "&")
	read, err := saml.NewIdpAuthnRequest(k.library(p), plain)
	if err != nil || samlsp.Examine(read.RequestBuffer, mostMessage) != nil || k.checks(p, read.RequestBuffer) {
		return k.Request // as it came: it is refused for what it is
	}
	return plain
}

// bare is unsigned for a signature in the message.
func (k *call) bare(p *party, doc []byte) ([]byte, error) {
	tree := etree.NewDocument()
	if err := tree.ReadFromBytes(doc); err != nil || tree.Root() == nil {
		return nil, fmt.Errorf("read the message: %w", err)
	}
	for _, child := range tree.Root().ChildElements() {
		if child.Tag == "Signature" && child.NamespaceURI() == dsig.Namespace && !k.checks(p, doc) {
			tree.Root().RemoveChild(child)
			return tree.WriteToBytes()
		}
	}
	return doc, nil
}

// issuerOf is what a message says to be of; empty when it does not. Nothing of it is proven.
func issuerOf(doc []byte) string {
	tree := etree.NewDocument()
	if err := tree.ReadFromBytes(doc); err != nil || tree.Root() == nil {
		return ""
	}
	for _, child := range tree.Root().ChildElements() {
		if child.Tag == "Issuer" && child.NamespaceURI() == assertionSpace {
			return child.Text()
		}
	}
	return ""
}

// assertionSpace is the namespace of assertions and what is in them.
const assertionSpace = "urn:oasis:names:tc:SAML:2.0:assertion"

// Flowing tells whether the wish of a flow is one of this room.
func Flowing(flow string) bool { return strings.HasPrefix(flow, flowPrefix) }

// flowPrefix begins the IDs of this room's flows, by which they are told from others.
const flowPrefix = "saml."

// wish returns that of a flow; store.ErrNotFound when it is over, or of another room.
func (s *Server) wish(env, flow string) (z store.Authorization, w wish, err error) {
	text, is := strings.CutPrefix(flow, flowPrefix)
	if !is {
		return z, w, store.ErrNotFound
	}
	z, err = s.wishes().Open(env, text, s.now())
	if err == nil {
		w, err = readWish(z.Request)
	}
	return z, w, err
}
