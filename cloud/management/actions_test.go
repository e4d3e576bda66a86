package management_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	m "ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
)

// try is one action on the things of a world.
type try struct {
	action m.Action
	roles  string // who may: O(wner), I(dentity administrator), H(elp desk), R(ead only), S(ign-on)
	own    bool   // it is about who acts, who must be an administrator of the console's own
	note   string // the activity that tells of it
	do     func(ctx context.Context, w *world, by m.By) error
}

// tries walk every action that changes something.
var tries = []try{
	{m.CreateUser, "OI", false, "user.created", func(ctx context.Context, w *world, by m.By) error {
		return w.CreateUser(ctx, by, &store.User{Username: "eve"})
	}},
	{m.ChangeUser, "OI", false, "user.updated", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.ChangeUser(ctx, by, w.user.ID, func(u *store.User) error {
			u.Email = "ada@example.com"
			return nil
		})
		return err
	}},
	{m.DeleteUser, "OI", false, "user.deleted", func(ctx context.Context, w *world, by m.By) error {
		return w.DeleteUser(ctx, by, w.user.ID, nil)
	}},
	{m.LinkUser, "OI", false, "user.linked", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.LinkUser(ctx, by, w.user.ID, func(store.User) (m.Link, error) { return m.Link{To: w.other}, nil })
		return err
	}},
	{m.SignOffUser, "OIH", false, "user.signed-off", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.SignOffUser(ctx, by, w.user.ID)
		return err
	}},
	{m.ResetFactor, "OIH", false, "user.factor-reset", func(ctx context.Context, w *world, by m.By) error {
		must(w.t, w.Store.SetPersonFactor(w.t.Context(), w.env, w.user.ID, []byte("sealed")))
		_, err := w.ResetFactor(ctx, by, w.user.ID)
		return err
	}},
	{m.ChangeUser, "OI", false, "users.disabled", selects(m.DisableUsers)},
	{m.ChangeUser, "OI", false, "users.enabled", selects(m.EnableUsers)},
	{m.DeleteUser, "OI", false, "users.deleted", selects(m.DeleteUsers)},
	{m.SignOffUser, "OIH", false, "users.signed-off", selects(m.SignOffUsers)},
	{m.DeleteGroup, "OI", false, "groups.deleted", selects(m.DeleteGroups)},
	{m.CreateGroup, "OI", false, "group.created", func(ctx context.Context, w *world, by m.By) error {
		return w.CreateGroup(ctx, by, &store.Group{Name: "Readers"})
	}},
	{m.ChangeGroup, "OI", false, "group.updated", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.ChangeGroup(ctx, by, w.group.ID, func(g *store.Group) error { g.Description = "d"; return nil })
		return err
	}},
	{m.DeleteGroup, "OI", false, "group.deleted", func(ctx context.Context, w *world, by m.By) error {
		return w.DeleteGroup(ctx, by, w.group.ID, nil)
	}},
	{m.AddMember, "OI", false, "membership.added", func(ctx context.Context, w *world, by m.By) error {
		return w.AddMember(ctx, by, w.second.ID, w.group.ID)
	}},
	{m.RemoveMember, "OI", false, "membership.removed", func(ctx context.Context, w *world, by m.By) error {
		return w.RemoveMember(ctx, by, w.user.ID, w.group.ID, nil)
	}},
	{m.ReleaseGroup, "OI", false, "group.released", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.ReleaseGroup(ctx, by, w.group.ID)
		return err
	}},
	{m.CreatePopulation, "OI", false, "population.created", func(ctx context.Context, w *world, by m.By) error {
		return w.CreatePopulation(ctx, by, &store.Population{Name: "Partners"})
	}},
	{m.ChangePopulation, "OI", false, "population.updated", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.ChangePopulation(ctx, by, w.more.ID, func(p *store.Population) error {
			p.Description = "d"
			return nil
		})
		return err
	}},
	{m.DeletePopulation, "OI", false, "population.deleted", func(ctx context.Context, w *world, by m.By) error {
		return w.DeletePopulation(ctx, by, w.more.ID, nil)
	}},
	{m.CreateGateway, "OI", false, "gateway.created", func(ctx context.Context, w *world, by m.By) error {
		d := m.Draft{Gateway: store.Gateway{Name: "Branch", Vendor: "OpenLDAP"}}
		return w.CreateGateway(ctx, by, &d)
	}},
	{m.ChangeGateway, "OI", false, "gateway.updated", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.ChangeGateway(ctx, by, w.gateway.ID, func(d *m.Draft) error { d.Enabled = false; return nil })
		return err
	}},
	{m.ChangeGateway, "OI", false, "gateway.updated", func(ctx context.Context, w *world, by m.By) error {
		return w.StopKerberos(ctx, by, w.gateway.ID)
	}},
	{m.DeleteGateway, "OI", false, "gateway.deleted", func(ctx context.Context, w *world, by m.By) error {
		return w.DeleteGateway(ctx, by, w.gateway.ID, true, nil)
	}},
	{m.AddUserType, "OI", false, "gateway.updated", func(ctx context.Context, w *world, by m.By) error {
		_, _, err := w.AddUserType(ctx, by, w.gateway.ID, w.people("Partners"))
		return err
	}},
	{m.ChangeUserType, "OI", false, "gateway.updated", func(ctx context.Context, w *world, by m.By) error {
		_, _, err := w.ChangeUserType(ctx, by, w.kind, func(t *m.TypeState) error {
			t.UpdateOnSignOn = true
			return nil
		})
		return err
	}},
	{m.RemoveUserType, "OI", false, "gateway.updated", func(ctx context.Context, w *world, by m.By) error {
		return w.RemoveUserType(ctx, by, w.kind, true, nil)
	}},
	{m.RelinkUsers, "OI", false, "users.relinked", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.RelinkUsers(ctx, by, w.kind, w.other)
		return err
	}},
	{m.UseKeys, "OI", false, "kerberosKeys.replaced", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.UseKeys(ctx, by, w.gateway.ID, newKeys())
		return err
	}},
	{m.DeleteKeys, "OI", false, "kerberosKeys.deleted", func(ctx context.Context, w *world, by m.By) error {
		return w.DeleteKeys(ctx, by, w.gateway.ID, w.keys.ID)
	}},
	{m.OfferPairing, "OI", false, "pairing.created", func(ctx context.Context, w *world, by m.By) error {
		_, _, err := w.OfferPairing(ctx, by, w.gateway.ID)
		return err
	}},
	{m.WithdrawPairing, "OI", false, "pairing.deleted", func(ctx context.Context, w *world, by m.By) error {
		return w.WithdrawPairing(ctx, by, w.gateway.ID, w.pairing.ID, nil)
	}},
	{m.ApprovePairing, "OI", false, "instance.paired", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.ApprovePairing(ctx, by, w.gateway.ID, w.waiting)
		return err
	}},
	{m.DenyPairing, "OI", false, "pairing.denied", func(ctx context.Context, w *world, by m.By) error {
		return w.DenyPairing(ctx, by, w.gateway.ID, w.waiting)
	}},
	{m.RotateInstance, "OI", false, "instance.rotation", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.RotateInstance(ctx, by, w.gateway.ID, w.instance.ID)
		return err
	}},
	{m.RevokeInstance, "OI", false, "instance.revoked", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.RevokeInstance(ctx, by, w.gateway.ID, w.instance.ID, nil)
		return err
	}},
	{m.CreateApplication, "OI", false, "application.created", func(ctx context.Context, w *world, by m.By) error {
		a := w.application
		a.Name = "Blog"
		return w.CreateApplication(ctx, by, &a)
	}},
	{m.ChangeApplication, "OI", false, "application.updated", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.ChangeApplication(ctx, by, w.application.ID, func(a *store.Application) error {
			a.Enabled = false
			return nil
		})
		return err
	}},
	{m.DeleteApplication, "OI", false, "application.deleted", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.DeleteApplication(ctx, by, w.application.ID, nil)
		return err
	}},
	{m.RenewApplication, "OI", false, "application.updated", func(ctx context.Context, w *world, by m.By) error {
		_, _, err := w.RenewApplication(ctx, by, w.application.ID, time.Time{})
		return err
	}},
	{m.ReadSecret, "OI", false, "application.secret-read", func(ctx context.Context, w *world, by m.By) error {
		secret, err := w.ApplicationSecret(ctx, by, w.application.ID)
		if err == nil && secret.Secret != "secret" {
			err = errors.New("another secret: " + secret.Secret)
		}
		return err
	}},
	{m.CreateProvider, "O", false, "identityProvider.created", func(ctx context.Context, w *world, by m.By) error {
		d := m.ProviderDraft{IdentityProvider: w.openID("Another"), Secret: "s"}
		return w.CreateProvider(ctx, by, &d)
	}},
	{m.ChangeProvider, "O", false, "identityProvider.updated", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.ChangeProvider(ctx, by, w.provider.ID, func(d *m.ProviderDraft) error { d.Enabled = false; return nil })
		return err
	}},
	{m.DeleteProvider, "O", false, "identityProvider.deleted", func(ctx context.Context, w *world, by m.By) error {
		return w.DeleteProvider(ctx, by, w.provider.ID, true, nil)
	}},
	{m.ReadProviderSecret, "O", false, "identityProvider.secret-read", func(ctx context.Context, w *world, by m.By) error {
		secret, err := w.ReadProviderSecret(ctx, by, w.provider.ID)
		if err == nil && secret != "secret" {
			err = errors.New("another secret: " + secret)
		}
		return err
	}},
	{m.TryProvider, "O", false, "identityProvider.tried", func(ctx context.Context, w *world, by m.By) error {
		return w.TriedProvider(ctx, by, w.provider.ID)
	}},
	{m.AddCertificate, "O", false, "certificate.created", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.AddCertificate(ctx, by, "theirs", m.Signing, w.certificate.DER)
		return err
	}},
	{m.MakeKey, "O", false, "key.created", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.MakeKey(ctx, by, m.KeyDraft{Name: "ours"})
		return err
	}},
	{m.DeleteCertificate, "O", false, "certificate.deleted", func(ctx context.Context, w *world, by m.By) error {
		return w.DeleteCertificate(ctx, by, w.certificate.ID, nil)
	}},
	{m.LinkAccount, "OI", false, "user.account-linked", func(ctx context.Context, w *world, by m.By) error {
		l := store.LinkedAccount{UserID: w.second.ID, ProviderID: w.provider.ID, Subject: store.Subject{ID: "s-2"}}
		return w.LinkAccount(ctx, by, &l)
	}},
	{m.UnlinkAccount, "OI", false, "user.account-unlinked", func(ctx context.Context, w *world, by m.By) error {
		return w.UnlinkAccount(ctx, by, w.user.ID, w.link.ID, nil)
	}},
	{m.CreateAdministrator, "O", false, "administrator.created", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.CreateAdministrator(
			ctx,
			by,
			&store.Administrator{Name: "new of " + w.env, Role: store.RoleReadOnly},
		)
		return err
	}},
	{m.ChangeAdministrator, "O", false, "administrator.updated", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.ChangeAdministrator(ctx, by, w.asAdmin(store.RoleReadOnly).ID, func(a *store.Administrator) error {
			a.Role = store.RoleIdentityAdmin
			return nil
		})
		return err
	}},
	{m.ResetAdministrator, "O", false, "administrator.reset", func(ctx context.Context, w *world, by m.By) error {
		_, _, err := w.ResetAdministrator(ctx, by, w.admin.ID)
		return err
	}},
	{m.DeleteAdministrator, "O", false, "administrator.deleted", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.DeleteAdministrator(ctx, by, w.asAdmin(store.RoleReadOnly).ID, nil)
		return err
	}},
	{m.SetRoleGroup, "O", false, "role.changed", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.SetRoleGroup(ctx, by, w.group.ID, store.RoleReadOnly, nil)
		return err
	}},
	{m.CreateClient, "O", false, "client.created", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.CreateClient(ctx, by, &store.Client{Name: "monitor", Role: store.RoleSignOn})
		return err
	}},
	{m.RenewClient, "O", false, "client.updated", func(ctx context.Context, w *world, by m.By) error {
		_, _, err := w.RenewClient(ctx, by, w.client.ID, time.Time{})
		return err
	}},
	{m.DeleteClient, "O", false, "client.deleted", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.DeleteClient(ctx, by, w.client.ID)
		return err
	}},
	{m.RenameEnvironment, "OI", false, "environment.updated", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.RenameEnvironment(ctx, by, func(e *store.Environment) error { e.Name = "renamed"; return nil })
		return err
	}},
	{m.ChangeSettings, "O", false, "environment.updated", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.ChangeSettings(ctx, by, func(e *store.Environment) error {
			e.Settings.SecondFactor = true
			return nil
		})
		return err
	}},
	{m.SetLogo, "O", false, "environment.updated", func(ctx context.Context, w *world, by m.By) error {
		return w.SetLogo(ctx, by, []byte("png"))
	}},
	{m.SetBrand, "O", false, "environment.updated", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.SetBrand(ctx, by, func(e *store.Environment) error {
			e.Settings.Brand.Help = "https://example.com/help"
			return nil
		})
		return err
	}},
	{m.MoveSignOnOrder, "O", false, "environment.updated", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.MoveSignOnOrder(ctx, by, w.kind, 1)
		return err
	}},
	{m.CreateEnvironment, "O", false, "environment.created", func(ctx context.Context, w *world, by m.By) error {
		return w.CreateEnvironment(ctx, by, &store.Environment{Name: "made by " + w.env})
	}},
	{m.DeleteEnvironment, "O", false, "environment.deleted", func(ctx context.Context, w *world, by m.By) error {
		return w.DeleteEnvironment(ctx, by, w.child.ID, nil)
	}},
	{m.CreatePolicy, "O", false, "signOnPolicy.created", func(ctx context.Context, w *world, by m.By) error {
		return w.CreatePolicy(ctx, by, &store.SignOnPolicy{Name: "Another"})
	}},
	{m.ChangePolicy, "O", false, "signOnPolicy.updated", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.ChangePolicy(ctx, by, w.policy.ID, func(p *store.SignOnPolicy) error { p.Default = true; return nil })
		return err
	}},
	{m.DeletePolicy, "O", false, "signOnPolicy.deleted", func(ctx context.Context, w *world, by m.By) error {
		return w.DeletePolicy(ctx, by, w.policy.ID, nil)
	}},
	{m.AddChannel, "O", false, "alertChannel.created", func(ctx context.Context, w *world, by m.By) error {
		_, _, err := w.AddChannel(ctx, by, "email", "b@example.com")
		return err
	}},
	{m.TryChannel, "O", false, "alertChannel.tried", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.TryChannel(ctx, by, w.channel.ID)
		return err
	}},
	{m.DeleteChannel, "O", false, "alertChannel.deleted", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.DeleteChannel(ctx, by, w.channel.ID)
		return err
	}},
	{m.QuietAlert, "O", false, "alert.quieted", func(ctx context.Context, w *world, by m.By) error {
		return w.QuietAlert(ctx, by, "k")
	}},
	{m.TryPerson, "OIH", false, "person.tried", func(ctx context.Context, w *world, by m.By) error {
		return w.TriedPerson(ctx, by, w.gateway.ID, "ada")
	}},
	{m.KeepOwn, "OIHR", true, "administrator.updated", func(ctx context.Context, w *world, by m.By) error {
		return w.ChangeOwnPassword(ctx, by, "new-hash")
	}},
	{m.KeepOwn, "OIHR", true, "administrator.updated", func(ctx context.Context, w *world, by m.By) error {
		return w.KeepOwnOneTime(ctx, by, []byte("sealed"), 7)
	}},
	{m.KeepOwn, "OIHR", true, "administrator.updated", func(ctx context.Context, w *world, by m.By) error {
		return w.DropOwnOneTime(ctx, by)
	}},
	{m.KeepOwn, "OIHR", true, "administrator.updated", func(ctx context.Context, w *world, by m.By) error {
		return w.AddOwnPasskey(ctx, by, &store.Passkey{ID: "another of " + by.ID, Name: "another"})
	}},
	{m.KeepOwn, "OIHR", true, "administrator.updated", func(ctx context.Context, w *world, by m.By) error {
		return w.DropOwnPasskey(ctx, by, w.passkey.ID)
	}},
	{m.KeepOwn, "OIHR", true, "administrator.updated", func(ctx context.Context, w *world, by m.By) error {
		return w.KeepOwnRecovery(ctx, by, [][]byte{[]byte("hash")})
	}},
	{m.KeepOwn, "OIHR", true, "administrator.recovery-code-used", func(ctx context.Context, w *world, by m.By) error {
		if err := w.Store.SetRecoveryCodes(ctx, by.ID, [][]byte{[]byte("hash")}); err != nil {
			return err
		}
		return second(w.UseOwnRecovery(ctx, by, []byte("hash")))
	}},
	{m.KeepOwn, "OIHR", true, "administrator.signed-in", func(ctx context.Context, w *world, by m.By) error {
		return w.SignedIn(ctx, by, "password")
	}},
}

