package idp_test

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/evidence"
	"ldap-gateway/cloud/idp"
	"ldap-gateway/cloud/idp/idptest"
	"ldap-gateway/cloud/idp/samlsp"
	"ldap-gateway/cloud/mapping"
	"ldap-gateway/cloud/store"
)

// TestSAMLAnswerNeedsItsBrowser: the POST comes without a cookie and signs nobody on.
func TestSAMLAnswerNeedsItsBrowser(t *testing.T) {
	w := build(t)
	mine, theirs := browser{}, browser{}
	l, relay := w.letter(mine)
	w.letter(theirs)
	before := w.written()
	for name, b := range map[string]browser{"another browser": theirs, "no cookie": {}, "a made-up one": {"x": "AAAA"}} {
		key, err := w.taken(w.Desk, w.env.ID, form(w.keys.Good(l), relay))
		w.must(err)
		_, err = w.Arrive(t.Context(), w.env.ID, key, b.all, "")
		w.wantKind(err, evidence.WrongRequest)
		if now := w.written(); now != before {
			t.Errorf("%s: %s", name, now)
		}
		l.ID += "x" // each assertion is taken once
	}
	key, err := w.taken(w.Desk, w.env.ID, form(w.keys.Good(l), relay))
	w.must(err)
	if w.written() != before {
		t.Error("the POST wrote something")
	}
	_, err = w.Arrive(t.Context(), w.env.ID, key, mine.all, "")
	w.must(err)
	_, err = w.Arrive(t.Context(), w.env.ID, key, mine.all, "")
	w.wantKind(err, evidence.WrongRequest)
}

// taken gives a node an answer, and returns its key, or why it was refused.
func (w *world) taken(d *idp.Desk, env string, form url.Values) (key string, err error) {
	if key, err = d.Accept(w.Context(), env, form); strings.HasPrefix(key, "refused.") {
		_, err = d.Arrive(w.Context(), env, key, browser{}.all, "")
	}
	return key, err
}

// TestRequestIsAnsweredOnce: another answer to it signs nobody on, whoever it is of.
func TestRequestIsAnsweredOnce(t *testing.T) {
	w := build(t)
	b := browser{}
	l, relay := w.letter(b)
	for i, who := range []string{"eve", "mallory", "eve"} {
		next := l
		next.ID, next.NameID = fmt.Sprint("_b", i), who
		key, err := w.taken(w.Desk, w.env.ID, form(w.keys.Good(next), relay))
		w.must(err)
		if _, err = w.Arrive(t.Context(), w.env.ID, key, b.all, ""); i == 0 {
			w.must(err)
			continue
		}
		w.wantKind(err, evidence.Replayed)
	}
}

// TestRefusalReachesWhoBegan with what the sign-on was for, and nobody else. It is the
// one that the log has, and is not noted twice.
func TestRefusalReachesWhoBegan(t *testing.T) {
	w := build(t)
	wish := anyhow()
	wish.Flow, wish.Then, wish.Silent = "f1", "/there", true
	mine := browser{}
	g := w.begin(mine, w.saml.ID, wish)
	id, acs, err := idptest.ReadRequest(g.Address)
	w.must(err)
	l := idptest.Answer(id, acs, w.saml.Config.SAML.OwnEntityID, w.Now())
	l.Status, l.SubStatus = "Responder", "NoPassive"
	key, err := w.Accept(t.Context(), w.env.ID, form(w.keys.Good(l), g.Relay))
	w.must(err)
	told := ""
	for name, c := range map[string]struct {
		browser browser
		key     string
		flow    string
	}{
		"who began":       {mine, key, "f1"},
		"another browser": {browser{}, key, ""},
		"altered":         {mine, key[:len(key)-2] + "AA", ""},
		"cut":             {mine, "refused.", ""},
	} {
		_, err := w.Arrive(t.Context(), w.env.ID, c.key, c.browser.all, "")
		var r *idp.Refused
		if !errors.As(err, &r) || r.Flow != c.flow || r.Silent != (c.flow != "") || (r.Then == "") == (c.flow != "") {
			t.Errorf("%s: %+v", name, r)
		}
		if c.flow != "" {
			told = r.ID
		}
	}
	p, err := w.Store.IdentityProvider(t.Context(), w.env.ID, w.saml.ID)
	if w.must(err); len(p.Health.Refusals) != 1 || p.Health.Refusals[0].ID != told {
		t.Errorf("%+v, told %s", p.Health.Refusals, told)
	}
}

