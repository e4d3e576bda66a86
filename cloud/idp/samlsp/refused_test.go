package samlsp_test

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml/xmlenc"
	dsig "github.com/russellhaering/goxmldsig"

	"ldap-gateway/cloud/evidence"
	"ldap-gateway/cloud/idp/idptest"
	"ldap-gateway/cloud/idp/samlsp"
)

// refused is a document that proves nobody.
type refused struct {
	kind evidence.Kind
	doc  []byte
}

// TestRefused walks the corpus: each document is refused with its kind.
func TestRefused(t *testing.T) {
	w := build(t)
	for _, corpus := range []map[string]refused{
		w.letters(), w.signatures(), w.shapes(), w.wrapped(), w.tricks(), w.encrypted(),
		w.people(), w.doubled(), w.large(),
	} {
		for name, c := range corpus {
			t.Run(name, func(t *testing.T) {
				clear(w.used) // some are made of one assertion
				e, err := w.provider().Finish(samlsp.Kept{ID: request}, c.doc)
				if kind := kindOf(err); kind != c.kind {
					t.Errorf("%q %v, want %s; it proves %q", kind, err, c.kind, e.Subject)
				}
			})
		}
	}
}

// letters are signed by the provider, and say what is wrong.
func (w *world) letters() map[string]refused {
	say := func(kind evidence.Kind, change func(*idptest.Letter)) refused {
		return refused{kind, w.theirs.Good(with(w.letter(), change))}
	}
	const elsewhere = "https://other.example.com"
	return map[string]refused{
		"another audience":    say(evidence.WrongAudience, func(l *idptest.Letter) { l.Audience = elsewhere }),
		"no audience":         say(evidence.WrongAudience, func(l *idptest.Letter) { l.NoAudience = true }),
		"another recipient":   say(evidence.WrongPlace, func(l *idptest.Letter) { l.Recipient = elsewhere }),
		"another destination": say(evidence.WrongPlace, func(l *idptest.Letter) { l.Destination = elsewhere }),
		"another request":     say(evidence.WrongRequest, func(l *idptest.Letter) { l.InResponseTo = "_other" }),
		"not asked for":       say(evidence.WrongRequest, func(l *idptest.Letter) { l.InResponseTo = "" }),
		"another issuer":      say(evidence.WrongIssuer, func(l *idptest.Letter) { l.Issuer = elsewhere }),
		"ended":               say(evidence.TooLate, func(l *idptest.Letter) { l.Until = w.now.Add(-5 * time.Minute) }),
		"ended 70 s ago":      say(evidence.TooLate, func(l *idptest.Letter) { l.Until = w.now.Add(-70 * time.Second) }),
		"issued long ago":     say(evidence.TooLate, func(l *idptest.Letter) { l.Issued = w.now.Add(-10 * time.Minute) }),
		"not yet good":        say(evidence.TooEarly, func(l *idptest.Letter) { l.Issued = w.now.Add(5 * time.Minute) }),
		"good in 70 s":        say(evidence.TooEarly, func(l *idptest.Letter) { l.Issued = w.now.Add(70 * time.Second) }),
		"session over":        say(evidence.TooLate, func(l *idptest.Letter) { l.SessionUntil = w.now.Add(-time.Hour) }),
		"no authentication":   say(evidence.Shape, func(l *idptest.Letter) { l.NoAuthn = true }),
		"no subject":          say(evidence.Shape, func(l *idptest.Letter) { l.NoNameID = true }),
		"empty subject":       say(evidence.NoSubject, func(l *idptest.Letter) { l.NameID = "  " }),
		"endless subject":     say(evidence.NoSubject, func(l *idptest.Letter) { l.NameID = strings.Repeat("x", 1025) }),
		"transient subject":   say(evidence.Unstable, func(l *idptest.Letter) { l.Format = samlsp.Transient }),
		"subject of another":  say(evidence.WrongAudience, func(l *idptest.Letter) { l.SPNameQualifier = elsewhere }),
		"unknown condition":   say(evidence.Condition, func(l *idptest.Letter) { l.Condition = `<x:Only xmlns:x="urn:x"/>` }),
		"status": say(evidence.ProviderError, func(l *idptest.Letter) {
			l.Status = "urn:oasis:names:tc:SAML:2.0:status:Responder"
		}),
		"the person gave up": say(evidence.Cancelled, func(l *idptest.Letter) {
			l.Status = "urn:oasis:names:tc:SAML:2.0:status:Responder"
			l.SubStatus = "urn:oasis:names:tc:SAML:2.0:status:AuthnFailed"
		}),
		"no page was to be shown": say(evidence.NeedsPerson, func(l *idptest.Letter) {
			l.Status = "urn:oasis:names:tc:SAML:2.0:status:Requester"
			l.SubStatus = "urn:oasis:names:tc:SAML:2.0:status:NoPassive"
		}),
		"version": say(evidence.Condition, func(l *idptest.Letter) { l.Version = "1.1" }),
	}
}

