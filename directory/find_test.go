package directory_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"ldap-gateway/directory"
	"ldap-gateway/directory/slapdtest"

	"github.com/go-ldap/ldap/v3"
	"pgregory.net/rapid"
)

// Names that break filters, DNs or both; each must find its own entry and no other.
var oddNames = []string{
	"josé", "Müller, Anna", "o'brien (ext)*", `back\slash`, "*)(uid=*", "naïve #1", "a+b=c", "плюс", "star*",
}

func oddPeople() string {
	out := person("alice")
	for i, name := range oddNames {
		dn := fmt.Sprintf("uid=%s,%s", ldap.EscapeDN(name), people)
		encoded := base64.StdEncoding.EncodeToString([]byte(name))
		out += fmt.Sprintf("dn:: %s\nobjectClass: inetOrgPerson\nuid:: %s\ncn: odd%d\nsn: x\nuserPassword: password\n\n",
			base64.StdEncoding.EncodeToString([]byte(dn)), encoded, i)
		out += fmt.Sprintf("dn: cn=g%d,%s\nobjectClass: groupOfNames\ncn: g%d\nmember:: %s\n\n", i, groups, i,
			base64.StdEncoding.EncodeToString([]byte(dn)))
	}
	return out
}

func TestOddNamesFindTheirOwnEntryGroupsAndBind(t *testing.T) {
	onBoth(t, slapdtest.Config{LDIF: oddPeople()}, func(t *testing.T, b bed) {
		c, ut := open(t, b.ca, b.url), compile(t, persons())
		for i, name := range oddNames {
			e := find(t, c, ut, name)
			if got := e.Attributes["uid"]; len(got) != 1 || got[0] != name {
				t.Errorf("%q found uid %q", name, got)
			}
			wantMembership(t, c.DirectGroups(t.Context(), ut, e), directory.Complete, fmt.Sprintf("g%d", i))
			if err := c.Bind(t.Context(), e.DN, "password"); err != nil {
				t.Errorf("bind as %q: %v", e.DN, err)
			}
		}
	})
}

func TestNobodyIsFoundByPatternsOrRubbish(t *testing.T) {
	onBoth(t, slapdtest.Config{LDIF: person("alice")}, func(t *testing.T, b bed) {
		c, ut := open(t, b.ca, b.url), compile(t, persons())
		for _, typed := range []string{"*", "al*", "alice)(objectClass=*", "", "ali\x00ce", "\xff\xfe", "bob", strings.Repeat("é", 257)} {
			if _, err := c.FindUser(t.Context(), ut, typed); !errors.Is(err, directory.ErrNoSuchUser) {
				t.Errorf("FindUser(%q) = %v, want ErrNoSuchUser", typed, err)
			}
		}
	})
}

