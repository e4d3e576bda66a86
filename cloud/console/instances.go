package console

import (
	"fmt"
	"net/http"
	"time"

	"ldap-gateway/cloud/store"
)

// pairingPage shows a code, once, and what became of it.
type pairingPage struct {
	Gateway store.Gateway
	Pairing store.Pairing
	Code    string // empty: it was shown already
	Minutes int    // that it is good for, when it is shown
	Cloud   string // URL that agents know the cloud by

	Instance store.Instance // that was paired; without an ID: none was
	Over     bool           // none will be
}

// createPairing shows a new code, this once: the store has only its hash. How long it
// is good for is said in whole minutes.
func (c *console) createPairing(k *call) error {
	p, code, err := c.Management.OfferPairing(k.Context(), k.by(), k.PathValue("g"))
	if err != nil {
		return err
	}
	g, err := c.gateway(k)
	if err != nil {
		return err
	}
	minutes := int(p.ExpiresAt.Sub(c.now()).Round(time.Minute).Minutes())
	page := pairingPage{Gateway: g, Pairing: p, Code: code, Minutes: minutes, Cloud: c.URL}
	return k.render(http.StatusCreated, "pairing", "Pair an instance", page)
}

// showPairing tells what became of a code: the page that shows it asks here.
func (c *console) showPairing(k *call) error {
	g, err := c.gateway(k)
	if err != nil {
		return err
	}
	p, i, err := c.Store.Paired(k.Context(), g.EnvironmentID, g.ID, k.PathValue("id"))
	if err != nil {
		return err
	}
	over := i.ID == "" && !c.now().Before(p.ExpiresAt)
	page := pairingPage{Gateway: g, Pairing: p, Instance: i, Over: over}
	return k.render(http.StatusOK, "pairing", "Pair an instance", page)
}

// deletePairing is for a code that nobody has used. An instance that was paired by one
// is revoked.
func (c *console) deletePairing(k *call) error {
	gateway := k.PathValue("g")
	if err := c.Management.WithdrawPairing(k.Context(), k.by(), gateway, k.PathValue("id"), nil); err != nil {
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
	// A revoked one is on record for good, and signs nobody on.
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
	i, err := c.Management.RotateInstance(k.Context(), k.by(), k.PathValue("g"), k.PathValue("i"))
	if err != nil {
		return err
	}
	const said = "The instance on %s was asked to change its keys. Its fingerprint will be another in a moment."
	return k.done(under("gateways", i.GatewayID), fmt.Sprintf(said, i.Hostname))
}

// confirmRevoke asks first, and says so when it is the last: without it nobody signs on
// through the gateway.
func (c *console) confirmRevoke(k *call) error {
	r, err := c.instance(k)
	if err != nil {
		return err
	}
	return k.render(http.StatusOK, "revoke", "Revoke an instance", r)
}

// revoke ends an instance for good: its link is cut and its key refused, and its
// machine has to be paired anew.
func (c *console) revoke(k *call) error {
	i, err := c.Management.RevokeInstance(k.Context(), k.by(), k.PathValue("g"), k.PathValue("i"), nil)
	if err != nil {
		return err
	}
	const said = "The instance on %s was revoked. Its key is refused from now on."
	return k.done(under("gateways", i.GatewayID), fmt.Sprintf(said, i.Hostname))
}
