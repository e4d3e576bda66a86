package management_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	m "ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
)

// way is one way in which somebody might come to a right that they do not have.
type way struct {
	name string
	do   func(ctx context.Context, w *world, by m.By) error
}

// waysToAGroup lead to what a group gives.
var waysToAGroup = []way{
	{"put somebody in", func(ctx context.Context, w *world, by m.By) error {
		return w.AddMember(ctx, by, w.second.ID, w.group.ID)
	}},
	{"put oneself in", func(ctx context.Context, w *world, by m.By) error {
		return w.AddMember(ctx, by, w.asPerson(store.RoleReadOnly).ID, w.group.ID)
	}},
	{"take the owner out", func(ctx context.Context, w *world, by m.By) error {
		return w.RemoveMember(ctx, by, w.user.ID, w.group.ID, nil)
	}},
	{"rename it", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.ChangeGroup(ctx, by, w.group.ID, func(g *store.Group) error { g.Name = "x"; return nil })
		return err
	}},
	{"let its doubted members go", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.ReleaseGroup(ctx, by, w.group.ID)
		return err
	}},
	{"delete it", func(ctx context.Context, w *world, by m.By) error { return w.DeleteGroup(ctx, by, w.group.ID, nil) }},
}

// waysToARecord lead to the record of somebody who has a right.
var waysToARecord = []way{
	{"take over the name", changing(func(u *store.User) { u.Username = "x" })},
	{"take over the mail", changing(func(u *store.User) { u.Email = "eve@example.com" })},
	{"disable", changing(func(u *store.User) { u.Enabled = false })},
	{"move to another population", func(ctx context.Context, w *world, by m.By) error {
		return changing(func(u *store.User) { u.PopulationID = w.more.ID })(ctx, w, by)
	}},
	{"link to a gateway of one's own", func(ctx context.Context, w *world, by m.By) error {
		own := m.Draft{Gateway: store.Gateway{
			Name:      "Mine",
			Vendor:    "OpenLDAP",
			UserTypes: []store.UserType{w.people("Mine")},
		}}
		if err := w.CreateGateway(ctx, by, &own); err != nil {
			return err
		}
		to := store.UserTypeRef{Gateway: own.ID, UserType: own.UserTypes[0].ID}
		_, err := w.LinkUser(ctx, by, w.user.ID, func(store.User) (m.Link, error) { return m.Link{To: to}, nil })
		return err
	}},
	{"link to another entry", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.LinkUser(ctx, by, w.user.ID, func(store.User) (m.Link, error) {
			return m.Link{To: w.kind, Values: map[string]string{"entryUUID": "eve"}}, nil
		})
		return err
	}},
	{"take away the second factor", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.ResetFactor(ctx, by, w.user.ID)
		return err
	}},
	{"sign off", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.SignOffUser(ctx, by, w.user.ID)
		return err
	}},
	{"delete", func(ctx context.Context, w *world, by m.By) error { return w.DeleteUser(ctx, by, w.user.ID, nil) }},
	{"relink with all others", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.RelinkUsers(ctx, by, w.kind, w.other)
		return err
	}},
}

func changing(change func(*store.User)) func(ctx context.Context, w *world, by m.By) error {
	return func(ctx context.Context, w *world, by m.By) error {
		_, err := w.ChangeUser(ctx, by, w.user.ID, func(u *store.User) error { change(u); return nil })
		return err
	}
}

