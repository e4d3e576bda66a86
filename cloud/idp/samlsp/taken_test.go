package samlsp_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crewjam/saml/xmlenc"
	dsig "github.com/russellhaering/goxmldsig"

	"ldap-gateway/cloud/evidence"
	"ldap-gateway/cloud/idp/idptest"
	"ldap-gateway/cloud/idp/samlsp"
)

// taken is a document that proves somebody.
type taken struct {
	doc     func(w *world, l idptest.Letter) []byte
	set     func(w *world, p *samlsp.Provider)
	groups  string // that came; "absent" for no attribute
	subject string // empty: the usual one
	key     string // empty: the only one
}

// good is the document of a changed letter.
func good(change func(*idptest.Letter)) func(w *world, l idptest.Letter) []byte {
	return func(w *world, l idptest.Letter) []byte { return w.theirs.Good(with(l, change)) }
}

func all(*idptest.Letter) {}

const both = "admins|Sales, EMEA"

func takenDocuments() map[string]taken {
	encrypted := func(block xmlenc.BlockCipher, signsResponse bool) func(w *world, l idptest.Letter) []byte {
		return func(w *world, l idptest.Letter) []byte {
			inner := w.theirs.Sign(sha256, true, l.Assertion())
			r := l.Response(idptest.Encrypt(w.our.Cert, block, inner))
			if signsResponse {
				r = w.theirs.Sign(sha256, true, r)
			}
			return idptest.Text(r)
		}
	}
	return map[string]taken{
		"signed assertion": {doc: good(all), groups: both},
		"signed response": {doc: func(w *world, l idptest.Letter) []byte {
			return idptest.Text(w.theirs.Sign(sha256, true, l.Response(l.Assertion())))
		}, groups: both},
		"both signed": {doc: func(w *world, l idptest.Letter) []byte {
			return idptest.Text(w.theirs.Sign(sha256, true, l.Response(w.theirs.Sign(sha256, true, l.Assertion()))))
		}, groups: both},
		"encrypted GCM":                  {doc: encrypted(xmlenc.AES256GCM, false), groups: both},
		"encrypted CBC, signed response": {doc: encrypted(xmlenc.AES256CBC, true), groups: both},
		"no certificate in it": {doc: func(w *world, l idptest.Letter) []byte {
			return idptest.Text(l.Response(w.theirs.Sign(sha256, false, l.Assertion())))
		}, groups: both},
		"RSA with SHA-512": {doc: func(w *world, l idptest.Letter) []byte {
			return idptest.Text(l.Response(w.theirs.Sign(dsig.RSASHA512SignatureMethod, true, l.Assertion())))
		}, groups: both},
		"next certificate of two": {doc: func(w *world, l idptest.Letter) []byte {
			return idptest.Text(l.Response(w.next.Sign(sha256, true, l.Assertion())))
		}, set: func(w *world, p *samlsp.Provider) {
			p.Certificates = certificates(w.theirs.Cert, w.next.Cert)
		}, groups: both, key: "2"},
		"ended certificate, when that is taken": {doc: func(w *world, l idptest.Letter) []byte {
			old := idptest.NewPair(w.now.Add(-time.Hour))
			w.theirs = old
			return old.Good(l)
		}, set: func(w *world, p *samlsp.Provider) {
			p.Certificates, p.ExpiredKeys = certificates(w.theirs.Cert), true
		}, groups: both},
		"one element a value": {doc: good(func(l *idptest.Letter) {
			l.Attributes = idptest.Attribute("groups", "a") + idptest.Attribute("groups", "b")
		}), groups: "a|b"},
		"attribute without a value": {doc: good(func(l *idptest.Letter) {
			l.Attributes = `<saml:Attribute Name="groups"/>`
		}), groups: ""},
		"nil value": {doc: good(func(l *idptest.Letter) {
			l.Attributes = `<saml:Attribute Name="groups"><saml:AttributeValue xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"` +
				` xsi:nil="true"/></saml:Attribute>`
		}), groups: "absent"},
		"a friendly name is no name": {doc: good(func(l *idptest.Letter) {
			l.Attributes = `<saml:Attribute Name="role" FriendlyName="groups"><saml:AttributeValue>trap</saml:AttributeValue></saml:Attribute>` +
				idptest.Attribute("groups", "right")
		}), groups: "right"},
		"no attributes":         {doc: good(func(l *idptest.Letter) { l.Attributes = "" }), groups: "absent"},
		"clock 50 s ahead":      {doc: good(func(l *idptest.Letter) { l.Issued = l.Issued.Add(50 * time.Second) }), groups: both},
		"clock 4 minutes back":  {doc: good(func(l *idptest.Letter) { l.Issued = l.Issued.Add(-4 * time.Minute) }), groups: both},
		"good until 50 s ago":   {doc: good(func(l *idptest.Letter) { l.Until = l.Issued.Add(-50 * time.Second) }), groups: both},
		"more skew by settings": {doc: good(func(l *idptest.Letter) { l.Issued = l.Issued.Add(170 * time.Second) }), set: func(_ *world, p *samlsp.Provider) { p.Skew = 3 * time.Minute }, groups: both},
		"subject of an attribute": {doc: good(func(l *idptest.Letter) {
			l.Format = samlsp.Transient
			l.Attributes += idptest.Attribute("uid", "emp-7")
		}), set: func(_ *world, p *samlsp.Provider) { p.SubjectFrom = "uid" }, groups: both, subject: "emp-7"},
		"subject of an attribute, said twice": {doc: good(func(l *idptest.Letter) {
			l.Attributes += strings.Repeat(idptest.Attribute("uid", "emp-7"), 2)
		}), set: func(_ *world, p *samlsp.Provider) { p.SubjectFrom = "uid" }, groups: both, subject: "emp-7"},
		"subject of an attribute, not composed": {doc: good(func(l *idptest.Letter) {
			l.Attributes += idptest.Attribute("uid", "e\u0301ve")
		}), set: func(_ *world, p *samlsp.Provider) { p.SubjectFrom = "uid" }, groups: both, subject: "e\u0301ve"},
		"subject of an attribute, composed": {doc: good(func(l *idptest.Letter) {
			l.Attributes += idptest.Attribute("uid", "\u00e9ve")
		}), set: func(_ *world, p *samlsp.Provider) { p.SubjectFrom = "uid" }, groups: both, subject: "\u00e9ve"},
		"subject with blanks around": {doc: good(func(l *idptest.Letter) { l.NameID = " u-1234 " }), groups: both, subject: " u-1234 "},
		"subject with a hard blank":  {doc: good(func(l *idptest.Letter) { l.NameID = "u-1234\u00a0" }), groups: both, subject: "u-1234\u00a0"},
		"subject in other letters":   {doc: good(func(l *idptest.Letter) { l.NameID = "U-1234" }), groups: both, subject: "U-1234"},
		"a name ID as a value": {doc: good(func(l *idptest.Letter) {
			l.Attributes = `<saml:Attribute Name="groups"><saml:AttributeValue> <saml:NameID>a</saml:NameID>` +
				` </saml:AttributeValue></saml:Attribute>`
		}), groups: "a"},
		"10,000 values as some senders write them": {doc: good(func(l *idptest.Letter) {
			const value = `<saml:AttributeValue xmlns:xs="http://www.w3.org/2001/XMLSchema"` +
				` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string">a</saml:AttributeValue>`
			l.Attributes = `<saml:Attribute Name="groups">` + strings.Repeat(value, 10_000) + `</saml:Attribute>`
		}), groups: strings.TrimSuffix(strings.Repeat("a|", 10_000), "|")},
		"10,000 attributes of one value": {doc: good(func(l *idptest.Letter) {
			l.Attributes = strings.Repeat(idptest.Attribute("groups", "a"), 10_000)
		}), groups: strings.TrimSuffix(strings.Repeat("a|", 10_000), "|")},
		"qualifiers that are the parties": {doc: good(func(l *idptest.Letter) {
			l.NameQualifier, l.SPNameQualifier = idptest.EntityID, own
		}), groups: both},
	}
}

