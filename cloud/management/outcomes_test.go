package management_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"ldap-gateway/cloud/administrators"
	"ldap-gateway/cloud/kerberos"
	m "ldap-gateway/cloud/management"
	"ldap-gateway/cloud/pairing"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/usertypes"
	"ldap-gateway/cloud/vault"
)

// A code makes one instance, is kept as a hash, and can be taken back.
func TestPairingCodes(t *testing.T) {
	h := open(t)
	w, ctx := h.world(), t.Context()
	by := w.asAdmin(store.RoleIdentityAdmin)
	p, code, err := w.OfferPairing(ctx, by, w.gateway.ID)
	must(t, err)
	if p.CreatedBy != "administrator "+by.Name || time.Until(p.ExpiresAt) > pairing.Life {
		t.Errorf("%+v", p)
	}
	var i store.Instance
	if _, err := w.Store.RedeemPairing(ctx, pairing.HashCode(code), time.Now(), &i); err != nil ||
		i.GatewayID != w.gateway.ID {
		t.Errorf("%+v, %v", i, err)
	}
	if _, err := w.Store.RedeemPairing(ctx, pairing.HashCode(code), time.Now(), &i); !errors.Is(err, store.ErrUsed) {
		t.Error(err)
	}
	p, code, err = w.OfferPairing(ctx, by, w.gateway.ID)
	must(t, err)
	must(t, w.WithdrawPairing(ctx, by, w.gateway.ID, p.ID, func(seen store.Pairing) error {
		if seen.ID != p.ID {
			t.Errorf("%+v", seen)
		}
		return nil
	}))
	if _, err := w.Store.RedeemPairing(ctx, pairing.HashCode(code), time.Now(), &i); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	if err := w.WithdrawPairing(ctx, by, w.gateway.ID, p.ID, nil); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}

// Who approves and who denies is settled once.
func TestWaitingAgents(t *testing.T) {
	h := open(t)
	w, ctx := h.world(), t.Context()
	by := w.as(store.RoleIdentityAdmin)
	i, err := w.ApprovePairing(ctx, by, w.gateway.ID, w.waiting)
	must(t, err)
	kept, err := w.Store.Instance(ctx, i.ID)
	if err != nil || kept.Fingerprint != "CD34" || kept.PairedBy != "API client client IDENTITY_ADMIN" {
		t.Errorf("%+v, %v", kept, err)
	}
	if detail := w.detail("instance.paired"); detail["gateway"] != w.gateway.ID || detail["fingerprint"] != "CD34" {
		t.Errorf("%v", detail)
	}
	has(t, fmt.Sprint(second(w.ApprovePairing(ctx, by, w.gateway.ID, w.waiting))), "decided on this code already")
	has(t, w.DenyPairing(ctx, by, w.gateway.ID, w.waiting).Error(), "decided on this code already")
	late := h.world()
	late.Now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	has(t, late.DenyPairing(ctx, late.as(store.RoleOwner), late.gateway.ID, late.waiting).Error(), "expired")
}

