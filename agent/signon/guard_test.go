package signon

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ldap-gateway/agent/agenttest"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/configs"
	"ldap-gateway/directory"
	"ldap-gateway/directory/directorytest"
)

func TestGuard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Guard
		limit := configs.WrongPasswords{Most: 3, Within: 10 * time.Minute}
		for i := range 3 {
			if d := waits(&g, "uid=Alice", limit); d != 0 {
				t.Errorf("%d wrong, and waits %s", i, d)
			}
			g.count("UID=alice", directory.ErrInvalidCredentials)
			time.Sleep(time.Minute)
		}
		if d := waits(&g, "uid=alice", limit); d != 7*time.Minute {
			t.Errorf("waits %s", d)
		}
		if waits(&g, "uid=bob", limit) != 0 || waits(&g, "uid=alice", configs.WrongPasswords{Within: time.Hour}) != 0 {
			t.Error("somebody else waits, or everybody although there is no limit")
		}
		time.Sleep(7 * time.Minute)
		if d := waits(&g, "uid=alice", limit); d != 0 {
			t.Errorf("afterwards waits %s", d)
		}
		g.count("uid=alice", directory.ErrAnswerLost) // may have been a wrong one
		if waits(&g, "uid=alice", limit) == 0 {
			t.Error("two are in the window still, and this is the third")
		}
		g.forget("uid=alice")
		g.count("uid=alice", directory.ErrUnavailable)
		if len(g.people) != 0 {
			t.Error(g.people)
		}
	})
}

// waits lets a try begin and end, and returns how long it would have to wait.
func waits(g *Guard, dn string, limit configs.WrongPasswords) time.Duration {
	wait, err := g.enter(context.Background(), dn, limit)
	if wait == 0 && err == nil {
		g.leave(dn)
	}
	return wait
}

func TestGuardIsBounded(t *testing.T) {
	var g Guard
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
	file := agenttest.Policy()
	file.WrongPasswords = configs.WrongPasswords{Most: 4, Within: 15 * time.Minute}
	d := newDesk(t, file)
	for i := range 20 {
		r := d.ask(fmt.Sprint("guess", i), "alice", fmt.Sprint("guess", i))
		if want := map[bool]wire.Outcome{true: wire.OutcomeInvalidCredentials, false: wire.OutcomeAccountLocked}[i < 4]; r.Outcome != want ||
			r.BindSent != (i < 4) {
			t.Errorf("%d: %+v", i, r)
		}
	}
	if n := d.server.Binds(agenttest.AliceDN); n != 4 {
		t.Errorf("the directory heard of %d", n)
	}
	if r := d.ask("right", "alice", "wonderland"); r.Outcome != wire.OutcomeAccountLocked ||
		!strings.Contains(r.Reason, "policy.wrong_passwords") {
		t.Errorf("%+v", r)
	}
	if r := d.ask("bob", "bob", "builder"); r.Outcome != wire.OutcomeOK {
		t.Errorf("%+v", r)
	}
}

// TestGuessingAtOnceLocksNobodyOut makes the guesses all at the same time, against
// a directory that takes a while: it hears of no more.
func TestGuessingAtOnceLocksNobodyOut(t *testing.T) {
	file := agenttest.Policy()
	file.WrongPasswords = configs.WrongPasswords{Most: 4, Within: 15 * time.Minute}
	d := newDesk(t, file)
	d.server.SetBindFault("", directorytest.Fault{Delay: 50 * time.Millisecond})
	var guesses sync.WaitGroup
	for i := range 40 {
		guesses.Go(func() { d.ask(fmt.Sprint("guess", i), "alice", fmt.Sprint("guess", i)) })
	}
	guesses.Wait()
	if n := d.server.Binds(agenttest.AliceDN); n != 4 {
		t.Errorf("the directory heard of %d", n)
	}
	var right sync.WaitGroup
	for i := range 40 { // who knows the password is not held up for good
		right.Go(func() {
			if r := d.ask(fmt.Sprint("right", i), "bob", "builder"); r.Outcome != wire.OutcomeOK {
				t.Errorf("%+v", r)
			}
		})
	}
	right.Wait()
}
