package console

import (
	"errors"
	"fmt"
	"net/http"

	"ldap-gateway/cloud/store"
)

// waitingPage asks for the code that an agent shows, and then whether to approve.
type waitingPage struct {
	Gateway store.Gateway
	Code    string
	Agent   *store.PairingRequest // nil: no code yet, or not a good one
	Error   string
}

// showWaiting shows who waits with a code, if one is given.
// Nothing is decided by a GET: the machine and its fingerprint are shown first, to be
// compared with what is on its own screen.
func (c *console) showWaiting(k *call) error {
	g, err := c.gateway(k)
	if err != nil {
		return err
	}
	page := waitingPage{Gateway: g, Code: k.query("code")}
	if page.Code == "" {
		return k.render(http.StatusOK, "approve", "Approve a code", page)
	}
	agent, err := c.Pairings.Shown(k.Context(), page.Code)
	if page.Error = notWaiting(err); page.Error != "" {
		return k.render(http.StatusBadRequest, "approve", "Approve a code", page)
	}
	page.Agent = &agent
	if err != nil {
		return err
	}
	return k.render(http.StatusOK, "approve", "Approve a code", page)
}

// notWaiting returns a sentence when no agent waits with a code.
func notWaiting(err error) string {
	switch {
	case errors.Is(err, store.ErrNotFound):
		return "No agent waits with this code. Check it for typing mistakes."
	case errors.Is(err, store.ErrUsed):
		return "Somebody has decided on this code already."
	case errors.Is(err, store.ErrExpired):
		return "This code has expired. Run the command on the machine again."
	}
	return ""
}

// decideWaiting approves or denies.
// Whatever is not the button that approves turns the agent away, so that a form that
// arrives in part lets nobody in.
func (c *console) decideWaiting(k *call) error {
	g, err := c.gateway(k)
	if err != nil {
		return err
	}
	code, said := k.posted("code"), "The agent was turned away."
	if k.posted("approve") == "" {
		err = c.Management.DenyPairing(k.Context(), k.by(), g.ID, code)
	} else {
		var i store.Instance
		i, err = c.Management.ApprovePairing(k.Context(), k.by(), g.ID, code)
		said = fmt.Sprintf("%s is an instance now. Its fingerprint is %s.", i.Hostname, i.Fingerprint)
	}
	if wrong, ok := faults(err); ok {
		page := waitingPage{Gateway: g, Code: code, Error: wrong["code"]}
		return k.render(http.StatusBadRequest, "approve", "Approve a code", page)
	}
	if err != nil {
		return err
	}
	return k.done(under("gateways", g.ID), said)
}
