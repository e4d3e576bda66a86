package cloud

import (
	"context"
	"time"

	"ldap-gateway/cloud/store"
)

// mostAhead is how far a node's clock may be from the database's. Codes and proofs, which one
// node makes and another takes, live for a minute and more; an agent's proof that is older
// or newer than that is refused.
const mostAhead = 10 * time.Second

// ofClock returns an alert when this node's clock is not that of the database, by which
// the nodes are compared with each other.
func ofClock(ctx context.Context, ahead func(context.Context) (time.Duration, error)) ([]store.Alert, error) {
	d, err := ahead(ctx)
	if err != nil || d.Abs() < mostAhead {
		return nil, err
	}
	words := "ahead of"
	if d < 0 {
		words = "behind"
	}
	return []store.Alert{nodeAlert("nodeClock", "", "Set the clocks of all nodes and of the database by NTP",
		"its clock is %s %s the database's: what it makes is in the future or past for others",
		d.Abs().Round(time.Second), words)}, nil
}
