package cloud

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud/alerts"
	"ldap-gateway/cloud/oidc"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/pgtest"
	"ldap-gateway/cloud/vault"
)

// TestMasterKeyOfAnotherOnPostgres: there as well, when pg_restore has put a database back.
func TestMasterKeyOfAnotherOnPostgres(t *testing.T) {
	database, folder := pgtest.Start(t).Database(), t.TempDir()
	key, other := filepath.Join(folder, "master.key"), filepath.Join(folder, "other.key")
	_, err := vault.Create(other)
	must(t, err)
	setup, err := Init(t.Context(), database, key, "E", "https://id.example.com")
	must(t, err)
	must(t, FinishRestore(t.Context(), database, other)) // nothing is sealed
	db, err := store.Open(t.Context(), database)
	must(t, err)
	v, err := vault.Open(key)
	must(t, err)
	k := store.SigningKey{ID: "k", EnvironmentID: setup.EnvironmentID, Algorithm: store.RS256, CreatedAt: time.Now()}
	k.Sealed = v.Seal(oidc.PurposeKey, k.ID, []byte("x"))
	must(t, errors.Join(db.AddSigningKey(t.Context(), k, time.Time{}, time.Time{}), db.Close()))
	for named, want := range map[string]error{other: ErrOtherKey, key: nil, "": nil, key + " of nobody": os.ErrNotExist} {
		if err := FinishRestore(t.Context(), database, named); !errors.Is(err, want) {
			t.Errorf("%q: %v", named, err)
		}
	}
	s := &Server{Database: database, MasterKey: other, Listen: "127.0.0.1:0", Logger: hclog.NewNullLogger()}
	if err := s.Run(t.Context()); !errors.Is(err, ErrOtherKey) {
		t.Errorf("run: %v", err)
	}
}

// TestMasterKeyOfAnother: whatever is sealed in a database, neither restore nor run takes another
// cloud's master key, of which nothing is left; the right one is taken, and any where nothing is sealed.
func TestMasterKeyOfAnother(t *testing.T) {
	for name, seal := range map[string]func(*store.Store, *vault.Vault, string) error{
		"nothing": nil,
		"signing key": func(db *store.Store, v *vault.Vault, env string) error {
			k := store.SigningKey{ID: "k", EnvironmentID: env, Algorithm: store.RS256, CreatedAt: time.Now()}
			k.Sealed = v.Seal(oidc.PurposeKey, k.ID, []byte("x"))
			return db.AddSigningKey(t.Context(), k, time.Time{}, time.Time{})
		},
		"EC signing key": func(db *store.Store, v *vault.Vault, env string) error {
			k := store.SigningKey{ID: "k", EnvironmentID: env, Algorithm: store.ES256, CreatedAt: time.Now()}
			k.Sealed = v.Seal(oidc.PurposeKey, k.ID, []byte("x"))
			return db.AddSigningKey(t.Context(), k, time.Time{}, time.Time{})
		},
		"webhook": func(db *store.Store, v *vault.Vault, env string) error {
			c, _, err := (&alerts.Post{Vault: v}).Make(env, "c", alerts.Webhook, "https://hook.example.com/")
			return errors.Join(err, db.CreateAlertChannel(t.Context(), &c))
		},
		"certificate by ACME": func(db *store.Store, v *vault.Vault, _ string) error {
			return (&sealedCache{db, v}).Put(t.Context(), "n", []byte("x"))
		},
	} {
		data, other, copied := t.TempDir(), t.TempDir()+"/other.key", t.TempDir()+"/copy"
		_, err := vault.Create(other)
		must(t, err)
		setup, err := Init(t.Context(), InFolder(data+"/cloud"), "", "E", "http://127.0.0.1")
		must(t, err)
		key := filepath.Join(data, "cloud", vault.FileName)
		v, err := vault.Open(key)
		must(t, err)
		var want error
		if seal != nil {
			db, err := store.Open(t.Context(), InFolder(data+"/cloud"))
			must(t, err)
			must(t, errors.Join(seal(db, v, setup.EnvironmentID), db.Close()))
			want = ErrOtherKey
		}
		must(t, Backup(t.Context(), data+"/cloud", copied))
		to := t.TempDir() + "/to"
		if err := Restore(t.Context(), to, copied, other); !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
		if want == nil {
			continue
		}
		if _, err := os.Stat(to); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: something is left behind: %v", name, err)
		}
		s := &Server{Database: InFolder(data + "/cloud"), MasterKey: other, Listen: "127.0.0.1:0", Logger: hclog.NewNullLogger()}
		if err := s.Run(t.Context()); !errors.Is(err, want) {
			t.Errorf("%s: run: %v", name, err)
		}
		must(t, Restore(t.Context(), to, copied, key))
	}
}
