package hub_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"ldap-gateway/cloudlink"
	"ldap-gateway/cloudlink/wire"
)

// TestLinksThatLostTheirUpgrade are told so, whatever a proxy has left of it.
func TestLinksThatLostTheirUpgrade(t *testing.T) {
	n := startNode(t, time.Second)
	for name, header := range map[string]http.Header{
		"nothing-left":    {},
		"no-upgrade":      {"Connection": {"Upgrade"}},
		"no-connection":   {"Upgrade": {"websocket"}},
		"close":           {"Upgrade": {"websocket"}, "Connection": {"close"}},
		"another-upgrade": {"Upgrade": {"h2c"}, "Connection": {"Upgrade"}},
	} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", n.server.URL+wire.PathConnect, nil)
		must(t, err)
		r.Header = header
		resp, err := http.DefaultClient.Do(r)
		must(t, err)
		var refusal wire.Refusal
		must(t, json.NewDecoder(resp.Body).Decode(&refusal))
		must(t, resp.Body.Close())
		if resp.StatusCode != http.StatusUpgradeRequired || refusal.Code != wire.RefusedUpgrade || refusal.Message == "" ||
			resp.Header.Get("Upgrade") != "websocket" {
			t.Errorf("%s: %s %+v", name, resp.Status, refusal)
		}
	}
	at, err := url.Parse(n.server.URL)
	must(t, err)
	if err := cloudlink.TryWebsocket(t.Context(), http.DefaultClient, at); err != nil {
		t.Error(err)
	}
}
