package samlidp_test

import (
	"context"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crewjam/saml"

	"ldap-gateway/cloud/oidc"
	"ldap-gateway/cloud/samlidp"
	"ldap-gateway/cloud/store"
)

// flows are the wishes of this protocol alone.
type flows struct{ *samlidp.Server }

func (f flows) Ended(ctx context.Context, env string, by store.SignedOn) error {
	return f.Server.Ended(ctx, env, by)
}

func (flows) Leaving(context.Context, string, url.Values) (oidc.Leaving, error) {
	return oidc.Leaving{}, nil
}

// provider is the application's own library, which trusts what the metadata says.
func (s *site) provider() *saml.ServiceProvider {
	s.t.Helper()
	resp := must(http.Get(s.url + "/" + s.env + samlidp.MetadataPath + "/" + s.app.ID))
	defer resp.Body.Close()
	var described saml.EntityDescriptor
	check(s.t, xml.NewDecoder(resp.Body).Decode(&described))
	return &saml.ServiceProvider{
		EntityID: entity, AcsURL: *must(url.Parse(acs)), IDPMetadata: &described, Key: s.theirs.Key, Certificate: s.theirs.Cert,
		AllowIDPInitiated: false, RejectSHA1Signatures: true,
	}
}

// assertion is what the application's library takes of a response to a request.
func (b *browser) assertion(p place, requests ...string) (*saml.Assertion, error) {
	b.t.Helper()
	doc := must(base64.StdEncoding.DecodeString(p.hidden()["SAMLResponse"]))
	sp := b.provider()
	sp.AllowIDPInitiated = len(requests) == 0
	return sp.ParseXMLResponse(doc, requests, *must(url.Parse(p.hidden()[""])))
}

// attributes are those of an assertion, by name.
func attributes(a *saml.Assertion) map[string][]string {
	all := map[string][]string{}
	for _, s := range a.AttributeStatements {
		for _, one := range s.Attributes {
			all[one.Name] = []string{}
			for _, v := range one.Values {
				all[one.Name] = append(all[one.Name], v.Value)
			}
		}
	}
	return all
}

// TestSignOn goes the whole way, by both bindings, signed and not, with every way of making
// the answer; the application's own library takes it.
func TestSignOn(t *testing.T) {
	s := start(t)
	s.certified(false)
	theirs := s.app.SAML.CertificateIDs[0]
	for name, how := range map[string]func(*store.ServiceProvider){
		"assertion signed": func(*store.ServiceProvider) {},
		"response signed":  func(p *store.ServiceProvider) { p.AssertionSigned, p.ResponseSigned = false, true },
		"both":             func(p *store.ServiceProvider) { p.ResponseSigned = true },
		"neither said":     func(p *store.ServiceProvider) { p.AssertionSigned = false },
		"SHA-512":          func(p *store.ServiceProvider) { p.Algorithm = "SHA512withRSA" },
		"SHA-384":          func(p *store.ServiceProvider) { p.Algorithm = "SHA384withRSA" },
		"AES-128":          func(p *store.ServiceProvider) { p.Cipher, p.EncryptedWith = "AES_128", theirs },
		"AES-256, both":    func(p *store.ServiceProvider) { p.Cipher, p.EncryptedWith, p.ResponseSigned = "AES_256", theirs, true },
	} {
		before := s.app.SAML
		s.change(func(a *store.Application) { how(&a.SAML) })
		ask := s.ask()
		b := s.browser()
		var at place
		if len(name)%2 == 0 {
			at = b.send(samlidp.SSOPath, posted(ask.xml(), &s.theirs))
		} else {
			at = b.get(s.redirect(samlidp.SSOPath, ask.xml(), "r", &s.theirs))
		}
		at = b.signOn(at)
		got, err := b.assertion(at, "_r1")
		if err != nil {
			t.Errorf("%s: %v\n%s\n%s", name, err, at.page, s.log)
			s.change(func(a *store.Application) { a.SAML = before })
			continue
		}
		if form := at.hidden(); form["RelayState"] != "r" || form[""] != acs {
			t.Errorf("%s: %q", name, form)
		}
		if p := at.header.Get("Content-Security-Policy"); !strings.Contains(p, "frame-ancestors 'none'") || strings.Contains(p, "form-action") {
			t.Errorf("%s: %s", name, p)
		}
		said := attributes(got)
		if fmt.Sprint(said["groups"]) != "[cn=a,dc=x readers]" || said["email"][0] != "alice@acme.example" || said["tier"][0] != "gold" || said["none"] != nil {
			t.Errorf("%s: %v", name, said)
		}
		st := got.AuthnStatements[0]
		if st.AuthnContext.AuthnContextClassRef.Value != "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport" || st.SessionIndex == "" || st.SessionNotOnOrAfter != nil {
			t.Errorf("%s: %+v", name, st)
		}
		n := got.Subject.NameID
		if n.Format != persistent || n.SPNameQualifier != entity || strings.Contains(n.Value, s.alice.ID) || len(n.Value) < 30 {
			t.Errorf("%s: %+v", name, n)
		}
		if life := got.Conditions.NotOnOrAfter.Sub(got.IssueInstant); life != time.Minute {
			t.Errorf("%s: good for %v", name, life)
		}
		s.change(func(a *store.Application) { a.SAML = before })
	}
	if strings.Contains(s.log.String(), "SAMLResponse") || strings.Contains(s.log.String(), "Assertion") {
		t.Errorf("the log has answers:\n%s", s.log)
	}
}