// people are subjects that may be taken for others.
func (w *world) people() map[string]refused {
	all := map[string]refused{
		"transient by other blanks": {evidence.Unstable, w.theirs.Good(with(w.letter(), func(l *idptest.Letter) {
			l.Format = "\n" + samlsp.Transient + " "
		}))},
	}
	for name, c := range map[string]struct {
		kind evidence.Kind
		id   string // XML
	}{
		"blanks":                   {evidence.NoSubject, "\u00a0 \u2003"},
		"a line end":               {evidence.BadSubject, "u-1234\n"},
		"lines around":             {evidence.BadSubject, "\n    u-1234\n  "},
		"a tab":                    {evidence.BadSubject, "u-\t1234"},
		"a next line":              {evidence.BadSubject, "u-1234\u0085"},
		"a broken character":       {evidence.BadSubject, "u-\ufffd"},
		"an element inside":        {evidence.Shape, `u-<x xmlns="urn:x">evil</x>1234`},
		"an element at the end":    {evidence.Shape, `u-1234<x xmlns="urn:x"/>`},
		"nothing but an element":   {evidence.NoSubject, `<x xmlns="urn:x">u-1234</x>`},
		"a name ID in the name ID": {evidence.Shape, `u-1234<saml:NameID>u-victim</saml:NameID>`},
	} {
		all["subject of "+name] = refused{c.kind, w.theirs.Good(with(w.letter(), func(l *idptest.Letter) { l.NameID = c.id }))}
	}
	return all
}

// doubled are signed by the provider, and say twice what may be said once, or text
// beside elements.
func (w *world) doubled() map[string]refused {
	all := map[string]refused{}
	for name, edit := range map[string][2]string{
		"two subjects":            {`</saml:Subject>`, `</saml:Subject><saml:Subject><saml:NameID>u-victim</saml:NameID></saml:Subject>`},
		"two subjects apart":      {`</saml:Assertion>`, `<saml:Subject><saml:NameID>u-victim</saml:NameID></saml:Subject></saml:Assertion>`},
		"two name IDs":            {`</saml:NameID>`, `</saml:NameID><saml:NameID>u-victim</saml:NameID>`},
		"a name ID and a base ID": {`</saml:NameID>`, `</saml:NameID><saml:BaseID>u-victim</saml:BaseID>`},
		"an encrypted ID before":  {`<saml:NameID`, `<saml:EncryptedID><x xmlns="urn:x"/></saml:EncryptedID><saml:NameID`},
		"two issuers":             {`</saml:Issuer>`, `</saml:Issuer><saml:Issuer>https://evil.example.org</saml:Issuer>`},
		"two conditions":          {`</saml:Conditions>`, `</saml:Conditions><saml:Conditions/>`},
		"two confirmations' data": {`</saml:SubjectConfirmation>`, `<saml:SubjectConfirmationData/></saml:SubjectConfirmation>`},
		"mixed value, text first": {`>admins<`, `>adm<x xmlns="urn:x">evil</x>ins<`},
		"mixed value, text last":  {`>admins<`, `><x xmlns="urn:x">evil</x>admins<`},
		"text in the subject":     {`<saml:NameID`, `u-victim<saml:NameID`},
		"text in the assertion":   {`<saml:Subject>`, `x<saml:Subject>`},
	} {
		l := w.letter()
		text := string(idptest.Text(l.Assertion()))
		if !strings.Contains(text, edit[0]) {
			w.Fatalf("%s: there is no %s", name, edit[0])
		}
		changed := idptest.Parse(strings.Replace(text, edit[0], edit[1], 1))
		all[name] = refused{evidence.Shape, idptest.Text(l.Response(w.theirs.Sign(sha256, true, changed)))}
	}
	return all
}

