package signon

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"ldap-gateway/agent/agenttest"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/configs"
)

// TestGuessesLeaveOneTry: of the wrong passwords that the directory may hear of, guesses from
// browsers that the person has not signed on by leave the last for one that they have, one after the
// other and all at once; and no more reach the directory, whatever the cloud says of browsers.
func TestGuessesLeaveOneTry(t *testing.T) {
	for most, guesses := range map[int]int{4: 3, 2: 1, 1: 1, 0: 40} {
		for _, atOnce := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d/%t", most, atOnce), func(t *testing.T) {
				file := agenttest.Policy()
				file.SignOnsPerPerson = 1000
				file.WrongPasswords = configs.WrongPasswords{Most: most, Within: 15 * time.Minute}
				d := newDesk(t, file)
				ask := func(id, password string, from wire.Browser) wire.SignOnResult {
					return d.ask(id, "alice", password, func(m *wire.SignOn) { m.Browser = from })
				}
				heard := func(want int) {
					t.Helper()
					if n := d.server.Binds(agenttest.AliceDN); n != want {
						t.Errorf("the directory heard of %d, want %d", n, want)
					}
				}
				var all sync.WaitGroup
				for i := range 40 {
					guess := func() { ask(fmt.Sprint("guess", i), fmt.Sprint("guess", i), wire.BrowserStrange) }
					if !atOnce {
						guess()
						continue
					}
					all.Go(guess)
				}
				all.Wait()
				heard(guesses)
				if most < 2 {
					return
				}
				if r := ask("stranger", "wonderland", wire.BrowserStrange); r.Outcome != wire.OutcomeAccountLocked {
					t.Errorf("a stranger: %+v", r)
				}
				if r := ask("owner", "wonderland", wire.BrowserKnown); r.Outcome != wire.OutcomeOK {
					t.Errorf("the owner: %+v", r)
				}
				heard(guesses + 1)
				for i := range 20 {
					ask(fmt.Sprint("either", i), "guess", []wire.Browser{wire.BrowserStrange, wire.BrowserKnown, wire.BrowserUnsaid, 99}[i%4])
				}
				heard(guesses + 1 + most)
			})
		}
	}
}

// TestGuessesUseUpNoSignOns: what the gateway holds back because of wrong passwords is none of the
// sign-ons that a person may have within a minute.
func TestGuessesUseUpNoSignOns(t *testing.T) {
	file := agenttest.Policy()
	file.SignOnsPerPerson = 10
	file.WrongPasswords = configs.WrongPasswords{Most: 4, Within: 15 * time.Minute}
	d := newDesk(t, file)
	ask := func(id, password string, from wire.Browser) wire.SignOnResult {
		return d.ask(id, "alice", password, func(m *wire.SignOn) { m.Browser = from })
	}
	for i := range 100 {
		ask(fmt.Sprint("guess", i), "guess", wire.BrowserStrange)
	}
	for i := range 7 { // three of the ten were guesses
		if r := ask(fmt.Sprint("owner", i), "wonderland", wire.BrowserKnown); r.Outcome != wire.OutcomeOK {
			t.Fatalf("%d: %+v", i, r)
		}
	}
	if r := ask("more", "wonderland", wire.BrowserKnown); r.Outcome != wire.OutcomeNotAllowed {
		t.Errorf("%+v", r)
	}
}