// TestSAMLAnswerIsTakenOnce, on whichever node.
func TestSAMLAnswerIsTakenOnce(t *testing.T) {
	w := build(t)
	b := browser{}
	l, relay := w.letter(b)
	doc := form(w.keys.Good(l), relay)
	_, err := w.taken(w.Desk, w.env.ID, doc)
	w.must(err)
	second := &idp.Desk{
		Store:       w.Store,
		Vault:       w.Vault,
		Provisioner: w.Provisioner,
		URL:         people,
		Logger:      w.Logger,
	}
	_, err = w.taken(second, w.env.ID, doc)
	w.wantKind(err, evidence.Replayed)
}

// TestSAMLAnswersThatNobodyAskedFor, or that come too late, or to somebody else's
// request, or with another RelayState.
func TestSAMLAnswersThatNobodyAskedFor(t *testing.T) {
	w := build(t)
	other := store.Environment{Name: "other"}
	w.must(w.Store.CreateEnvironment(t.Context(), &other))
	accept := func(env string, change func(*idptest.Letter)) error {
		l, relay := w.letter(browser{})
		change(&l)
		_, err := w.taken(w.Desk, env, form(w.keys.Good(l), relay))
		return err
	}
	for name, request := range map[string]string{
		"none": "", "made up": "_abcdef", "of nobody": "_" + strings.Repeat("A", 90), "no seal": "x",
	} {
		err := accept(w.env.ID, func(l *idptest.Letter) { l.InResponseTo = request })
		if w.wantKind(err, evidence.WrongRequest); t.Failed() {
			t.Fatal(name)
		}
	}
	w.wantKind(accept(other.ID, func(*idptest.Letter) {}), evidence.WrongRequest)

	b := browser{}
	l, _ := w.letter(b)
	key, err := w.taken(w.Desk, w.env.ID, form(w.keys.Good(l), "another relay state"))
	w.must(err)
	_, err = w.Arrive(t.Context(), w.env.ID, key, b.all, "")
	w.wantKind(err, evidence.WrongRequest)

	late, _ := w.letter(b)
	w.ahead = 11 * time.Minute
	late.Issued, late.Until = w.Now(), w.Now().Add(time.Minute)
	_, err = w.taken(w.Desk, w.env.ID, form(w.keys.Good(late), ""))
	w.wantKind(err, evidence.WrongRequest)
	for _, f := range []url.Values{{}, {"SAMLResponse": {"%%%"}}, {"SAMLResponse": {"AAAA"}}} {
		_, err := w.taken(w.Desk, w.env.ID, f)
		w.wantKind(err, evidence.Shape)
	}
}

// TestBase64OfAnswersMayBeBroken into lines, as some senders do.
func TestBase64OfAnswersMayBeBroken(t *testing.T) {
	w := build(t)
	l, relay := w.letter(browser{})
	f := form(w.keys.Good(l), relay)
	text := f.Get("SAMLResponse")
	f.Set("SAMLResponse", text[:76]+"\r\n"+text[76:])
	_, err := w.taken(w.Desk, w.env.ID, f)
	w.must(err)
}

