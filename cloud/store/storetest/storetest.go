// Package storetest gives tests an empty store in no time: migrations are run once, and
// each test gets a copy of what they made.
package storetest

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/pgtest"
)

// empty is a database file with all tables and nothing in them.
var empty = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "storetest")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "empty.db")
	if err := migrate(file); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
})

// migrate makes the tables.
func migrate(where string) error {
	s, err := store.Open(context.Background(), where)
	if err != nil {
		return err
	}
	return s.Close()
}

// Where returns where an empty store is: a file of the test's own, or in a run of
// [pgtest.Again] an empty schema.
func Where(t testing.TB) string {
	t.Helper()
	if where := pgtest.Database(t); where != "" {
		return where
	}
	return File(t)
}

// Folder returns a folder of the test's own, in memory where there is such a place: the
// disk is not what is looked at.
func Folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "storetest")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// File returns the file of an empty store.
func File(t testing.TB) string {
	t.Helper()
	b, err := empty()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(Folder(t), "cloud.db")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
