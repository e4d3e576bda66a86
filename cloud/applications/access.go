package applications

import (
	"context"

	"ldap-gateway/cloud/store"
)

// Admitted tells whether somebody may use an application by the groups that it is for.
func Admitted(ctx context.Context, db *store.Store, a store.Application, u store.User) (bool, error) {
	rule := a.AccessRule()
	if len(rule.Access) == 0 {
		return true, nil
	}
	all, err := db.UserGroups(ctx, u.EnvironmentID, u.ID)
	if err != nil {
		return false, err
	}
	in := map[string]bool{}
	for _, g := range all {
		in[g.Group.ID] = true
	}
	return rule.Admits(in), nil
}
