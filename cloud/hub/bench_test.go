package hub_test

import (
	"sync/atomic"
	"testing"
	"time"

	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloudlink/wire"
)

// BenchmarkWay is everything between the sign-on room and the agent's handler
// and back: sealing, bus, link, unsealing. The handler answers at once with
// twelve groups. 64 sign-ons are under way.
func BenchmarkWay(b *testing.B) {
	n := startNode(b, time.Second)
	r := wire.SignOnResult{
		Outcome:    wire.OutcomeOK,
		BindSent:   true,
		Entry:      &wire.Entry{DN: "uid=alice"},
		Membership: &wire.Membership{Verdict: wire.VerdictComplete},
	}
	for range 12 {
		r.Membership.Groups = append(r.Membership.Groups, wire.Group{
			DN:   "cn=some-group,ou=groups,dc=example,dc=com",
			Name: "some-group",
		})
	}
	n.start(fixed(r))
	var id atomic.Int64
	b.SetParallelism(32)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			a := n.hub.SignOn(b.Context(), hub.Request{
				ID:         time.Duration(id.Add(1)).String(),
				Gateway:    n.gateway.ID,
				UserType:   "t1",
				Want:       wire.WantRecord,
				Identifier: "alice",
				Password:   []byte("hunter2"),
			})
			if a.Outcome != wire.OutcomeOK {
				b.Errorf("%+v", a)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "signons/s")
}
