package hub

import (
	"net/http"
	"strings"

	"github.com/coder/websocket"

	"ldap-gateway/cloudlink/wire"
)

// upgrades tells whether a request asks for a websocket still: HTTP/1.1 with its Upgrade, or
// the CONNECT of HTTP/2 (RFC 8441), which is none of ours.
func upgrades(r *http.Request) bool {
	return r.ProtoMajor == 1 && strings.EqualFold(r.Header.Get("Upgrade"), "websocket") &&
		strings.Contains(strings.ToLower(r.Header.Get("Connection")), "upgrade")
}

// serveTrial opens a websocket and closes it, for whoever wants to know whether they pass.
func serveTrial(w http.ResponseWriter, r *http.Request) {
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{wire.TrialSubprotocol}})
	if err != nil {
		return // Accept has answered
	}
	_ = ws.Close(websocket.StatusNormalClosure, "websockets pass")
}

// noUpgrade is what an agent is told whose request has lost its upgrade on the way.
func noUpgrade() *wire.Refusal {
	return &wire.Refusal{
		Code: wire.RefusedUpgrade,
		Message: "something between here and the cloud does not pass websockets: the proxy before the cloud must hand on" +
			" the headers Upgrade and Connection",
	}
}