// Kerberos keys of an account or a keytab are in use afterwards, and the gateway takes
// tickets; the keys of before are good as long as it says.
func TestKeysAreUsed(t *testing.T) {
	h := open(t)
	w, ctx := h.world(), t.Context()
	by := w.as(store.RoleIdentityAdmin)
	sets := func() []store.KerberosKeys {
		t.Helper()
		all, err := w.Store.KerberosKeys(ctx, w.env, w.gateway.ID, time.Now())
		must(t, err)
		return all
	}
	k, err := w.UseKeys(ctx, by, w.gateway.ID, newKeys())
	must(t, err)
	all := sets()
	if len(all) != 2 || all[0].ID != k.ID || all[0].Origin != kerberos.OriginPassword || !all[0].ExpiresAt.IsZero() ||
		all[1].ExpiresAt.IsZero() {
		t.Errorf("%+v", all)
	}
	g, err := w.Store.Gateway(ctx, w.env, w.gateway.ID)
	if err != nil || g.Kerberos.ServiceAccount != newKeys().Account {
		t.Errorf("%+v, %v", g.Kerberos, err)
	}
	_, err = w.UseKeys(ctx, by, w.gateway.ID, kerberos.NewKeys{Keytab: newKeytab(t)})
	must(t, err)
	if g, err = w.Store.Gateway(ctx, w.env, w.gateway.ID); err != nil || g.Kerberos.ServiceAccount != "" {
		t.Errorf("%+v, %v", g.Kerberos, err)
	}
	must(t, w.DeleteKeys(ctx, by, w.gateway.ID, sets()[0].ID))
	if err := w.DeleteKeys(ctx, by, w.gateway.ID, ""); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("no set is all sets: %v", err)
	}
	must(t, w.StopKerberos(ctx, by, w.gateway.ID))
	if g, err = w.Store.Gateway(ctx, w.env, w.gateway.ID); err != nil || g.Kerberos != nil || len(sets()) > 0 {
		t.Errorf("%+v, %d sets, %v", g.Kerberos, len(sets()), err)
	}
	k, err = w.UseKeys(ctx, by, w.gateway.ID, newKeys())
	must(t, err)
	if g, err = w.Store.Gateway(ctx, w.env, w.gateway.ID); err != nil ||
		g.Kerberos.RetainMinutes != kerberos.DefaultRetainMinutes || len(sets()) != 1 {
		t.Errorf("%+v, %+v, %v", g.Kerberos, k, err)
	}
}

// A new gateway is kept whole with the keys of its account, or not at all.
func TestGatewayIsMadeWithItsKeys(t *testing.T) {
	h := open(t)
	w, ctx := h.world(), t.Context()
	by := w.as(store.RoleIdentityAdmin)
	d := m.Draft{
		Gateway: store.Gateway{
			Name:      "Branch",
			Vendor:    "Microsoft Active Directory",
			UserTypes: []store.UserType{w.people("People")},
			Kerberos:  &store.Kerberos{ServiceAccount: newKeys().Account},
		},
		ServicePassword: newKeys().Password,
	}
	d.UserTypes[0].PopulationID, d.UserTypes[0].PasswordAuthority = "", ""
	must(t, w.CreateGateway(ctx, by, &d))
	g, err := w.Store.Gateway(ctx, w.env, d.ID)
	must(t, err)
	if u := g.UserTypes[0]; u.ID == "" || u.PopulationID != w.population.ID ||
		u.PasswordAuthority != usertypes.Authority {
		t.Errorf("%+v", u)
	}
	all, err := w.Store.KerberosKeys(ctx, w.env, g.ID, time.Now())
	if err != nil || len(all) != 1 || all[0].CreatedBy != by.Actor() {
		t.Errorf("%+v, %v", all, err)
	}
	h.Keys = broken{}
	d.Name, d.UserTypes[0].ID = "Another", ""
	if err := w.CreateGateway(ctx, by, &d); !errors.Is(err, errBroken) {
		t.Error(err)
	}
	gateways, _, err := w.Store.Gateways(ctx, w.env, store.Page{})
	if err != nil || len(gateways) != 2 {
		t.Errorf("half of it was kept: %d gateways, %v", len(gateways), err)
	}
}

var errBroken = errors.New("broken")

// broken seals nothing.
type broken struct{}

func (broken) Seal(store.Gateway, kerberos.NewKeys) (store.KerberosKeys, error) {
	return store.KerberosKeys{}, errBroken
}

