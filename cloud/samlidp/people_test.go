package samlidp_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/crewjam/saml"

	"ldap-gateway/cloud/samlidp"
	"ldap-gateway/cloud/store"
)

// signsOn is what the application's library takes of a sign-on by a new browser; nil when
// there is none, and then the page.
func (s *site) signsOn(t *testing.T) (*saml.Assertion, place) {
	t.Helper()
	b := s.browser()
	p := b.signOn(b.get(s.redirect(samlidp.SSOPath, s.ask().xml(), "", nil)))
	if p.hidden()["SAMLResponse"] == "" {
		return nil, p
	}
	got, err := b.assertion(p, "_r1")
	if err != nil {
		t.Fatalf("%v\n%+v", err, err.(*saml.InvalidResponseError).PrivateErr)
	}
	return got, p
}

const (
	emailFormat = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
	unspecified = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
	transient   = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
)

// TestNameIDs: whom an application takes somebody for is never another.
func TestNameIDs(t *testing.T) {
	s := start(t)
	gateway := store.Gateway{EnvironmentID: s.env, Name: "g", Enabled: true}
	check(t, s.db.CreateGateway(t.Context(), &gateway))
	somebody := store.IdentityProvider{EnvironmentID: s.env, Name: "p", Enabled: true, Type: store.OpenIDConnect}
	check(t, s.db.CreateIdentityProvider(t.Context(), &somebody))
	double := s.alice
	double.ID, double.Username, double.Email, double.ExternalID = "", "bob", "", ""
	check(t, s.db.CreateUser(t.Context(), &double))
	for name, c := range map[string]struct {
		format, subject string
		change          func(alice, bob *store.User)
		through         bool // the provider, which could say anything
		vouched         bool
		want            string // empty: refused; "*": anything
	}{
		"persistent":               {format: persistent, want: "*"},
		"persistent, by provider":  {format: persistent, through: true, want: "*"},
		"transient":                {format: transient, want: "*"},
		"unspecified":              {format: unspecified, want: s.alice.ID},
		"no format":                {want: s.alice.ID},
		"e-mail":                   {format: emailFormat, want: "alice@acme.example"},
		"no e-mail":                {format: emailFormat, change: func(a, _ *store.User) { a.Email = "" }},
		"e-mail of two":            {format: emailFormat, change: func(_, b *store.User) { b.Email = "Alice@Acme.example" }},
		"e-mail by provider":       {format: emailFormat, through: true},
		"e-mail that is vouched":   {format: emailFormat, through: true, vouched: true, want: "alice@acme.example"},
		"username":                 {format: unspecified, subject: "${user.username}", through: true, want: "alice"},
		"external ID":              {subject: "${user.externalId}", change: func(a, _ *store.User) { a.ExternalID = "e1" }, want: "e1"},
		"external ID of two":       {subject: "${user.externalId}", change: func(a, b *store.User) { a.ExternalID, b.ExternalID = "e1", "e1" }},
		"external ID by provider":  {subject: "${user.externalId}", change: func(a, _ *store.User) { a.ExternalID = "e1" }, through: true},
		"attribute":                {subject: "${user.nick}", change: func(a, _ *store.User) { a.Attributes = map[string]string{"nick": "al"} }, want: "al"},
		"attribute by provider":    {subject: "${user.nick}", change: func(a, _ *store.User) { a.Attributes = map[string]string{"nick": "al"} }, through: true},
		"attribute that is absent": {subject: "${user.nick}"},
		"attribute with a NUL":     {subject: "${user.nick}", change: func(a, _ *store.User) { a.Attributes = map[string]string{"nick": "al\x01ice"} }},
		"attribute with a return":  {subject: "${user.nick}", change: func(a, _ *store.User) { a.Attributes = map[string]string{"nick": "al\rice"} }},
		"attribute like a comment": {subject: "${user.nick}", change: func(a, _ *store.User) { a.Attributes = map[string]string{"nick": "al<!-- -->ice"} }, want: "al<!-- -->ice"},
		"persistent by attribute":  {format: persistent, subject: "${user.username}", want: "alice"},
	} {
		alice, bob := s.alice, double
		if c.change != nil {
			c.change(&alice, &bob)
		}
		check(t, s.db.UpdateUser(t.Context(), &alice))
		check(t, s.db.UpdateUser(t.Context(), &bob))
		s.through = store.IdentityProvider{}
		if c.through {
			s.through = somebody
		}
		s.change(func(a *store.Application) {
			a.SAML.NameIDFormat, a.SAML.Subject, a.OpenID.EmailVerified = c.format, c.subject, c.vouched
		})
		got, p := s.signsOn(t)
		switch {
		case got == nil && c.want != "":
			t.Errorf("%s: %d %s", name, p.status, p.page)
		case got == nil:
			s.refused(t, name, p)
		case c.want == "" || c.want != "*" && got.Subject.NameID.Value != c.want:
			t.Errorf("%s: is known as %q", name, got.Subject.NameID.Value)
		}
		check(t, s.db.UpdateUser(t.Context(), &s.alice))
	}
}