// TestAnswerIsGivenOnce, and to the browser that signed on.
func TestAnswerIsGivenOnce(t *testing.T) {
	s := start(t)
	b := s.browser()
	at := b.get(s.redirect(samlidp.SSOPath, s.ask().xml(), "", nil))
	flow := at.url.Query().Get("flow")
	resume := s.url + "/" + s.env + "/saml20/resume?flow=" + url.QueryEscape(flow)
	if early := b.get(resume); early.hidden()["SAMLResponse"] != "" || early.url.Path != "/"+s.env+"/signon" {
		t.Errorf("before anybody signed on: %s", early.page)
	}
	// The victim's browser is led to what another began, and signed on for.
	thief := s.browser()
	if p := b.signOn(at); p.hidden()["SAMLResponse"] == "" {
		t.Fatalf("%d %s", p.status, p.page)
	}
	for name, p := range map[string]place{
		"the same browser":         b.get(resume),
		"another, which signs on":  thief.signOn(thief.get(resume)),
		"another, from the begin":  thief.get(at.url.String()),
		"the same, from the begin": b.get(at.url.String()),
	} {
		if p.hidden()["SAMLResponse"] != "" || p.status != http.StatusNotFound {
			t.Errorf("%s: a second answer: %d", name, p.status)
		}
	}
	at = b.get(s.redirect(samlidp.SSOPath, s.ask().xml(), "", nil)) // is signed on
	if at.hidden()["SAMLResponse"] == "" {
		t.Fatalf("no sign-on by the session: %s", at.page)
	}
	stranger := s.browser().get(s.redirect(samlidp.SSOPath, s.ask().xml(), "", nil))
	if stranger.hidden()["SAMLResponse"] != "" {
		t.Error("a stranger is signed on")
	}
}

// TestAddressIsTakenAwayMeanwhile: what an application asked for before goes to no address that it has
// no more, with an assertion or without.
func TestAddressIsTakenAwayMeanwhile(t *testing.T) {
	s := start(t)
	b, other := s.browser(), s.browser()
	at := b.get(s.redirect(samlidp.SSOPath, s.ask().xml(), "", nil))
	flow := other.get(s.redirect(samlidp.SSOPath, s.ask().xml(), "", nil)).url.Query().Get("flow")
	s.change(func(a *store.Application) { a.SAML.ACS = []string{"https://moved.example/acs"} })
	for name, p := range map[string]place{
		"an assertion": b.signOn(at),
		"declined":     other.get(s.url + "/" + s.env + "/signon/decline?flow=" + url.QueryEscape(flow)),
	} {
		if p.status != http.StatusNotFound || p.hidden()["SAMLResponse"] != "" {
			t.Errorf("%s: %d %s", name, p.status, p.page)
		}
	}
}

