package api

import (
	"cmp"
	"time"

	"ldap-gateway/cloud/store"
)

// credentialBody is a pairing code under the name that compatible clients know:
// what an agent is given to come in with. Ours is good once and for a short time.
type credentialBody struct {
	Links      links     `json:"_links"`
	ID         string    `json:"id"`
	Credential string    `json:"credential,omitempty"` // only in the answer to POST
	CreatedAt  time.Time `json:"createdAt"`
	ExpiresAt  time.Time `json:"expiresAt"`
}

// showCredential shows a code without the code, unless it was made just now.
func showCredential(c *call, p store.Pairing, code string) credentialBody {
	return credentialBody{c.self("gateways", p.GatewayID, "credentials", p.ID), p.ID, code, p.CreatedAt, p.ExpiresAt}
}

// listCredentials answers with the codes that can still be used, at most 1,000, without
// the codes.
func (s *Server) listCredentials(c *call) (reply, error) {
	all, err := s.pairings(c)
	if err != nil {
		return reply{}, err
	}
	return few(c, "credentials", all, func(p store.Pairing) credentialBody { return showCredential(c, p, "") }, "id")
}

// getCredential answers with one that can still be used; 404 for one that was used or
// has expired, as for none.
func (s *Server) getCredential(c *call) (reply, error) {
	all, err := s.pairings(c)
	for _, p := range all {
		if p.ID == c.PathValue("id") {
			return ok(showCredential(c, p, ""))
		}
	}
	return reply{}, cmp.Or(err, store.ErrNotFound)
}

// createCredential makes a code; the request needs no body.
// Who has it may pair one machine; it is told in this answer alone, and not again for
// an Idempotency-Key.
func (s *Server) createCredential(c *call) (reply, error) {
	p, code, err := s.Management.OfferPairing(c.Context(), c.by(), c.PathValue("g"))
	if err != nil {
		return reply{}, err
	}
	return created(showCredential(c, p, code))
}
