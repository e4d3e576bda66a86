package cloudlink_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

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
