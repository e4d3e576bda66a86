package signon

import (
	"testing"

	"ldap-gateway/agent/agenttest"
	"ldap-gateway/agent/policy"
	"ldap-gateway/cloudlink/wire"
)

// FuzzUserTypes delivers what a cloud could: nothing that reaches further than the
// policy is ever served.
func FuzzUserTypes(f *testing.F) {
	seed := agenttest.Staff()
	for _, filter := range []string{seed.Filter, "(|(uid=${identifier})(mail=a*))", "(&(uid=${identifier})(!(memberOf=cn=x,dc=x)))", "((((", "(${identifier}=*)"} {
		u := seed
		u.Filter = filter
		b, err := wire.Marshal(wire.UserTypes{Revision: 1, Types: []wire.UserType{u}})
		agenttest.Must(f, err)
		f.Add(b)
	}
	file := agenttest.Policy()
	file.SearchBases = []string{"ou=people,dc=x"}
	rules, err := policy.New(file)
	agenttest.Must(f, err)
	f.Fuzz(func(t *testing.T, body []byte) {
		var m wire.UserTypes
		if wire.Unmarshal(body, &m) != nil {
			return
		}
		d := check(rules, m, (&Deliveries{}).admit(m.Types, 20))
		for id, u := range d.types {
			if rules.Refuse(wire.UserType{SearchBase: u.SearchBase(), Attributes: u.Attributes(), Correlation: u.Correlation()},
				u.FilterAssertions()) != nil {
				t.Fatalf("%q is served", id)
			}
		}
	})
}
