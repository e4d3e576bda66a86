package signon

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ldap-gateway/agent/agenttest"
	"ldap-gateway/agent/state"
	"ldap-gateway/configs"
	"ldap-gateway/directory"
)

// restarted is a guard that goes on from a state folder.
func restarted(t *testing.T, folder state.Folder) *Guard {
	t.Helper()
	g, j := &Guard{}, folder.WrongPasswords()
	t.Cleanup(func() { agenttest.Must(t, j.Close()) })
	agenttest.Must(t, g.Remember(j))
	return g
}

// TestWrongPasswordsOutliveTheProgram ends the program without a word between any
// two guesses.
func TestWrongPasswordsOutliveTheProgram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder, limit := state.At(t.TempDir()), configs.WrongPasswords{Most: 3, Within: 10 * time.Minute}
		for i := range 3 {
			g := restarted(t, folder)
			if waits(g, "uid=alice,dc=x", limit) != 0 {
				t.Errorf("waits after %d", i)
			}
			g.count("UID=Alice, dc=x", directory.ErrInvalidCredentials)
			time.Sleep(time.Minute)
		}
		if d := waits(restarted(t, folder), "uid=alice,dc=x", limit); d != 7*time.Minute {
			t.Errorf("waits %s", d)
		}
		right := restarted(t, folder)
		right.forget("uid=alice,dc=x")
		right.count("uid=bob,dc=x", directory.ErrAnswerLost)
		after := restarted(t, folder)
		if waits(after, "uid=alice,dc=x", limit) != 0 || len(after.people) != 1 {
			t.Errorf("a right password is forgotten: %v", after.people)
		}
		time.Sleep(mostWithin)
		if g := restarted(t, folder); len(g.people) != 0 {
			t.Errorf("after a day: %v", g.people)
		}
	})
}

// TestJournalIsBounded has one person guess for ever, without a limit.
func TestJournalIsBounded(t *testing.T) {
	folder := state.At(t.TempDir())
	g := restarted(t, folder)
	for range 3 * guardLines {
		g.count("uid=alice,dc=x", directory.ErrInvalidCredentials)
	}
	info, err := os.Stat(filepath.Join(folder.String(), "wrong-passwords"))
	agenttest.Must(t, err)
	if info.Size() > 2*guardLines*50 || info.Mode().Perm() != 0o600 ||
		len(g.people[who("uid=alice,dc=x")].wrong) > mostWrong {
		t.Errorf("%d bytes, %s", info.Size(), info.Mode())
	}
}

// TestJournalIsNoTrap has the file be damaged, of another time, or not writable: the
// guard counts all the same, what was written by a clock that was ahead as of now.
func TestJournalIsNoTrap(t *testing.T) {
	folder := state.At(t.TempDir())
	agenttest.Must(t, folder.Ready())
	path := filepath.Join(folder.String(), "wrong-passwords")
	text := fmt.Sprintf(
		"nonsense\n12\n%d %s\n%d %s\n%d %s\n\x00\xff",
		time.Now().Add(time.Hour).Unix(),
		who("uid=future"),
		time.Now().Add(-48*time.Hour).Unix(),
		who("uid=old"),
		time.Now().Unix(),
		who("uid=bob"),
	)
	agenttest.Must(t, os.WriteFile(path, []byte(text), 0o600))
	g := restarted(t, folder)
	if len(g.people) != 2 || len(g.people[who("uid=bob")].wrong) != 1 || len(g.people[who("uid=future")].wrong) != 1 {
		t.Fatalf("%v", g.people)
	}
	if at := g.people[who("uid=future")].wrong[0]; at.After(time.Now()) {
		t.Errorf("counts until %s", at)
	}
	agenttest.Must(t, os.Remove(path))
	agenttest.Must(t, os.Mkdir(path, 0o700))
	g = &Guard{}
	if err := g.Remember(folder.WrongPasswords()); err == nil || g.Lost() == nil {
		t.Error("nobody is told")
	}
	g.count("uid=bob", directory.ErrInvalidCredentials)
	if waits(g, "uid=bob", configs.WrongPasswords{Most: 1, Within: time.Hour}) == 0 {
		t.Error("it does not count any more")
	}
}

// TestLostCountsLeaveOneTry damages what a guard kept, in any way that is noticed: for
// as long as a wrong password counts everybody has one try, also after more restarts,
// and what could be read still counts. A right password gives another.
func TestLostCountsLeaveOneTry(t *testing.T) {
	line := fmt.Sprintf("%d %s\n", time.Now().Unix(), who("uid=bob"))
	limit := configs.WrongPasswords{Most: 3, Within: time.Hour}
	for name, text := range map[string]string{
		"cut":          line + line[:20],
		"cut-hash":     line + line[:len(line)-2] + "\n",
		"right-cut":    line + "right " + who("uid=bob")[:31],
		"joined":       line + line[:9] + line,
		"NUL":          line + strings.Repeat("\x00", 600),
		"a-line-of-MB": line + strings.Repeat("7", 1<<20) + "\n" + line,
		"nobody":       line + "5 \n",
	} {
		t.Run(name, func(t *testing.T) {
			folder := state.At(t.TempDir())
			agenttest.Must(t, os.WriteFile(filepath.Join(folder.String(), "wrong-passwords"), []byte(text), 0o600))
			restarted(t, folder)
			g := restarted(t, folder)
			for range 2 {
				if d := waits(g, "uid=alice", limit); d != 0 {
					t.Fatalf("the one try waits %s", d)
				}
				g.count("uid=alice", directory.ErrInvalidCredentials)
				if d := waits(g, "uid=alice", limit); d < 59*time.Minute || d > time.Hour {
					t.Errorf("the second waits %s", d)
				}
				g.forget("uid=alice")
			}
			if len(g.people[who("uid=bob")].wrong) == 0 {
				t.Error("what is whole counts no more")
			}
			if d := waits(g, "uid=bob", configs.WrongPasswords{Within: time.Hour}); d != 0 {
				t.Errorf("without a limit it waits %s", d)
			}
			g.doubted = time.Now().Add(-time.Hour)
			g.count("uid=alice", directory.ErrInvalidCredentials)
			if d := waits(g, "uid=alice", limit); d != 0 {
				t.Errorf("after its time the doubt waits %s", d)
			}
		})
	}
}
