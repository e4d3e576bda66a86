package samlidp

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/crewjam/saml"

	"ldap-gateway/cloud/idp/samlsp"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/web"
)

// Sign-off goes through the browser: one application after another is sent there to, and
// sends it back. What is under way is in a sealed cookie, which a form of another site does
// not bring; so whatever comes by one leads to off, which has it.

// leaving is a sign-off that is under way.
type leaving struct {
	SignOn  string    // that ends
	Done    int       // how many applications were sent to, in their order
	Pending string    // ID of what the last was sent; empty: none is waited for
	Partial bool      // one did not sign the person off
	Then    string    // where the browser goes at last; empty: to who began it
	Began   *began    // the application that did; nil: a page of ours
	Until   time.Time // it is good
}

// began is the request of the application that began a sign-off.
type began struct {
	Application, Request, Relay string
	NameID                      string
	Indexes                     []string
}

// purposeOff is what the vault seals leavings for; the owner is the environment.
const purposeOff = "saml sign-off"

func (s *Server) sealed(env string, l leaving) (string, error) {
	b, err := json.Marshal(l)
	return s.Vault.SealText(purposeOff, env, b), err
}

// opened reads one; false when it is none, or too old.
func (k *call) opened(text string) (l leaving, ok bool) {
	b, err := k.Vault.OpenText(purposeOff, k.env, text)
	if err == nil {
		err = json.Unmarshal(b, &l)
	}
	return l, err == nil && k.now().Before(l.Until)
}

// SignedOff returns where the browser of somebody who has signed off is to go, so that the
// applications of that session learn of it: to then, when there is none.
func (s *Server) SignedOff(r *http.Request, env string, by store.SignedOn, then string) (string, error) {
	k := &call{Request: r, Server: s, env: env}
	all, err := k.toTell(leaving{SignOn: by.SignOnID})
	if err != nil || len(all) == 0 {
		return then, err
	}
	text, err := s.sealed(env, leaving{SignOn: by.SignOnID, Then: then, Until: s.now().Add(offLife)})
	return s.at(env, offPath) + "?" + url.Values{"s": {text}}.Encode(), err
}

// participant is an application of a session, and what it was told of it.
type participant struct {
	store.Application
	told
}

// toTell are the applications of a session that take part in sign-off, but for the one that
// began it, in an order that does not change.
func (k *call) toTell(l leaving) (all []participant, err error) {
	used, err := k.Store.UsedAt(k.Context(), k.env, l.SignOn)
	if err != nil {
		return nil, err
	}
	for _, z := range used {
		w, err := readWish(z.Request)
		known := func(p participant) bool { return p.ID == z.ApplicationID }
		if err != nil || w.Told == nil || slices.ContainsFunc(all, known) ||
			l.Began != nil && l.Began.Application == z.ApplicationID {
			continue
		}
		a, err := k.application(k.Context(), k.env, z.ApplicationID)
		if errors.Is(err, store.ErrNotFound) || err == nil && a.SAML.SLOEndpoint == "" {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, participant{a, *w.Told})
	}
	return all, nil
}

// slo takes what applications send: that somebody signs off, or has.
func (k *call) slo() error {
	if err := k.mayBegin(); err != nil {
		return err
	}
	if err := k.ParseForm(); err == nil && k.Form.Has("SAMLResponse") {
		return k.acknowledged()
	}
	if err := k.single("SAMLRequest", mostOffRelay); err != nil {
		return err
	}
	p := &party{call: k}
	req, err := saml.NewIdpLogoutRequest(k.library(p), k.Request)
	if err == nil {
		err = samlsp.Examine(req.RequestBuffer, mostMessage)
	}
	if err == nil {
		err = req.Validate()
	}
	if err != nil {
		return p.whyNoLogout(err)
	}
	r := req.Request
	if len(r.ID) > mostID || !ncName.MatchString(r.ID) || r.NameID == nil || len(r.NameID.Value) > mostID {
		return refuse(nil, "The application sent a request whose ID or name is none.")
	}
	b := began{Application: p.a.ID, Request: r.ID, Relay: req.RelayState, NameID: r.NameID.Value}
	for _, index := range r.AllSessionIndexes() {
		if b.Indexes = append(b.Indexes, cut(index.Value)); len(b.Indexes) > 10 {
			return refuse(nil, "The application named too many sessions.")
		}
	}
	return k.toOff(leaving{Began: &b, Until: k.now().Add(offLife)})
}

// whyNoLogout tells people why a request to sign them off is not taken.
func (p *party) whyNoLogout(err error) error {
	switch {
	case p.failed != nil:
		return p.failed
	case p.a.ID != "" && len(p.a.SAML.CertificateIDs) == 0:
		return refuse(err, "%s cannot sign you off here: no certificate of it is registered that its request could be "+
			"proven by.", p.a.Name)
	case p.a.ID != "" && p.a.SAML.SLOEndpoint == "":
		return refuse(err, "%s takes part in no sign-off here: no address of it is registered (sloEndpoint).", p.a.Name)
	}
	return refuse(err, "The application wants you signed off by a request that is not taken.")
}

