package api

import (
	"cmp"
	"strings"
	"time"

	"ldap-gateway/cloud/store"
)

// The code is told once: only its hash is kept.
type pairingBody struct {
	Links     links     `json:"_links"`
	ID        string    `json:"id"`
	Code      string    `json:"code,omitempty"` // only in the answer to POST
	CreatedBy string    `json:"createdBy"`
	CreatedAt time.Time `json:"createdAt"`
	ExpiresAt time.Time `json:"expiresAt"`
}

// showPairing shows a code without the code, unless it was made just now.
func showPairing(c *call, p store.Pairing, code string) pairingBody {
	return pairingBody{
		Links:     c.self("gateways", p.GatewayID, "pairings", p.ID),
		ID:        p.ID,
		Code:      code,
		CreatedBy: p.CreatedBy,
		CreatedAt: p.CreatedAt,
		ExpiresAt: p.ExpiresAt,
	}
}

// pairings returns the pending pairings of the gateway in the path.
// It is store.ErrNotFound when there is no such gateway.
func (s *Server) pairings(c *call) ([]store.Pairing, error) {
	g, _, err := s.gatewayOf(c)
	if err != nil {
		return nil, err
	}
	return s.Store.Pairings(c.Context(), c.env, g.ID, s.now())
}

// listPairings answers with the codes that can still be used, the oldest first.
func (s *Server) listPairings(c *call) (reply, error) {
	all, err := s.pairings(c)
	if err != nil {
		return reply{}, err
	}
	return few(c, "pairings", all, func(p store.Pairing) pairingBody { return showPairing(c, p, "") }, "id")
}

// getPairing answers with one that can still be used; 404 for one that was used or has
// expired, as for none.
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
// A body without a code makes one: 201 with the code. With a code it must say whether
// the agent that shows it is approved: 201 with the instance, or 204.
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
	p, code, err := s.Management.OfferPairing(c.Context(), c.by(), c.PathValue("g"))
	if err != nil {
		return reply{}, err
	}
	return created(showPairing(c, p, code))
}

// decidePairing answers with the instance that an approved agent is now.
func (s *Server) decidePairing(c *call, code string, approve bool) (reply, error) {
	if !approve {
		return gone(s.Management.DenyPairing(c.Context(), c.by(), c.PathValue("g"), code))
	}
	i, err := s.Management.ApprovePairing(c.Context(), c.by(), c.PathValue("g"), code)
	if err != nil {
		return reply{}, err
	}
	return created(s.showInstance(c, i, nil))
}

// deletePairing takes a code back, under either of its names.
func (s *Server) deletePairing(c *call) (reply, error) {
	gateway, id := c.PathValue("g"), c.PathValue("id")
	return gone(s.Management.WithdrawPairing(c.Context(), c.by(), gateway, id, func(p store.Pairing) error {
		if strings.Contains(c.URL.Path, "/credentials/") {
			return c.fresh(showCredential(c, p, ""))
		}
		return c.fresh(showPairing(c, p, ""))
	}))
}