// looks are the actions that change nothing: faces ask for them by May alone.
var looks = map[m.Action]string{
	m.Read:         "OIHR",
	m.SaveLists:    "OIR",
	m.ReadSignOn:   "OIHRS",
	m.ReadSettings: "O",
	m.SignPeopleOn: "OIS",
}

var letters = map[store.Role]string{
	store.RoleOwner:         "O",
	store.RoleIdentityAdmin: "I",
	store.RoleHelpDesk:      "H",
	store.RoleReadOnly:      "R",
	store.RoleSignOn:        "S",
	"":                      "-",
	"NONSENSE":              "-",
}

// Every action is tried with every role, by one kind of actor after the other. Who
// may does it, and an activity tells of it; who may not changes nothing at all.
func TestEveryActionWithEveryRole(t *testing.T) {
	h := open(t)
	seen := map[m.Action]bool{}
	for i, c := range tries {
		seen[c.action] = true
		for turn, role := range []store.Role{
			store.RoleOwner,
			store.RoleIdentityAdmin,
			store.RoleHelpDesk,
			store.RoleReadOnly,
			store.RoleSignOn,
			"NONSENSE",
		} {
			kind := []string{"client", "administrator", "person"}[(i+turn)%3]
			switch {
			case c.own:
				kind = "administrator"
			case kind == "person" && (role == store.RoleSignOn || role == "NONSENSE"):
				kind = "client" // no group gives these
			}
			as := map[string]func(*world, store.Role) m.By{
				"client": (*world).as, "administrator": (*world).asAdmin, "person": (*world).asPerson,
			}[kind]
			name := fmt.Sprintf("%d_%s_%s_%s", i, strings.ReplaceAll(string(c.action), " ", "_"), kind, role)
			t.Run(name, func(t *testing.T) {
				w := h.world()
				tryOne(t, w, c, as(w, role), strings.Contains(c.roles, letters[role]))
			})
		}
	}
	for action := range looks {
		seen[action] = true
	}
	for _, action := range m.Actions() {
		if !seen[action] {
			t.Errorf("nobody tries to %s", action)
		}
	}
}

