package signon

import (
	"testing"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/agent/policy"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/configs"
	"ldap-gateway/directory"
)

// TestKeptBackIsToldLikeNobody: a cloud that says names in place of usernames does not
// learn from the answer which of them the policy keeps back.
func TestKeptBackIsToldLikeNobody(t *testing.T) {
	p, err := policy.New(configs.Policy{
		SearchBases: []string{"ou=people,dc=x"},
		Groups: configs.GroupPolicy{
			SearchBases: []string{"ou=groups,dc=x"},
			Exclude:     []string{"cn=secret*,*"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := &Service{Policy: p, Logger: hclog.NewNullLogger()}
	s.types.current = &delivery{revision: 1, types: map[string]userType{"t": {UserType: &directory.UserType{}}}}
	nobody := failed(t.Context(), directory.ErrNoSuchUser)
	for id, goesOn := range map[string]bool{
		"cn=secret,ou=groups,dc=x":        false,
		"CN=Secret-board, OU=groups,DC=x": false,
		"cn=secre,ou=groups,dc=x":         true,
		"alice":                           true,
	} {
		_, r := s.admit(t.Context(), wire.SignOn{ID: "1", UserType: "t", Revision: 1, Identifier: id, Want: wire.WantVerify})
		if (r == nil) != goesOn || r != nil && (r.Outcome != nobody.Outcome || r.Reason != nobody.Reason || r.BindSent) {
			t.Errorf("%s: %+v", id, r)
		}
	}
}
