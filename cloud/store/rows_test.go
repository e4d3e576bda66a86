package store_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// same fails unless what was read is what was written.
func same[T any](t testing.TB, got, written T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, written) {
		t.Errorf("read    %+v\nwritten %+v", got, written)
	}
}

// moment is a time as the database keeps it.
func moment(minutes int) time.Time {
	return time.Date(2026, 1, 2, 3, minutes, 5, 6000, time.UTC)
}

// administrator adds an owner.
func administrator(t testing.TB, s *store.Store, w world, name string) store.Administrator {
	t.Helper()
	a := store.Administrator{EnvironmentID: w.env.ID, Name: name, Role: store.RoleOwner}
	must(t, s.CreateAdministrator(t.Context(), &a))
	return a
}

// Of an administrator everything that is written is read, under the name in any
// letters, and within the environment alone.
func TestAdministrators(t *testing.T) {
	s := open(t)
	w, other := build(t, s, "one"), build(t, s, "two")
	ctx := t.Context()
	ada := store.Administrator{
		EnvironmentID: w.env.ID,
		Name:          "Ada",
		Role:          store.RoleOwner,
		PasswordHash:  "argon2id",
		SetupHash:     []byte{1, 0, 2},
		TOTP:          []byte("sealed"),
		CreatedAt:     moment(1),
	}
	must(t, s.CreateAdministrator(ctx, &ada))
	got, err := s.AdministratorByID(ctx, w.env.ID, ada.ID)
	same(t, got, ada, err)
	got, err = s.Administrator(ctx, "ADA")
	same(t, got, ada, err)
	_, err = s.AdministratorByID(ctx, other.env.ID, ada.ID)
	want(t, err, store.ErrNotFound)

	bob := administrator(t, s, w, "bob")
	administrator(t, s, other, "eve")
	all, err := s.Administrators(ctx, w.env.ID)
	same(t, all, []store.Administrator{ada, bob}, err)

	// A name is one of the whole cloud's: people sign in by it before it is known where.
	clash := store.Administrator{EnvironmentID: other.env.ID, Name: "aDA", Role: store.RoleOwner}
	want(t, s.CreateAdministrator(ctx, &clash), store.ErrConflict)
	bob.Name = "ADA"
	want(t, s.UpdateAdministrator(ctx, &bob), store.ErrConflict)

	ada.Role, ada.TOTP, ada.SetupHash = store.RoleReadOnly, nil, nil
	must(t, s.UpdateAdministrator(ctx, &ada))
	got, err = s.AdministratorByID(ctx, w.env.ID, ada.ID)
	same(t, got, ada, err)
	stranger := ada
	stranger.EnvironmentID = other.env.ID
	want(t, s.UpdateAdministrator(ctx, &stranger), store.ErrNotFound)
}

// An environment keeps an owner, and what would leave it without one is undone.
func TestAnOwnerStays(t *testing.T) {
	s := open(t)
	w, other := build(t, s, "one"), build(t, s, "two")
	ctx := t.Context()
	ada := administrator(t, s, w, "ada")
	administrator(t, s, other, "their owner")
	lesser := ada
	lesser.Role = store.RoleIdentityAdmin
	want(t, s.UpdateAdministrator(ctx, &lesser), store.ErrLastOwner)
	want(t, s.DeleteAdministrator(ctx, w.env.ID, ada.ID), store.ErrLastOwner)
	got, err := s.AdministratorByID(ctx, w.env.ID, ada.ID)
	same(t, got.Role, store.RoleOwner, err)

	bob := administrator(t, s, w, "bob")
	must(t, s.UpdateAdministrator(ctx, &lesser))
	want(t, s.DeleteAdministrator(ctx, w.env.ID, bob.ID), store.ErrLastOwner)
	must(t, s.DeleteAdministrator(ctx, w.env.ID, ada.ID))
	want(t, s.DeleteAdministrator(ctx, w.env.ID, ada.ID), store.ErrNotFound)
	want(t, s.DeleteAdministrator(ctx, other.env.ID, bob.ID), store.ErrNotFound)
}