// toOff leads the browser on to where its cookie is sent.
func (k *call) toOff(l leaving) error {
	text, err := k.sealed(k.env, l)
	if err != nil {
		return err
	}
	http.Redirect(k.w, k.Request, k.at(k.env, offPath)+"?"+url.Values{"s": {text}}.Encode(), http.StatusSeeOther)
	return nil
}

// acknowledged takes the answer of an application. It is believed so far that the next one is
// told: which message it answers only that application and the browser know.
func (k *call) acknowledged() error {
	if err := k.single("SAMLResponse", mostOffRelay); err != nil {
		return err
	}
	text, err := k.message("SAMLResponse")
	if err == nil {
		err = samlsp.Examine(text, mostMessage)
	}
	var r saml.LogoutResponse
	if err == nil {
		err = xml.Unmarshal(text, &r)
	}
	if err != nil {
		return refuse(err, "The application sent an answer that cannot be read.")
	}
	q := url.Values{"in": {cut(r.InResponseTo)}}
	if r.Status.StatusCode.Value != saml.StatusSuccess || r.Status.StatusCode.StatusCode != nil {
		q.Set("partial", "1")
	}
	http.Redirect(k.w, k.Request, k.at(k.env, offPath)+"?"+q.Encode(), http.StatusSeeOther)
	return nil
}

// message decodes what came by POST, or by redirect.
func (k *call) message(name string) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(k.Form.Get(name))
	if err != nil || k.Method == http.MethodPost {
		return raw, err
	}
	return inflated(raw)
}

// off goes on with a sign-off: it ends the session when an application has begun it, sends the
// browser to the next application, and at last to who began.
func (k *call) off() error {
	l, err := k.underWay()
	if err != nil {
		return err
	}
	all, err := k.toTell(l)
	if err != nil {
		return err
	}
	if l.Done >= len(all) {
		return k.left(l)
	}
	next := all[l.Done]
	l.Done++
	l.Pending = newID()
	if err := k.keep(l); err != nil {
		return err
	}
	return k.sendOff(next, l.Pending)
}

// underWay is the sign-off of the browser: one that begins, or that of its cookie, after an
// application has answered.
func (k *call) underWay() (leaving, error) {
	over := late(http.StatusNotFound, nil, "This sign-off has taken too long or is over.")
	if s := k.Request.URL.Query().Get("s"); s != "" {
		l, ok := k.opened(s)
		if !ok {
			return l, over
		}
		if l.Began != nil {
			return l, k.end(&l)
		}
		return l, nil
	}
	cookie, err := k.Cookie(k.cookie().Name)
	if err != nil {
		return leaving{}, over
	}
	l, ok := k.opened(cookie.Value)
	if !ok || l.Pending == "" || l.Pending != k.Request.URL.Query().Get("in") {
		return l, over
	}
	l.Partial = l.Partial || k.Request.URL.Query().Get("partial") != ""
	return l, nil
}

// end ends the session of the browser, when it is the one that an application means: else
// there is nobody to sign off, and that is told as success (saml-core 3.7.3).
func (k *call) end(l *leaving) error {
	by, here := k.Sessions.Person(k.Context(), k.env)
	if !here {
		return nil
	}
	used, err := k.Store.UsedAt(k.Context(), k.env, by.SignOnID)
	if err != nil || !slices.ContainsFunc(used, l.Began.means) {
		return err
	}
	if err := k.Sessions.End(k.Context(), k.env); err != nil {
		return err
	}
	l.SignOn = by.SignOnID
	if k.Ended != nil {
		return k.Ended(k.Context(), k.env, by)
	}
	return nil
}

// means tells whether what an application says is that answer.
func (b began) means(z store.Authorization) bool {
	w, err := readWish(z.Request)
	return err == nil && w.Told != nil && z.ApplicationID == b.Application && w.Told.NameID == b.NameID &&
		(len(b.Indexes) == 0 || slices.Contains(b.Indexes, w.Told.Index))
}

// left leads the browser to where it goes at last.
func (k *call) left(l leaving) error {
	c := k.cookie()
	c.MaxAge = -1
	http.SetCookie(k.w, &c)
	if l.Began == nil {
		http.Redirect(k.w, k.Request, l.Then, http.StatusSeeOther)
		return nil
	}
	a, err := k.application(k.Context(), k.env, l.Began.Application)
	if err != nil {
		return gone(err)
	}
	return k.sendOffAnswer(a, l)
}

// cookie is that of a sign-off. Only this site sends it.
func (k *call) cookie() http.Cookie {
	c := web.Cookie("ldap-cloud-off", "/", k.Secure)
	return http.Cookie{
		Name: c.Name, Path: c.Path, HttpOnly: true, Secure: k.Secure, SameSite: http.SameSiteLaxMode,
		MaxAge: int(offLife.Seconds()),
	}
}

func (k *call) keep(l leaving) (err error) {
	c := k.cookie()
	if c.Value, err = k.sealed(k.env, l); err == nil {
		http.SetCookie(k.w, &c)
	}
	return err
}
