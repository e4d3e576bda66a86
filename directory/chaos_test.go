package directory_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"ldap-gateway/directory"
)

// While both servers keep cutting every connection, no bind is ever sent twice, and
// each outcome agrees with what the servers saw. ErrUnavailable promises that nothing
// was sent, so the callers here take it at its word and try again.
func TestCutConnectionsNeverCauseASecondBind(t *testing.T) {
	first, second, both := twoServers(t, person("alice"))
	c := open(t, nil, "", both)
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(15 * time.Millisecond)
		defer tick.Stop()
		for range 30 {
			select {
			case <-tick.C:
				first.CutConnections()
				second.CutConnections()
			case <-done:
				return
			}
		}
	}()
	const binds = 400
	outcomes := make([]error, binds)
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for n := worker; n < binds; n += 8 {
				outcomes[n] = untilSent(t,
					func() error { return c.Bind(t.Context(), fmt.Sprintf("uid=n%d,%s", n, people), "wrong") })
			}
		})
	}
	wg.Wait()
	close(done)
	<-stopped
	seen := map[string]int{}
	for _, op := range append(first.Operations(), second.Operations()...) {
		seen[op.DN]++
	}
	kinds := map[string]int{}
	for n, err := range outcomes {
		sent := seen[fmt.Sprintf("uid=n%d,%s", n, people)]
		kind, agrees := "other", false
		switch {
		case errors.Is(err, directory.ErrInvalidCredentials):
			kind, agrees = "answered", sent == 1
		case errors.Is(err, directory.ErrAnswerLost):
			kind, agrees = "lost", sent <= 1
		}
		kinds[kind]++
		if !agrees {
			t.Errorf("bind %d: sent %d times, outcome %v", n, sent, err)
		}
	}
	if kinds["answered"] == 0 {
		t.Errorf("nothing was answered: %v", kinds)
	}
	t.Logf("outcomes: %v", kinds)
}

func untilSent(t *testing.T, bind func() error) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		if err := bind(); !errors.Is(err, directory.ErrUnavailable) {
			return err
		}
		select {
		case <-tick.C:
		case <-t.Context().Done():
			return t.Context().Err()
		}
	}
}