// large are forged by a stranger, and would cost much before that is known.
func (w *world) large() map[string]refused {
	many := func(n int, of string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, of, i)
		}
		return b.String()
	}
	all := map[string]refused{}
	for name, attributes := range map[string]string{
		"100,000 attributes":       `<saml:Attribute Name="g" ` + many(100_000, `a%d="" `) + `/>`,
		"65 attributes":            `<saml:Attribute Name="g" ` + many(64, `a%d="" `) + `/>`,
		"33 namespaces":            `<saml:Attribute Name="g" ` + many(33, `xmlns:a%d="urn:a" `) + `/>`,
		"33 namespaces one by one": many(17, `<x xmlns:a%[1]d="urn:a" xmlns:b%[1]d="urn:b">`) + strings.Repeat("</x>", 17),
		"40,000 elements":          many(40_000, `<x%d/>`),
		"25,000 values, 2 spaces":  strings.Repeat(`<a:b xmlns:a="urn:a" xmlns:b="b"/>`, 25_000),
		"three signatures":         strings.Repeat(`<ds:Signature xmlns:ds="urn:x"/>`, 2),
		"a thousand signatures":    strings.Repeat(`<Signature/>`, 1000),
		"64 attributes, often":     strings.Repeat("<x"+many(64, ` a%d=""`)+"/>", 1000),
	} {
		l := with(w.letter(), func(l *idptest.Letter) { l.Attributes = attributes })
		a := w.letter()
		signature := w.by.Sign(sha256, true, a.Assertion()).FindElement("./Signature").Copy()
		forged := l.Assertion()
		forged.InsertChildAt(1, signature)
		all[name] = refused{evidence.Shape, idptest.Text(l.Response(forged))}
	}
	return all
}

// TestLargeCostsLittle: what a stranger sends is refused before anything is built of it.
func TestLargeCostsLittle(t *testing.T) {
	w := build(t)
	p := w.provider()
	for name, c := range w.large() {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := p.Finish(samlsp.Kept{ID: request}, c.doc)
		runtime.ReadMemStats(&after)
		if perByte := (after.TotalAlloc - before.TotalAlloc) / uint64(len(c.doc)); perByte > 40 || err == nil {
			t.Errorf("%s: %d bytes for each of %d, %v", name, perByte, len(c.doc), err)
		}
	}
}

// signatures prove nothing.
func (w *world) signatures() map[string]refused {
	l := w.letter()
	sign := func(p idptest.Pair, method string, keyInfo bool) []byte {
		return idptest.Text(l.Response(p.Sign(method, keyInfo, l.Assertion())))
	}
	forged := bytes.Replace(w.theirs.Good(l), []byte("u-1234"), []byte("u-1235"), 1)
	return map[string]refused{
		"not signed":                   {evidence.Unsigned, idptest.Text(l.Response(l.Assertion()))},
		"by another":                   {evidence.UnknownKey, sign(w.by, sha256, true)},
		"by another, named by nothing": {evidence.Signature, sign(w.by, sha256, false)},
		"SHA-1":                        {evidence.WeakAlgorithm, sign(w.theirs, dsig.RSASHA1SignatureMethod, true)},
		"changed afterwards":           {evidence.Signature, forged},
		"status alone": {evidence.NeedsPerson, idptest.Text(with(l, func(l *idptest.Letter) {
			l.Status = "urn:oasis:names:tc:SAML:2.0:status:Responder"
			l.SubStatus = "urn:oasis:names:tc:SAML:2.0:status:NoPassive"
		}).Response())},
		"nothing but a stranger's XML": {evidence.Unsigned, idptest.Text(l.Response(evil(l.Assertion(), "_e")))},
	}
}

// shapes are what no provider sends by itself.
func (w *world) shapes() map[string]refused {
	l := w.letter()
	a := w.theirs.Sign(sha256, true, l.Assertion())
	good := string(w.theirs.Good(l))
	edit := func(old, now string) []byte { return []byte(strings.Replace(good, old, now, 1)) }
	docs := map[string][]byte{
		"document type":                   []byte(`<!DOCTYPE r [<!ENTITY x "y">]>` + good),
		"entity":                          edit("u-1234", "&x;"),
		"processing instruction":          edit("<saml:Issuer>", "<?x y?><saml:Issuer>"),
		"declaration in the middle":       edit("<saml:Issuer>", `<?xml version="1.0"?><saml:Issuer>`),
		"comment in the subject":          edit("u-1234", "u-12<!-- -->34"),
		"two roots":                       []byte(good + good),
		"another root after it":           []byte(good + "<a/>"),
		"text after the root":             []byte(good + "x"),
		"text before the root":            []byte("x" + good),
		"cut":                             []byte(good[:len(good)-20]),
		"two assertions, one signed":      idptest.Text(l.Response(a.Copy(), evil(a, "_e"))),
		"two assertions, response signed": idptest.Text(w.theirs.Sign(sha256, true, l.Response(evil(a, "_e"), l.Assertion()))),
		"deep":                            edit("<saml:Issuer>", strings.Repeat("<d>", 2000)+strings.Repeat("</d>", 2000)+"<saml:Issuer>"),
		"an end of another name":          edit("</saml:Issuer>", "</saml:Other>"),
		"an ID twice":                     edit("<saml:Issuer>", `<x ID="`+l.ID+`"/><saml:Issuer>`),
		"not XML":                         []byte("hello"),
		"nothing":                         {},
		"too much":                        []byte(strings.Repeat(" ", samlsp.MostBytes) + good),
	}
	all := map[string]refused{}
	for name, doc := range docs {
		all[name] = refused{evidence.Shape, doc}
	}
	return all
}

