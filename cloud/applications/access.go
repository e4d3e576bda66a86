package applications

import (
	"context"

	"ldap-gateway/cloud/store"
)

// Admitted tells whether somebody may use an application by its rule of the groups that it
// is for.
func Admitted(ctx context.Context, db *store.Store, rule store.AccessRule, u store.User) (bool, error) {
	if len(rule.Access) == 0 {
		return true, nil
	}
	all, err := db.Current.GroupsOf(ctx, u.EnvironmentID, u.ID)
	if err != nil {
		return false, err
	}
	in := map[string]bool{}
	for _, g := range all {
		in[g.ID] = true
	}
	return rule.Admits(in), nil
}

// Denial says that somebody may not use an application by the groups that it is for.
type Denial struct {
	Application store.Application
	UserID      string
	Locales     []string // languages that the application wishes for
}

// Error names both.
func (d *Denial) Error() string {
	return "user " + d.UserID + " is not in the groups of application " + d.Application.ID + " (accessControl.group)"
}

// Note has an administrator find a denial, by what the person was told to name.
func (d *Denial) Note(ctx context.Context, db *store.Store, id string) error {
	return db.AddActivity(ctx, store.Activity{
		EnvironmentID: d.Application.EnvironmentID,
		Action:        "application.denied",
		Actor:         "user:" + d.UserID,
		Subject:       "application:" + d.Application.ID,
		Text:          "somebody may not use application " + d.Application.Name + ": they are not in its groups (" + id + ")",
	})
}
