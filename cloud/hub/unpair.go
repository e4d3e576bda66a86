package hub

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloudlink/wire"
)

// ServeUnpair revokes the instance that asks for it, as when its machine is given
// up. An instance in quarantine may, too: it can only lose by it.
func (h *Hub) ServeUnpair(w http.ResponseWriter, r *http.Request) {
	var audiences []string
	for _, a := range h.Audiences {
		audiences = append(audiences, strings.TrimRight(a, "/")+wire.PathUnpair)
	}
	i, err := h.prove(r, audiences)
	if err == nil && !i.RevokedAt.IsZero() {
		err = errRevoked
	}
	if err == nil {
		err = h.unpair(r, i)
	}
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(wire.Unpaired{Instance: i.ID})
}

// unpair revokes an instance in its own name. The assertion was made for that alone, so
// that one which was made for a link cannot be used for it.
func (h *Hub) unpair(r *http.Request, i store.Instance) error {
	err := h.Store.RevokeInstance(r.Context(), i.EnvironmentID, i.GatewayID, i.ID, "the machine itself", time.Now())
	if err != nil {
		return err
	}
	h.Revoked(i.ID)
	text := "The machine " + i.Hostname + " says that it is an instance no longer"
	h.tell(r.Context(), i, "instance.unpaired", text, map[string]any{
		"gateway":     i.GatewayID,
		"fingerprint": i.Fingerprint,
	})
	return nil
}