// A set-up secret is good once; a reset takes every proof away and makes another.
func TestSetUpAndReset(t *testing.T) {
	s := open(t)
	w, other := build(t, s, "one"), build(t, s, "two")
	ctx := t.Context()
	ada := administrator(t, s, w, "ada")
	for _, secret := range []string{"", "secret"} { // none is not the empty one
		_, err := s.SetUpAdministrator(ctx, "ada", []byte(secret), moment(1), "hash")
		want(t, err, store.ErrNotFound)
	}
	must(t, s.ResetAdministrator(ctx, w.env.ID, ada.ID, []byte("secret"), moment(2)))
	for name, secret := range map[string]string{"ada": "other", "nobody": "secret"} {
		_, err := s.SetUpAdministrator(ctx, name, []byte(secret), moment(1), "hash")
		want(t, err, store.ErrNotFound)
	}
	got, err := s.SetUpAdministrator(ctx, "ADA", []byte("secret"), moment(1), "hash")
	if err != nil || got.PasswordHash != "hash" || got.SetupHash != nil {
		t.Errorf("%+v, %v", got, err)
	}
	_, err = s.SetUpAdministrator(ctx, "ada", []byte("secret"), moment(1), "another")
	want(t, err, store.ErrNotFound)

	got.TOTP = []byte("sealed")
	must(t, s.UpdateAdministrator(ctx, &got))
	key := store.Passkey{ID: "key", EnvironmentID: w.env.ID, AdministratorID: ada.ID}
	must(t, s.AddPasskey(ctx, &key))
	want(t, s.ResetAdministrator(ctx, other.env.ID, ada.ID, []byte("x"), moment(2)), store.ErrNotFound)
	if keys, err := s.Passkeys(ctx, ada.ID); err != nil || len(keys) != 1 {
		t.Errorf("another environment's reset took %v, %v", keys, err)
	}
	must(t, s.ResetAdministrator(ctx, w.env.ID, ada.ID, []byte("new"), moment(2)))
	got, err = s.AdministratorByID(ctx, w.env.ID, ada.ID)
	if err != nil || got.PasswordHash != "" || got.TOTP != nil || string(got.SetupHash) != "new" {
		t.Errorf("%+v, %v", got, err)
	}
	if keys, err := s.Passkeys(ctx, ada.ID); err != nil || len(keys) != 0 {
		t.Errorf("%v, %v", keys, err)
	}
}

// A one-time password is good once, and none of an earlier step is good any more; of
// administrators and of people alike.
func TestOneTimePasswords(t *testing.T) {
	s := open(t)
	w, other := build(t, s, "one"), build(t, s, "two")
	ctx := t.Context()
	ada := administrator(t, s, w, "ada")
	must(t, s.SetPersonFactor(ctx, w.env.ID, w.user.ID, []byte("sealed")))
	for name, use := range map[string]func(env, id string, step int64) error{
		ada.ID:    func(env, id string, step int64) error { return s.UseOneTimePassword(ctx, env, id, step) },
		w.user.ID: func(env, id string, step int64) error { return s.UsePersonOneTime(ctx, env, id, step) },
	} {
		must(t, use(w.env.ID, name, 7))
		want(t, use(w.env.ID, name, 7), store.ErrUsed)
		want(t, use(w.env.ID, name, 6), store.ErrUsed)
		want(t, use(other.env.ID, name, 8), store.ErrNotFound)
		must(t, use(w.env.ID, name, 8))
		want(t, use(w.env.ID, "none", 9), store.ErrNotFound)
	}
}

