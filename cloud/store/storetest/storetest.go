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
	s, err := store.Open(context.Background(), file)
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
})

// Where returns where an empty store is: a file of the test's own, or in a run of
// [pgtest.Again] an empty schema.
func Where(t testing.TB) string {
	t.Helper()
	if where := pgtest.Database(t); where != "" {
		return where
	}
	return File(t)
}

// File returns the file of an empty store.
func File(t testing.TB) string {
	t.Helper()
	b, err := empty()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "cloud.db")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
