package management_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	m "ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
)

// missing are the actions on something that is not there.
var missing = []struct {
	name string
	do   func(ctx context.Context, w *world, by m.By) error
}{
	{"change a user", func(ctx context.Context, w *world, by m.By) error {
		return second(w.ChangeUser(ctx, by, "none", func(*store.User) error { return nil }))
	}},
	{"delete a user", func(ctx context.Context, w *world, by m.By) error {
		return w.DeleteUser(ctx, by, "none", nil)
	}},
	{"link a user", func(ctx context.Context, w *world, by m.By) error {
		return second(w.LinkUser(ctx, by, "none", func(store.User) (m.Link, error) { return m.Link{To: w.kind}, nil }))
	}},
	{"sign a user off", func(ctx context.Context, w *world, by m.By) error {
		return second(w.SignOffUser(ctx, by, "none"))
	}},
	{"take a factor away", func(ctx context.Context, w *world, by m.By) error {
		return second(w.ResetFactor(ctx, by, "none"))
	}},
	{"change a group", func(ctx context.Context, w *world, by m.By) error {
		return second(w.ChangeGroup(ctx, by, "none", func(*store.Group) error { return nil }))
	}},
	{"delete a group", func(ctx context.Context, w *world, by m.By) error {
		return w.DeleteGroup(ctx, by, "none", nil)
	}},
	{"release a group", func(ctx context.Context, w *world, by m.By) error {
		return second(w.ReleaseGroup(ctx, by, "none"))
	}},
	{"add no user", func(ctx context.Context, w *world, by m.By) error {
		return w.AddMember(ctx, by, "none", w.group.ID)
	}},
	{"remove no user", func(ctx context.Context, w *world, by m.By) error {
		return w.RemoveMember(ctx, by, "none", w.group.ID, nil)
	}},
	{"remove who is no member", func(ctx context.Context, w *world, by m.By) error {
		return w.RemoveMember(ctx, by, w.second.ID, w.group.ID, nil)
	}},
	{"change a population", func(ctx context.Context, w *world, by m.By) error {
		return second(w.ChangePopulation(ctx, by, "none", func(*store.Population) error { return nil }))
	}},
	{"delete a population", func(ctx context.Context, w *world, by m.By) error {
		return w.DeletePopulation(ctx, by, "none", nil)
	}},
	{"change a gateway", func(ctx context.Context, w *world, by m.By) error {
		return second(w.ChangeGateway(ctx, by, "none", func(*m.Draft) error { return nil }))
	}},
	{"delete a gateway", func(ctx context.Context, w *world, by m.By) error {
		return w.DeleteGateway(ctx, by, "none", true, nil)
	}},
	{"stop tickets", func(ctx context.Context, w *world, by m.By) error {
		return w.StopKerberos(ctx, by, "none")
	}},
	{"add a user type to no gateway", func(ctx context.Context, w *world, by m.By) error {
		_, _, err := w.AddUserType(ctx, by, "none", w.people("x"))
		return err
	}},
	{"change a user type of no gateway", func(ctx context.Context, w *world, by m.By) error {
		_, _, err := w.ChangeUserType(ctx, by, store.UserTypeRef{Gateway: "none", UserType: w.kind.UserType}, nil)
		return err
	}},
	{"change a user type", func(ctx context.Context, w *world, by m.By) error {
		_, _, err := w.ChangeUserType(ctx, by, store.UserTypeRef{Gateway: w.gateway.ID, UserType: "none"}, nil)
		return err
	}},
	{"remove a user type", func(ctx context.Context, w *world, by m.By) error {
		return w.RemoveUserType(ctx, by, store.UserTypeRef{Gateway: w.gateway.ID, UserType: "none"}, true, nil)
	}},
	{"relink from a user type", func(ctx context.Context, w *world, by m.By) error {
		return second(w.RelinkUsers(ctx, by, store.UserTypeRef{Gateway: w.gateway.ID, UserType: "none"}, w.kind))
	}},
	{"use keys", func(ctx context.Context, w *world, by m.By) error {
		return second(w.UseKeys(ctx, by, "none", newKeys()))
	}},
	{"delete keys", func(ctx context.Context, w *world, by m.By) error {
		return w.DeleteKeys(ctx, by, w.gateway.ID, "none")
	}},
	{"delete keys without an ID", func(ctx context.Context, w *world, by m.By) error {
		return w.DeleteKeys(ctx, by, w.gateway.ID, "") // the store would take it for all
	}},
	{"offer a pairing", func(ctx context.Context, w *world, by m.By) error {
		_, _, err := w.OfferPairing(ctx, by, "none")
		return err
	}},
	{"withdraw a pairing", func(ctx context.Context, w *world, by m.By) error {
		return w.WithdrawPairing(ctx, by, w.gateway.ID, "none", nil)
	}},
	{"approve for no gateway", func(ctx context.Context, w *world, by m.By) error {
		return second(w.ApprovePairing(ctx, by, "none", w.waiting))
	}},
	{"deny for no gateway", func(ctx context.Context, w *world, by m.By) error {
		return w.DenyPairing(ctx, by, "none", w.waiting)
	}},
	{"rotate an instance", func(ctx context.Context, w *world, by m.By) error {
		return second(w.RotateInstance(ctx, by, w.gateway.ID, "none"))
	}},
	{"revoke an instance", func(ctx context.Context, w *world, by m.By) error {
		return second(w.RevokeInstance(ctx, by, w.gateway.ID, "none", nil))
	}},
	{"revoke an instance of no gateway", func(ctx context.Context, w *world, by m.By) error {
		return second(w.RevokeInstance(ctx, by, "none", w.instance.ID, nil))
	}},
	{"change an application", func(ctx context.Context, w *world, by m.By) error {
		return second(w.ChangeApplication(ctx, by, "none", func(*store.Application) error { return nil }))
	}},
	{"renew an application", func(ctx context.Context, w *world, by m.By) error {
		_, _, err := w.RenewApplication(ctx, by, "none", time.Time{})
		return err
	}},
	{"delete an application", func(ctx context.Context, w *world, by m.By) error {
		return second(w.DeleteApplication(ctx, by, "none", nil))
	}},
	{"change an administrator", func(ctx context.Context, w *world, by m.By) error {
		return second(w.ChangeAdministrator(ctx, by, "none", func(*store.Administrator) error { return nil }))
	}},
	{"reset an administrator", func(ctx context.Context, w *world, by m.By) error {
		_, _, err := w.ResetAdministrator(ctx, by, "none")
		return err
	}},
	{"delete an administrator", func(ctx context.Context, w *world, by m.By) error {
		return second(w.DeleteAdministrator(ctx, by, "none", nil))
	}},
	{"give no group a role", func(ctx context.Context, w *world, by m.By) error {
		return second(w.SetRoleGroup(ctx, by, "none", store.RoleReadOnly, nil))
	}},
	{"renew a client", func(ctx context.Context, w *world, by m.By) error {
		_, _, err := w.RenewClient(ctx, by, "none", time.Time{})
		return err
	}},
	{"delete a client", func(ctx context.Context, w *world, by m.By) error {
		return second(w.DeleteClient(ctx, by, "none"))
	}},
	{"move a user type", func(ctx context.Context, w *world, by m.By) error {
		return second(w.MoveSignOnOrder(ctx, by, store.UserTypeRef{Gateway: w.gateway.ID, UserType: "none"}, 1))
	}},
	{"try a channel", func(ctx context.Context, w *world, by m.By) error {
		return second(w.TryChannel(ctx, by, "none"))
	}},
	{"delete a channel", func(ctx context.Context, w *world, by m.By) error {
		return second(w.DeleteChannel(ctx, by, "none"))
	}},
	{"quiet an alert", func(ctx context.Context, w *world, by m.By) error {
		return w.QuietAlert(ctx, by, "none")
	}},
	{"try somebody of no gateway", func(ctx context.Context, w *world, by m.By) error {
		return w.TriedPerson(ctx, by, "none", "ada")
	}},
}

