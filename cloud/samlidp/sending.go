package samlidp

import (
	"bytes"
	"compress/flate"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"

	"ldap-gateway/cloud/applications"
	"ldap-gateway/cloud/store"
)

// The bindings of sign-off, in the words of the API.
const (
	Post     = "HTTP_POST"
	Redirect = "HTTP_REDIRECT"
)

// bindingOf is how an application takes messages of sign-off.
func bindingOf(a store.ServiceProvider) string {
	if a.SLOBinding == Redirect {
		return saml.HTTPRedirectBinding
	}
	return saml.HTTPPostBinding
}

// sendOff sends the browser to an application that is to sign it off.
func (k *call) sendOff(p participant, id string) error {
	until := k.instant().Add(offLife)
	r := saml.LogoutRequest{
		ID: id, Version: "2.0", IssueInstant: k.instant(), NotOnOrAfter: &until, Destination: p.SAML.SLOEndpoint,
		Issuer:       k.issuer(),
		NameID:       &saml.NameID{Format: p.Format, Value: p.NameID},
		SessionIndex: &saml.SessionIndex{Value: p.Index},
	}
	if p.Format == persistent || p.Format == transient {
		r.NameID.NameQualifier, r.NameID.SPNameQualifier = EntityID(k.Server.URL, k.env), p.SAML.EntityID
	}
	return k.send(p.Application, p.SAML.SLOEndpoint, "SAMLRequest", "", r.Element())
}

// sendOffAnswer tells the application that began a sign-off what became of it.
func (k *call) sendOffAnswer(a store.Application, l leaving) error {
	to := a.SAML.SLOResponse
	if to == "" {
		to = a.SAML.SLOEndpoint
	}
	if to == "" {
		return refuse(nil, "You are signed off. %s has no address any more to be told at.", a.Name)
	}
	r := saml.LogoutResponse{
		ID: newID(), InResponseTo: l.Began.Request, Version: "2.0", IssueInstant: k.instant(), Destination: to,
		Issuer: k.issuer(),
		Status: saml.Status{StatusCode: saml.StatusCode{Value: saml.StatusSuccess}},
	}
	if l.Partial {
		r.Status.StatusCode.StatusCode = &saml.StatusCode{Value: saml.StatusPartialLogout}
	}
	return k.send(a, to, "SAMLResponse", l.Began.Relay, r.Element())
}

// send signs a message and sends it by the browser, as the application takes it.
func (k *call) send(a store.Application, to, name, relay string, el *etree.Element) error {
	s, err := k.signer(k.Context(), k.env, a.SAML)
	if err != nil {
		return err
	}
	if a.SAML.SLOBinding == Redirect {
		address, err := s.address(to, name, relay, el)
		if err == nil {
			http.Redirect(k.w, k.Request, address, http.StatusSeeOther)
		}
		return err
	}
	signature, err := s.signature(el)
	if err != nil {
		return err
	}
	el.InsertChildAt(1, signature)
	text, err := written(el)
	if err != nil {
		return err
	}
	values := url.Values{name: {encoded(text)}}
	if relay != "" {
		values.Set("RelayState", relay)
	}
	applications.Post(k.w, k.Request, k.Pages, a.Name, to, values)
	return nil
}

// address is one with a message in it, signed (saml-bindings 3.4.4.1).
func (s signer) address(to, name, relay string, el *etree.Element) (string, error) {
	text, err := written(el)
	if err != nil {
		return "", err
	}
	packed, err := deflated(text)
	if err != nil {
		return "", err
	}
	how := algorithms[s.algorithm]
	q := name + "=" + url.QueryEscape(encoded(packed))
	if relay != "" {
		q += "&RelayState=" + url.QueryEscape(relay)
	}
	q += "&SigAlg=" + url.QueryEscape(how.method)
	h := how.hash.New()
	_, _ = io.WriteString(h, q) // does not fail
	signature, err := s.key.Sign(rand.Reader, h.Sum(nil), how.hash)
	if err != nil {
		return "", err
	}
	sep := "?"
	if strings.Contains(to, "?") {
		sep = "&"
	}
	return to + sep + q + "&Signature=" + url.QueryEscape(encoded(signature)), nil
}

func deflated(text []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.DefaultCompression)
	if err == nil {
		_, err = w.Write(text)
	}
	if err == nil {
		err = w.Close()
	}
	return b.Bytes(), err
}

// inflated is an error for what is larger than a message may be.
func inflated(packed []byte) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), mostMessage+1))
	if err == nil && len(text) > mostMessage {
		err = fmt.Errorf("the message has more than %d bytes", mostMessage)
	}
	return text, err
}
