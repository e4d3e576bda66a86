package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/go-hclog"
)

func signOn(i int) Record {
	return Record{
		Instance: "i1",
		SignOn:   &SignOn{ID: fmt.Sprint(i), UserType: "staff", DN: "uid=alice,dc=x", Outcome: "ok", BindSent: true},
	}
}

// lines decodes a file; every line must be whole.
func lines(t *testing.T, path string) (out []Record) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(b) {
		var r Record
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		out = append(out, r)
	}
	return out
}

func open(t *testing.T, l *Log) *Log {
	t.Helper()
	if l.Path == "" {
		l.Path = filepath.Join(t.TempDir(), "state", "audit.jsonl")
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func TestLineForEachRecord(t *testing.T) {
	l := open(t, &Log{})
	l.Write(signOn(1))
	l.Write(
		Record{
			UserTypes: &UserTypes{Revision: 2, Refused: 1, Types: []UserType{{ID: "a", Reasons: []string{"line\nbreak"}}}},
		},
	)
	l.Write(Record{Link: &Link{What: "opened"}})
	l.Write(Record{Frame: &Frame{Why: "malformed"}})
	got := lines(t, l.Path)
	for i, want := range []string{"signOn", "userTypes", "link", "frame"} {
		if got[i].Event != want || got[i].Time.IsZero() {
			t.Errorf("%+v", got[i])
		}
	}
	if len(got) != 4 || got[0].SignOn.DN != "uid=alice,dc=x" || got[1].UserTypes.Types[0].Reasons[0] != "line\nbreak" {
		t.Errorf("%+v", got)
	}
}

// TestRotation has many writers at once: no line is lost or torn, files are
// bounded, and only their owner can read them.
func TestRotation(t *testing.T) {
	l := open(t, &Log{MaxSize: 4096, Keep: 3})
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for i := range 100 {
				l.Write(signOn(w*100 + i))
			}
		})
	}
	writers.Wait()
	files, err := filepath.Glob(l.Path + "*")
	if err != nil || len(files) != 4 {
		t.Fatalf("%v %q", err, files)
	}
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil || info.Size() > 4096 || len(lines(t, f)) == 0 {
			t.Errorf("%v %s %d", err, f, info.Size())
		}
		if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Error(f, info.Mode())
		}
	}
	if l.Err() != nil {
		t.Error(l.Err())
	}
}

func TestKeepNone(t *testing.T) {
	l := open(t, &Log{MaxSize: 1024})
	for i := range 50 {
		l.Write(signOn(i))
	}
	files, err := filepath.Glob(l.Path + "*")
	if got := lines(t, l.Path); err != nil || len(files) != 1 || got[len(got)-1].SignOn.ID != "49" {
		t.Error(err, files, got)
	}
}

// TestUnwritableStopsNobody makes the folder a file, and then mends it: what
// was lost is told.
func TestUnwritableStopsNobody(t *testing.T) {
	var out bytes.Buffer
	folder := filepath.Join(t.TempDir(), "folder")
	l := open(t, &Log{Path: filepath.Join(folder, "audit.jsonl"), Logger: hclog.New(&hclog.LoggerOptions{Output: &out})})
	if err := os.WriteFile(folder, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		l.Write(signOn(i))
	}
	if l.Err() == nil || strings.Count(out.String(), "cannot be written") != 1 {
		t.Errorf("%v\n%s", l.Err(), out.String())
	}
	if err := os.Remove(folder); err != nil {
		t.Fatal(err)
	}
	l.Write(signOn(4))
	l.Write(signOn(5))
	if got := lines(t, l.Path); len(got) != 2 || got[0].Lost != 3 || got[1].Lost != 0 || l.Err() != nil {
		t.Errorf("%v %+v", l.Err(), got)
	}
	if !strings.Contains(out.String(), "written again") {
		t.Error(out.String())
	}
}

func TestUnfinishedLineIsEnded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	if err := os.WriteFile(path, []byte(`{"time":"20`), 0o644); err != nil {
		t.Fatal(err)
	}
	l := open(t, &Log{Path: path})
	l.Write(signOn(1))
	b, err := os.ReadFile(path)
	if err != nil || !strings.HasPrefix(string(b), "{\"time\":\"20\n{\"time\"") {
		t.Errorf("%v %s", err, b)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Error(err, info.Mode())
	}
}

func TestSwitchedOffAndTooLong(t *testing.T) {
	new(Log).Write(signOn(1))
	(*Log)(nil).Write(signOn(1))
	if (*Log)(nil).Err() != nil {
		t.Error("a log that is not there has an error")
	}
	l := open(t, &Log{})
	r := signOn(1)
	r.SignOn.Reason = strings.Repeat("x", mostLine)
	l.Write(r)
	if l.Err() == nil {
		t.Error("a line without end")
	}
}