func tryOne(t *testing.T, w *world, c try, by m.By, allowed bool) {
	t.Helper()
	before, notes := w.rows(), len(w.activities())
	err := c.do(t.Context(), w, by)
	if allowed {
		if err != nil {
			t.Fatal(err)
		}
		done := w.activities()
		if len(done) <= notes ||
			done[0].Action != c.note &&
				!slices.ContainsFunc(done, func(a store.Activity) bool { return a.Action == c.note }) {
			t.Errorf("no activity %s: %+v", c.note, done)
		}
		if done[0].Actor != by.Actor() {
			t.Errorf("the actor is %s", done[0].Actor)
		}
		return
	}
	if !refusedByRole(err) {
		t.Errorf("not refused for the role: %v", err)
	}
	if strings.HasPrefix(c.note, "administrator") && c.action != m.KeepOwn {
		return // the try makes an administrator of its own
	}
	if after := w.rows(); after != before || len(w.activities()) != notes {
		t.Errorf("something changed:\n%s\n%s", before, after)
	}
}

// What is only looked at is somebody's by the same table.
func TestWhoMayLook(t *testing.T) {
	for action, roles := range looks {
		for role, letter := range letters {
			if m.May(role, action) != strings.Contains(roles, letter) {
				t.Errorf("%s: %q", action, role)
			}
		}
	}
	for role := range letters {
		if m.May(role, "no such action") {
			t.Errorf("%q may do what is not in the table", role)
		}
	}
}

