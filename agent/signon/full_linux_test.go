package signon

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"ldap-gateway/agent/agenttest"
	"ldap-gateway/agent/state"
	"ldap-gateway/directory"
)

// TestJournalsOnAFullDisk has the disk be full in the middle of a line, and then not:
// all is told lost until the files hold all of it, and nothing that was answered or
// counted meanwhile is forgotten by a restart. A program that ends before leaves what
// it may have forgotten be refused.
func TestJournalsOnAFullDisk(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=32k"); err != nil {
		t.Fatal("run the tests as root: ", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	synctest.Test(t, func(t *testing.T) {
		folder := state.At(filepath.Join(disk, "state"))
		r, g, filler := remembering(t, folder), restarted(t, folder), filepath.Join(disk, "filler")
		_ = os.WriteFile(filler, make([]byte, 64<<10), 0o600) // as much as there is room for
		at := func() uint64 { return uint64(time.Now().UnixMilli()) }
		n := 0
		for ; r.Lost() == nil || g.Lost() == nil; n++ {
			r.first(fmt.Sprint(n), at())
			g.count(fmt.Sprintf("uid=%d", n), directory.ErrInvalidCredentials)
		}
		for range 10 { // shorter lines may still find room
			r.first(fmt.Sprint("x", n), 1)
			g.forget("uid=0")
			time.Sleep(mendEvery)
			if n++; r.Lost() == nil || g.Lost() == nil {
				t.Fatal("it is told no longer, and the disk is full")
			}
		}
		sealed := at()
		r.first("last", sealed)
		if r.End() == nil {
			t.Error("it says that it lacks nothing")
		}
		killed := remembering(t, state.At(copied(t, folder)))
		if !killed.has("0") || killed.has("last") || !killed.forgotten(sealed) {
			t.Error("what was lost would be bound for")
		}
		if killed := restarted(t, state.At(copied(t, folder))); killed.doubted.IsZero() {
			t.Error("counts were lost, and nobody knows")
		}
		agenttest.Must(t, os.Remove(filler))
		time.Sleep(mendEvery)
		r.first("room", at())
		g.count("uid=room", directory.ErrInvalidCredentials)
		if r.Lost() != nil || g.Lost() != nil {
			t.Fatal(r.Lost(), g.Lost())
		}
		again, guard := restartedWell(t, folder, r), restarted(t, folder)
		if !again.has("0") || !again.has("last") || !again.has("room") || again.floor != r.floor ||
			len(guard.people) != len(g.people) || !guard.doubted.IsZero() {
			t.Errorf("floor %d, %d people", again.floor, len(guard.people))
		}
	})
}

// copied is a state folder as it is at this moment, where there is room.
func copied(t *testing.T, folder state.Folder) string {
	t.Helper()
	to := t.TempDir()
	agenttest.Must(t, os.CopyFS(to, os.DirFS(folder.String())))
	return to
}