// TestPseudonyms: a persistent name is the same at one application, and another at another;
// a transient one is that of a session.
func TestPseudonyms(t *testing.T) {
	s := start(t)
	name := func() string {
		t.Helper()
		got, p := s.signsOn(t)
		if got == nil {
			t.Fatal(p.page)
		}
		return got.Subject.NameID.Value
	}
	first := name()
	if again := name(); again != first {
		t.Errorf("%s, then %s", first, again)
	}
	s.change(func(a *store.Application) { a.SAML.NameIDFormat = transient })
	passing := name()
	if again := name(); again == passing || again == first {
		t.Errorf("%s of two sessions", again)
	}
	s.change(func(a *store.Application) { a.Name, a.SAML.EntityID = "Old", "https://old.example" })
	s.app.ID, s.app.Name = "", "New"
	s.app.SAML.EntityID, s.app.SAML.NameIDFormat = entity, persistent
	check(t, s.db.CreateApplication(t.Context(), &s.app))
	if elsewhere := name(); elsewhere == first {
		t.Error("two applications know somebody by one name")
	}
}

// TestProviderThatBegan: where an environment has no gateway, the provider that it began with
// is believed.
func TestProviderThatBegan(t *testing.T) {
	s := start(t)
	s.through = store.IdentityProvider{EnvironmentID: s.env, Name: "first", Enabled: true, Type: store.OpenIDConnect}
	s.through.Config.First = true
	check(t, s.db.CreateIdentityProvider(t.Context(), &s.through))
	another := store.IdentityProvider{EnvironmentID: s.env, Name: "another", Enabled: true, Type: store.OpenIDConnect}
	check(t, s.db.CreateIdentityProvider(t.Context(), &another)) // so that the page is shown
	s.change(func(a *store.Application) { a.SAML.NameIDFormat = emailFormat })
	if got, p := s.signsOn(t); got == nil {
		t.Errorf("%s", p.page)
	}
	gateway := store.Gateway{EnvironmentID: s.env, Name: "g", Enabled: true}
	check(t, s.db.CreateGateway(t.Context(), &gateway))
	if got, _ := s.signsOn(t); got != nil {
		t.Error("it is believed beside a gateway")
	}
}

// TestValues: every value that XML can say comes back as it was, and no other is there.
func TestValues(t *testing.T) {
	s := start(t)
	for value, want := range map[string]string{
		"plain": "plain", "a & b <c> \"d\" 'e'": "a & b <c> \"d\" 'e'", "]]>": "]]>", "<!-- x -->": "<!-- x -->", "&amp;": "&amp;",
		" blanks ": " blanks ", "tab\tline\n": "tab\tline\n", "return\r\nhere\rthere": "return here there", "Jürgen ß 日本 \u202e": "Jürgen ß 日本 \u202e",
		"😀": "😀", "": "", "bell\a": "", "nul\x00": "", "\ufffe": "", "bad\xff": "bad\ufffd", "${user.email}": "${user.email}",
	} {
		s.alice.Attributes = map[string]string{"x": value}
		check(t, s.db.UpdateUser(t.Context(), &s.alice))
		s.change(func(a *store.Application) {
			a.Kept.Attributes = []store.ApplicationAttribute{{Name: "x", Value: "${user.x}"}}
			a.SAML.ResponseSigned = true
		})
		got, p := s.signsOn(t)
		if got == nil {
			t.Fatalf("%q: %s", value, p.page)
		}
		said := strings.Join(attributes(got)["x"], "|")
		if said != want {
			t.Errorf("%q came as %q", value, said)
		}
	}
}