// Secrets that are made open what they are for, and those of before do not.
func TestSecretsThatAreMade(t *testing.T) {
	h := open(t)
	w, ctx := h.world(), t.Context()
	by := w.as(store.RoleOwner)
	c := store.Client{Name: "monitor", Role: store.RoleReadOnly}
	one, err := w.CreateClient(ctx, by, &c)
	must(t, err)
	must(t, w.Store.CreateToken(ctx, []byte("token"), c.ID, w.env, time.Now().Add(time.Hour)))
	_, two, err := w.RenewClient(ctx, by, c.ID, time.Time{})
	must(t, err)
	kept, err := w.Store.Client(ctx, w.env, c.ID)
	if err != nil || string(kept.SecretHash) != string(vault.HashSecret(two)) || one == two ||
		kept.Role != store.RoleReadOnly {
		t.Errorf("%+v, %v", kept, err)
	}
	if _, err := w.Store.TokenClient(ctx, []byte("token"), time.Now()); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a token of before is good: %v", err)
	}
	a, secret, err := w.RenewApplication(ctx, by, w.application.ID, time.Time{})
	if err != nil || string(a.SecretHash) != string(vault.HashSecret(secret)) {
		t.Errorf("%+v, %v", a, err)
	}
	a, err = w.ChangeApplication(ctx, by, a.ID, func(a *store.Application) error { a.Name = "Wiki 2"; return nil })
	if err != nil || a.SecretHash == nil {
		t.Errorf("a change takes the secret away: %v", err)
	}
	a, err = w.ChangeApplication(ctx, by, a.ID, func(a *store.Application) error {
		a.Type = store.SinglePage
		return nil
	})
	if err != nil || a.SecretHash != nil {
		t.Errorf("what cannot keep a secret has one: %v", err)
	}
	_, setUp, err := w.ResetAdministrator(ctx, by, w.admin.ID)
	must(t, err)
	admin, err := w.Store.AdministratorByID(ctx, w.env, w.admin.ID)
	if err != nil || admin.PasswordHash != "" || string(admin.SetupHash) != string(administrators.SetupHash(setUp)) {
		t.Errorf("%+v, %v", admin, err)
	}
}

// The order of sign-on is moved by one place, and stays at its ends.
func TestSignOnOrder(t *testing.T) {
	h := open(t)
	w, ctx := h.world(), t.Context()
	by := w.as(store.RoleOwner)
	order := func() []store.UserTypeRef {
		t.Helper()
		e, err := w.Store.Environment(ctx, w.env)
		must(t, err)
		return e.Settings.SignOnOrder
	}
	for _, c := range []struct {
		ref    store.UserTypeRef
		places int
		want   []store.UserTypeRef
	}{
		{w.kind, 1, []store.UserTypeRef{w.other, w.kind}},
		{w.kind, 1, []store.UserTypeRef{w.other, w.kind}},
		{w.kind, -1, []store.UserTypeRef{w.kind, w.other}},
		{w.kind, -1, []store.UserTypeRef{w.kind, w.other}},
		{w.kind, 7, []store.UserTypeRef{w.kind, w.other}},
		{w.kind, 0, []store.UserTypeRef{w.kind, w.other}},
	} {
		if _, err := w.MoveSignOnOrder(ctx, by, c.ref, c.places); err != nil || !slices.Equal(order(), c.want) {
			t.Errorf("by %d: %v, %v", c.places, order(), err)
		}
	}
	if _, err := w.MoveSignOnOrder(ctx, by, store.UserTypeRef{Gateway: "none"}, 1); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}

// A channel is tried, and a trial that does not arrive says so.
func TestChannels(t *testing.T) {
	h := open(t)
	w, ctx := h.world(), t.Context()
	by := w.as(store.RoleOwner)
	c, secret, err := w.AddChannel(ctx, by, "webhook", "https://alerts.example.com/")
	if err != nil || secret == "" || len(c.Sealed) == 0 {
		t.Fatalf("%+v, %v", c, err)
	}
	_, err = w.TryChannel(ctx, by, c.ID)
	if err != nil || !slices.Equal(h.sent, []string{c.Target}) {
		t.Errorf("%v, %v", h.sent, err)
	}
	h.fails = errBroken
	_, err = w.TryChannel(ctx, by, c.ID)
	var refused *m.Refusal
	if !errors.As(err, &refused) {
		t.Fatal(err)
	}
	has(t, refused.Text, "did not arrive", c.Target, "broken")
	must(t, w.QuietAlert(ctx, by, "k"))
	if err := w.QuietAlert(ctx, by, "none"); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	open, err := w.Store.Alerts(ctx, w.env)
	if err != nil || time.Until(open[0].QuietUntil) < (m.QuietDays-1)*24*time.Hour {
		t.Errorf("%+v, %v", open, err)
	}
}

