package samlidp

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"github.com/crewjam/saml"

	"ldap-gateway/cloud/applications"
	"ldap-gateway/cloud/store"
)

// resume gives the answer to the browser that signed on, and to no other: whoever made
// somebody else sign on for a request of theirs has another one. It is the one place that
// makes assertions, so what must be true of whoever signed on is looked at here.
func (k *call) resume() error {
	flow := k.Request.URL.Query().Get("flow")
	z, w, err := k.wish(k.env, flow)
	if err != nil {
		return gone(err)
	}
	by, here := k.Sessions.Person(k.Context(), k.env)
	if !here || by.SignOnID != z.SignedOn.SignOnID || by.UserID != z.SignedOn.UserID || w.old(z) {
		http.Redirect(k.w, k.Request, k.page(flow), http.StatusSeeOther)
		return nil
	}
	z.SignedOn = by
	a, err := k.application(k.Context(), k.env, z.ApplicationID)
	if err == nil {
		err = w.stillAt(a)
	}
	if err != nil {
		return gone(err)
	}
	u, err := k.Store.SignedOnUser(k.Context(), k.env, by)
	if err != nil {
		return gone(err)
	}
	f, err := k.Flow(k.Context(), k.env, flow)
	if err != nil {
		return gone(err)
	}
	met, err := applications.Meets(k.Context(), k.Store, f, u, by)
	switch {
	case err != nil:
		return err
	case !met && w.Passive:
		return k.tell(a, w, status{saml.StatusResponder, saml.StatusNoPassive, ""})
	case !met: // the sign-on page asks for the rest
		http.Redirect(k.w, k.Request, k.page(flow), http.StatusSeeOther)
		return nil
	case !w.met(by):
		return k.tell(a, w, status{saml.StatusResponder, saml.StatusNoAuthnContext, ""})
	}
	p, err := k.person(a, u, by)
	if err != nil {
		return err
	}
	if w.Subject != "" && w.Subject != p.nameID.Value {
		return k.tell(a, w, status{saml.StatusResponder, saml.StatusUnknownPrincipal, ""})
	}
	return k.answer(z, a, w, p)
}

// answer keeps that the wish is answered, and posts the assertion. It is made before: what cannot be made
// costs the person no new beginning.
func (k *call) answer(z store.Authorization, a store.Application, w wish, p person) error {
	s, err := k.signer(k.Context(), k.env, a.SAML)
	if err != nil {
		return err
	}
	text, err := k.response(s, a, w, p)
	if err != nil {
		return err
	}
	relay := w.Relay
	w.Told = &told{p.nameID.Value, p.nameID.Format, p.index}
	w.Relay, w.Hint, w.Subject = nil, "", "" // are of no use any more
	if z.Request, err = json.Marshal(w); err != nil {
		return err
	}
	z.ExpiresAt = k.now().Add(sessionLife)
	err = k.Store.CreateAuthorization(k.Context(), &z, nil)
	if errors.Is(err, store.ErrConflict) { // it was answered: of two windows one wins
		err = store.ErrNotFound
	}
	if err != nil { // it may be of somebody who was signed off a moment before
		return gone(err)
	}
	k.Logger.Debug("an application was answered", "environment", k.env, "application", a.ID,
		"user", p.user.ID, "bytes", len(text), "attributes", len(p.attributes))
	k.post(a, w.ACS, relay, text)
	return nil
}

// post hands a response to the browser, with the RelayState that came with the request.
func (k *call) post(a store.Application, to string, relay, text []byte) {
	values := url.Values{"SAMLResponse": {encoded(text)}}
	if len(relay) > 0 {
		values.Set("RelayState", string(relay))
	}
	applications.Post(k.w, k.Request, k.Pages, a.Name, to, values)
}

// status is why there is no assertion (saml-core 3.2.2.2).
type status struct{ first, second, message string }

// tell has the application told at an address that was registered, by a response that is
// signed, whatever of the others is. An application that asked for nothing is told nothing.
func (k *call) tell(a store.Application, w wish, no status) error {
	if w.Request == "" {
		return late(http.StatusForbidden, errors.New(no.second), "You are not signed on for %s.", a.Name)
	}
	s, err := k.signer(k.Context(), k.env, a.SAML)
	if err != nil {
		return err
	}
	r := k.envelope(w)
	r.Status.StatusCode = saml.StatusCode{Value: no.first, StatusCode: &saml.StatusCode{Value: no.second}}
	if no.message != "" {
		r.Status.StatusMessage = &saml.StatusMessage{Value: no.message}
	}
	if r.Signature, err = s.signature(r.Element()); err != nil {
		return err
	}
	text, err := written(r.Element())
	if err != nil {
		return err
	}
	k.Logger.Debug("an application was told of no sign-on", "environment", k.env, "application", a.ID, "status", no.second)
	k.post(a, w.ACS, w.Relay, text)
	return nil
}

// person is who signed on, as one application knows them.
type person struct {
	user       store.User
	by         store.SignedOn
	nameID     saml.NameID
	index      string // of the session
	attributes []saml.Attribute
}

// person returns what an application may know of somebody who may use it.
func (k *call) person(a store.Application, u store.User, by store.SignedOn) (p person, err error) {
	p = person{user: u, by: by, index: k.pseudonym("session", a.ID, by.SignOnID)}
	if err := k.admitted(k.Context(), a, u); err != nil {
		return p, err
	}
	if p.nameID, err = k.nameID(a, u, by); err != nil {
		return p, err
	}
	p.attributes, err = k.attributes(a, u)
	return p, err
}

// admitted is an *applications.Denial for who is not in the groups that the application is for.
func (s *Server) admitted(ctx context.Context, a store.Application, u store.User) error {
	may, err := applications.Admitted(ctx, s.Store, a.AccessRule(), u)
	if err != nil || may {
		return err
	}
	return &applications.Denial{Application: a, UserID: u.ID}
}
