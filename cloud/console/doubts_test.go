package console_test

import (
	"testing"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloudlink/wire"
)

// TestMembersWhoCannotBeTold are shown with the reason, and let go by a button.
func TestMembersWhoCannotBeTold(t *testing.T) {
	s := open(t)
	f := s.fill(s.env.ID, "x")
	v := s.admin()
	group, user := "/console/groups/"+f.jit.ID, "/console/users/"+f.user.ID
	v.get(group).lacks("It cannot be told who left")
	s.must(s.store.Provision(t.Context(), func(tx *store.Tx) error {
		return tx.DoubtMemberships(
			t.Context(),
			s.env.ID,
			f.user.ID,
			[]string{f.jit.ID},
			wire.LookMembersHidden.String(),
			s.clock(),
		)
	}))
	v.get(group).has("It cannot be told who left", "1 of them: the members of the groups cannot be read", "Let them go")
	v.get(user).has("kept, as the members of the groups cannot be read")
	v.follow(v.post(group + "/release")).has("1 were let go.").lacks("It cannot be told who left")
	if in, err := s.store.UserGroups(t.Context(), s.env.ID, f.user.ID); err != nil || len(in) != 0 {
		for _, m := range in {
			if m.Group.ID == f.jit.ID {
				t.Errorf("%+v %v", in, err)
			}
		}
	}
	v.get("/console/activity?action=group.released").has("1 users of whom it could not be told")
}