// Recovery codes go with the last second factor, whichever that is, and no earlier.
func TestRecoveryCodesGoWithTheFactor(t *testing.T) {
	h := open(t)
	for last, drop := range map[string][2]func(ctx context.Context, w *world, by m.By) error{
		"passkey":            {dropOneTime, dropPasskey},
		"one-time passwords": {dropPasskey, dropOneTime},
	} {
		w, ctx := h.world(), t.Context()
		by := w.asAdmin(store.RoleReadOnly)
		must(t, w.KeepOwnOneTime(ctx, by, []byte("sealed"), 7))
		must(t, w.KeepOwnRecovery(ctx, by, [][]byte{[]byte("one"), []byte("two")}))
		if left, err := w.UseOwnRecovery(ctx, by, []byte("one")); err != nil || left != 1 {
			t.Errorf("%d, %v", left, err)
		}
		if _, err := w.UseOwnRecovery(ctx, by, []byte("one")); !errors.Is(err, store.ErrNotFound) {
			t.Error(err)
		}
		for i, want := range []int{2, 0} {
			must(t, drop[i](ctx, w, by))
			if c, err := w.Store.RecoveryCodes(ctx, by.ID); err != nil || c.Made != want {
				t.Errorf("%s last, after %d: %+v, %v", last, i, c, err)
			}
		}
	}
	w := h.world()
	person := w.asPerson(store.RoleReadOnly)
	if err := w.KeepOwnRecovery(t.Context(), person, nil); !errors.Is(err, m.ErrNotOwn) {
		t.Error(err)
	}
	if _, err := w.UseOwnRecovery(t.Context(), person, nil); !errors.Is(err, m.ErrNotOwn) {
		t.Error(err)
	}
}

func dropOneTime(ctx context.Context, w *world, by m.By) error { return w.DropOwnOneTime(ctx, by) }

func dropPasskey(ctx context.Context, w *world, by m.By) error {
	return w.DropOwnPasskey(ctx, by, w.passkey.ID)
}

// Who proves themselves settles that for themselves alone, and a one-time password that
// proved a new secret is used up.
func TestOwnProofs(t *testing.T) {
	h := open(t)
	w, ctx := h.world(), t.Context()
	by, other := w.asAdmin(store.RoleReadOnly), w.asAdmin(store.RoleReadOnly)
	must(t, w.ChangeOwnPassword(ctx, by, "new-hash"))
	must(t, w.KeepOwnOneTime(ctx, by, []byte("sealed"), 7))
	if err := w.KeepOwnOneTime(ctx, by, []byte("again"), 7); !errors.Is(err, store.ErrUsed) {
		t.Errorf("the same one-time password proves another secret: %v", err)
	}
	a, err := w.Store.AdministratorByID(ctx, w.env, by.ID)
	if err != nil || a.PasswordHash != "new-hash" || string(a.TOTP) != "sealed" || a.Role != store.RoleReadOnly {
		t.Errorf("%+v, %v", a, err)
	}
	if err := w.Store.UseOneTimePassword(ctx, w.env, by.ID, 7); !errors.Is(err, store.ErrUsed) {
		t.Error(err)
	}
	if err := w.DropOwnPasskey(ctx, by, w.passkey.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("somebody else's passkey: %v", err)
	}
	must(t, w.AddOwnPasskey(ctx, by, &store.Passkey{ID: "mine", Name: "mine", AdministratorID: other.ID}))
	keys, err := w.Store.Passkeys(ctx, by.ID)
	if err != nil || len(keys) != 2 {
		t.Errorf("%+v, %v", keys, err)
	}
	must(t, w.DropOwnOneTime(ctx, by))
	untouched, err := w.Store.AdministratorByID(ctx, w.env, other.ID)
	if err != nil || untouched.PasswordHash != "" || untouched.TOTP != nil {
		t.Errorf("%+v, %v", untouched, err)
	}

	person := w.asPerson(store.RoleReadOnly)
	if err := w.KeepOwnOneTime(ctx, person, []byte("sealed"), 8); !errors.Is(err, m.ErrNotOwn) {
		t.Error(err)
	}
	must(t, w.Store.SetPersonFactor(ctx, w.env, person.ID, []byte("sealed")))
	if err := w.DropOwnOneTime(ctx, person); !errors.Is(err, m.ErrNotOwn) {
		t.Error(err)
	}
	if sealed, err := w.Store.PersonFactor(ctx, w.env, person.ID); err != nil || string(sealed) != "sealed" {
		t.Errorf("%s, %v", sealed, err)
	}
}

