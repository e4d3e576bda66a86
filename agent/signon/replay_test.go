package signon

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ldap-gateway/agent/agenttest"
	"ldap-gateway/agent/state"
	"ldap-gateway/cloudlink/wire"
)

// remembering goes on from a state folder, as after a program that ended without a word.
func remembering(t *testing.T, folder state.Folder) *Replays {
	t.Helper()
	r, j := &Replays{}, folder.Answered()
	t.Cleanup(func() { agenttest.Must(t, j.Close()) })
	agenttest.Must(t, r.Remember(j))
	return r
}

// restartedWell is remembering, after a program that ended well.
func restartedWell(t *testing.T, folder state.Folder, r *Replays) *Replays {
	t.Helper()
	agenttest.Must(t, r.End())
	return remembering(t, folder)
}

// TestReplaysForgetByNumberAlone sends more requests than are remembered: what is
// forgotten is refused by its time, whatever a clock shows, also after a restart.
func TestReplaysForgetByNumberAlone(t *testing.T) {
	folder := state.At(t.TempDir())
	r := remembering(t, folder)
	if !r.first("one", 7000) || r.first("one", 7000) || r.first("one", 9000) || !r.has("one") || r.forgotten(7000) {
		t.Fatal("one is not remembered")
	}
	if !r.first("timeless", 0) || r.first("timeless", 0) || r.forgotten(0) {
		t.Error("one without a time is not remembered")
	}
	for i := range replaysMost - 2 {
		if !r.first(fmt.Sprint(i), uint64(6000+i%500)) { // other nodes' clocks are behind
			t.Fatal(i)
		}
	}
	if r.forgotten(1) || !r.first("two", 8000) || !r.first("three", 8000) {
		t.Fatal("something is forgotten before there is need")
	}
	for name, r := range map[string]*Replays{"running": r, "restarted": restartedWell(t, folder, r)} {
		if r.has("one") || !r.forgotten(7000) || r.first("one", 7000) || r.first("never", 6999) || r.forgotten(7001) ||
			!r.first(name, 7001) {
			t.Errorf("%s: what is forgotten would be bound for: floor %d", name, r.floor)
		}
		if len(r.known) != replaysMost || len(r.order) != replaysMost {
			t.Errorf("%s: %d are remembered", name, len(r.known))
		}
	}
}

// TestReplaysFileIsBounded lets a journal grow past all that is remembered.
func TestReplaysFileIsBounded(t *testing.T) {
	folder := state.At(t.TempDir())
	r := remembering(t, folder)
	for i := range 3 * replaysMost {
		r.first(fmt.Sprint(i), uint64(1_800_000_000_000+i))
	}
	info, err := os.Stat(filepath.Join(folder.String(), "answered"))
	if err != nil || info.Size() > 2*replaysMost*50 || info.Mode().Perm() != 0o600 {
		t.Errorf("%d bytes, %v", info.Size(), err)
	}
	again := restartedWell(t, folder, r)
	if again.floor != r.floor || again.has("1") || !again.has(fmt.Sprint(3*replaysMost-1)) ||
		!again.has(fmt.Sprint(2*replaysMost)) {
		t.Errorf("floor %d, was %d", again.floor, r.floor)
	}
}

// TestReplaysFileIsNoTrap has the file be damaged or not writable: what can be read is
// remembered, and requests are remembered all the same.
func TestReplaysFileIsNoTrap(t *testing.T) {
	folder := state.At(t.TempDir())
	agenttest.Must(t, folder.Ready())
	path := filepath.Join(folder.String(), "answered")
	text := fmt.Sprintf("nonsense\n12\n5 floor\n-1 floor\n99999999999999999999999 floor\n8 %x\n9 abcd\n\x00\xff",
		hashed("one"))
	agenttest.Must(t, os.WriteFile(path, []byte(text), 0o600))
	if r := remembering(t, folder); r.floor <= 8 || !r.has("one") || len(r.order) != 1 {
		t.Errorf("%+v", r)
	}
	agenttest.Must(t, os.Remove(path))
	agenttest.Must(t, os.Mkdir(path, 0o700))
	r := &Replays{}
	if err := r.Remember(folder.Answered()); err == nil || r.Lost() == nil {
		t.Error("nobody is told")
	}
	if at := uint64(time.Now().Add(time.Minute).UnixMilli()); !r.first("one", at) || r.first("one", at) {
		t.Error("it does not remember any more")
	}
}

// TestClockSetBackMakesNoSecondBind has a cloud set its clock back to the moment of a
// sign-on of minutes or an hour ago, and send that once more: to the program, to one
// that was started anew, and after so many others that it is forgotten.
func TestClockSetBackMakesNoSecondBind(t *testing.T) {
	folder := state.At(t.TempDir())
	d := newDesk(t, agenttest.Policy())
	at := time.Now()
	d.Seen, d.Started = remembering(t, folder), at.Add(-time.Hour)
	d.CloudTime = func(t time.Time) time.Time { return t.Add(-time.Since(at)) } // it is always that moment
	sealed := d.sealer.SealAt("one", at, []byte("wonderland"))
	again := func() wire.SignOnResult {
		return d.ask("one", "alice", "", func(m *wire.SignOn) { m.Password = sealed })
	}
	if r := again(); r.Outcome != wire.OutcomeOK {
		t.Fatalf("%+v", r)
	}
	if r := again(); r.BindSent || r.Outcome != wire.OutcomeNotAllowed {
		t.Errorf("set back: %+v", r)
	}
	d.Seen = restartedWell(t, folder, d.Seen)
	if r := again(); r.BindSent || r.Outcome != wire.OutcomeNotAllowed {
		t.Errorf("started anew: %+v", r)
	}
	d.Seen = remembering(t, folder)
	if r := again(); r.BindSent || r.Outcome != wire.OutcomeBusy || !r.KeyUnknown {
		t.Errorf("started anew after it ended without a word: %+v", r)
	}
	for i := range replaysMost {
		d.Seen.first(fmt.Sprint(i), sealed.At)
	}
	if r := again(); r.BindSent || r.Outcome != wire.OutcomeBusy || !r.KeyUnknown {
		t.Errorf("forgotten: %+v", r)
	}
}

// TestTimelessPasswordIsBoundOnce sends a sign-on of version 1 of the wire again, after
// others and after a restart.
func TestTimelessPasswordIsBoundOnce(t *testing.T) {
	folder := state.At(t.TempDir())
	d := newDesk(t, agenttest.Policy())
	d.Seen = remembering(t, folder)
	sealed := d.sealer.Seal("one", []byte("wonderland"))
	again := func() wire.SignOnResult {
		return d.ask("one", "alice", "", func(m *wire.SignOn) { m.Password = sealed })
	}
	if r := again(); r.Outcome != wire.OutcomeOK {
		t.Fatalf("%+v", r)
	}
	for i := range 3 {
		d.ask(fmt.Sprint("other", i), "bob", "builder")
		if i == 2 {
			d.Seen, d.Started = remembering(t, folder), time.Now()
		}
		if r := again(); r.BindSent || r.Outcome != wire.OutcomeNotAllowed {
			t.Errorf("%d: %+v", i, r)
		}
	}
}
