package policy

import (
	"strings"
	"testing"

	"ldap-gateway/agent/agenttest"
	"ldap-gateway/configs"
	"ldap-gateway/directory"
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
		c.Groups.SearchBases, c.Groups.Include, c.Groups.Exclude, c.Groups.Max = []string{"ou=groups,dc=x"}, []string{"cn=cloud-*"}, []string{"*secret*"}, 2
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
	if got := p.Groups(m); len(got.Groups) != 2 || got.Verdict != directory.Partial || !strings.Contains(got.Reason, "truncated") {
		t.Errorf("%+v", got)
	}
	m.Verdict = directory.Unknown
	if got := p.Groups(m); got.Verdict != directory.Unknown {
		t.Errorf("an unknown answer became %s", got.Verdict)
	}
}

func TestHashNamesThePolicy(t *testing.T) {
	a, b := newPolicy(t, nil), newPolicy(t, nil)
	c := newPolicy(t, func(p *configs.Policy) { p.Attributes = []string{"badgeNumber"} })
	if a.Hash() != b.Hash() || a.Hash() == c.Hash() || len(a.Describe()) < 4 {
		t.Error(a.Hash(), b.Hash(), c.Hash())
	}
}
