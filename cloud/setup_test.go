package cloud

import (
	"errors"
	"path/filepath"
	"testing"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/pgtest"
	"ldap-gateway/cloud/store/storetest"
)

// TestInitAtOnce has four nodes of one database begin at the same moment: one makes the
// cloud, and the others find it.
func TestInitAtOnce(t *testing.T) {
	database, key := pgtest.Start(t).Database(), filepath.Join(t.TempDir(), "master.key")
	ended := make(chan error, 4)
	for range cap(ended) {
		go func() {
			_, err := InitUnattended(t.Context(), database, key, "Example", "https://id.example.com")
			ended <- err
		}()
	}
	made := 0
	for range cap(ended) {
		switch err := <-ended; {
		case err == nil:
			made++
		case !errors.Is(err, ErrInitialised):
			t.Error(err)
		}
	}
	db, err := store.Open(t.Context(), database)
	must(t, err)
	defer db.Close()
	all, err := db.Environments(t.Context())
	must(t, err)
	if made != 1 || len(all) != 1 {
		t.Errorf("%d made one, and there are %d environments", made, len(all))
	}
	_, err = openVault(key, database)
	must(t, err)
}

// TestInitGoesOn where one before it was killed: there are tables, and no cloud.
func TestInitGoesOn(t *testing.T) {
	database := storetest.File(t)
	first, err := Init(t.Context(), database, "", "Example", "https://id.example.com")
	must(t, err)
	if first.ClientSecret == "" || first.AdminSetup == "" {
		t.Errorf("%+v", first)
	}
	if _, err := Init(t.Context(), database, "", "Example", ""); !errors.Is(err, ErrInitialised) {
		t.Error(err)
	}
}
