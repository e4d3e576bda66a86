package api

import (
	"cmp"
	"errors"
	"time"

	"ldap-gateway/cloud/store"
)

type pairingBody struct {
	Links     links     `json:"_links"`
	ID        string    `json:"id"`
	Code      string    `json:"code,omitempty"` // only in the answer to POST
	CreatedBy string    `json:"createdBy"`
	CreatedAt time.Time `json:"createdAt"`
	ExpiresAt time.Time `json:"expiresAt"`
}

func showPairing(c *call, p store.Pairing, code string) pairingBody {
	return pairingBody{c.self("gateways", p.GatewayID, "pairings", p.ID), p.ID, code, p.CreatedBy, p.CreatedAt, p.ExpiresAt}
}

// who says in words who made a request.
func (c *call) who() string { return "API client " + cmp.Or(c.client.Name, c.client.ID) }

// pairings returns the pending pairings of the gateway in the path.
func (s *Server) pairings(c *call) ([]store.Pairing, error) {
	g, _, err := s.gatewayOf(c)
	if err != nil {
		return nil, err
	}
	return s.Store.Pairings(c.Context(), c.env, g.ID, s.now())
}

func (s *Server) listPairings(c *call) (reply, error) {
	all, err := s.pairings(c)
	if err != nil {
		return reply{}, err
	}
	return listed(c, "pairings", all, "", func(p store.Pairing) pairingBody { return showPairing(c, p, "") })
}

func (s *Server) getPairing(c *call) (reply, error) {
	all, err := s.pairings(c)
	for _, p := range all {
		if p.ID == c.PathValue("id") {
			return ok(showPairing(c, p, ""))
		}
	}
	return reply{}, cmp.Or(err, store.ErrNotFound)
}

// createPairing makes a code that an agent is given, or decides on one that an
// agent shows.
func (s *Server) createPairing(c *call) (reply, error) {
	var body struct {
		Code    string `json:"code"`
		Approve *bool  `json:"approve"`
	}
	if err := c.read(&body); err != nil {
		return reply{}, err
	}
	switch {
	case body.Code != "" && body.Approve == nil:
		return reply{}, invalid(missing("approve"))
	case body.Code != "":
		return s.decidePairing(c, body.Code, *body.Approve)
	}
	p, code, err := s.offer(c)
	if err != nil {
		return reply{}, err
	}
	return created(showPairing(c, p, code))
}

// offer makes a code for the gateway in the path.
func (s *Server) offer(c *call) (store.Pairing, string, error) {
	p, code, err := s.Pairings.Offer(c.Context(), c.env, c.PathValue("g"), c.who())
	if err == nil {
		s.did(c, "pairing.created", "gateway:"+p.GatewayID, "a pairing code was made", map[string]any{"pairing": p.ID})
	}
	return p, code, err
}

// decidePairing answers with the instance that an approved agent is now.
func (s *Server) decidePairing(c *call, code string, approve bool) (reply, error) {
	g, _, err := s.gatewayOf(c)
	if err != nil {
		return reply{}, err
	}
	var i store.Instance
	if approve {
		i, err = s.Pairings.Approve(c.Context(), c.env, g.ID, code, c.who())
	} else {
		err = s.Pairings.Deny(c.Context(), code)
	}
	switch {
	case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrUsed), errors.Is(err, store.ErrExpired):
		return reply{}, invalid(wrong("code", "No agent waits with this code: it is not known, decided already, or expired. Run \"ldap-gateway pair --show-code\" again."))
	case err != nil || !approve:
		return gone(err)
	}
	return created(s.showInstance(c, i, nil))
}

func (s *Server) deletePairing(c *call) (reply, error) {
	id := c.PathValue("id")
	noting := s.noting(c, func() note {
		return note{"pairing.deleted", "gateway:" + c.PathValue("g"), "a pairing code was taken back", map[string]any{"pairing": id}}
	})
	if err := noting.DeletePairing(c.Context(), c.env, c.PathValue("g"), id); err != nil {
		return reply{}, err
	}
	return gone(nil)
}