// evil is the same assertion of somebody else, without its signature.
func evil(a *etree.Element, id string) *etree.Element {
	e := a.Copy()
	if s := e.FindElement("./Signature"); s != nil {
		e.RemoveChild(s)
	}
	e.FindElement("./Subject/NameID").SetText("u-victim")
	e.CreateAttr("ID", id)
	return e
}

// wrapped are the ways of wrapping a signature, as SAML Raider numbers them.
func (w *world) wrapped() map[string]refused {
	l := w.letter()
	a := w.theirs.Sign(sha256, true, l.Assertion())
	signature := func() *etree.Element { return a.FindElement("./Signature").Copy() }
	bare := func() *etree.Element { c := a.Copy(); c.RemoveChild(c.FindElement("./Signature")); return c }
	response := func(place func(e, original *etree.Element)) *etree.Element {
		r := w.theirs.Sign(sha256, true, l.Response(l.Assertion()))
		original := r.Copy()
		original.RemoveChild(original.FindElement("./Signature"))
		e := r.Copy()
		e.CreateAttr("ID", "_evil")
		e.FindElement("./Assertion/Subject/NameID").SetText("u-victim")
		place(e, original)
		return e
	}
	inObject := func(id string) *etree.Element {
		e, s, o := evil(a, id), signature(), etree.NewElement("ds:Object")
		o.AddChild(bare())
		s.AddChild(o)
		e.InsertChildAt(1, s)
		return l.Response(e)
	}
	xsw4 := evil(a, "_evil")
	xsw4.AddChild(a.Copy())
	xsw5 := evil(a, "_evil")
	xsw5.InsertChildAt(1, signature())
	xsw6, inside := evil(a, "_evil"), signature()
	inside.AddChild(bare())
	xsw6.InsertChildAt(1, inside)
	xsw7, extensions := l.Response(a.Copy()), etree.NewElement("samlp:Extensions")
	extensions.AddChild(evil(a, l.ID))
	xsw7.InsertChildAt(1, extensions)
	all := map[string]refused{}
	for name, el := range map[string]*etree.Element{
		"XSW1":                     response(func(e, o *etree.Element) { e.FindElement("./Signature").AddChild(o) }),
		"XSW2":                     response(func(e, o *etree.Element) { e.InsertChildAt(1, o) }),
		"XSW3":                     l.Response(evil(a, "_evil"), a.Copy()),
		"XSW4":                     l.Response(xsw4),
		"XSW5":                     l.Response(xsw5, bare()),
		"XSW6":                     l.Response(xsw6),
		"XSW7":                     xsw7,
		"XSW8":                     inObject("_evil"),
		"XSW8 with the first's ID": inObject(l.ID),
	} {
		all[name] = refused{evidence.Shape, idptest.Text(el)}
	}
	return all
}