// A person's second factor is their own: another environment neither sees nor sets it.
func TestPersonFactorsApart(t *testing.T) {
	s := open(t)
	w, other := build(t, s, "one"), build(t, s, "two")
	ctx := t.Context()
	got, err := s.PersonFactor(ctx, w.env.ID, w.user.ID)
	same(t, got, nil, err)
	want(t, s.SetPersonFactor(ctx, other.env.ID, w.user.ID, []byte("theirs")), store.ErrNotFound)
	must(t, s.SetPersonFactor(ctx, w.env.ID, w.user.ID, []byte("ours")))
	want(t, s.SetPersonFactor(ctx, other.env.ID, w.user.ID, []byte("theirs")), store.ErrNotFound)
	must(t, s.SetPersonFactor(ctx, other.env.ID, w.user.ID, nil)) // takes nothing away
	got, err = s.PersonFactor(ctx, w.env.ID, w.user.ID)
	same(t, got, []byte("ours"), err)
	got, err = s.PersonFactor(ctx, other.env.ID, w.user.ID)
	same(t, got, nil, err)
	must(t, s.SetPersonFactor(ctx, w.env.ID, w.user.ID, []byte("new")))
	got, err = s.PersonFactor(ctx, w.env.ID, w.user.ID)
	same(t, got, []byte("new"), err)
	must(t, s.DeleteUser(ctx, w.env.ID, w.user.ID))
	got, err = s.PersonFactor(ctx, w.env.ID, w.user.ID)
	same(t, got, nil, err)
}

// A passkey is its administrator's, and goes with them.
func TestPasskeys(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	ctx := t.Context()
	ada, bob := administrator(t, s, w, "ada"), administrator(t, s, w, "bob")
	first := store.Passkey{
		ID:              "first",
		EnvironmentID:   w.env.ID,
		AdministratorID: ada.ID,
		Name:            "laptop",
		Credential:      []byte(`{"x":1}`),
		CreatedAt:       moment(1),
	}
	second := first
	second.ID, second.CreatedAt = "second", moment(2)
	must(t, s.AddPasskey(ctx, &second))
	must(t, s.AddPasskey(ctx, &first))
	all, err := s.Passkeys(ctx, ada.ID)
	same(t, all, []store.Passkey{first, second}, err)

	again := first
	again.AdministratorID = bob.ID
	want(t, s.AddPasskey(ctx, &again), store.ErrConflict)
	again.ID, again.AdministratorID = "third", "nobody"
	want(t, s.AddPasskey(ctx, &again), store.ErrNotFound)

	first.Credential, first.UsedAt = []byte(`{"x":2}`), moment(9)
	must(t, s.UpdatePasskey(ctx, &first))
	got, err := s.Passkey(ctx, "first")
	same(t, got, first, err)
	stolen := first
	stolen.AdministratorID = bob.ID
	want(t, s.UpdatePasskey(ctx, &stolen), store.ErrNotFound)
	want(t, s.DeletePasskey(ctx, bob.ID, "first"), store.ErrNotFound)
	must(t, s.DeletePasskey(ctx, ada.ID, "first"))
	_, err = s.Passkey(ctx, "first")
	want(t, err, store.ErrNotFound)
	must(t, s.DeleteAdministrator(ctx, w.env.ID, ada.ID))
	_, err = s.Passkey(ctx, "second")
	want(t, err, store.ErrNotFound)
}

// A recovery code is good once, for whose it is; new ones end those of before, and a reset all.
func TestRecoveryCodes(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	ctx := t.Context()
	ada, bob := administrator(t, s, w, "ada"), administrator(t, s, w, "bob")
	count := func(id string, made, left int) {
		t.Helper()
		got, err := s.RecoveryCodes(ctx, id)
		same(t, got, store.RecoveryCodes{Made: made, Left: left}, err)
	}
	count(ada.ID, 0, 0)
	must(t, s.SetRecoveryCodes(ctx, ada.ID, [][]byte{[]byte("one"), []byte("two"), []byte("three")}))
	must(t, s.SetRecoveryCodes(ctx, bob.ID, [][]byte{[]byte("one")}))
	want(t, s.SetRecoveryCodes(ctx, "nobody", [][]byte{[]byte("one")}), store.ErrNotFound)
	count(ada.ID, 3, 3)
	must(t, s.UseRecoveryCode(ctx, ada.ID, []byte("one"), moment(1)))
	want(t, s.UseRecoveryCode(ctx, ada.ID, []byte("one"), moment(2)), store.ErrNotFound)
	want(t, s.UseRecoveryCode(ctx, bob.ID, []byte("two"), moment(2)), store.ErrNotFound)
	count(ada.ID, 3, 2)
	count(bob.ID, 1, 1)
	must(t, s.SetRecoveryCodes(ctx, ada.ID, [][]byte{[]byte("four")}))
	want(t, s.UseRecoveryCode(ctx, ada.ID, []byte("two"), moment(3)), store.ErrNotFound)
	must(t, s.ResetAdministrator(ctx, w.env.ID, ada.ID, []byte("set-up"), moment(2)))
	count(ada.ID, 0, 0)
	must(t, s.DeleteAdministrator(ctx, w.env.ID, bob.ID))
	count(bob.ID, 0, 0)
}