func TestTaken(t *testing.T) {
	for name, c := range takenDocuments() {
		t.Run(name, func(t *testing.T) {
			w := build(t)
			doc := c.doc(w, w.letter())
			p := w.provider()
			if c.set != nil {
				c.set(w, p)
			}
			e, err := p.Finish(samlsp.Kept{ID: request}, doc)
			if err != nil {
				t.Fatal(err)
			}
			got := "absent"
			if names, there := groups(e); there {
				got = strings.Join(names, "|")
			}
			subject, key := "u-1234", "1"
			if c.subject != "" {
				subject = c.subject
			}
			if c.key != "" {
				key = c.key
			}
			if got != c.groups || e.Subject != subject || e.Key != key || e.Qualifiers != "" {
				t.Errorf("%q of %q (%q) by key %q", got, e.Subject, e.Qualifiers, e.Key)
			}
		})
	}
}

// TestQualifiersTellPeopleApart: the same name ID of another qualifier is somebody else.
func TestQualifiersTellPeopleApart(t *testing.T) {
	w := build(t)
	e, err := w.provider().Finish(samlsp.Kept{ID: request}, w.theirs.Good(with(w.letter(), func(l *idptest.Letter) {
		l.NameQualifier = "https://another.example.org"
	})))
	if err != nil || e.Qualifiers != "https://another.example.org" {
		t.Errorf("%q %v", e.Qualifiers, err)
	}
}