// waysToAGateway lead to the directory that is believed.
var waysToAGateway = []way{
	{"pair an agent of one's own", func(ctx context.Context, w *world, by m.By) error {
		_, _, err := w.OfferPairing(ctx, by, w.gateway.ID)
		return err
	}},
	{"approve an agent of one's own", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.ApprovePairing(ctx, by, w.gateway.ID, w.waiting)
		return err
	}},
	{"have people found by another filter", func(ctx context.Context, w *world, by m.By) error {
		_, _, err := w.ChangeUserType(ctx, by, w.kind, func(t *m.TypeState) error {
			t.FilterPattern = "(mail=${identifier})"
			return nil
		})
		return err
	}},
	{"change the user type of others", func(ctx context.Context, w *world, by m.By) error {
		_, _, err := w.ChangeUserType(ctx, by, w.other, func(t *m.TypeState) error {
			t.UpdateOnSignOn = true
			return nil
		})
		return err
	}},
	{"link a lesser user to it", func(ctx context.Context, w *world, by m.By) error {
		return second(w.LinkUser(ctx, by, w.second.ID, func(store.User) (m.Link, error) {
			return m.Link{To: w.other}, nil
		}))
	}},
	{"link a lesser user to an entry of it", func(ctx context.Context, w *world, by m.By) error {
		return second(w.LinkUser(ctx, by, w.second.ID, func(store.User) (m.Link, error) {
			return m.Link{To: w.kind, Values: map[string]string{"entryUUID": "of-an-owner"}}, nil
		}))
	}},
	{"move lesser users to it", func(ctx context.Context, w *world, by m.By) error {
		own := m.Draft{Gateway: store.Gateway{
			Name:      "Mine",
			Vendor:    "OpenLDAP",
			UserTypes: []store.UserType{w.people("Mine")},
		}}
		if err := w.CreateGateway(ctx, by, &own); err != nil {
			return err
		}
		return second(w.RelinkUsers(ctx, by, store.UserTypeRef{Gateway: own.ID, UserType: own.UserTypes[0].ID}, w.kind))
	}},
	{"add a user type", func(ctx context.Context, w *world, by m.By) error {
		_, _, err := w.AddUserType(ctx, by, w.gateway.ID, w.people("Mine"))
		return err
	}},
	{"remove a user type", func(ctx context.Context, w *world, by m.By) error {
		return w.RemoveUserType(ctx, by, w.kind, true, nil)
	}},
	{"change user types with the gateway", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.ChangeGateway(ctx, by, w.gateway.ID, func(d *m.Draft) error {
			d.UserTypes[0].FilterPattern = "(mail=${identifier})"
			return nil
		})
		return err
	}},
	{"have tickets lead to others", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.ChangeGateway(ctx, by, w.gateway.ID, func(d *m.Draft) error {
			d.Kerberos.Attribute, d.Kerberos.Value = "uid", "${principal}"
			return nil
		})
		return err
	}},
	{"use keys that one knows", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.UseKeys(ctx, by, w.gateway.ID, newKeys())
		return err
	}},
	{"use a password that one knows", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.ChangeGateway(ctx, by, w.gateway.ID, func(d *m.Draft) error {
			d.Kerberos.ServiceAccount, d.ServicePassword = newKeys().Account, newKeys().Password
			return nil
		})
		return err
	}},
	{"delete keys", func(ctx context.Context, w *world, by m.By) error {
		return w.DeleteKeys(ctx, by, w.gateway.ID, w.keys.ID)
	}},
	{"take no tickets", func(ctx context.Context, w *world, by m.By) error { return w.StopKerberos(ctx, by, w.gateway.ID) }},
	{"disable it", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.ChangeGateway(ctx, by, w.gateway.ID, func(d *m.Draft) error { d.Enabled = false; return nil })
		return err
	}},
	{"delete it", func(ctx context.Context, w *world, by m.By) error {
		return w.DeleteGateway(ctx, by, w.gateway.ID, true, nil)
	}},
}

// Nobody comes, by any way, to a right that they do not have: each way is refused to
// a lesser administrator with what carries the right, and open to an owner and to who
// has the same right.
func TestRightsGrowOnlyDownward(t *testing.T) {
	h := open(t)
	for name, c := range map[string]struct {
		heavy func(w *world, role store.Role) // has a role hang on things
		ways  []way
		what  string
	}{
		"by_the_group":         {func(w *world, r store.Role) { w.give(w.group, r) }, waysToAGroup, "Operators"},
		"by_the_record":        {func(w *world, r store.Role) { w.give(w.group, r) }, waysToARecord, ""},
		"by_the_gateway":       {func(w *world, r store.Role) { w.give(w.group, r) }, waysToAGateway, "Headquarters"},
		"by_a_group_of_theirs": {func(w *world, r store.Role) { w.give(w.jit, r) }, waysToAGateway, "Headquarters"},
	} {
		for _, way := range c.ways {
			t.Run(name+"/"+strings.ReplaceAll(way.name, " ", "_"), func(t *testing.T) {
				for kind, as := range map[string]func(*world, store.Role) m.By{
					"client": (*world).as, "administrator": (*world).asAdmin, "person": (*world).asPerson,
				} {
					w := h.world()
					c.heavy(w, store.RoleOwner)
					err := way.do(t.Context(), w, as(w, store.RoleIdentityAdmin))
					var e *m.HigherError
					if !errors.As(err, &e) || e.Role != store.RoleOwner {
						t.Fatalf("%s: not refused: %v", kind, err)
					}
					has(t, e.Error(), c.what, "OWNER")
					if role, err := w.Store.UserRole(t.Context(), w.env, w.second.ID); err != nil || role != "" {
						t.Errorf("%s: bob is %q now, %v", kind, role, err)
					}
				}
				for what, given := range map[string]store.Role{
					"OWNER":                      store.RoleOwner,
					"IDENTITY_ADMIN":             store.RoleIdentityAdmin,
					"IDENTITY_ADMIN of a reader": store.RoleReadOnly,
				} {
					w := h.world()
					c.heavy(w, given)
					role, _, _ := strings.Cut(what, " ")
					if err := way.do(t.Context(), w, w.as(store.Role(role))); err != nil {
						t.Errorf("%s: refused: %v", what, err)
					}
				}
			})
		}
	}
}