// An API client is read as it was written, and its access tokens end with its secret,
// its role and with itself.
func TestClients(t *testing.T) {
	s := open(t)
	w, other := build(t, s, "one"), build(t, s, "two")
	ctx, now := t.Context(), time.Now()
	usual := store.Client{EnvironmentID: w.env.ID, Name: "usual", SecretHash: []byte{7}, CreatedAt: moment(2)}
	must(t, s.CreateClient(ctx, &usual))
	same(t, usual.Role, store.RoleIdentityAdmin, nil)
	reader := store.Client{EnvironmentID: w.env.ID, Name: "reader", Role: store.RoleReadOnly, CreatedAt: moment(1)}
	must(t, s.CreateClient(ctx, &reader))
	got, err := s.Client(ctx, w.env.ID, usual.ID)
	same(t, got, usual, err)
	_, err = s.Client(ctx, other.env.ID, usual.ID)
	want(t, err, store.ErrNotFound)
	all, err := s.Clients(ctx, w.env.ID)
	same(t, all, []store.Client{reader, usual}, err)
	all, err = s.Clients(ctx, other.env.ID)
	same(t, len(all), 0, err)

	token := func(name string, life time.Duration) {
		t.Helper()
		must(t, s.CreateToken(ctx, []byte(name), usual.ID, w.env.ID, now.Add(life)))
	}
	good := func(name string) bool {
		t.Helper()
		_, err := s.TokenClient(ctx, []byte(name), now)
		if err != nil {
			want(t, err, store.ErrNotFound)
		}
		return err == nil
	}
	token("long", time.Hour)
	token("over", -time.Second)
	if !good("long") || good("over") || good("none") {
		t.Error("which tokens are good")
	}
	want(t, s.CreateToken(ctx, []byte("long"), usual.ID, w.env.ID, now.Add(time.Hour)), store.ErrConflict)

	usual.Name, usual.Role, usual.SecretHash = "renamed", store.RoleOwner, []byte{8}
	usual.Former = store.FormerSecret{Hash: []byte{7}, Until: now.Add(time.Hour).UTC().Truncate(time.Second)}
	must(t, s.SetClientSecrets(ctx, &usual))
	got, err = s.Client(ctx, w.env.ID, usual.ID)
	same(t, got, usual, err)
	if !good("long") {
		t.Error("a token ended with nothing taken away")
	}
	usual.Former = store.FormerSecret{}
	must(t, s.UpdateClient(ctx, &usual))
	got, err = s.Client(ctx, w.env.ID, usual.ID)
	same(t, got, usual, err)
	if good("long") {
		t.Error("a token of the old secret is good")
	}
	stranger := usual
	stranger.EnvironmentID = other.env.ID
	want(t, s.UpdateClient(ctx, &stranger), store.ErrNotFound)
	want(t, s.SetClientSecrets(ctx, &stranger), store.ErrNotFound)
	token("new", time.Hour)
	want(t, s.DeleteClient(ctx, other.env.ID, usual.ID), store.ErrNotFound)
	must(t, s.DeleteClient(ctx, w.env.ID, usual.ID))
	want(t, s.DeleteClient(ctx, w.env.ID, usual.ID), store.ErrNotFound)
	if good("new") {
		t.Error("a token of no client is good")
	}
}