// TestForceAndPassive: what a request says of pages and of proving anew is done, and told in
// words of the specification, signed, at an address that was registered.
func TestForceAndPassive(t *testing.T) {
	s := start(t)
	b := s.browser()
	status := func(p place) string {
		t.Helper()
		r := b.response(p)
		if r.FindElement("./Signature") == nil || r.SelectAttrValue("Destination", "") != acs || r.FindElement("./Assertion") != nil {
			t.Errorf("a status that is not signed, or elsewhere: %s", p.page)
		}
		if _, err := b.assertion(p, "_r1"); err == nil || strings.Contains(fmt.Sprint(err.(*saml.InvalidResponseError).PrivateErr), "ignature") {
			t.Errorf("the signature does not hold: %v", err)
		}
		return strings.TrimPrefix(r.FindElement("./Status/StatusCode/StatusCode").SelectAttrValue("Value", ""), "urn:oasis:names:tc:SAML:2.0:status:")
	}
	go1 := func(attributes, inner string) place {
		a := s.ask()
		a.attributes, a.inner = attributes, inner
		return b.get(s.redirect(samlidp.SSOPath, a.xml(), "r", nil))
	}
	if got := status(go1(`IsPassive="true"`, "")); got != "NoPassive" {
		t.Error(got)
	}
	if got := status(go1(`IsPassive="1" ForceAuthn="1"`, "")); got != "NoPassive" {
		t.Error(got)
	}
	b.signOn(go1("", ""))
	if p := go1(`IsPassive="true"`, ""); p.hidden()["SAMLResponse"] == "" || p.hidden()["RelayState"] != "r" {
		t.Errorf("no silent sign-on: %s", p.page)
	}
	s.clock += 5 * time.Second
	p := go1(`ForceAuthn="true"`, "")
	if p.hidden()["SAMLResponse"] != "" || !strings.Contains(p.page, "password") {
		t.Errorf("not asked anew: %s", p.page)
	}
	forced, err := b.assertion(b.signOn(p), "_r1")
	check(t, err)
	if since := s.now().Sub(forced.AuthnStatements[0].AuthnInstant); since > 3*time.Second {
		t.Errorf("proven %v ago", since)
	}
	if got := status(go1("", `<saml:Subject><saml:NameID>bob</saml:NameID></saml:Subject>`)); got != "UnknownPrincipal" {
		t.Error(got)
	}
	for _, kind := range []string{"BaseID", "EncryptedID"} {
		if got := status(go1("", `<saml:Subject><saml:`+kind+`>x</saml:`+kind+`></saml:Subject>`)); got != "RequestUnsupported" {
			t.Error(kind, got)
		}
	}
	if got := status(go1("", `<samlp:NameIDPolicy SPNameQualifier="https://else.example"/>`)); got != "InvalidNameIDPolicy" {
		t.Error(got)
	}
	if got := status(go1(`ProtocolBinding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact"`, "")); got != "UnsupportedBinding" {
		t.Error(got)
	}
	decline := go1(`ForceAuthn="true"`, "").url.Query().Get("flow")
	if got := status(b.get(s.url + "/" + s.env + "/signon/decline?flow=" + url.QueryEscape(decline))); got != "AuthnFailed" {
		t.Error(got)
	}
}