// What is not there is store.ErrNotFound for every action, and is no activity.
func TestWhatIsNotThere(t *testing.T) {
	h := open(t)
	w := h.world()
	by := w.as(store.RoleOwner)
	before, notes := w.rows(), len(w.activities())
	for _, c := range missing {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			if err := c.do(t.Context(), w, by); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%v", err)
			}
		})
	}
	if w.rows() != before || len(w.activities()) != notes || len(h.links.told)+len(h.sent) > 0 {
		t.Errorf("something was done; told %v, sent %v", h.links.told, h.sent)
	}
}

// Who is gone does nothing: neither is it done, nor is anybody told.
func TestCallersThatLeave(t *testing.T) {
	h := open(t)
	for i, c := range tries {
		w := h.world()
		by := w.asAdmin(store.RoleOwner)
		before, notes := w.rows(), len(w.activities())
		h.links.told, h.sent = nil, nil
		ctx, leave := context.WithCancel(t.Context())
		leave()
		if err := c.do(ctx, w, by); !errors.Is(err, context.Canceled) {
			t.Errorf("%d %s: %v", i, c.action, err)
		}
		if strings.HasPrefix(c.note, "administrator") {
			before = w.rows() // the try makes an administrator of its own
		}
		if w.rows() != before || len(w.activities()) != notes || len(h.links.told)+len(h.sent) > 0 {
			t.Errorf("%d %s: something was done", i, c.action)
		}
	}
}

// An activity names who did it, to what, in a sentence.
func TestActivitiesAreSentences(t *testing.T) {
	h := open(t)
	for i, c := range tries {
		w := h.world()
		by := w.asAdmin(store.RoleOwner)
		must(t, c.do(t.Context(), w, by))
		for _, a := range w.activities() {
			if a.Actor != by.Actor() {
				continue // made by the try, of its own accord
			}
			kind, id, named := strings.Cut(a.Subject, ":")
			name := fmt.Sprint(i, " ", c.action, ": ", a.Action)
			if !named || kind == "" || id == "" {
				t.Errorf("%s: the subject is %q", name, a.Subject)
			}
			if !strings.HasSuffix(a.Text, " by "+by.Name) || strings.Contains(a.Text, "  ") {
				t.Errorf("%s: %q", name, a.Text)
			}
			if a.At.IsZero() || a.EnvironmentID != w.env {
				t.Errorf("%s: at %s in %s", name, a.At, a.EnvironmentID)
			}
		}
	}
}