// TestSubjectOfSeveralValues is refused: none of them is the person's more than another.
func TestSubjectOfSeveralValues(t *testing.T) {
	w := build(t)
	p := w.provider()
	p.SubjectFrom = "uid"
	for attributes, want := range map[string]evidence.Kind{
		idptest.Attribute("uid", "alice", "bob"):                               evidence.BadSubject,
		idptest.Attribute("uid", "", "alice"):                                  evidence.BadSubject,
		idptest.Attribute("uid", "e\u0301ve", "\u00e9ve"):                      evidence.BadSubject,
		idptest.Attribute("uid", "alice") + idptest.Attribute("uid", "bob"):    evidence.BadSubject,
		idptest.Attribute("uid", "alice") + idptest.Attribute("uid", "alice "): evidence.BadSubject,
		idptest.Attribute("uid", "alice\n"):                                    evidence.BadSubject,
		idptest.Attribute("uid", " "):                                          evidence.NoSubject,
		idptest.Attribute("uid"):                                               evidence.NoSubject,
		idptest.Attribute("UID", "alice"):                                      evidence.NoSubject,
	} {
		doc := w.theirs.Good(with(w.letter(), func(l *idptest.Letter) { l.Attributes = attributes }))
		if e, err := p.Finish(samlsp.Kept{ID: request}, doc); kindOf(err) != want {
			t.Errorf("%s: %v, want %s; it proves %q", attributes, err, want, e.Subject)
		}
	}
}

// TestSeveralSessions: the last proof counts, and the first end.
func TestSeveralSessions(t *testing.T) {
	w := build(t)
	now := w.now.Truncate(time.Second)
	statement := func(at, until time.Time) string {
		end := ""
		if !until.IsZero() {
			end = ` SessionNotOnOrAfter="` + until.Format(time.RFC3339) + `"`
		}
		return `<saml:AuthnStatement AuthnInstant="` + at.Format(time.RFC3339) + `"` + end + `><saml:AuthnContext/></saml:AuthnStatement>`
	}
	old, soon, late := now.AddDate(-25, 0, 0), now.Add(2*time.Minute), now.Add(8*time.Hour)
	for name, c := range map[string]struct {
		statements string
		at, until  time.Time
		kind       evidence.Kind
	}{
		"old last":           {statement(now, late) + statement(old, late), now, late, ""},
		"old first":          {statement(old, late) + statement(now, late), now, late, ""},
		"the end first":      {statement(now, soon) + statement(now, late), now, soon, ""},
		"the end last":       {statement(now, late) + statement(now, soon), now, soon, ""},
		"one without an end": {statement(now, soon) + statement(now, time.Time{}), now, soon, ""},
		"no end":             {statement(old, time.Time{}) + statement(now, time.Time{}), now, time.Time{}, ""},
		"one is over":        {statement(now, old) + statement(now, late), now, old, evidence.TooLate},
		"one is to come":     {statement(now, late) + statement(soon, late), soon, late, evidence.TooEarly},
		"all are old":        {statement(old, late) + statement(old, late), old, late, evidence.OldProof},
	} {
		l := with(w.letter(), func(l *idptest.Letter) { l.NoAuthn = true })
		text := string(idptest.Text(l.Assertion()))
		text = strings.Replace(text, `<saml:AttributeStatement>`, c.statements+`<saml:AttributeStatement>`, 1)
		doc := idptest.Text(l.Response(w.theirs.Sign(sha256, true, idptest.Parse(text))))
		e, err := w.provider().Finish(samlsp.Kept{ID: request, Since: now.Add(-time.Hour)}, doc)
		if kindOf(err) != c.kind || err == nil && (!e.At.Equal(c.at) || !e.Until.Equal(c.until)) {
			t.Errorf("%s: %v, at %v until %v", name, err, e.At, e.Until)
		}
	}
}

