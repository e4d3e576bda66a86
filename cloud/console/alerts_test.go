package console_test

import (
	"net/http"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

func TestAlerts(t *testing.T) {
	s := open(t)
	v := s.admin()
	v.get("/console/settings").is(http.StatusOK).has("The database, with all environments", " MB now")
	v.get("/console/settings/alerts").is(http.StatusOK).has("Nothing is wrong", "Nobody is told yet")
	const add = "/console/settings/alerts/channels"
	v.post(add, "kind", "webhook", "target", "http://10.0.0.1/").is(http.StatusUnprocessableEntity).
		has("begins with https://")
	v.post(add, "kind", "email", "target", "not an address").is(http.StatusUnprocessableEntity).
		has("looks like alerts@example.com")
	v.post(add, "kind", "email", "target", "ops@example.com").is(http.StatusOK).has("Mail", "ops@example.com").
		lacks("The secret of")
	v.post(add, "kind", "webhook", "target", "https://127.0.0.1/hook").is(http.StatusUnprocessableEntity).
		has("not public", "--webhook-network")
	v.post(add, "kind", "webhook", "target", "https://alerts.invalid/hook").is(http.StatusOK).
		has("The secret of https://alerts.invalid/hook")
	v.post(add, "kind", "webhook", "target", "https://alerts.invalid/hook").is(http.StatusUnprocessableEntity).
		has("told already")
	all, err := s.store.AlertChannels(t.Context(), s.env.ID)
	s.must(err)
	for _, c := range all {
		says := map[string]string{"webhook": "lookup alerts.invalid", "email": "mail server"}[c.Kind]
		v.post(add+"/"+c.ID+"/try").is(http.StatusBadGateway).has("The trial did not arrive", says)
		v.follow(v.post(add + "/" + c.ID + "/delete")).has("Nothing is told to")
	}
	v.post(add + "/none/try").is(http.StatusNotFound)

	f := s.fill(s.env.ID, "")
	s.must(s.store.SeeAlerts(t.Context(), s.env.ID, s.clock(), time.Hour, []store.Alert{{
		Key:       "k",
		Code:      "noInstance",
		GatewayID: f.gateway.ID,
		Text:      "No instance <b>",
		Remedy:    "Look",
	}}))
	v.get("/console/settings/alerts").has("No instance <b>", "What helps: Look")
	v.follow(v.post("/console/settings/alerts/quiet", "key", "k")).has("Nobody is told of it for 7 days", "Quiet until")
	v.follow(v.post("/console/settings/alerts/quiet", "key", "other")).has("over already")
}
