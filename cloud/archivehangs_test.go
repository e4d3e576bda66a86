package cloud

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ldap-gateway/cloud/store"
)

// hanging is an archive whose files of some kind, of one environment, hang until they are released.
func hanging(t *testing.T, dir, env, kind string) (a *archive, began <-chan string, release func()) {
	t.Helper()
	a, err := archiveTo(dir)
	must(t, err)
	a.patience = 2 * time.Second // a disk of a busy machine takes as long
	hung, free := make(chan string, 1000), make(chan struct{})
	a.add = func(path string, text []byte) error {
		if strings.HasPrefix(path, filepath.Join(dir, env, kind)) {
			hung <- path
			<-free
		}
		return appendTo(path, text)
	}
	return a, hung, func() { close(free) }
}

// TestFolderThatHangsAtTheStart: a node does not wait for it, and hears what ends in time.
func TestFolderThatHangsAtTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, free := time.Now(), make(chan error)
		if err := inTime(startPatience, func() error { return <-free }); !errors.Is(err, errHangs) || time.Since(from) != startPatience {
			t.Errorf("after %s: %v", time.Since(from), err)
		}
		free <- nil // it ends, and nothing is left behind
		for _, want := range []error{nil, os.ErrPermission} {
			if err := inTime(startPatience, func() error { return want }); !errors.Is(err, want) {
				t.Error(err)
			}
		}
	})
}

// TestArchiveThatHangs keeps nobody waiting but what it is to take: people sign on, what else is too
// old goes, there is an alert, and once the disk answers all of it is there, once.
func TestArchiveThatHangs(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	for kind, first := range map[string]store.Swept{
		"sign-ons":   {SignOns: 300, Activities: 300}, // its activities wait behind them
		"activities": {SignOns: 600, Activities: 300},
	} {
		db, old := aged(t, now)
		envs, err := db.Environments(t.Context())
		must(t, err)
		dir := filepath.Join(t.TempDir(), "kept")
		a, began, release := hanging(t, dir, envs[0].ID, kind)
		swept := make(chan store.Swept)
		go func() {
			n, err := db.Sweep(t.Context(), now, a.to())
			if !errors.Is(err, errHangs) {
				t.Errorf("%s: %v", kind, err)
			}
			swept <- n
		}()
		<-began
		must(t, db.Writable(t.Context()))
		must(t, db.RecordSignOn(t.Context(), &store.SignOn{EnvironmentID: envs[0].ID, At: now, Outcome: "busy"}))
		n := <-swept
		if n != first || len(a.alerts()) != 1 {
			t.Errorf("%s: %+v, %v", kind, n, a.alerts())
		}
		if _, err := db.Sweep(t.Context(), now, a.to()); !errors.Is(err, errHangs) {
			t.Errorf("%s: again: %v", kind, err)
		}
		release()
		for a.busy() {
			await(t)
		}
		rest, err := db.Sweep(t.Context(), now, a.to())
		if n.SignOns+rest.SignOns != 600 || n.Activities+rest.Activities != 600 || err != nil {
			t.Errorf("%s: %+v, then %+v, %v", kind, n, rest, err)
		}
		if len(archived(t, dir, "sign-ons")) != len(old) || len(archived(t, dir, "activities")) != len(old) {
			t.Errorf("%s: not all is kept", kind)
		}
		if len(a.alerts()) != 0 || len(a.written) != 0 {
			t.Errorf("%s: %v, %d files are remembered", kind, a.alerts(), len(a.written))
		}
	}
}

// TestStopsThoughArchiveHangs: a node that stops waits for no disk.
func TestStopsThoughArchiveHangs(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	db, _ := aged(t, now)
	a, began, release := hanging(t, filepath.Join(t.TempDir(), "kept"), "", "")
	a.patience = time.Hour
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { _, err := db.Sweep(ctx, now, a.to()); ended <- err }()
	<-began
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	release()
	for a.busy() {
		await(t)
	}
}

// busy tells whether something is being written.
func (a *archive) busy() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.writing) > 0
}

// TestFewHang: each environment that hangs takes a thread, so that only some may.
func TestFewHang(t *testing.T) {
	dir := t.TempDir()
	a, began, release := hanging(t, dir, "", "")
	a.patience = time.Millisecond
	for i := range mostWriting + 5 {
		x := store.Activity{ID: "i", EnvironmentID: "e" + string(rune('a'+i))}
		if err := a.Activities(t.Context(), []store.Activity{x}); !errors.Is(err, errHangs) {
			t.Error(err)
		}
	}
	release()
	for a.busy() {
		await(t)
	}
	if len(began) != mostWriting {
		t.Errorf("%d hung", len(began))
	}
}