// TestCertificatesRollOver without a restart: two, then the new one alone.
func TestCertificatesRollOver(t *testing.T) {
	w := build(t)
	first, err := w.bySAML(func(*idptest.Letter) {})
	w.must(err)
	next := idptest.NewPair(time.Now().Add(time.Hour))
	c := store.Certificate{EnvironmentID: w.env.ID, Usage: "SIGNING", DER: next.Cert.Raw}
	w.must(w.Store.CreateCertificate(t.Context(), &c))
	old := w.saml.Config.SAML.CertificateIDs
	for _, certificates := range [][]string{append(old, c.ID), {c.ID}} {
		w.saml.Config.SAML.CertificateIDs = certificates
		w.must(w.Store.UpdateIdentityProvider(t.Context(), &w.saml))
		keys := w.keys
		w.keys = next
		again, err := w.bySAML(func(*idptest.Letter) {})
		w.must(err)
		if again.SignOn.UserID != first.SignOn.UserID {
			t.Error("another user")
		}
		p, err := w.Store.IdentityProvider(t.Context(), w.env.ID, w.saml.ID)
		if err != nil || p.Health.CertificateID != c.ID {
			t.Errorf("proven by %q, %v", p.Health.CertificateID, err)
		}
		w.keys = keys
	}
	_, err = w.bySAML(func(*idptest.Letter) {})
	w.wantKind(err, evidence.UnknownKey)
	p, err := w.Store.IdentityProvider(t.Context(), w.env.ID, w.saml.ID)
	if err != nil || len(p.Health.Refusals) != 1 || p.Health.Refusals[0].Kind != string(evidence.UnknownKey) {
		t.Errorf("%+v %v", p.Health, err)
	}
}

// TestTrialWritesNothing, and says what would change.
func TestTrialWritesNothing(t *testing.T) {
	w := build(t)
	trial := func() *idp.Trial {
		b := browser{}
		g := w.begin(b, w.oidc.ID, idp.Wish{Trial: true, MaxAge: -1})
		a, err := w.Callback(t.Context(), w.env.ID, from(w.atOpenID(g, "eve"), b.get))
		w.must(err)
		return a.Trial
	}
	before := w.written()
	first := trial()
	if first.User != nil || first.Refused != "" || fmt.Sprint(first.Joins) != "[staff Sales, EMEA]" || w.written() != before {
		t.Errorf("%+v %s", first, w.written())
	}
	_, err := w.byOpenID("eve")
	w.must(err)
	w.openID.SetPerson("eve", idptest.Person{Token: map[string]any{"groups": []string{"staff", "new"}}})
	w.oidc.Mappings = append(w.oidc.Mappings, store.ProviderMapping{Name: "title", Value: "${providerAttributes.title} of ${providerAttributes.org}"})
	w.oidc.Enabled = false // it may be tried all the same
	w.must(w.Store.UpdateIdentityProvider(t.Context(), &w.oidc))
	before = w.written()
	second := trial()
	if second.User == nil || fmt.Sprint(second.Joins, second.Leaves) != "[new] [Sales, EMEA]" || w.written() != before {
		t.Errorf("%+v %s", second, w.written())
	}
	given := map[string]string{}
	for _, y := range second.Yields {
		given[y.Name] = fmt.Sprint(y.Filled, y.Missing)
	}
	if _, groups := given[mapping.Groups]; groups || given["username"] != "sub-eve[]" || given["title"] != "[title org]" {
		t.Errorf("%q", given)
	}
}

// TestManyGroups: ten thousand come, and the second time nothing is written but the sign-on.
func TestManyGroups(t *testing.T) {
	w := build(t)
	w.Provisioner.LargeWait = time.Minute // however slow the machine is
	names := make([]string, evidence.MostGroups)
	for i := range names {
		names[i] = fmt.Sprintf("CN=group-%05d,OU=Groups,DC=corp,DC=example,DC=com", i)
	}
	many := func(l *idptest.Letter) { l.Attributes = idptest.Attribute("groups", names...) }
	first, err := w.bySAML(many)
	w.must(err)
	second, err := w.bySAML(many)
	w.must(err)
	if len(first.SignOn.Added) != len(names) || second.SignOn.UpdateReason != "nothing changed" {
		t.Errorf("%d added, then %s", len(first.SignOn.Added), second.SignOn.UpdateReason)
	}
}