// TestAnswerIsOfWhoeverSignedOn: what one browser has begun and signed on for is no answer in
// another, where somebody else is signed on.
func TestAnswerIsOfWhoeverSignedOn(t *testing.T) {
	s := start(t)
	bob := s.alice
	bob.ID, bob.Username, bob.Email = "", "bob", "bob@acme.example"
	check(t, s.db.CreateUser(t.Context(), &bob))
	victim := s.browser()
	victim.signOn(victim.get(s.redirect(samlidp.SSOPath, s.ask().xml(), "", nil)))
	mine := s.last
	thief := s.browser()
	begun := thief.get(s.redirect(samlidp.SSOPath, s.ask().xml(), "", nil))
	flow := begun.url.Query().Get("flow")
	thief.went(thief.http.PostForm(s.url+"/"+s.env+"/signon", url.Values{"flow": {flow}, "username": {"bob"}, "password": {"wonderland"}}))
	got, err := victim.assertion(victim.get(s.url+"/"+s.env+"/saml20/resume?flow="+url.QueryEscape(flow)), "_r1")
	check(t, err)
	if said := attributes(got)["email"]; said[0] != s.alice.Email {
		t.Errorf("the victim is %s", said)
	}
	for id, want := range map[string]int{mine.ID: 2, s.last.ID: 0} {
		if all, err := s.db.UsedAt(t.Context(), s.env, id); err != nil || len(all) != want {
			t.Errorf("%d answers of the session, %v", len(all), err)
		}
	}
}

// TestForcedIsNew: a sign-on of before is none for who wants another, whoever says that it is.
func TestForcedIsNew(t *testing.T) {
	s := start(t)
	b := s.browser()
	b.signOn(b.get(s.redirect(samlidp.SSOPath, s.ask().xml(), "", nil)))
	before := s.last
	s.clock += 10 * time.Second
	a := s.ask()
	a.attributes = `ForceAuthn="true"`
	flow := b.get(s.redirect(samlidp.SSOPath, a.xml(), "", nil)).url.Query().Get("flow")
	next := must(s.server.Complete(s.env, flow, store.SignedOn{
		UserID: before.UserID, SignOnID: before.ID, Method: before.Method, At: before.At,
	}))
	if p := b.get(s.url + next); p.hidden()["SAMLResponse"] != "" || !strings.Contains(p.page, "password") {
		t.Errorf("answered by an old sign-on: %s", p.page)
	}
}

// TestContexts: what a request says of them counts where the application has it so.
func TestContexts(t *testing.T) {
	s := start(t)
	class := func(comparison string, names ...string) string {
		text := `<samlp:RequestedAuthnContext Comparison="` + comparison + `">`
		for _, n := range names {
			text += "<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:" + n + "</saml:AuthnContextClassRef>"
		}
		return text + "</samlp:RequestedAuthnContext>"
	}
	for _, c := range []struct {
		method  store.Method
		inner   string
		counts  bool
		refused bool
	}{
		{store.ByPassword, class("exact", "PasswordProtectedTransport"), true, false},
		{store.ByPassword, class("exact", "X509", "PasswordProtectedTransport"), true, false},
		{store.ByPassword, class("exact", "X509"), true, true},
		{store.ByPassword, class("exact", "X509"), false, false},
		{store.ByPassword, class("minimum", "Password"), true, false},
		{store.ByPassword, class("exact", "Password"), true, true},
		{store.ByPassword, class("better", "Password"), true, true},
		{store.ByKerberos, class("exact", "PasswordProtectedTransport"), true, true},
		{store.ByKerberos, class("exact", "Kerberos"), true, false},
		{store.ByKerberos, class("maximum", "Kerberos", "X509"), true, false},
		{store.ByIDP, class("exact", "PasswordProtectedTransport"), true, true},
		{store.ByIDP, class("exact", "unspecified"), true, false},
		{store.ByPassword, `<samlp:RequestedAuthnContext><saml:AuthnContextDeclRef>x</saml:AuthnContextDeclRef></samlp:RequestedAuthnContext>`, true, true},
	} {
		s.method = c.method
		s.change(func(a *store.Application) { a.SAML.Contexts = c.counts })
		a, b := s.ask(), s.browser()
		a.inner = c.inner
		p := b.get(s.redirect(samlidp.SSOPath, a.xml(), "", nil))
		if p.hidden()["SAMLResponse"] == "" {
			p = b.signOn(p)
		}
		refused := strings.Contains(string(must(base64.StdEncoding.DecodeString(p.hidden()["SAMLResponse"]))), "NoAuthnContext")
		if _, err := b.assertion(p, "_r1"); refused != c.refused || (err == nil) == c.refused {
			t.Errorf("%+v: %v %v", c, refused, err)
		}
	}
}

