package kerberos

import (
	"context"
	"time"

	"ldap-gateway/cloud/throttle"
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

// admit waits until a token of an address may be looked at, as many at once as may still not
// be taken; leave ends that. False: it has sent too many. Without an address nobody is
// throttled: all would be.
func (d *Verifier) admit(ctx context.Context, address string) (leave func(), ok bool) {
	if address == "" {
		return func() {}, true
	}
	d.once.Do(d.begin)
	network := throttle.Network(address)
	leave, ok = d.gate.Enter(ctx, network, func() int { return d.wrong.Left(network, wrongPerAddress, d.now()) })
	if !ok {
		d.wrong.Wait(network, wrongPerAddress, d.now()) // has the bound count who is refused
	}
	return leave, ok
}

// count notes a token that was not taken.
// Only what was refused counts: an office whose tickets are taken may send as many as
// it likes.
func (d *Verifier) count(address string) {
	if address != "" {
		d.wrong.Count(throttle.Network(address), d.now())
	}
}
