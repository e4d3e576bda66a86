package administrators

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// A set-up secret sets one password, once, for the one whose it is; an activity tells
// of it, and of no secret.
func TestSetUp(t *testing.T) {
	o := newOffice(t)
	ctx := t.Context()
	secret, hash := NewSetupSecret()
	o.admin.SetupHash = hash
	must(t, o.Store.UpdateAdministrator(ctx, &o.admin))
	const password = "a fine long pass phrase"
	for what, try := range map[string][2]string{
		"another name":   {"eve", secret},
		"another secret": {"ada", secret + "x"},
		"no secret":      {"ada", ""},
	} {
		_, err := o.SetUp(ctx, try[0], try[1], password, "192.0.2.1")
		unproven(t, what, err)
	}
	a, err := o.SetUp(ctx, "ADA", secret, password, "192.0.2.1")
	if err != nil || a.ID != o.admin.ID || a.SetupHash != nil {
		t.Fatalf("%+v, %v", a, err)
	}
	kept, err := o.Store.AdministratorByID(ctx, a.EnvironmentID, a.ID)
	must(t, err)
	if good, err := o.CheckPassword(ctx, Known("1"), kept.PasswordHash, password); err != nil || !good {
		t.Errorf("%v, %v", good, err)
	}
	_, err = o.SetUp(ctx, "ada", secret, "another long pass phrase", "192.0.2.1")
	unproven(t, "again", err)
	all, _, err := o.Store.Activities(
		ctx,
		a.EnvironmentID,
		store.ActivityFilter{Action: "administrator.set-up"},
		store.Page{},
	)
	if err != nil || len(all) != 1 || all[0].Actor != "admin:ada" || all[0].Detail["address"] != "192.0.2.1" {
		t.Fatalf("%+v, %v", all, err)
	}
	if strings.Contains(all[0].Text, secret) || strings.Contains(all[0].Text, password) {
		t.Error(all[0].Text)
	}
}

func TestSetupSecrets(t *testing.T) {
	one, hash := NewSetupSecret()
	two, _ := NewSetupSecret()
	if one == two || len(one) != 20 || string(SetupHash(one)) != string(hash) ||
		string(SetupHash(two)) == string(hash) {
		t.Errorf("%q, %q", one, two)
	}
}

// A set-up secret ends with its time; one of before that was none of its own does not.
func TestSetUpEnds(t *testing.T) {
	o := newOffice(t)
	ctx := t.Context()
	now := time.Now()
	o.Now = func() time.Time { return now }
	secret, hash := NewSetupSecret()
	for left, good := range map[time.Duration]bool{-time.Second: false, 0: false, time.Second: true, SetupHandedOn: true} {
		o.admin.PasswordHash, o.admin.SetupHash, o.admin.SetupUntil = "", hash, now.Add(left)
		must(t, o.Store.UpdateAdministrator(ctx, &o.admin))
		a, err := o.SetUp(ctx, "ada", secret, "a fine long pass phrase", "192.0.2.1")
		if good && (err != nil || !a.SetupUntil.IsZero()) || !good && !errors.Is(err, ErrProof) {
			t.Errorf("%s left: %+v, %v", left, a, err)
		}
	}
	o.admin.PasswordHash, o.admin.SetupHash, o.admin.SetupUntil = "", hash, time.Time{}
	must(t, o.Store.UpdateAdministrator(ctx, &o.admin))
	if _, err := o.SetUp(ctx, "ada", secret, "a fine long pass phrase", "192.0.2.1"); err != nil {
		t.Error(err)
	}
}

// What a browser sends of a set-up link, and a log has, is without the secret, whatever the name.
func TestSetupLinkSendsNoSecret(t *testing.T) {
	secret, _ := NewSetupSecret()
	for _, name := range []string{"admin", "Ada Byron", "a#b&c=d", "é"} {
		u, err := url.Parse(SetupLink("https://id.example.com", name, secret))
		must(t, err)
		if u.Fragment != secret || u.Query().Get("name") != name || strings.Contains(u.RequestURI(), secret) {
			t.Errorf("%s: %s", name, u)
		}
	}
}
