package cloudlink_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"ldap-gateway/cloudlink"
	"ldap-gateway/cloudlink/cloudlinktest"
	"ldap-gateway/cloudlink/wire"
)

// stamping answers with all that the newest version has.
type stamping struct{ slowHandler }

func (*stamping) SignOn(_ context.Context, m wire.SignOn) wire.SignOnResult {
	return wire.SignOnResult{ID: m.ID, Outcome: wire.OutcomeOK, Membership: &wire.Membership{
		Verdict: wire.VerdictComplete, Unconfirmed: true, Groups: []wire.Group{{DN: "cn=g", Stamp: "1"}},
	}}
}

// TestCloudOfTheVersionBefore gets no field that it would refuse.
func TestCloudOfTheVersionBefore(t *testing.T) {
	for version, want := range map[uint16]string{1: "", wire.Version: "1"} {
		synctest.Test(t, func(t *testing.T) {
			c := start(t, &cloudlinktest.Cloud{Version: version}, &stamping{}).cloud.AwaitLink(t)
			m := result(t, <-ask(t, c, "s1", 3*time.Second)).Membership
			if m == nil || m.Groups[0].DN != "cn=g" || m.Groups[0].Stamp != want || m.Unconfirmed != (want != "") {
				t.Errorf("version %d: %+v", version, m)
			}
		})
	}
}

func TestLookIsAnsweredAndBusyBeyondTheHandlers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &slowHandler{release: make(chan struct{})}
		var busy []cloudlink.Event
		f := start(t, &cloudlinktest.Cloud{}, h, func(l *cloudlink.Link) {
			l.Handlers = 1
			l.Watch = func(e cloudlink.Event) {
				if e.Kind == cloudlink.EventBusy {
					busy = append(busy, e)
				}
			}
		})
		c := f.cloud.AwaitLink(t)
		look := wire.Look{ID: "s1", UserType: "t", Groups: []wire.LookGroup{{DN: "cn=g"}}}
		if l := decoded[wire.Looked](t, <-asked(t, c, wire.KindLook, time.Second, look), wire.KindLooked); l.ID != "s1" ||
			len(l.Groups) != 1 {
			t.Errorf("%+v", l)
		}
		synctest.Wait() // its handler is free again
		waiting := ask(t, c, "s2", time.Minute)
		synctest.Wait()
		if l := decoded[wire.Looked](t, <-asked(t, c, wire.KindLook, time.Second, look), wire.KindLooked); l.Outcome != wire.OutcomeBusy ||
			l.ID != "s1" {
			t.Errorf("%+v", l)
		}
		close(h.release)
		<-waiting
		if len(busy) != 1 || busy[0].Look.ID != "s1" || busy[0].Frame != wire.KindLook {
			t.Errorf("%+v", busy)
		}
	})
}