// What counts is the role that the actor has when the change is made, not the one
// that the request came with.
func TestARoleThatWasTakenAwayMeanwhile(t *testing.T) {
	h := open(t)
	for name, lose := range map[string]func(ctx context.Context, w *world) (m.By, error){
		"client that was made lesser": func(ctx context.Context, w *world) (m.By, error) {
			by := w.as(store.RoleOwner)
			return by, w.Store.UpdateClient(ctx, &store.Client{
				ID:            by.ID,
				EnvironmentID: w.env,
				Role:          store.RoleReadOnly,
			})
		},
		"client that was deleted": func(ctx context.Context, w *world) (m.By, error) {
			by := w.as(store.RoleOwner)
			return by, w.Store.DeleteClient(ctx, w.env, by.ID)
		},
		"administrator who was made lesser": func(ctx context.Context, w *world) (m.By, error) {
			by := w.asAdmin(store.RoleOwner)
			a, err := w.Store.AdministratorByID(ctx, w.env, by.ID)
			a.Role = store.RoleReadOnly
			return by, errors.Join(err, w.Store.UpdateAdministrator(ctx, &a))
		},
		"administrator who was removed": func(ctx context.Context, w *world) (m.By, error) {
			by := w.asAdmin(store.RoleOwner)
			return by, w.Store.DeleteAdministrator(ctx, w.env, by.ID)
		},
		"person who was disabled": func(ctx context.Context, w *world) (m.By, error) {
			by := w.asPerson(store.RoleOwner)
			u, err := w.Store.User(ctx, w.env, by.ID)
			u.Enabled = false
			return by, errors.Join(err, w.Store.UpdateUser(ctx, &u))
		},
		"person whose group gives nothing any more": func(ctx context.Context, w *world) (m.By, error) {
			by := w.asPerson(store.RoleOwner)
			groups, err := w.Store.UserGroups(ctx, w.env, by.ID)
			w.give(groups[0].Group, "")
			return by, err
		},
		"person who was deleted": func(ctx context.Context, w *world) (m.By, error) {
			by := w.asPerson(store.RoleOwner)
			return by, w.Store.DeleteUser(ctx, w.env, by.ID)
		},
		"actor of another environment": func(_ context.Context, w *world) (m.By, error) {
			by := h.world().as(store.RoleOwner)
			by.Environment = w.env
			return by, nil
		},
		"actor of no kind": func(_ context.Context, w *world) (m.By, error) {
			return m.By{Environment: w.env, Role: store.RoleOwner}, nil
		},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			w := h.world()
			by, err := lose(t.Context(), w)
			must(t, err)
			before := w.rows()
			if err := w.CreateGroup(t.Context(), by, &store.Group{Name: "new"}); !refusedByRole(err) {
				t.Errorf("%v", err)
			}
			if w.rows() != before {
				t.Error("something changed")
			}
		})
	}
}

