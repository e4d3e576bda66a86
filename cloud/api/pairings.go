package api

import (
	"cmp"
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

// createPairing makes a code that an agent is given. Codes that an agent shows
// are not to be had here.
func (s *Server) createPairing(c *call) (reply, error) {
	var body struct {
		Code string `json:"code"`
	}
	if err := c.read(&body); err != nil {
		return reply{}, err
	}
	if body.Code != "" {
		return reply{}, invalid(wrong("code", "Send {} to be given a code, and give it to the agent: no agent here shows one of its own."))
	}
	p, code, err := s.Pairings.Offer(c.Context(), c.env, c.PathValue("g"), c.who())
	if err != nil {
		return reply{}, err
	}
	s.did(c, "pairing.created", "gateway:"+p.GatewayID, "a pairing code was made", map[string]any{"pairing": p.ID})
	return created(showPairing(c, p, code))
}

func (s *Server) deletePairing(c *call) (reply, error) {
	id := c.PathValue("id")
	if err := s.Store.DeletePairing(c.Context(), c.env, c.PathValue("g"), id); err != nil {
		return reply{}, err
	}
	s.did(c, "pairing.deleted", "gateway:"+c.PathValue("g"), "a pairing code was taken back", map[string]any{"pairing": id})
	return gone(nil)
}