// An environment has its name, its settings and its picture.
func TestEnvironments(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	first := store.Environment{Name: "first"}
	must(t, s.CreateEnvironment(ctx, &first))
	second := store.Environment{Name: "second", ShortName: "two", CreatedAt: moment(1)}
	second.Settings.SecondFactor = true
	second.Settings.SignOnOrder = []store.UserTypeRef{{Gateway: "g", UserType: "t"}}
	must(t, s.CreateEnvironment(ctx, &second))
	got, err := s.Environment(ctx, second.ID)
	same(t, got, second, err)
	all, err := s.Environments(ctx)
	same(t, all, []store.Environment{first, second}, err)

	got, err = s.EnvironmentByShortName(ctx, "two")
	same(t, got, second, err)
	want(t, s.CreateEnvironment(ctx, &store.Environment{Name: "third", ShortName: "two"}), store.ErrConflict)
	first.ShortName = "two"
	want(t, s.UpdateEnvironment(ctx, &first), store.ErrConflict)
	for _, name := range []string{"", "TWO", "one"} { // "" is that of first
		_, err = s.EnvironmentByShortName(ctx, name)
		want(t, err, store.ErrNotFound)
	}

	second.Name, second.ShortName, second.Settings = "renamed", "new", store.Settings{}
	must(t, s.UpdateEnvironment(ctx, &second))
	if !second.UpdatedAt.After(second.CreatedAt) {
		t.Errorf("updated at %s", second.UpdatedAt)
	}
	got, err = s.Environment(ctx, second.ID)
	same(t, got, second, err)
	_, err = s.EnvironmentByShortName(ctx, "two")
	want(t, err, store.ErrNotFound)
	want(t, s.UpdateEnvironment(ctx, &store.Environment{ID: "none"}), store.ErrNotFound)
	_, err = s.Environment(ctx, "none")
	want(t, err, store.ErrNotFound)

	_, err = s.Logo(ctx, second.ID)
	want(t, err, store.ErrNotFound)
	must(t, s.SetLogo(ctx, second.ID, []byte{0x89, 0, 'P'}))
	png, err := s.Logo(ctx, second.ID)
	same(t, png, []byte{0x89, 0, 'P'}, err)
	for id, has := range map[string]bool{first.ID: false, second.ID: true} {
		e, err := s.Environment(ctx, id)
		same(t, e.HasLogo, has, err)
	}
	must(t, s.SetLogo(ctx, second.ID, nil))
	_, err = s.Logo(ctx, second.ID)
	want(t, err, store.ErrNotFound)
	want(t, s.SetLogo(ctx, "none", nil), store.ErrNotFound)
	_, err = s.Logo(ctx, "none")
	want(t, err, store.ErrNotFound)
}

// What is kept for certificates is what was kept last under the name.
func TestACME(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	_, err := s.ACME(ctx, "account")
	want(t, err, store.ErrNotFound)
	for _, sealed := range []string{"one", "two"} {
		must(t, s.KeepACME(ctx, "account", []byte(sealed)))
		got, err := s.ACME(ctx, "account")
		same(t, string(got), sealed, err)
	}
	must(t, s.KeepACME(ctx, "account", nil))
	must(t, s.KeepACME(ctx, "account", nil))
	_, err = s.ACME(ctx, "account")
	want(t, err, store.ErrNotFound)
}

// Roles are listed from the mightiest, and each covers those behind it.
func TestRolesCover(t *testing.T) {
	all := store.Roles()
	for i, have := range all {
		for j, wanted := range all {
			if have.Covers(wanted) != (i <= j) {
				t.Errorf("%s covers %s: %t", have, wanted, have.Covers(wanted))
			}
		}
		if have.Covers("NONSENSE") {
			t.Errorf("%s covers a role that is none", have)
		}
	}
	if slices.Contains(all, store.RoleSignOn) || store.RoleSignOn.Covers(store.RoleReadOnly) {
		t.Error("who signs people on may read")
	}
}
