package management

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"ldap-gateway/cloud/store"
)

// Deed is what can be done with all users, or all groups, that a filter finds.
type Deed string

// The deeds.
const (
	DisableUsers Deed = "disable"
	EnableUsers  Deed = "enable"
	SignOffUsers Deed = "off"
	DeleteUsers  Deed = "delete"
	DeleteGroups Deed = "deleteGroups"
)

// Selection is a deed with all that a filter finds and that is there when it is decided.
type Selection struct {
	Deed   Deed
	Users  store.UserFilter  // whose order does not matter
	Groups store.GroupFilter // of DeleteGroups
	Words  string            // of the filter, as whoever acts had it; for the activity
}

// Action is what a deed takes the right to; empty: there is no such deed.
func (d Deed) Action() Action { return deeds()[d].action }

// deed is how a deed is done with one.
type deed struct {
	action   Action
	activity string
	many     string // what is done, as in "all users that a filter finds are to be disabled"
	do       func(ctx context.Context, t *turn, id string) error
}

func deeds() map[Deed]deed {
	return map[Deed]deed{
		DisableUsers: {ChangeUser, "users.disabled", "users are to be disabled", enabling(false)},
		EnableUsers:  {ChangeUser, "users.enabled", "users are to be enabled", enabling(true)},
		SignOffUsers: {SignOffUser, "users.signed-off", "users are to be signed off everywhere",
			func(ctx context.Context, t *turn, id string) error {
				u, err := t.user(ctx, id, nil)
				if err == nil {
					err = t.Store.SignOffUser(ctx, t.env(), id)
				}
				return t.done(err, userSignedOff(u))
			}},
		DeleteUsers: {DeleteUser, "users.deleted", "users are to be deleted",
			func(ctx context.Context, t *turn, id string) error {
				u, err := t.user(ctx, id, nil)
				if err == nil {
					_, err = t.goes(ctx, store.UserGoes, id)
				}
				return t.done(err, userDeleted(u))
			}},
		DeleteGroups: {DeleteGroup, "groups.deleted", "groups are to be deleted",
			func(ctx context.Context, t *turn, id string) error {
				g, err := t.group(ctx, id, nil)
				if err == nil {
					err = t.unnamed(ctx, id)
				}
				if err == nil {
					_, err = t.goes(ctx, store.GroupGoes, id)
				}
				return t.done(err, groupDeleted(g))
			}},
	}
}

// enabling enables or disables a user, if it is not so already.
func enabling(enabled bool) func(ctx context.Context, t *turn, id string) error {
	return func(ctx context.Context, t *turn, id string) error {
		u, err := t.user(ctx, id, nil)
		if err != nil || u.Enabled == enabled {
			return err
		}
		before := u
		u.Enabled = enabled
		err = t.UpdateUser(ctx, &u)
		return t.done(err, userUpdated(before, u))
	}
}

// done notes what was done unless it was not.
func (t *turn) done(err error, n note) error {
	if err == nil {
		t.did(n)
	}
	return err
}

// selecting is a selection under way.
type selecting struct {
	Selection
	By         By
	At         time.Time // it was decided
	After      string    // the ID of the last that was looked at
	Done, Left int       // with how many it was done, and who were left as they are
}

// Select decides that something is done with all that a filter finds. It is done in short turns, here for a moment and
// then by whichever node: what whoever acts may not do with one of them is left. There is an activity of it when it is
// decided, one when it has ended, and one of each with whom it was done. ErrRole for whoever may not do it with one.
func (s *Service) Select(ctx context.Context, by By, selection Selection) error {
	g, err := s.decide(ctx, by, selection)
	if err == nil {
		s.finishAtOnce(ctx, g)
	}
	return err
}

// decide is Select, before anything is done.
func (s *Service) decide(ctx context.Context, by By, selection Selection) (g store.Going, err error) {
	d, known := deeds()[selection.Deed]
	if !known {
		return g, fmt.Errorf("%w: no such deed", store.ErrNotFound)
	}
	err = s.act(ctx, by, d.action, func(t *turn) error {
		one := selecting{Selection: selection, By: by, At: time.Now()} // by the clock that records have their times of
		g, err = one.going(store.Going{EnvironmentID: t.env(), Kind: store.SelectionGoes})
		if err == nil {
			err = t.AddGoing(ctx, &g)
		}
		if err != nil {
			return err
		}
		t.did(note{
			action:  d.activity,
			subject: "selection:" + g.ID,
			text:    "all " + d.many + " that a filter finds",
			more:    facts{"filter": selection.Words},
		})
		return nil
	})
	return g, err
}

