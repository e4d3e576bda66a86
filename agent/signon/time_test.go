package signon

import (
	"testing"
	"time"

	"ldap-gateway/agent/agenttest"
	"ldap-gateway/cloudlink/wire"
)

// TestOldPasswordsAreNotTried has a sign-on be sent again that the program cannot
// remember: from before its start, or from long ago.
func TestOldPasswordsAreNotTried(t *testing.T) {
	started := time.Now()
	for name, c := range map[string]struct {
		at      time.Time
		ahead   time.Duration
		want    wire.Outcome
		unknown bool // the key, so that it is sealed anew
	}{
		"now":               {started.Add(time.Millisecond), 0, wire.OutcomeOK, false},
		"before-the-start":  {started.Add(-time.Second), 0, wire.OutcomeBusy, true},
		"just-before":       {started.Add(-time.Millisecond), 0, wire.OutcomeBusy, true},
		"long-ago":          {started.Add(-time.Hour), 0, wire.OutcomeBusy, true},
		"to-come":           {started.Add(time.Hour), 0, wire.OutcomeBusy, true},
		"cloud-is-ahead":    {started.Add(time.Hour + time.Millisecond), time.Hour, wire.OutcomeOK, false},
		"ahead-and-before":  {started.Add(time.Hour - time.Second), time.Hour, wire.OutcomeBusy, true},
		"cloud-is-behind":   {started.Add(-time.Hour + time.Millisecond), -time.Hour, wire.OutcomeOK, false},
		"behind-and-before": {started.Add(-time.Hour - time.Second), -time.Hour, wire.OutcomeBusy, true},
		"too-long-ago":      {started.Add(-replayLife - time.Second), 0, wire.OutcomeBusy, true},
		"never":             {time.Time{}, 0, wire.OutcomeBusy, true},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, agenttest.Policy())
			begun := started
			if name == "too-long-ago" {
				begun = started.Add(-time.Hour)
			}
			d.Started, d.CloudTime = begun, func(t time.Time) time.Time { return t.Add(c.ahead) }
			searches := d.server.Searches()
			r := d.ask("1", "alice", "wonderland",
				func(m *wire.SignOn) { m.Password = d.sealer.SealAt("1", c.at, []byte("wonderland")) })
			if r.Outcome != c.want || r.KeyUnknown != c.unknown || r.BindSent != (c.want == wire.OutcomeOK) {
				t.Errorf("%+v", r)
			}
			if !r.BindSent && d.server.Searches() != searches {
				t.Error("the directory was asked")
			}
		})
	}
}