// No action finds anything of another environment.
func TestActionsKeepToTheirEnvironment(t *testing.T) {
	h := open(t)
	for i, c := range tries {
		if c.own || slices.Contains([]m.Action{
			m.CreateUser, m.CreateGroup, m.CreatePopulation, m.CreateGateway, m.CreateApplication,
			m.CreateAdministrator, m.CreateClient, m.RenameEnvironment, m.ChangeSettings, m.SetLogo, m.SetBrand,
			m.AddChannel, m.QuietAlert, m.CreateProvider, m.AddCertificate, m.MakeKey,
			m.CreateEnvironment, m.CreatePolicy,
		}, c.action) || slices.Contains(selecting, c.note) {
			continue // it names nothing
		}
		t.Run(fmt.Sprintf("%d_%s", i, strings.ReplaceAll(string(c.action), " ", "_")), func(t *testing.T) {
			w, theirs := h.world(), h.world()
			before := theirs.rows()
			err := c.do(t.Context(), theirs, w.as(store.RoleOwner))
			if err == nil || refusedByRole(err) || higher(err) {
				t.Errorf("%v", err)
			}
			if strings.HasPrefix(c.note, "administrator") {
				return // the try makes an administrator of its own
			}
			if theirs.rows() != before {
				t.Error("something of another environment changed")
			}
		})
	}
}
