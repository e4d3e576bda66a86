package cloud

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/storetest"
)

// aged returns a store with sign-ons and activities of two environments, of which those of
// before 2026 are older than is kept, and the IDs of these.
func aged(t *testing.T, now time.Time) (db *store.Store, old map[string]bool) {
	t.Helper()
	db, err := store.Open(t.Context(), storetest.File(t))
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	old = map[string]bool{}
	for _, name := range []string{"one", "two"} {
		e := store.Environment{Name: name}
		must(t, db.CreateEnvironment(t.Context(), &e))
		for i := range 300 {
			s := store.SignOn{
				EnvironmentID: e.ID, At: now.AddDate(-2, 0, i), Username: "a\n\x01\"b\u2028", Outcome: "busy", Added: []string{"g"},
			}
			a := store.Activity{Action: "x", Text: "ä", Detail: map[string]any{"list": []any{"1"}}}
			must(t, db.RecordSignOn(t.Context(), &s, a))
			old[s.ID] = true
		}
		must(t, db.RecordSignOn(t.Context(), &store.SignOn{EnvironmentID: e.ID, At: now, Outcome: "busy"}))
	}
	return db, old
}

// archived reads every line of an archive's files of a kind, by ID.
func archived(t *testing.T, dir, kind string) map[string]map[string]any {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*", kind+"-*.jsonl"))
	must(t, err)
	all := map[string]map[string]any{}
	for _, file := range files {
		f, err := os.Open(file)
		must(t, err)
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			line := map[string]any{}
			must(t, json.Unmarshal(lines.Bytes(), &line))
			at, err := time.Parse(time.RFC3339, line["at"].(string))
			must(t, err)
			if filepath.Base(file) != kind+"-"+at.Format("2006-01")+".jsonl" {
				t.Errorf("%v is in %s", at, file)
			}
			if all[line["id"].(string)] != nil {
				t.Error("a line is there twice")
			}
			all[line["id"].(string)] = line
		}
	}
	return all
}

// TestArchiveHasWhatIsDeleted, all of it and nothing else, of each environment apart, and
// what it cannot take is not deleted.
func TestArchiveHasWhatIsDeleted(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	db, old := aged(t, now)
	dir := filepath.Join(t.TempDir(), "kept")
	to, err := archiveTo(dir)
	must(t, err)
	envs, err := db.Environments(t.Context())
	must(t, err)
	blocked := filepath.Join(dir, envs[1].ID)
	must(t, os.WriteFile(blocked, nil, 0o600)) // where a folder is to be
	n, err := db.Sweep(t.Context(), now, to.to())
	if err == nil || n != (store.Swept{SignOns: 300, Activities: 300}) || len(to.alerts()) != 1 {
		t.Errorf("of two, of which one cannot be kept: %+v, %v, %v", n, err, to.alerts())
	}
	must(t, os.Remove(blocked))
	if n, err = db.Sweep(t.Context(), now, to.to()); err != nil || n.SignOns != 300 || len(to.alerts()) != 0 {
		t.Errorf("once it can: %+v, %v, %v", n, err, to.alerts())
	}
	signOns := archived(t, dir, "sign-ons")
	for id := range old {
		if s := signOns[id]; s["username"] != "a\n\x01\"b\u2028" || s["added"].([]any)[0] != "g" {
			t.Fatalf("%s: %v", id, s)
		}
	}
	if len(signOns) != len(old) || len(archived(t, dir, "activities")) != len(old) {
		t.Errorf("%d sign-ons are kept, want %d", len(signOns), len(old))
	}
	info, err := os.Stat(filepath.Join(dir, envs[0].ID))
	must(t, err)
	if info.Mode().Perm() != 0o700 {
		t.Error("others may read it")
	}
}

// TestNoArchive deletes, and keeps nothing.
func TestNoArchive(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	db, old := aged(t, now)
	none, err := archiveTo("")
	must(t, err)
	if n, err := db.Sweep(t.Context(), now, none.to()); err != nil || int(n.SignOns) != len(old) || none.alerts() != nil {
		t.Errorf("%+v, %v", n, err)
	}
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	if _, err := archiveTo(filepath.Join(file, "below")); err == nil {
		t.Error("a folder below a file was taken")
	}
}
