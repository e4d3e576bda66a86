package management

import (
	"context"

	"ldap-gateway/cloud/store"
)

// instance returns an instance of a gateway, with the gateway. Its actions only
// take away, so no higher right is asked for.
// It is store.ErrNotFound for one of another gateway.
func (t *turn) instance(ctx context.Context, gateway, id string) (g store.Gateway, i store.Instance, err error) {
	if g, err = t.Gateway(ctx, t.env(), gateway); err != nil {
		return g, i, err
	}
	i, err = t.Instance(ctx, id)
	if err == nil && (i.EnvironmentID != t.env() || i.GatewayID != g.ID) {
		err = store.ErrNotFound
	}
	return g, i, err
}

// RotateInstance has an instance change its keys. Which they are is seen when they
// are; ErrRevoked when it has none any more.
// Nothing is written but the activity: the instance makes its keys, and the hub keeps
// them when it shows them. One that is not connected does not hear of it.
func (s *Service) RotateInstance(ctx context.Context, by By, gateway, id string) (i store.Instance, err error) {
	err = s.act(ctx, by, RotateInstance, func(t *turn) (err error) {
		if _, i, err = t.instance(ctx, gateway, id); err != nil {
			return err
		}
		if !i.RevokedAt.IsZero() {
			return ErrRevoked
		}
		t.did(note{
			action:  "instance.rotation",
			subject: "instance:" + i.ID,
			text:    "the instance on " + i.Hostname + " was asked to change its keys",
			more:    facts{"gateway": i.GatewayID, "fingerprint": i.Fingerprint},
		})
		t.after = append(t.after, func() { t.service.Links.Rotate(i.ID) })
		return nil
	})
	return i, err
}

// RevokeInstance ends an instance's credential for good. The first time counts:
// revoking it again changes nothing.
// The links hear of it the second time too: the first may have been while the bus was
// lost.
func (s *Service) RevokeInstance(
	ctx context.Context, by By, gateway, id string, seen func(store.Instance) error,
) (i store.Instance, err error) {
	err = s.act(ctx, by, RevokeInstance, func(t *turn) (err error) {
		if _, i, err = t.instance(ctx, gateway, id); err == nil {
			err = ask(seen, i)
		}
		if err != nil {
			return err
		}
		t.after = append(t.after, func() { t.service.Links.Revoked(i.ID) })
		if !i.RevokedAt.IsZero() {
			return nil
		}
		t.did(note{
			action:  "instance.revoked",
			subject: "instance:" + i.ID,
			text:    "instance on " + i.Hostname + " was revoked",
			more:    facts{"gateway": i.GatewayID, "fingerprint": i.Fingerprint},
		})
		return t.Store.RevokeInstance(ctx, t.env(), gateway, i.ID, by.Words(), s.now())
	})
	return i, err
}
