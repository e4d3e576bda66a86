package cloud

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/administrators"
	"ldap-gateway/cloud/store"
)

// Who is locked out gets in again, also while the cloud runs.
func TestResetAdministrator(t *testing.T) {
	s := startSiege(t)
	s.signIn()
	if _, err := ResetAdministrator(t.Context(), InFolder(s.data), "", "nobody"); !errors.Is(err, store.ErrNotFound) ||
		!strings.HasSuffix(err.Error(), "Name one of: admin") {
		t.Error(err)
	}
	setup, err := ResetAdministrator(t.Context(), InFolder(s.data), "https://id.example.com", "ADMIN")
	must(t, err)
	if page := s.page("/console/users"); !regexp.MustCompile(`action="/console/sign-in"`).MatchString(page) {
		t.Error("the session of before is still good")
	}
	if want := "https://id.example.com/console/setup?name=admin#" + setup.AdminSetup; setup.SetupURL != want {
		t.Errorf("%s, want %s", setup.SetupURL, want)
	}
	s.secret = setup.AdminSetup
	s.signIn()
}

// As long as nobody has set a password a new link is made, and the one before is good no more.
func TestSetUpAnew(t *testing.T) {
	database := InFolder(t.TempDir() + "/cloud")
	ctx := t.Context()
	if _, err := SetUpAnew(ctx, database, ""); err == nil {
		t.Error("there is no cloud, and it was set up anew")
	}
	const url = "https://id.example.com"
	first, err := Init(ctx, database, "", "Example", url)
	must(t, err)
	again, err := SetUpAnew(ctx, database, url)
	must(t, err)
	if first.SetupURL != url+"/console/setup?name=admin#"+first.AdminSetup || again.AdminSetup == first.AdminSetup ||
		again.SetupURL != url+"/console/setup?name=admin#"+again.AdminSetup || again.EnvironmentID != first.EnvironmentID {
		t.Errorf("%+v, then %+v", first, again)
	}
	db, err := store.Open(ctx, database)
	must(t, err)
	defer db.Close()
	a, err := db.Administrator(ctx, "admin")
	if left := time.Until(a.SetupUntil); err != nil || left <= 0 || left > time.Hour {
		t.Errorf("good for %s, %v", left, err)
	}
	_, err = db.SetUpAdministrator(ctx, "admin", administrators.SetupHash(first.AdminSetup), time.Now(), "hash")
	if !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	_, err = db.SetUpAdministrator(ctx, "admin", administrators.SetupHash(again.AdminSetup), time.Now(), "hash")
	must(t, err)
	if _, err := SetUpAnew(ctx, database, url); !errors.Is(err, ErrInitialised) {
		t.Error(err)
	}
	if a, err = db.Administrator(ctx, "admin"); err != nil || a.PasswordHash != "hash" {
		t.Errorf("%+v, %v", a, err)
	}
}
