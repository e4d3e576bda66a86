package administrators

import (
	"context"
	"errors"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
)

// How many refusals are written within an hour: of one name, whether anybody has it or not, and in all.
// What is written, and so how long it takes, says nothing of which names there are.
const (
	refusedOfName = 5
	refusedInAll  = 60
)

// NoteRefused has an administrator find that somebody did not prove who they are, as far as there is room for it:
// what is a sign-in, or a set-up. A name that nobody has is not written, since it may be a password; it is told in
// the oldest environment.
func (d *Authenticator) NoteRefused(ctx context.Context, what, name, address string) error {
	d.once.Do(d.begin)
	now := d.now()
	if keep, _ := d.refusals.Keep(now, "of "+store.Fold(name), refusedOfName); !keep {
		return nil
	}
	if keep, _ := d.refusals.Keep(now, "all", refusedInAll); !keep {
		return nil
	}
	all, err := d.Store.Environments(ctx)
	if err != nil || len(all) == 0 {
		return err
	}
	of := store.Activity{
		EnvironmentID: all[0].ID,
		Action:        "administrator.refused",
		Actor:         "system",
		Subject:       "environment:" + all[0].ID,
		Text:          "a " + what + " at the console was refused: no administrator has that name",
		Detail:        map[string]any{"address": address, "network": throttle.Network(address)},
	}
	a, err := d.Store.Administrator(ctx, name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err == nil {
		of.EnvironmentID, of.Subject = a.EnvironmentID, "administrator:"+a.ID
		of.Text = "a " + what + " of administrator " + a.Name + " at the console was refused"
	}
	return d.Store.AddActivity(ctx, of)
}