// TestBegunHere: an application that was set so is begun by a link, and its person comes to
// one of its own places.
func TestBegunHere(t *testing.T) {
	s := start(t)
	link := func(more string) string {
		return s.url + "/" + s.env + samlidp.StartPath + "?spEntityId=" + url.QueryEscape(entity) + more
	}
	b := s.browser()
	if p := b.get(link("")); p.status != http.StatusBadRequest {
		t.Errorf("begun without leave: %d", p.status)
	}
	s.change(func(a *store.Application) {
		a.SAML.Unsolicited, a.SAML.DefaultTarget = true, "https://app.example/home"
	})
	p := b.signOn(b.get(link("")))
	got, err := b.assertion(p)
	check(t, err)
	if got.Subject.SubjectConfirmations[0].SubjectConfirmationData.InResponseTo != "" || p.hidden()["RelayState"] != "https://app.example/home" {
		t.Errorf("%+v %q", got.Subject.SubjectConfirmations[0], p.hidden()["RelayState"])
	}
	for to, want := range map[string]string{
		"https://app.example/deep?x=1": "https://app.example/deep?x=1", "https://evil.example/": "https://app.example/home",
		"//app.example/x": "https://app.example/home", "javascript:alert(1)": "https://app.example/home",
		"https://app.example@evil.example/": "https://app.example/home", "http://app.example/": "https://app.example/home",
	} {
		p := b.get(link("&applicationUrl=" + url.QueryEscape(to)))
		if got := p.hidden()["RelayState"]; got != want {
			t.Errorf("%s leads to %q", to, got)
		}
	}
	if p := b.get(strings.Replace(link(""), "app.example", "none.example", 1)); p.status != http.StatusBadRequest {
		t.Errorf("an unknown one: %d", p.status)
	}
}

// TestMetadata has the key that signs first, and all others that may sign next.
func TestMetadata(t *testing.T) {
	s := start(t)
	p := s.provider().IDPMetadata
	role := p.IDPSSODescriptors[0]
	if p.EntityID != s.url+"/"+s.env || len(role.KeyDescriptors) != 1 || len(role.SingleSignOnServices) != 2 {
		t.Errorf("%+v", p)
	}
	next := store.Certificate{EnvironmentID: s.env, Name: "next", Usage: "SIGNING", DER: s.theirs.Cert.Raw, Sealed: []byte("x")}
	check(t, s.db.CreateCertificate(t.Context(), &next))
	keys := func() (all []string) {
		for _, k := range s.provider().IDPMetadata.IDPSSODescriptors[0].KeyDescriptors {
			all = append(all, k.KeyInfo.X509Data.X509Certificates[0].Data)
		}
		return all
	}
	before := keys()
	check(t, s.db.SetDefaultKey(t.Context(), s.env, next.ID))
	after := keys()
	if len(before) != 2 || before[0] != after[1] || before[1] != after[0] {
		t.Errorf("%v %v", before, after)
	}
	s.change(func(a *store.Application) { a.SAML.KeyID = next.ID })
	if got := keys(); !slices.Equal(got, after) {
		t.Errorf("%v", got)
	}
	for _, path := range []string{"/none/saml20/metadata", "/" + s.env + "/saml20/metadata/none"} {
		if resp := must(http.Get(s.url + path)); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
}