func TestImplausibleIdentifiersNeverReachTheNetwork(t *testing.T) {
	s := inProcess(t, person("alice"))
	c, ut := open(t, s.CA(), s.TLSURL()), compile(t, persons())
	for _, typed := range []string{"", "\x00", "a\x00", "\xff", strings.Repeat("a", 257)} {
		if _, err := c.FindUser(t.Context(), ut, typed); !errors.Is(err, directory.ErrNoSuchUser) {
			t.Errorf("FindUser(%q) = %v", typed, err)
		}
	}
	if n := s.Connections(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
}

func TestTwoMatchingEntriesAreAmbiguous(t *testing.T) {
	ldif := person("alice") + person("bob", "mail: alice")
	onBoth(t, slapdtest.Config{LDIF: ldif}, func(t *testing.T, b bed) {
		c, ut := open(t, b.ca, b.url), compile(t, persons())
		_, err := c.FindUser(t.Context(), ut, "alice")
		var ambiguous *directory.AmbiguousError
		if !errors.Is(err, directory.ErrAmbiguousUser) || !errors.As(err, &ambiguous) || len(ambiguous.DNs) != 2 {
			t.Errorf("got %v, want both entries named", err)
		}
		if told := directory.Told(err); told != directory.ErrAmbiguousUser.Error() {
			t.Errorf("told elsewhere: %s", told)
		}
	})
}

func TestEntryIsKeyedAsAsked(t *testing.T) {
	onBoth(t, slapdtest.Config{LDIF: person("alice")}, func(t *testing.T, b bed) {
		c, ut := open(t, b.ca, b.url), compile(t, persons())
		e := find(t, c, ut, "ALICE")
		if got := e.Attributes["CN"]; !slices.Equal(got, []string{"alice"}) || e.Server != b.url {
			t.Errorf("CN = %q, server %q", got, e.Server)
		}
		if _, there := e.Attributes["entryUUID"]; there {
			t.Error("an attribute that is for correlation only is among the attributes")
		}
		if len(e.Correlation) != 2 || e.Correlation[0].Attribute != "entryUUID" || e.Correlation[1].Value != "alice" {
			t.Errorf("correlation = %v", e.Correlation)
		}
	})
}

func TestFindCorrelated(t *testing.T) {
	ldif := person("alice") + person("bob", "uid: shared") + person("carol", "uid: shared")
	onBoth(t, slapdtest.Config{LDIF: ldif}, func(t *testing.T, b bed) {
		c, ut := open(t, b.ca, b.url), compile(t, persons())
		id := find(t, c, ut, "bob").Correlation[0]
		for name, tc := range map[string]struct {
			known []directory.Value
			dn    string
			err   error
		}{
			"by-immutable-id":        {[]directory.Value{id}, "uid=bob," + people, nil},
			"first-that-finds-one":   {[]directory.Value{{Attribute: "uid", Value: "shared"}, id}, "uid=bob," + people, nil},
			"case-of-attribute":      {[]directory.Value{{Attribute: "UID", Value: "alice"}}, aliceDN, nil},
			"all-ambiguous":          {[]directory.Value{{Attribute: "uid", Value: "shared"}}, "", directory.ErrAmbiguousUser},
			"not-a-correlation-attr": {[]directory.Value{{Attribute: "mail", Value: "alice@example.test"}}, "", directory.ErrNoSuchUser},
			"one-value-of-each":      {[]directory.Value{{Attribute: "uid", Value: "nobody"}, {Attribute: "UID", Value: "alice"}}, "", directory.ErrNoSuchUser},
			"nobody":                 {[]directory.Value{{Attribute: "uid", Value: "*"}}, "", directory.ErrNoSuchUser},
		} {
			e, err := c.FindCorrelated(t.Context(), ut, tc.known)
			if !errors.Is(err, tc.err) || e.DN != tc.dn {
				t.Errorf("%s: %q, %v; want %q, %v", name, e.DN, err, tc.dn, tc.err)
			}
		}
	})
}

func TestCorrelatedUserMustStillBeOfTheType(t *testing.T) {
	onBoth(t, slapdtest.Config{LDIF: person("alice")}, func(t *testing.T, b bed) {
		cfg := persons()
		cfg.Filter = "(&(objectClass=inetOrgPerson)(!(cn=alice))(uid=${identifier}))"
		c, ut := open(t, b.ca, b.url), compile(t, cfg)
		if _, err := c.FindCorrelated(t.Context(), ut, []directory.Value{{Attribute: "uid", Value: "alice"}}); !errors.Is(err,
			directory.ErrNoSuchUser) {
			t.Errorf("got %v, want ErrNoSuchUser", err)
		}
	})
}

func TestMissingBaseIsNamed(t *testing.T) {
	onBoth(t, slapdtest.Config{}, func(t *testing.T, b bed) {
		cfg := persons()
		cfg.SearchBase = "ou=nowhere," + suffix
		c, ut := open(t, b.ca, b.url), compile(t, cfg)
		_, err := c.FindUser(t.Context(), ut, "alice")
		var result *directory.ResultError
		if !errors.As(err, &result) || result.Code != 32 || !strings.Contains(result.Op, "ou=nowhere") ||
			result.Remedy == "" {
			t.Errorf("got %#v", err)
		}
	})
}

func TestCompileRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*directory.UserTypeConfig)
		says   string
	}{
		"no-identifier":   {func(c *directory.UserTypeConfig) { c.Filter = "(uid=alice)" }, "filter"},
		"syntax":          {func(c *directory.UserTypeConfig) { c.Filter = "(uid=${identifier}" }, "filter"},
		"trailing":        {func(c *directory.UserTypeConfig) { c.Filter = "(uid=${identifier})x" }, "filter"},
		"attribute":       {func(c *directory.UserTypeConfig) { c.Filter = "(${identifier}=x)" }, "filter"},
		"attribute-too":   {func(c *directory.UserTypeConfig) { c.Filter = "(&(uid=${identifier})(${identifier}=*))" }, "filter"},
		"matching-rule":   {func(c *directory.UserTypeConfig) { c.Filter = "(uid:${identifier}:=x)" }, "filter"},
		"no-attribute":    {func(c *directory.UserTypeConfig) { c.Filter = "(=${identifier})" }, "filter"},
		"negated":         {func(c *directory.UserTypeConfig) { c.Filter = "(!(uid=${identifier}))" }, "filter"},
		"escape":          {func(c *directory.UserTypeConfig) { c.Filter = `(uid=\${identifier})` }, "filter"},
		"half-escape":     {func(c *directory.UserTypeConfig) { c.Filter = `(uid=\4${identifier})` }, "filter"},
		"any-attribute":   {func(c *directory.UserTypeConfig) { c.Filter = "(:dn:2.5.13.2:=${identifier})" }, "filter"},
		"base":            {func(c *directory.UserTypeConfig) { c.SearchBase = "people" }, "search base"},
		"no-base":         {func(c *directory.UserTypeConfig) { c.SearchBase = "" }, "search base"},
		"attribute-star":  {func(c *directory.UserTypeConfig) { c.Attributes = []string{"*"} }, "attributes"},
		"correlation":     {func(c *directory.UserTypeConfig) { c.Correlation = []string{"a)(b"} }, "correlation"},
		"group-base":      {func(c *directory.UserTypeConfig) { c.Groups.SearchBase = "x" }, "groups: search base"},
		"group-attribute": {func(c *directory.UserTypeConfig) { c.Groups.NameAttribute = "c n" }, "groups: name attribute"},
	} {
		cfg := persons()
		tc.change(&cfg)
		if _, err := directory.Compile(cfg); err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: got %v, want an error that names %s", name, err, tc.says)
		}
	}
}