// TestDelimiterOfSAML splits every value; without a name in one nothing is taken away.
func TestDelimiterOfSAML(t *testing.T) {
	w := build(t)
	w.saml.Config.Groups.Delimiter = ";"
	w.must(w.Store.UpdateIdentityProvider(t.Context(), &w.saml))
	for _, c := range []struct {
		values          []string
		groups, verdict string
	}{
		{[]string{"a;b;c"}, "a|b|c", "complete"},
		{[]string{";"}, "a|b|c", "partial"},
		{[]string{"a", "b", "c", " "}, "a|b|c", "complete"},
		{[]string{"a; d", "e"}, "a|d|e", "complete"},
		{[]string{"a", "f;;"}, "a|d|e|f", "partial"},
		{[]string{""}, "", "complete"},
		{[]string{"a"}, "a", "complete"},
		{nil, "", "complete"},
	} {
		a, err := w.bySAML(func(l *idptest.Letter) { l.Attributes = idptest.Attribute("groups", c.values...) })
		w.must(err)
		if got := w.groups(a.SignOn.UserID); got != c.groups || a.SignOn.Verdict != c.verdict {
			t.Errorf("%q: %q, %s", c.values, got, a.SignOn.Verdict)
		}
	}
}

// TestProviderAnswerIsTooLarge before anything is parsed.
func TestProviderAnswerIsTooLarge(t *testing.T) {
	w := build(t)
	l, relay := w.letter(browser{})
	doc := append(w.keys.Good(l), []byte(strings.Repeat(" ", samlsp.MostBytes))...)
	_, err := w.taken(w.Desk, w.env.ID, form(doc, relay))
	var r *idp.Refused
	if !errors.As(err, &r) || r.Kind != evidence.Shape {
		t.Error(err)
	}
}

// TestRefusedTrialTellsWhatToDo, since an administrator looks at it.
func TestRefusedTrialTellsWhatToDo(t *testing.T) {
	w := build(t)
	w.openID.Set(claim("aud", "another"))
	b, wish := browser{}, anyhow()
	wish.Trial = true
	g := w.begin(b, w.oidc.ID, wish)
	_, err := w.Callback(t.Context(), w.env.ID, from(w.atOpenID(g, "eve"), b.get))
	var r *idp.Refused
	if !errors.As(err, &r) || !strings.Contains(r.Sentence(), "wrong_audience") || !strings.Contains(r.Sentence(), idp.Remedy("wrong_audience")) {
		t.Errorf("%v", err)
	}
	if _, err = w.byOpenID("eve"); !errors.As(err, &r) || strings.Contains(r.Sentence(), "audience") {
		t.Errorf("%v", err)
	}
}

// TestForgedAnswersSayNothingOfAProvider that goes on signing people on.
func TestForgedAnswersSayNothingOfAProvider(t *testing.T) {
	w := build(t)
	stranger := idptest.NewPair(time.Now().Add(time.Hour))
	for i := range 3 {
		w.ahead = time.Duration(i) * time.Minute
		l, relay := w.letter(browser{})
		_, err := w.taken(w.Desk, w.env.ID, form(stranger.Good(l), relay))
		if err == nil {
			t.Fatal("it was taken")
		}
	}
	forged := func() int {
		p, err := w.Store.IdentityProvider(t.Context(), w.env.ID, w.saml.ID)
		w.must(err)
		return len(p.Health.Refusals)
	}
	before := forged()
	_, err := w.bySAML(func(*idptest.Letter) {})
	w.must(err)
	if after := forged(); before != 3 || after != 0 {
		t.Errorf("%d, then %d", before, after)
	}
}