// How actors are named, for programs and for people.
func TestActors(t *testing.T) {
	for _, c := range []struct {
		by           m.By
		actor, words string
	}{
		{m.By{Kind: m.Program, ID: "1", Name: "deploy"}, "client:1", "API client deploy"},
		{m.By{Kind: m.Program, ID: "1"}, "client:1", "API client 1"},
		{m.By{Kind: m.Administrator, ID: "1", Name: "ada"}, "admin:ada", "administrator ada"},
		{m.By{Kind: m.Person, ID: "1", Name: "ada"}, "user:1", "administrator ada"},
	} {
		if c.by.Actor() != c.actor || c.by.Words() != c.words {
			t.Errorf("%q, %q", c.by.Actor(), c.by.Words())
		}
	}
}

// A group is filled and emptied by hand, and a just-in-time one only emptied.
func TestMemberships(t *testing.T) {
	h := open(t)
	w, ctx := h.world(), t.Context()
	by := w.as(store.RoleIdentityAdmin)
	in := func(user, group string) bool {
		t.Helper()
		all, err := w.Store.UserGroups(ctx, w.env, user)
		must(t, err)
		return slices.ContainsFunc(all, func(g store.GroupMembership) bool { return g.Group.ID == group })
	}
	must(t, w.AddMember(ctx, by, w.second.ID, w.group.ID))
	must(t, w.AddMember(ctx, by, w.second.ID, w.group.ID)) // again is no mistake
	if !in(w.second.ID, w.group.ID) {
		t.Error("bob is not in it")
	}
	must(t, w.RemoveMember(ctx, by, w.second.ID, w.group.ID, nil))
	if err := w.RemoveMember(ctx, by, w.second.ID, w.group.ID, nil); in(w.second.ID, w.group.ID) ||
		!errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	must(t, w.Store.Provision(ctx, func(tx *store.Tx) error {
		return tx.AddMemberships(ctx, w.env, w.user.ID, []store.Joined{{GroupID: w.jit.ID}}, time.Now())
	}))
	must(t, w.RemoveMember(ctx, by, w.user.ID, w.jit.ID, func(seen store.GroupMembership) error {
		if seen.Group.ID != w.jit.ID {
			t.Errorf("%+v", seen)
		}
		return nil
	}))
	g, err := w.ChangeGroup(ctx, by, w.jit.ID, func(g *store.Group) error {
		g.Description, g.ExternalID = "d", "e"
		return nil
	})
	if err != nil || g.Description != "d" || g.ExternalID != "e" || m.Origin(g) != "the directory" {
		t.Errorf("%+v, %v", g, err)
	}
	if m.Origin(store.Group{SourceType: store.SourceIDP}) != "the identity provider" {
		t.Error("where the members of an identity provider's group are decided")
	}
	made := store.Group{Name: "Plain"}
	must(t, w.CreateGroup(ctx, by, &made))
	if made.DisplayName != "Plain" {
		t.Errorf("%+v", made)
	}
}

// The default population is one at a time.
func TestDefaultPopulation(t *testing.T) {
	h := open(t)
	w, ctx := h.world(), t.Context()
	by := w.as(store.RoleIdentityAdmin)
	u := store.User{Username: "eve"}
	must(t, w.CreateUser(ctx, by, &u))
	if u.PopulationID != w.population.ID || u.Enabled {
		t.Errorf("%+v", u)
	}
	p, err := w.ChangePopulation(ctx, by, w.more.ID, func(p *store.Population) error { p.Default = true; return nil })
	if err != nil || !p.Default {
		t.Errorf("%+v, %v", p, err)
	}
	if before, err := w.Store.Population(ctx, w.env, w.population.ID); err != nil || before.Default {
		t.Errorf("%+v, %v", before, err)
	}
	u, err = w.ChangeUser(ctx, by, u.ID, func(u *store.User) error { u.PopulationID, u.Enabled = "", true; return nil })
	if err != nil || u.PopulationID != w.more.ID {
		t.Errorf("%+v, %v", u, err)
	}
	has(t, w.activities()[0].Text, "user eve was enabled by client IDENTITY_ADMIN")
	_, err = w.ChangeUser(ctx, by, u.ID, func(u *store.User) error { u.Enabled = false; return nil })
	must(t, err)
	has(t, w.activities()[0].Text, "user eve was disabled")
}
