package store_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// onFile opens a store in a file, whatever engine the other tests are on.
func onFile(t testing.TB) (s *store.Store, file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "cloud db?.db")
	return openAt(t, file), file
}

// A copy is of one moment, also while the program goes on, and has everything but what
// opens something without a password.
func TestBackup(t *testing.T) {
	s, file := onFile(t)
	w := build(t, s, "one")
	ctx := t.Context()
	i := pairedInstance(t, s, w)
	_, _, err := s.AdvanceEpoch(ctx, i.ID, 0)
	must(t, err)
	client := store.Client{EnvironmentID: w.env.ID, Name: "c"}
	must(t, s.CreateClient(ctx, &client))
	must(t, s.CreateToken(ctx, []byte("token"), client.ID, w.env.ID, time.Now().Add(time.Hour)))
	must(t, s.CommitSession(ctx, "session", []byte("x"), time.Now().Add(time.Hour)))
	a := application(t, s, w)
	z := signedOn(t, s, w, a, "code")
	token := store.Token{
		EnvironmentID:   w.env.ID,
		ApplicationID:   a.ID,
		AuthorizationID: z.ID,
		Scopes:          []string{"openid"},
	}
	token.SignedOn.UserID = w.user.ID
	token.AccessUntil, token.ExpiresAt = time.Now().Add(time.Hour), time.Now().Add(time.Hour)
	must(t, s.AddToken(ctx, &token, nil, time.Now()))

	to := filepath.Join(t.TempDir(), "copy.db")
	must(t, store.Backup(ctx, file, to))
	person(t, s, w, "after")
	want(t, store.Backup(ctx, file, to), fs.ErrExist)
	if info, err := os.Stat(to); err != nil || info.Size() == 0 {
		t.Errorf("%v, %v", info, err)
	}

	must(t, store.Restored(ctx, to))
	restored := openAt(t, to)
	u, err := restored.User(ctx, w.env.ID, w.user.ID)
	if err != nil || u.Username != w.user.Username {
		t.Errorf("%+v, %v", u, err)
	}
	if _, err := restored.UserByUsername(ctx, w.env.ID, "User after"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("what came after the copy is in it: %v", err)
	}
	_, err = restored.TokenClient(ctx, []byte("token"), time.Now())
	want(t, err, store.ErrNotFound)
	_, err = restored.Token(ctx, w.env.ID, token.ID, time.Now())
	want(t, err, store.ErrNotFound)
	must(t, restored.CreateAuthorization(ctx, &z, nil)) // there is none of its ID any more
	if _, found, err := restored.FindSession(ctx, "session"); found || err != nil {
		t.Errorf("a session is found: %t, %v", found, err)
	}
	// An instance has gone on since.
	next, missing, err := restored.AdvanceEpoch(ctx, i.ID, 17)
	if err != nil || next != 18 || missing != 16 {
		t.Errorf("%d, %d, %v", next, missing, err)
	}
	_, _, err = restored.AdvanceEpoch(ctx, i.ID, 3)
	want(t, err, store.ErrCloned)
}

// Only an SQLite file is copied, and nothing is left of a copy that failed.
func TestBackupThatFails(t *testing.T) {
	ctx := t.Context()
	want(t, store.Backup(ctx, "postgres://db.example/cloud", "x"), store.ErrPostgres)
	folder := t.TempDir()
	to := filepath.Join(folder, "copy.db")
	if err := store.Backup(ctx, filepath.Join(folder, "none.db"), to); err == nil {
		t.Error("no database was copied")
	}
	if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a part of a copy is left: %v", err)
	}
	if err := store.Backup(
		ctx,
		filepath.Join(folder, "none.db"),
		filepath.Join(folder, "none", "copy.db"),
	); err == nil {
		t.Error("a copy was made in a folder that does not exist")
	}
}

// What is no database, or not whole, is not restored, and the reason is a sentence.
func TestDamagedCopies(t *testing.T) {
	s, file := onFile(t)
	build(t, s, "one")
	to := filepath.Join(t.TempDir(), "copy.db")
	must(t, store.Backup(t.Context(), file, to))
	whole, err := os.ReadFile(to)
	must(t, err)
	for name, spoil := range map[string]func(b []byte) []byte{
		"no database": func([]byte) []byte { return []byte("this is a letter, and no database at all, whatever its name is") },
		"half of it":  func(b []byte) []byte { return b[:len(b)/2] },
		"a page gone": func(b []byte) []byte {
			clear(b[len(b)-3*4096 : len(b)-2*4096])
			return b
		},
	} {
		damaged := filepath.Join(t.TempDir(), "damaged.db")
		must(t, os.WriteFile(damaged, spoil(append([]byte{}, whole...)), 0o600))
		err := store.Restored(t.Context(), damaged)
		if !errors.Is(err, store.ErrDamaged) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if text := err.Error(); strings.Contains(text, "%!") || strings.HasSuffix(text, ": ") {
			t.Errorf("%s: %q is no sentence", name, text)
		}
	}
}