// tricks are with the signature itself.
func (w *world) tricks() map[string]refused {
	l := w.letter()
	a := w.theirs.Sign(sha256, true, l.Assertion())
	trick := func(kind evidence.Kind, f func(s *etree.Element)) refused {
		c := a.Copy()
		f(c.FindElement("./Signature"))
		return refused{kind, idptest.Text(l.Response(c))}
	}
	return map[string]refused{
		"HMAC by the certificate": trick(evidence.Signature, func(s *etree.Element) {
			method := s.FindElement("./SignedInfo/SignatureMethod")
			method.CreateAttr("Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256")
		}),
		"XSLT": trick(evidence.Signature, func(s *etree.Element) {
			transform := s.FindElement("./SignedInfo/Reference/Transforms/Transform")
			transform.CreateAttr("Algorithm", "http://www.w3.org/TR/1999/REC-xslt-19991116")
		}),
		"reference to all": trick(evidence.Signature, func(s *etree.Element) {
			s.FindElement("./SignedInfo/Reference").CreateAttr("URI", "")
		}),
		"two SignedInfo": trick(evidence.Signature, func(s *etree.Element) {
			s.InsertChildAt(0, s.FindElement("./SignedInfo").Copy())
		}),
		"comment in the digest": trick(evidence.Shape, func(s *etree.Element) {
			s.FindElement("./SignedInfo/Reference/DigestValue").AddChild(etree.NewComment("x"))
		}),
		"no value": trick(evidence.Signature, func(s *etree.Element) { s.FindElement("./SignatureValue").SetText("") }),
		"the attacker's certificate put in": trick(evidence.UnknownKey, func(s *etree.Element) {
			other := w.by.Sign(sha256, true, l.Assertion()).FindElement("./Signature/KeyInfo/X509Data/X509Certificate")
			s.FindElement("./KeyInfo/X509Data/X509Certificate").SetText(other.Text())
		}),
	}
}

// encrypted hide what would be refused in the open.
func (w *world) encrypted() map[string]refused {
	l := w.letter()
	inner := w.theirs.Sign(sha256, true, l.Assertion())
	hide := func(text []byte) []byte {
		return idptest.Text(w.theirs.Sign(sha256, true, l.Response(idptest.EncryptText(w.our.Cert, xmlenc.AES256GCM, text))))
	}
	plain := string(idptest.Text(inner))
	return map[string]refused{
		"AES-128-CBC, no signed response": {evidence.Malleable, idptest.Text(l.Response(idptest.Encrypt(w.our.Cert, xmlenc.AES128CBC, inner)))},
		"CBC without a signed response":   {evidence.Malleable, idptest.Text(l.Response(idptest.Encrypt(w.our.Cert, xmlenc.AES256CBC, inner)))},
		"for somebody else":               {evidence.Undecryptable, idptest.Text(l.Response(idptest.Encrypt(w.by.Cert, xmlenc.AES256GCM, inner)))},
		"unsigned inside and outside":     {evidence.Signature, idptest.Text(l.Response(idptest.Encrypt(w.our.Cert, xmlenc.AES256GCM, l.Assertion())))},
		"a comment inside":                {evidence.Shape, hide([]byte(strings.Replace(plain, "u-1234", "u-12<!-- -->34", 1)))},
		"two inside":                      {evidence.Shape, hide([]byte(plain + plain))},
		"no assertion inside":             {evidence.Shape, hide([]byte(`<x/>`))},
	}
}

// TestReplay: what was taken is not taken again.
func TestReplay(t *testing.T) {
	w := build(t)
	doc := w.theirs.Good(w.letter())
	if _, err := w.provider().Finish(samlsp.Kept{ID: request}, doc); err != nil {
		t.Fatal(err)
	}
	if _, err := w.provider().Finish(samlsp.Kept{ID: request}, doc); kindOf(err) != evidence.Replayed {
		t.Error(err)
	}
}

// TestSettingsThatProveNothing: without a certificate, or with an ended one.
func TestSettingsThatProveNothing(t *testing.T) {
	w := build(t)
	p := w.provider()
	p.Certificates = nil
	if _, err := p.Finish(samlsp.Kept{ID: request}, w.theirs.Good(w.letter())); kindOf(err) != evidence.UnknownKey {
		t.Error(err)
	}
	old := idptest.NewPair(w.now.Add(-time.Hour))
	p.Certificates = certificates(old.Cert)
	if _, err := p.Finish(samlsp.Kept{ID: request}, old.Good(w.letter())); kindOf(err) != evidence.ExpiredKey {
		t.Error(err)
	}
}

// TestOldProof: the person must have proven it since the application asked.
func TestOldProof(t *testing.T) {
	w := build(t)
	k := samlsp.Kept{ID: request, Since: w.now}
	old := with(w.letter(), func(l *idptest.Letter) { l.AuthnInstant = w.now.Add(-2 * time.Minute) })
	if _, err := w.provider().Finish(k, w.theirs.Good(old)); kindOf(err) != evidence.OldProof {
		t.Error(err)
	}
	if _, err := w.provider().Finish(k, w.theirs.Good(w.letter())); err != nil {
		t.Error(err)
	}
}