// TestGroups: as names, IDs and objects, by the rule of the application, and never a part.
func TestGroups(t *testing.T) {
	s := start(t)
	mapped := func(value string, rule store.GroupsClaim) []string {
		t.Helper()
		s.change(func(a *store.Application) {
			a.Groups = rule
			a.Kept.Attributes = []store.ApplicationAttribute{{Name: "g", Value: value}}
		})
		got, p := s.signsOn(t)
		if got == nil {
			t.Fatal(p.page)
		}
		return attributes(got)["g"]
	}
	names := store.GroupsClaim{Value: store.GroupNames}
	if got := mapped("${user.memberOfGroupsNames}", names); fmt.Sprint(got) != "[cn=a,dc=x readers]" {
		t.Error(got)
	}
	if got := mapped("${user.memberOfGroupIDs}", names); len(got) != 2 || len(got[0]) != 36 {
		t.Error(got)
	}
	objects := mapped("${user.memberOfGroups}", store.GroupsClaim{Value: store.GroupObjects, Allow: []string{"cn=*"}})
	var one map[string]string
	if len(objects) != 1 || json.Unmarshal([]byte(objects[0]), &one) != nil || one["name"] != "cn=a,dc=x" {
		t.Error(objects)
	}
	if got := mapped("${user.memberOfGroups}", store.GroupsClaim{Value: store.GroupNames, Allow: []string{"none"}}); got == nil || len(got) != 0 {
		t.Errorf("that there is none is not said: %v", got)
	}
	// A group of a provider by the name of another is not there, unless the rule says so.
	theirs := &store.Group{EnvironmentID: s.env, Name: "readers", DisplayName: "readers", SourceType: store.SourceIDP, SourceID: "p1"}
	check(t, s.db.Provision(t.Context(), func(tx *store.Tx) error {
		if err := tx.CreateGroups(t.Context(), []*store.Group{theirs}); err != nil {
			return err
		}
		return tx.AddMemberships(t.Context(), s.env, s.alice.ID, []store.Joined{{GroupID: theirs.ID}}, s.now())
	}))
	if got := mapped("${user.memberOfGroupIDs}", names); len(got) != 2 {
		t.Error(got)
	}
	if got := mapped("${user.memberOfGroupIDs}", store.GroupsClaim{Value: store.GroupNames, Sources: []string{"p1"}}); len(got) != 3 {
		t.Error(got)
	}
	s.change(func(a *store.Application) { a.SAML.MostGroups = 1 })
	if got, p := s.signsOn(t); got != nil || p.status != http.StatusForbidden {
		t.Errorf("more groups than it takes: %d", p.status)
	}
	s.change(func(a *store.Application) {
		a.Kept.Attributes = []store.ApplicationAttribute{{Name: "must", Value: "${user.title}", Required: true}}
	})
	if got, p := s.signsOn(t); got != nil || p.status != http.StatusForbidden {
		t.Errorf("without what is required: %d", p.status)
	}
}

// TestAccess: an application that is for groups is for those in them.
func TestAccess(t *testing.T) {
	s := start(t)
	mine := s.join("mine")
	theirs := store.Group{EnvironmentID: s.env, Name: "theirs"}
	check(t, s.db.CreateGroup(t.Context(), &theirs))
	for _, c := range []struct {
		groups []string
		all    bool
		in     bool
	}{
		{nil, false, true}, {[]string{mine}, false, true}, {[]string{mine}, true, true}, {[]string{theirs.ID}, false, false},
		{[]string{mine, theirs.ID}, false, true}, {[]string{mine, theirs.ID}, true, false}, {[]string{"gone"}, false, false},
	} {
		s.change(func(a *store.Application) { a.SAML.Access, a.SAML.AccessAll = c.groups, c.all })
		got, p := s.signsOn(t)
		if (got != nil) != c.in || !c.in && (p.status != http.StatusForbidden || !strings.Contains(p.page, "Your account may not use ")) {
			t.Errorf("%+v: %d %s", c, p.status, p.page)
		}
	}
	told, _, err := s.db.Activities(t.Context(), s.env, store.ActivityFilter{Action: "application.denied"}, store.Page{})
	if err != nil || len(told) != 3 {
		t.Errorf("an administrator finds %d, %v", len(told), err)
	}
}

// TestManyGroups: 60 and 1,000 are told whole.
func TestManyGroups(t *testing.T) {
	s := start(t)
	s.change(func(a *store.Application) { a.SAML.MostGroups = store.MostGroups })
	had := 2
	for _, n := range []int{60, 1000} {
		var names []string
		for ; had < n; had++ {
			names = append(names, fmt.Sprintf("CN=Group %05d,OU=Departments,OU=Groups,DC=corp,DC=example,DC=com", had))
		}
		s.join(names...)
		begin := time.Now()
		got, p := s.signsOn(t)
		if got == nil || len(attributes(got)["groups"]) != n {
			t.Fatalf("%d: %s", n, p.page)
		}
		t.Logf("%d groups: %d bytes in base64, the whole way took %v", n, len(p.hidden()["SAMLResponse"]), time.Since(begin))
	}
}
