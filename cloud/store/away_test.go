package store_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/pgtest"
)

// fullDisk is a folder on a disk of three megabytes. It needs root, as the tests of real
// services do.
func fullDisk(t *testing.T) string {
	t.Helper()
	at := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=3m,mode=700", "tmpfs", at).CombinedOutput(); err != nil {
		t.Fatalf("mount: %v\n%s(the test needs root)", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("umount", "-l", at).Run() })
	return at
}

// TestFullDiskIsUnavailable: a disk without room is no defect of what was to be written,
// is noticed before the next is tried, also by a small one, and is over by itself.
func TestFullDiskIsUnavailable(t *testing.T) {
	at := fullDisk(t)
	s := openAt(t, filepath.Join(at, "cloud.db"))
	w := build(t, s, "one")
	must(t, s.Writable(t.Context()))
	large := strings.Repeat("x", 32<<10) // less than the probe writes, so that what is left is too little for it
	write := func() error {
		return s.AddActivity(t.Context(), store.Activity{EnvironmentID: w.env.ID, Text: large})
	}
	fill := func(size int) (err error) {
		for err == nil {
			err = s.AddActivity(t.Context(), store.Activity{EnvironmentID: w.env.ID, Text: large[:size]})
		}
		return err
	}
	want(t, fill(len(large)), store.ErrUnavailable)
	want(t, fill(100), store.ErrUnavailable) // what a large one leaves is no room for a small one
	want(t, s.Writable(t.Context()), store.ErrUnavailable)
	from := filepath.Join(at, "filler")
	must(t, os.WriteFile(from, nil, 0o600)) // a folder takes names still
	must(t, exec.Command("mount", "-o", "remount,size=30m", at).Run())
	limit := time.After(20 * time.Second)
	for s.Writable(t.Context()) != nil {
		select {
		case <-limit:
			t.Fatal("with room again it is not writable")
		case <-time.After(20 * time.Millisecond):
		}
	}
	must(t, write())
}

// TestPostgresAwayIsUnavailable: what nobody answers is told from a defect, and is over
// when somebody does.
func TestPostgresAwayIsUnavailable(t *testing.T) {
	server := pgtest.Start(t)
	where := server.Database()
	s := openAt(t, where)
	w := build(t, s, "one")
	server.Stop()
	_, err := s.Environment(t.Context(), w.env.ID)
	want(t, err, store.ErrUnavailable)
	want(t, s.AddActivity(t.Context(), store.Activity{EnvironmentID: w.env.ID}), store.ErrUnavailable)
	want(t, s.Writable(t.Context()), store.ErrUnavailable)
	_, err = store.Open(t.Context(), where)
	want(t, err, store.ErrUnavailable)
	server.Restart()
	limit := time.After(20 * time.Second)
	for s.Writable(t.Context()) != nil {
		select {
		case <-limit:
			t.Fatal("it is there again and not writable")
		case <-time.After(20 * time.Millisecond):
		}
	}
	_, err = s.Environment(t.Context(), w.env.ID)
	must(t, err)
}
