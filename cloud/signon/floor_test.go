package signon

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"ldap-gateway/cloudlink/wire"
)

// A sign-on that fails takes as long whether the name is known or not, and no
// other waits.
func TestFailuresTakeAsLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			outcome    wire.Outcome
			took, want time.Duration
		}{
			{wire.OutcomeNoSuchUser, time.Millisecond, 300 * time.Millisecond}, {wire.OutcomeInvalidCredentials, 40 * time.Millisecond, 300 * time.Millisecond},
			{wire.OutcomeInvalidCredentials, time.Second, time.Second}, {wire.OutcomeOK, time.Millisecond, time.Millisecond}, {wire.OutcomeBusy, time.Millisecond, time.Millisecond},
		} {
			start := time.Now()
			<-time.After(c.took)
			a := &attempt{Service: &Service{MinFailureTime: 300 * time.Millisecond}, outcome: c.outcome}
			a.hold(t.Context(), start)
			if took := time.Since(start); took != c.want {
				t.Errorf("%s after %s: %s, want %s", c.outcome, c.took, took, c.want)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		start := time.Now()
		(&attempt{Service: &Service{MinFailureTime: time.Hour}, outcome: wire.OutcomeNoSuchUser}).hold(ctx, start)
		if time.Since(start) != 0 {
			t.Error("who has gone is waited for")
		}
	})
}
