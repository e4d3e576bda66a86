package pairing

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloud/web"
	"ldap-gateway/cloudlink/wire"
)

const (
	// awaitSeconds is how often a waiting agent asks.
	awaitSeconds = 2
	// shownPerAddress is how many codes one address may have shown in a window.
	shownPerAddress = 20
	// shownInAll bounds the agents that wait at one node: who has none waits, or is given
	// a code by an administrator, which has no such bound.
	shownInAll = 500
)

// errDenied says that an administrator turned a waiting agent away.
var errDenied = errors.New("denied")

// ServeShow gives an agent a code to show, and a ticket to wait with.
func (d *Broker) ServeShow(w http.ResponseWriter, r *http.Request) {
	address := web.Address(r)
	d.once.Do(d.begin)
	if wait := d.shown.Begin(d.now(), throttle.Limit{Key: throttle.Network(address), Most: shownPerAddress}); wait > 0 {
		d.refuse(w, http.StatusTooManyRequests, &wire.Refusal{
			Code:       wire.RefusedThrottled,
			RetryAfter: int(wait.Seconds()) + 1,
			Message: fmt.Sprintf("too many codes are shown, from here or in all: wait %s, or have an administrator give you one",
				wait.Round(time.Second)),
		})
		return
	}
	var req wire.PairRequest
	if err := json.NewDecoder(io.LimitReader(r.Body, wire.MaxFirstFrame)).Decode(&req); err != nil || req.Code != "" {
		d.refuse(w, http.StatusBadRequest, &wire.Refusal{Code: wire.RefusedRequest, Message: "not a request for a code"})
		return
	}
	ticket, err := d.show(r.Context(), req, address)
	d.reply(w, ticket, err)
}

// show keeps a proven request until somebody decides on its code.
// The ticket is 256 random bits and the code 40: who waits proves themselves by the
// one, and people compare the other.
func (d *Broker) show(ctx context.Context, req wire.PairRequest, address string) (t wire.PairTicket, err error) {
	if err := d.check(req); err != nil {
		return t, err
	}
	random := make([]byte, 37)
	rand.Read(random) // never fails
	t = wire.PairTicket{
		Ticket:  base64.RawURLEncoding.EncodeToString(random[5:]),
		Code:    wire.NewCode(random[:5]),
		Expires: d.now().Add(Life),
		Seconds: awaitSeconds,
	}
	return t, d.Store.CreatePairingRequest(ctx, &store.PairingRequest{
		TicketHash:  hashTicket(t.Ticket),
		CodeHash:    HashCode(t.Code),
		PublicKey:   req.PublicKey,
		SealKey:     req.SealKey,
		Fingerprint: wire.Fingerprint(req.PublicKey, req.SealKey),
		Hostname:    clip(req.Hostname),
		Software:    clip(req.Software),
		Address:     address,
		CreatedAt:   d.now(),
		ExpiresAt:   t.Expires,
	})
}

// ServeAwait tells a waiting agent what became of its code.
// It needs no throttle: a ticket cannot be guessed, and one that is not known costs a
// look-up in an index.
func (d *Broker) ServeAwait(w http.ResponseWriter, r *http.Request) {
	var req wire.PairAwait
	if err := json.NewDecoder(io.LimitReader(r.Body, wire.MaxFirstFrame)).Decode(&req); err != nil {
		d.refuse(w, http.StatusBadRequest, &wire.Refusal{Code: wire.RefusedRequest, Message: "not a question about a code"})
		return
	}
	answer, err := d.decided(r.Context(), req.Ticket)
	d.reply(w, answer, err)
}

// decided returns an empty answer until somebody has decided.
func (d *Broker) decided(ctx context.Context, ticket string) (a wire.PairAnswer, err error) {
	p, err := d.Store.PairingRequestByTicket(ctx, hashTicket(ticket), d.now())
	switch {
	case err != nil:
		return a, err
	case p.Denied:
		return a, errDenied
	case p.InstanceID == "":
		return a, nil
	}
	i, err := d.Store.Instance(ctx, p.InstanceID)
	if err != nil {
		return a, err
	}
	return d.answer(ctx, i)
}

// Shown returns the agent that shows a code and waits. Its errors are
// store.ErrNotFound, store.ErrUsed and store.ErrExpired.
func (d *Broker) Shown(ctx context.Context, code string) (store.PairingRequest, error) {
	return d.Store.PairingRequestByCode(ctx, HashCode(code), d.now())
}

// hashTicket is what is kept of a ticket.
func hashTicket(ticket string) []byte { return hashText("ticket " + ticket) }