func TestFilterAssertions(t *testing.T) {
	cfg := persons()
	cfg.Filter = `(&(objectClass=person)(!(Status=off))(|(uid=${identifier})(mail=*${identifier})(UID=x\2ay)(cn:caseExactMatch:=${identifier}))(sn=*)(n>=1)(n<=2)(o~=z))`
	got := compile(t, cfg).FilterAssertions()
	want := []directory.Assertion{
		{Attribute: "objectClass", Match: directory.MatchEquality, Value: "person"},
		{Attribute: "Status", Match: directory.MatchEquality, Value: "off"},
		{Attribute: "uid", Match: directory.MatchEquality, Value: "${identifier}"},
		{Attribute: "mail", Match: directory.MatchSubstrings, Value: "${identifier}"},
		{Attribute: "UID", Match: directory.MatchEquality, Value: "x*y"},
		{Attribute: "cn", Match: directory.MatchExtensible, Rule: "caseExactMatch", Value: "${identifier}"},
		{Attribute: "sn", Match: directory.MatchPresence},
		{Attribute: "n", Match: directory.MatchOrdering, Value: "1"},
		{Attribute: "n", Match: directory.MatchOrdering, Value: "2"},
		{Attribute: "o", Match: directory.MatchApproximate, Value: "z"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestCompiledUserTypeIsACopy(t *testing.T) {
	cfg := persons()
	ut := compile(t, cfg)
	cfg.Attributes[0], cfg.Groups.SearchBase = "changed", "ou=changed"
	ut.Attributes()[1] = "changed"
	ut.Groups().NameAttribute = "changed"
	if got := ut.Attributes(); got[0] != "uid" || got[1] != "CN" || ut.Groups().SearchBase != "" ||
		ut.Groups().NameAttribute != "cn" {
		t.Errorf("changed from outside: %q %+v", got, ut.Groups())
	}
}

// Whatever is typed, the server sees it as the assertion value, unchanged.
func TestTypedTextArrivesUnchanged(t *testing.T) {
	s := inProcess(t, person("alice"))
	c, ut := open(t, s.CA(), s.TLSURL()), compile(t,
		directory.UserTypeConfig{SearchBase: people, Filter: "(cn=${identifier})"})
	rapid.Check(t, func(rt *rapid.T) {
		typed := rapid.OneOf(rapid.String(), rapid.StringMatching(`[*()\\a-f0-9é,=]{1,20}`)).Draw(rt, "typed")
		before := s.Searches()
		_, err := c.FindUser(context.Background(), ut, typed)
		if !errors.Is(err, directory.ErrNoSuchUser) && typed != "alice" {
			rt.Fatalf("FindUser(%q) = %v", typed, err)
		}
		if s.Searches() == before {
			return // refused before the network
		}
		ops := s.Operations()
		packet, err := ldap.CompileFilter(ops[len(ops)-1].Filter)
		if err != nil || packet.Tag != ldap.FilterEqualityMatch || packet.Children[1].Data.String() != typed {
			rt.Fatalf("%q arrived as %s (%v)", typed, ops[len(ops)-1].Filter, err)
		}
	})
}

// TestValuesThatAreTooLargeAreLeftOut, and not the person.
func TestValuesThatAreTooLargeAreLeftOut(t *testing.T) {
	large := strings.Repeat("x", 100<<10)
	onBoth(t, slapdtest.Config{LDIF: person("alice", "description: "+large, "title: boss")}, func(t *testing.T, b bed) {
		cfg := persons()
		cfg.Attributes = []string{"uid", "description", "title", "street"}
		e := find(t, open(t, b.ca, b.url), compile(t, cfg), "alice")
		if len(e.Attributes) != 2 || e.Attributes["title"][0] != "boss" || len(e.TooLarge) != 1 ||
			e.TooLarge[0] != "description" {
			t.Errorf("%d attributes, too large: %q", len(e.Attributes), e.TooLarge)
		}
	})
	var many []string
	for i := range 60 { // each is small enough, all of them are not
		many = append(many, fmt.Sprintf("x-%02d: %s", i, strings.Repeat("y", 30<<10)))
	}
	cfg := persons()
	cfg.Attributes = nil
	for i := range 60 {
		cfg.Attributes = append(cfg.Attributes, fmt.Sprintf("x-%02d", i))
	}
	s := inProcess(t, person("alice", many...))
	if e := find(t, open(t, s.CA(), s.TLSURL()), compile(t, cfg), "alice"); len(e.Attributes) == 0 ||
		len(e.TooLarge) == 0 ||
		len(e.Attributes)+len(e.TooLarge) != 60 {
		t.Errorf("%d attributes, %d too large", len(e.Attributes), len(e.TooLarge))
	}
}