// A help desk signs off who has no more rights than itself, and nobody else.
func TestHelpDeskOfHigherRights(t *testing.T) {
	h := open(t)
	for _, role := range append(store.Roles(), "") {
		for kind, as := range map[string]func(*world, store.Role) m.By{
			"client": (*world).as, "administrator": (*world).asAdmin, "person": (*world).asPerson,
		} {
			w := h.world()
			if role != "" {
				w.give(w.group, role)
			}
			_, err := w.SignOffUser(t.Context(), as(w, store.RoleHelpDesk), w.user.ID)
			if refused := higher(err); refused != slices.Contains([]store.Role{"OWNER", "IDENTITY_ADMIN"}, role) || !refused && err != nil {
				t.Errorf("%s signs off %q: %v", kind, role, err)
			}
		}
	}
}

// What only takes away is left to lesser roles, so that whoever sees a break-in can
// end it: none of it gives anybody anything.
func TestWhatTakesAwayIsNotWeighed(t *testing.T) {
	h := open(t)
	for _, c := range tries {
		switch c.action {
		case m.RevokeInstance, m.RotateInstance, m.WithdrawPairing, m.DenyPairing:
			w := h.world()
			w.give(w.group, store.RoleOwner)
			if err := c.do(t.Context(), w, w.as(store.RoleIdentityAdmin)); err != nil {
				t.Errorf("%s: %v", c.action, err)
			}
		}
	}
}

// What is nobody's to say in a change stays as it was, whatever the caller's function
// does to it.
func TestWhatAChangeCannotSay(t *testing.T) {
	h := open(t)
	w, ctx := h.world(), t.Context()
	by := w.as(store.RoleOwner)
	made := store.User{
		Username:      "eve",
		Enabled:       true,
		GatewayID:     w.gateway.ID,
		UserTypeID:    w.kind.UserType,
		EnvironmentID: "x",
		ID:            "y",
	}
	must(t, w.CreateUser(ctx, by, &made))
	if made.GatewayID != "" || made.UserTypeID != "" || made.EnvironmentID != w.env || made.ID == "y" {
		t.Errorf("%+v", made)
	}
	u, err := w.ChangeUser(ctx, by, w.user.ID, func(u *store.User) error {
		u.ID, u.EnvironmentID, u.GatewayID, u.DN, u.Correlation = w.second.ID, "x", "", "", nil
		u.Email = "new@example.com"
		return nil
	})
	if err != nil || u.ID != w.user.ID || u.GatewayID != w.gateway.ID || len(u.Correlation) != 1 || u.DN == "" ||
		u.Email == "" {
		t.Errorf("%+v, %v", u, err)
	}
	g, err := w.ChangeGroup(ctx, by, w.group.ID, func(g *store.Group) error {
		g.ID, g.SourceType, g.SourceID, g.Description = w.jit.ID, store.SourceGateway, w.gateway.ID, "d"
		return nil
	})
	if err != nil || g.ID != w.group.ID || g.JustInTime() || g.Description != "d" {
		t.Errorf("%+v, %v", g, err)
	}
	a, err := w.ChangeApplication(ctx, by, w.application.ID, func(a *store.Application) error {
		a.SecretHash, a.SecretSealed = []byte("known"), nil
		return nil
	})
	if err != nil || string(a.SecretHash) != "hash" || a.SecretSealed == nil {
		t.Errorf("%+v, %v", a, err)
	}
	e, err := w.RenameEnvironment(ctx, by, func(e *store.Environment) error {
		e.Name, e.Settings.SecondFactor = "new", true
		return nil
	})
	if err != nil || e.Name != "new" || e.Settings.SecondFactor {
		t.Errorf("%+v, %v", e, err)
	}
	admin := store.Administrator{Name: "made of " + w.env, Role: store.RoleReadOnly, PasswordHash: "known"}
	_, err = w.CreateAdministrator(ctx, by, &admin)
	if err != nil || admin.PasswordHash != "" {
		t.Errorf("%+v, %v", admin, err)
	}
	admin, err = w.ChangeAdministrator(ctx, by, admin.ID, func(a *store.Administrator) error {
		a.PasswordHash, a.TOTP, a.Role = "known", []byte("known"), store.RoleIdentityAdmin
		return nil
	})
	if err != nil || admin.PasswordHash != "" || admin.TOTP != nil || admin.Role != store.RoleIdentityAdmin {
		t.Errorf("%+v, %v", admin, err)
	}
}

// The last owner stays one.
func TestLastOwner(t *testing.T) {
	h := open(t)
	w, ctx := h.world(), t.Context()
	by := w.as(store.RoleOwner)
	lesser := func(a *store.Administrator) error { a.Role = store.RoleReadOnly; return nil }
	if _, err := w.ChangeAdministrator(ctx, by, w.admin.ID, lesser); !errors.Is(err, store.ErrLastOwner) {
		t.Error(err)
	}
	if _, err := w.DeleteAdministrator(ctx, by, w.admin.ID, nil); !errors.Is(err, store.ErrLastOwner) {
		t.Error(err)
	}
	w.asAdmin(store.RoleOwner)
	if _, err := w.ChangeAdministrator(ctx, by, w.admin.ID, lesser); err != nil {
		t.Error(err)
	}
}
