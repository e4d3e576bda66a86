package console

import (
	"fmt"
	"net/http"
	"time"

	"ldap-gateway/cloud/store"
)

// pairingPage shows a code, once.
type pairingPage struct {
	Gateway store.Gateway
	Code    string
	Expires time.Time
	Minutes int
}

func (c *console) createPairing(k *call) error {
	g, err := c.gateway(k)
	if err != nil {
		return err
	}
	p, code, err := c.Pairings.Offer(k.Context(), k.env(), g.ID, "administrator "+k.admin.Name)
	if err != nil {
		return err
	}
	k.did("pairing.created", "gateway:"+g.ID, "a pairing code was made", map[string]any{"pairing": p.ID})
	minutes := int(p.ExpiresAt.Sub(c.now()).Round(time.Minute).Minutes())
	return k.render(http.StatusCreated, "pairing", "Pair an instance", pairingPage{g, code, p.ExpiresAt, minutes})
}

func (c *console) deletePairing(k *call) error {
	gateway, id := k.PathValue("g"), k.PathValue("id")
	noting := k.noting(func() note {
		return note{"pairing.deleted", "gateway:" + gateway, "a pairing code was taken back", map[string]any{"pairing": id}}
	})
	if err := noting.DeletePairing(k.Context(), k.env(), gateway, id); err != nil {
		return err
	}
	return k.done(under("gateways", gateway), "The pairing code was taken back.")
}

// revocation asks before an instance is revoked.
type revocation struct {
	Gateway  store.Gateway
	Instance store.Instance
	Last     bool // the gateway has no other
}

// instance returns the gateway and the instance in the path.
func (c *console) instance(k *call) (r revocation, err error) {
	if r.Gateway, err = c.gateway(k); err != nil {
		return r, err
	}
	all, err := c.Store.Instances(k.Context(), k.env(), r.Gateway.ID)
	if err != nil {
		return r, err
	}
	paired := 0
	for _, i := range all {
		if i.RevokedAt.IsZero() {
			paired++
		}
		if i.ID == k.PathValue("i") {
			r.Instance = i
		}
	}
	if r.Instance.ID == "" {
		return r, store.ErrNotFound
	}
	r.Last = paired == 1
	return r, nil
}

// rotate has an instance change its keys. Which they are is seen when they are.
func (c *console) rotate(k *call) error {
	r, err := c.instance(k)
	if err != nil {
		return err
	}
	c.Links.Rotate(r.Instance.ID)
	k.did("instance.rotation", "instance:"+r.Instance.ID, "the instance on "+r.Instance.Hostname+" was asked to change its keys", map[string]any{"gateway": r.Gateway.ID})
	return k.done(under("gateways", r.Gateway.ID), fmt.Sprintf("The instance on %s was asked to change its keys. Its fingerprint will be another in a moment.", r.Instance.Hostname))
}

func (c *console) confirmRevoke(k *call) error {
	r, err := c.instance(k)
	if err != nil {
		return err
	}
	return k.render(http.StatusOK, "revoke", "Revoke an instance", r)
}

func (c *console) revoke(k *call) error {
	r, err := c.instance(k)
	if err != nil {
		return err
	}
	i := r.Instance
	noting := k.noting(func() note {
		return note{"instance.revoked", "instance:" + i.ID, "instance on " + i.Hostname + " was revoked", map[string]any{"gateway": r.Gateway.ID, "fingerprint": i.Fingerprint}}
	})
	if err := noting.RevokeInstance(k.Context(), k.env(), r.Gateway.ID, i.ID, "administrator "+k.admin.Name, c.now()); err != nil {
		return err
	}
	c.Links.Revoked(i.ID)
	return k.done(under("gateways", r.Gateway.ID), fmt.Sprintf("The instance on %s was revoked. Its key is refused from now on.", i.Hostname))
}
