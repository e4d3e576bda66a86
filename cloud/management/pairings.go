package management

import (
	"context"
	"errors"
	"time"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/pairing"
	"ldap-gateway/cloud/store"
)

// kept is how long a code that has expired is remembered, to say that it has.
const kept = 24 * time.Hour

// OfferPairing makes a one-time code for one more instance of a gateway. Only this
// answer has the code.
// Who has the code becomes an instance, which is asked for every password of the
// gateway: so it takes the right that hangs on it. Codes that expired a day ago are
// forgotten by the way.
func (s *Service) OfferPairing(ctx context.Context, by By, gateway string) (p store.Pairing, code string, err error) {
	err = s.act(ctx, by, OfferPairing, func(t *turn) error {
		g, err := t.gateway(ctx, gateway)
		if err != nil {
			return err
		}
		p, code = pairing.Offer(g, by.Words(), s.now())
		if err := t.CreatePairing(ctx, &p); err != nil {
			return err
		}
		t.did(note{
			action:  "pairing.created",
			subject: "gateway:" + g.ID,
			text:    "a pairing code was made",
			more:    facts{"pairing": p.ID},
		})
		return t.PurgePairings(ctx, s.now().Add(-kept))
	})
	return p, code, err
}

// WithdrawPairing takes back a code that nobody has used.
// It takes away only, so no higher right is asked for. store.ErrNotFound for a code
// that was used, or has expired.
func (s *Service) WithdrawPairing(
	ctx context.Context, by By, gateway, id string, seen func(store.Pairing) error,
) error {
	return s.act(ctx, by, WithdrawPairing, func(t *turn) error {
		all, err := t.Pairings(ctx, t.env(), gateway, s.now())
		if err != nil {
			return err
		}
		for _, p := range all {
			if p.ID == id {
				err = ask(seen, p)
			}
		}
		if err != nil {
			return err
		}
		t.did(note{
			action:  "pairing.deleted",
			subject: "gateway:" + gateway,
			text:    "a pairing code was taken back",
			more:    facts{"pairing": id},
		})
		return t.DeletePairing(ctx, t.env(), gateway, id)
	})
}

// ApprovePairing makes the agent that shows a code an instance of a gateway.
// The actor has compared the fingerprint. A code that nobody shows, that was decided on
// or has expired is a fault of fault.PairingCode.
func (s *Service) ApprovePairing(ctx context.Context, by By, gateway, code string) (i store.Instance, err error) {
	err = s.act(ctx, by, ApprovePairing, func(t *turn) error {
		g, err := t.gateway(ctx, gateway)
		if err != nil {
			return err
		}
		i = store.Instance{EnvironmentID: t.env(), GatewayID: g.ID, PairedBy: by.Words()}
		if err := t.Store.ApprovePairing(ctx, pairing.HashCode(code), s.now(), &i); err != nil {
			return notWaiting(err)
		}
		t.did(note{
			action:  "instance.paired",
			subject: "instance:" + i.ID,
			text:    i.Hostname + " was paired with gateway " + g.Name + " from " + i.PairedFrom,
			more:    facts(pairing.Facts(i)),
		})
		return nil
	})
	return i, err
}

// DenyPairing turns the agent away that shows a code.
// It takes away only, so no higher right is asked for. A code that nobody shows is a
// fault, as of ApprovePairing.
func (s *Service) DenyPairing(ctx context.Context, by By, gateway, code string) error {
	return s.act(ctx, by, DenyPairing, func(t *turn) error {
		g, err := t.Gateway(ctx, t.env(), gateway)
		if err != nil {
			return err
		}
		if err := t.Store.DenyPairing(ctx, pairing.HashCode(code), s.now()); err != nil {
			return notWaiting(err)
		}
		t.did(note{
			action:  "pairing.denied",
			subject: "gateway:" + g.ID,
			text:    "an agent that showed a code was turned away",
		})
		return nil
	})
}

// notWaiting says why nobody waits with a code.
// Any other error stays what it is.
func notWaiting(err error) error {
	text := ""
	switch {
	case errors.Is(err, store.ErrNotFound):
		text = "No agent waits with this code. Check it for typing mistakes."
	case errors.Is(err, store.ErrUsed):
		text = "Somebody has decided on this code already."
	case errors.Is(err, store.ErrExpired):
		text = "This code has expired. Run \"ldap-gateway pair --show-code\" on the machine again."
	default:
		return err
	}
	return fault.Of(fault.PairingCode, fault.Invalid, text)
}