// TestRequests by both bindings, signed and not.
func TestRequests(t *testing.T) {
	w := build(t)
	p := w.provider()
	for _, signs := range []bool{false, true} {
		p.Binding, p.Signs = samlsp.Redirect, signs
		r, err := p.Start(request, "relay", samlsp.Wish{Force: true, Passive: true})
		if err != nil || r.Form != "" || strings.Contains(r.Address, "Signature=") != signs {
			t.Errorf("%+v %v", r, err)
		}
		id, at, err := idptest.ReadRequest(r.Address)
		if err != nil || id != request || at != acs {
			t.Errorf("%q %q %v", id, at, err)
		}
		p.Binding = samlsp.Post
		if r, err = p.Start(request, "relay", samlsp.Wish{}); err != nil || r.Form == "" || r.Address != p.Endpoint {
			t.Errorf("%+v %v", r, err)
		}
	}
	if _, err := p.Start(request, strings.Repeat("x", 81), samlsp.Wish{}); p.Binding == samlsp.Redirect && err == nil {
		t.Error("81 bytes of RelayState")
	}
	doc, err := p.Metadata()
	if err != nil || !strings.Contains(string(doc), acs) || !strings.Contains(string(doc), own) {
		t.Errorf("%s %v", doc, err)
	}
}

// TestMetadata reads what a provider publishes, with both certificates of a rollover.
func TestMetadata(t *testing.T) {
	w := build(t)
	d, err := samlsp.ReadMetadata(idptest.Metadata(w.theirs, w.next), "", time.Now())
	if err != nil || d.EntityID != idptest.EntityID || d.Binding != samlsp.Redirect || len(d.Certificates) != 2 {
		t.Fatalf("%+v %v", d, err)
	}
	if !slices.Equal(d.Certificates[1].Raw, w.next.Cert.Raw) {
		t.Error("not the second certificate")
	}
	for name, doc := range map[string]string{
		"nothing":          "",
		"no XML":           "hello",
		"document type":    "<!DOCTYPE x>" + string(idptest.Metadata(w.theirs)),
		"no certificate":   string(idptest.Metadata()),
		"ourselves":        string(must(w.provider().Metadata())),
		"a broken one":     strings.Replace(string(idptest.Metadata(w.theirs)), "<ds:X509Certificate>", "<ds:X509Certificate>AAAA", 1),
		"no base64 at all": strings.Replace(string(idptest.Metadata(w.theirs)), "<ds:X509Certificate>", "<ds:X509Certificate>!!", 1),
	} {
		if d, err := samlsp.ReadMetadata([]byte(doc), "", time.Now()); err == nil {
			t.Errorf("%s: %+v", name, d)
		}
	}
	if _, err := samlsp.ReadMetadata(idptest.Metadata(w.theirs), "https://other.example.org", time.Now()); err == nil {
		t.Error("another entity was found")
	}
}

func must(doc []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return doc
}
