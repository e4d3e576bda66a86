package signon

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"ldap-gateway/agent/agenttest"
	"ldap-gateway/agent/state"
	"ldap-gateway/directory"
)

// TestJournalCutAtEveryByte ends the file of answered requests anywhere, and damages
// any one byte: nothing that was in it can be bound for, and nobody is kept out.
func TestJournalCutAtEveryByte(t *testing.T) {
	folder := state.At(t.TempDir())
	r, now := remembering(t, folder), uint64(time.Now().UnixMilli())
	r.first("one", now-60_000)
	r.first("two", now+40_000) // the cloud's clock is ahead
	r.first("three", now-1)
	agenttest.Must(t, r.End())
	path := filepath.Join(folder.String(), "answered")
	text, err := os.ReadFile(path)
	agenttest.Must(t, err)
	look := func(name string, text []byte, whole bool) {
		agenttest.Must(t, os.WriteFile(path, text, 0o600))
		after := &Replays{}
		j := folder.Answered()
		agenttest.Must(t, after.Remember(j))
		agenttest.Must(t, j.Close())
		for id, at := range map[string]uint64{"one": now - 60_000, "three": now - 1} {
			if !after.has(id) && !after.forgotten(at) || after.first(id, at) {
				t.Errorf("%s: %s would be bound for again", name, id)
			}
		}
		if whole != !after.forgotten(now) {
			t.Errorf("%s: what was sealed just now is refused: %t", name, whole)
		}
		if !whole && after.forgotten(uint64(time.Now().Add(50*time.Second).UnixMilli())) {
			t.Errorf("%s: it lets nobody in", name)
		}
	}
	look("whole", text, true)
	for i := range text {
		look(fmt.Sprint("cut at ", i), text[:i], false)
		damaged := bytes.Clone(text)
		damaged[i] = 0
		look(fmt.Sprint("NUL at ", i), damaged, false)
	}
	look("a line of 1 MB", append(bytes.Repeat([]byte("1"), 1<<20), append([]byte("\n"), text...)...), false)
	look("1 MB of NUL", append(bytes.Clone(text), make([]byte, 1<<20)...), false)
	look("of a version before", bytes.TrimSuffix(text, []byte("end\n")), false)
}

// TestJournalThatCannotBeReadIsLeft puts something in its place that cannot be read: it
// stays, nothing that was sealed before is tried, and once it is readable it counts
// again, with what was answered meanwhile.
func TestJournalThatCannotBeReadIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder := state.At(t.TempDir())
		path := filepath.Join(folder.String(), "answered")
		agenttest.Must(t, os.MkdirAll(filepath.Join(path, "x"), 0o700))
		guessed := filepath.Join(folder.String(), "wrong-passwords")
		agenttest.Must(t, os.MkdirAll(filepath.Join(guessed, "x"), 0o700))
		r, g, now := &Replays{}, &Guard{}, time.Now()
		j, w := folder.Answered(), folder.WrongPasswords()
		defer j.Close()
		defer w.Close()
		if r.Remember(j) == nil || g.Remember(w) == nil {
			t.Fatal("nobody is told")
		}
		millis := func(d time.Duration) uint64 { return uint64(now.Add(d).UnixMilli()) }
		if !r.forgotten(millis(0)) || r.forgotten(millis(time.Millisecond)) || !r.first("one", millis(time.Second)) {
			t.Errorf("floor %d at %d", r.floor, millis(0))
		}
		g.count("uid=alice", directory.ErrInvalidCredentials)
		if r.Lost() == nil || g.Lost() == nil || r.End() == nil {
			t.Error("it is told no longer")
		}
		for _, p := range []string{path, guessed} {
			if _, err := os.Stat(filepath.Join(p, "x")); err != nil {
				t.Error("it was replaced: ", err)
			}
			agenttest.Must(t, os.RemoveAll(p))
		}
		agenttest.Must(t, os.WriteFile(path, fmt.Appendf(nil, "7 floor\n%d %x\nend\n", millis(0), hashed("before")), 0o600))
		agenttest.Must(t, os.WriteFile(guessed, fmt.Appendf(nil, "%d %s\n", now.Unix(), who("uid=bob")), 0o600))
		time.Sleep(mendEvery)
		r.first("two", millis(2*time.Second))
		g.count("uid=alice", directory.ErrInvalidCredentials)
		if r.Lost() != nil || g.Lost() != nil {
			t.Fatal(r.Lost(), g.Lost())
		}
		again, guard := restartedWell(t, folder, r), restarted(t, folder)
		if !again.has("before") || !again.has("one") || !again.has("two") || !again.forgotten(millis(0)) {
			t.Errorf("%+v", again)
		}
		if len(guard.people[who("uid=bob")].wrong) != 1 || len(guard.people[who("uid=alice")].wrong) != 2 ||
			guard.doubted.IsZero() {
			t.Errorf("%+v", guard.people)
		}
	})
}

// TestClockThatWasWrongIsNoTrap starts with a clock that is years ahead and a journal
// that was not ended; then the clock is put right.
func TestClockThatWasWrongIsNoTrap(t *testing.T) {
	folder := state.At(t.TempDir())
	agenttest.Must(t, folder.Ready())
	years := time.Now().AddDate(70, 0, 0).UnixMilli()
	for _, end := range []string{"end\n", ""} {
		text := fmt.Sprintf("%d floor\n%d %x\n", years, years, hashed("one")) + end
		agenttest.Must(t, os.WriteFile(filepath.Join(folder.String(), "answered"), []byte(text), 0o600))
		r := remembering(t, folder)
		before := uint64(time.Now().UnixMilli())
		if !r.forgotten(before) || r.forgotten(before+60_000) || !r.first("two", before+60_000) || r.first("one", before+60_000) {
			t.Errorf("%q: %+v", end, r)
		}
	}
}