// atOnce is for how long whoever asks waits that a selection is done; the rest is done when nodes look for it.
const atOnce = 2 * time.Second

// finishAtOnce does as much of a selection as nobody minds waiting for. What fails is done by another round of Finish.
func (s *Service) finishAtOnce(ctx context.Context, g store.Going) {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), atOnce)
	defer cancel()
	_ = s.finishSelection(limited, g)
}

// going is the selection as it is kept.
func (one selecting) going(g store.Going) (store.Going, error) {
	text, err := json.Marshal(one)
	g.Of = []string{string(text)}
	return g, err
}

// finishSelection does the rest of a selection, some in each turn. Several nodes may do so at once.
func (s *Service) finishSelection(ctx context.Context, g store.Going) (err error) {
	for more := true; more && err == nil; {
		g, more, err = s.some(ctx, g)
	}
	return err
}

// some does some of a selection, and returns how far it has come then, and whether there is more.
func (s *Service) some(ctx context.Context, g store.Going) (now store.Going, more bool, err error) {
	var one selecting
	if err := json.Unmarshal([]byte(g.Of[0]), &one); err != nil {
		return g, false, err
	}
	ids, err := one.next(ctx, s.Store, g.EnvironmentID)
	if err != nil {
		return g, false, err
	}
	return s.turnOf(ctx, g, one, ids)
}

// next finds who comes next, before the turn: that may take a look at many.
func (one selecting) next(ctx context.Context, db *store.Store, env string) ([]string, error) {
	if one.Deed == DeleteGroups {
		return db.SelectedGroups(ctx, env, one.Groups, one.At, one.After)
	}
	return db.SelectedUsers(ctx, env, one.Users, one.At, one.After)
}

// turnOf does those, in one turn, unless another node has.
func (s *Service) turnOf(
	ctx context.Context, g store.Going, one selecting, ids []string,
) (now store.Going, more bool, err error) {
	var t *turn
	err = s.Store.ProvisionIn(ctx, g.EnvironmentID, func(tx *store.Tx) (err error) {
		t = &turn{Store: tx.Store(), service: s, by: one.By}
		if now, err = t.Going(ctx, g.ID); errors.Is(err, store.ErrNotFound) {
			return nil // another node was first
		}
		if more = true; err != nil || now.Of[0] != g.Of[0] {
			return err
		}
		if err := t.each(ctx, &one, ids); err != nil {
			return err
		}
		if now, err = one.going(g); err != nil {
			return err
		}
		if more = len(ids) > 0 && t.by.Role != ""; more {
			return errors.Join(t.MoveGoing(ctx, now), t.AddActivity(ctx, t.notes...))
		}
		one.ended(t, g)
		return errors.Join(t.EndGoing(ctx, g), t.AddActivity(ctx, t.notes...))
	})
	if err == nil {
		err = s.finish(ctx, t.goings)
	}
	return now, more, err
}

// each does it with some, if whoever acts may do it still; without a role it ends here.
func (t *turn) each(ctx context.Context, one *selecting, ids []string) (err error) {
	d := deeds()[one.Deed]
	if t.by.Role, err = t.roleNow(ctx); err != nil {
		return err
	}
	if !May(t.by.Role, d.action) {
		t.by.Role = ""
		return nil
	}
	for _, id := range ids {
		switch err := d.do(ctx, t, id); {
		case isLeft(err):
			one.Left++
		case err != nil:
			return err
		default:
			one.Done++
		}
		one.After = id
	}
	return nil
}

// isLeft tells whether one is left as it is: it is gone, whoever acts may not, or something names it.
func isLeft(err error) bool {
	var higher *HigherError
	return errors.As(err, &higher) || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrDependents)
}

// ended has the end of a selection noted.
func (one selecting) ended(t *turn, g store.Going) {
	d := deeds()[one.Deed]
	text := fmt.Sprintf("it has ended that all %s that a filter finds: %d were, %d were left", d.many, one.Done, one.Left)
	if t.by.Role == "" {
		text += ", and others not looked at, since the right to it was lost;"
	}
	t.did(note{
		action:  d.activity,
		subject: "selection:" + g.ID,
		text:    text + " begun",
		more:    facts{"filter": one.Words, "done": one.Done, "left": one.Left},
	})
}
