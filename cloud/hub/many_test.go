package hub_test

import (
	"testing"
	"time"

	"ldap-gateway/cloudlink/wire"
)

// TestThousandAgentsComeBack cuts all links at once, as a restart of the
// cloud does, and signs on meanwhile.
func TestThousandAgentsComeBack(t *testing.T) {
	const many = agentsAtOnce
	n := startNode(t, 5*time.Second)
	machines := make([]*machine, many)
	for i := range machines {
		machines[i] = n.pair(ok)
		n.run(machines[i])
	}
	all := func() bool { return len(n.hub.Live(n.gateway.ID)) == many }
	n.awaitFor(time.Minute, "all are linked", all)
	n.restartHub()
	from := time.Now()
	n.awaitFor(time.Minute, "one is back", func() bool { return len(n.hub.Live(n.gateway.ID)) > 0 })
	first := time.Since(from)
	signOns := 0
	n.awaitFor(time.Minute, "all are back", func() bool {
		if a := n.signOn("x"); a.Outcome != wire.OutcomeOK {
			t.Errorf("%+v", a)
		}
		signOns++
		return all()
	})
	t.Logf(
		"the first of %d was back after %s, all after %s, with %d sign-ons meanwhile",
		many,
		first,
		time.Since(from),
		signOns,
	)
}
