package kerberos

import (
	"context"
	"ldap-gateway/cloud/throttle"
	"time"
)

// Who sends more tokens that are not taken than these within the window is not
// listened to: each is a row of the store.
const (
	throttleWindow  = 10 * time.Minute
	wrongPerAddress = 100
)

// enter waits until a token may be looked at, which is over when leave is called.
func (d *Verifier) enter(ctx context.Context, r Request) (leave func(), err error) {
	d.once.Do(d.begin)
	return d.UnderWay.Enter(ctx, throttle.Who{Owner: r.EnvironmentID, Network: throttle.Network(r.Address)})
}

// begin sets up what counts.
func (d *Verifier) begin() {
	d.wrong.Length, d.wrong.Bound = throttleWindow, d.Bounds.Of(throttle.Tries)
	d.refusals.Bound, d.lines.Bound = d.Bounds.Of(throttle.Unwritten), d.Bounds.Of(throttle.Lines)
}

// throttled tells whether an address has sent too many. Without an address nobody is
// throttled: all would be.
func (d *Verifier) throttled(address string) bool {
	return address != "" && d.wrong.Wait(throttle.Network(address), wrongPerAddress, d.now()) > 0
}

// count notes a token that was not taken.
// Only what was refused counts: an office whose tickets are taken may send as many as
// it likes.
func (d *Verifier) count(address string) {
	if address != "" {
		d.wrong.Count(throttle.Network(address), d.now())
	}
}
