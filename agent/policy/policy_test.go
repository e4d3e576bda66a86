package policy

import (
	"errors"
	"strings"
	"testing"

	"ldap-gateway/agent/agenttest"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/configs"
	"ldap-gateway/directory"
	"ldap-gateway/directory/dn"
)

func newPolicy(t *testing.T, change func(*configs.Policy)) *Policy {
	t.Helper()
	file := agenttest.Policy()
	if change != nil {
		change(&file)
	}
	p, err := New(file)
	agenttest.Must(t, err)
	return p
}

func TestGroupsThatMayLeave(t *testing.T) {
	p := newPolicy(t, func(c *configs.Policy) {
		c.Groups.SearchBases, c.Groups.Include, c.Groups.Exclude, c.Groups.Max = []string{
			"ou=groups,dc=x",
		}, []string{
			"cn=cloud-*",
		}, []string{
			"*secret*",
		}, 2
	})
	m := directory.Membership{Verdict: directory.Complete}
	for _, dn := range []string{"cn=cloud-a,ou=groups,dc=x", "CN=Cloud-B,OU=Groups,DC=x", "cn=other,ou=groups,dc=x",
		"cn=cloud-secret,ou=groups,dc=x", "cn=cloud-c,ou=elsewhere,dc=x", "no dn"} {
		m.Groups = append(m.Groups, directory.Group{DN: dn})
	}
	got := p.Groups(m)
	if len(got.Groups) != 2 || len(got.Skipped) != 4 || got.Verdict != directory.Complete {
		t.Errorf("%+v", got)
	}
	m.Groups = append(m.Groups, directory.Group{DN: "cn=cloud-d,ou=groups,dc=x"})
	if got := p.Groups(m); len(got.Groups) != 2 || got.Verdict != directory.Partial ||
		!strings.Contains(got.Reason, "truncated") {
		t.Errorf("%+v", got)
	}
	m.Verdict = directory.Unknown
	if got := p.Groups(m); got.Verdict != directory.Unknown {
		t.Errorf("an unknown answer became %s", got.Verdict)
	}
}

// TestGroupsAreComparedAsNames has directory and file write one group differently.
func TestGroupsAreComparedAsNames(t *testing.T) {
	spellings := []string{
		`cn=Merger\, Acme+ou=a,OU=Groups, dc=x`, `CN = Merger\2C  ACME + ou=a,ou=groups,DC=x`, `ou=A+cn="Merger, Acme",ou=groups,dc=x`,
		`2.5.4.3=Merger\2c\20Acme+OU=a,ou=groups,dc=x`, `cn=#040c4d65726765722c2041636d65+ou=a,ou=groups,dc=x`,
	}
	for _, file := range spellings {
		excluding := newPolicy(t,
			func(c *configs.Policy) { c.Groups.Exclude = []string{strings.ReplaceAll(file, "=a", "=*")} })
		including := newPolicy(t, func(c *configs.Policy) { c.Groups.Include = []string{file} })
		for _, server := range spellings {
			if excluding.LeaveOut(server) == "" || including.LeaveOut(server) != "" {
				t.Errorf(
					"%q in the file, %q in the directory: excluded %q, included %q",
					file,
					server,
					excluding.LeaveOut(server),
					including.LeaveOut(server),
				)
			}
		}
		if other := `cn=Merger+ou=a,ou=groups,dc=x`; excluding.LeaveOut(other) != "" || including.LeaveOut(other) == "" {
			t.Errorf("%q in the file means %q", file, other)
		}
	}
	for _, list := range []func(*configs.Policy){
		func(c *configs.Policy) { c.Groups.Exclude = []string{"secret"} },
		func(c *configs.Policy) { c.Groups.Include = []string{`cn=a\`} },
		func(c *configs.Policy) { c.SearchBases = []string{"dc=x,"} },
		func(c *configs.Policy) { c.Groups.SearchBases = []string{"x"} },
	} {
		file := agenttest.Policy()
		list(&file)
		if _, err := New(file); !errors.Is(err, dn.ErrSyntax) || !strings.Contains(err.Error(), "gateway.hcl: policy.") {
			t.Error(err)
		}
	}
}

func TestHashNamesThePolicy(t *testing.T) {
	a, b := newPolicy(t, nil), newPolicy(t, nil)
	c := newPolicy(t, func(p *configs.Policy) { p.Attributes = []string{"badgeNumber"} })
	key := []byte("of this machine")
	if a.Hash(key) != b.Hash(key) || a.Hash(key) == c.Hash(key) || len(a.Describe()) < 4 {
		t.Error(a.Hash(key), b.Hash(key), c.Hash(key))
	}
	if a.Hash(key) == a.Hash([]byte("of another")) || a.Hash(nil) == a.Hash(key) {
		t.Error("whoever guesses a policy knows its hash")
	}
}

// What a user type asks by an attribute is refused in whatever place it asks.
func TestAttributesOfAUserType(t *testing.T) {
	p, err := New(configs.Policy{
		SearchBases:      []string{"dc=x"},
		Attributes:       []string{"homePhone", "memberOf", "badge"},
		FilterAttributes: []string{"badge"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		attribute                        string
		leaves, identifies, namesOfGroup bool
	}{
		{"mail", true, true, true},
		{"entryUUID", true, true, true},
		{"objectsid", true, true, true},
		{"telephoneNumber", true, false, true}, // usual, and no question to ask by
		{"homePhone", true, false, true},
		{"badge", true, true, true},
		{"userPassword", false, false, false},
		{"proxyAddresses", false, false, false},
		{"memberOf", false, false, false}, // though the file names it
		{"MEMBEROF;range=0-1", false, false, false},
	} {
		for what, asks := range map[string]struct {
			u   wire.UserType
			may bool
		}{
			"attribute":   {wire.UserType{Attributes: []string{c.attribute}}, c.leaves},
			"correlation": {wire.UserType{Correlation: []string{"entryUUID", c.attribute}}, c.identifies},
			"group name":  {wire.UserType{Groups: &wire.GroupRule{NameAttribute: c.attribute}}, c.namesOfGroup},
		} {
			asks.u.SearchBase = "dc=x"
			if refused := p.Refuse(asks.u, nil); (len(refused) == 0) != asks.may {
				t.Errorf("%s as %s: %q", c.attribute, what, refused)
			}
		}
	}
}
