package agent

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/configs"
	"ldap-gateway/directory"
)

func TestGuard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g guard
		limit := configs.WrongPasswords{Most: 3, Within: 10 * time.Minute}
		for i := range 3 {
			if d := g.wait("uid=Alice", limit); d != 0 {
				t.Errorf("%d wrong, and waits %s", i, d)
			}
			g.count("UID=alice", directory.ErrInvalidCredentials)
			time.Sleep(time.Minute)
		}
		if d := g.wait("uid=alice", limit); d != 7*time.Minute {
			t.Errorf("waits %s", d)
		}
		if g.wait("uid=bob", limit) != 0 || g.wait("uid=alice", configs.WrongPasswords{Within: time.Hour}) != 0 {
			t.Error("somebody else waits, or everybody although there is no limit")
		}
		time.Sleep(7 * time.Minute)
		if d := g.wait("uid=alice", limit); d != 0 {
			t.Errorf("afterwards waits %s", d)
		}
		g.count("uid=alice", directory.ErrAnswerLost) // may have been a wrong one
		if g.wait("uid=alice", limit) == 0 {
			t.Error("two are in the window still, and this is the third")
		}
		g.forget("uid=alice")
		g.count("uid=alice", directory.ErrUnavailable)
		if len(g.people) != 0 {
			t.Error(g.people)
		}
	})
}

func TestGuardIsBounded(t *testing.T) {
	var g guard
	for i := range guardMost + 10 {
		g.count(fmt.Sprint(i), directory.ErrInvalidCredentials)
	}
	if len(g.people) > guardMost {
		t.Error(len(g.people))
	}
}

// TestGuessingLocksNobodyOut guesses past the threshold that a directory may
// have: it hears of the first four only.
func TestGuessingLocksNobodyOut(t *testing.T) {
	file := filePolicy()
	file.WrongPasswords = configs.WrongPasswords{Most: 4, Within: 15 * time.Minute}
	d := newDesk(t, file)
	for i := range 20 {
		r := d.ask(fmt.Sprint("guess", i), "alice", fmt.Sprint("guess", i))
		if want := map[bool]wire.Outcome{true: wire.OutcomeInvalidCredentials, false: wire.OutcomeAccountLocked}[i < 4]; r.Outcome != want || r.BindSent != (i < 4) {
			t.Errorf("%d: %+v", i, r)
		}
	}
	if n := d.server.Binds(aliceDN); n != 4 {
		t.Errorf("the directory heard of %d", n)
	}
	if r := d.ask("right", "alice", "wonderland"); r.Outcome != wire.OutcomeAccountLocked || !strings.Contains(r.Reason, "policy.wrong_passwords") {
		t.Errorf("%+v", r)
	}
	if r := d.ask("bob", "bob", "builder"); r.Outcome != wire.OutcomeOK {
		t.Errorf("%+v", r)
	}
}
