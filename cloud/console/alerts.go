package console

import (
	"errors"
	"net/http"
	"time"

	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
)

// alertPage is what is wrong now, and who is told.
type alertPage struct {
	Alerts   []store.Alert
	Channels []store.AlertChannel
	Mails    bool // there is a mail server
	Kind     string
	Target   string
	Made     store.AlertChannel
	Secret   string // of Made, shown this once
	Errors   map[string]string
	Now      time.Time
}

func (c *console) showAlerts(k *call) error { return c.renderAlerts(k, http.StatusOK, alertPage{}) }

// renderAlerts shows alerts and channels of the environment. Whether mail can be sent
// is the cloud's configuration, which a page can only tell of.
func (c *console) renderAlerts(k *call, status int, page alertPage) (err error) {
	page.Mails, page.Now = c.Mails, c.now()
	if page.Alerts, err = c.Store.Alerts(k.Context(), k.env()); err != nil {
		return err
	}
	if page.Channels, err = c.Store.AlertChannels(k.Context(), k.env()); err != nil {
		return err
	}
	return k.render(status, "alerts", "Alerts", page)
}

// addChannel answers with a webhook's secret in the page itself rather than with a
// redirect: it is sealed in the store, and no page shows it again.
func (c *console) addChannel(k *call) error {
	page := alertPage{Kind: k.posted("kind"), Target: k.posted("target")}
	made, secret, err := c.Management.AddChannel(k.Context(), k.by(), page.Kind, page.Target)
	if wrong, ok := faults(err); ok {
		page.Errors = wrong
		return c.renderAlerts(k, http.StatusUnprocessableEntity, page)
	}
	if err != nil {
		return err
	}
	return c.renderAlerts(k, http.StatusOK, alertPage{Made: made, Secret: secret})
}

// tryChannel tells a channel that nothing is wrong.
// That the channel fails is the answer to what was asked: the page says why, with 502.
func (c *console) tryChannel(k *call) error {
	ch, err := c.Management.TryChannel(k.Context(), k.by(), k.PathValue("id"))
	var failed *management.Refusal
	if errors.As(err, &failed) {
		return c.renderAlerts(k, http.StatusBadGateway, alertPage{Errors: map[string]string{"channels": failed.Text}})
	}
	if err != nil {
		return err
	}
	return k.done("/console/settings/alerts", "The trial was taken by "+ch.Target+".")
}

func (c *console) deleteChannel(k *call) error {
	ch, err := c.Management.DeleteChannel(k.Context(), k.by(), k.PathValue("id"))
	if err != nil {
		return err
	}
	return k.done("/console/settings/alerts", "Nothing is told to "+ch.Target+" any more.")
}

// quietAlert has nobody told of an alert for a while.
// The form names it by its key. One that was over by the time it was sent is no error.
func (c *console) quietAlert(k *call) error {
	err := c.Management.QuietAlert(k.Context(), k.by(), k.posted("key"))
	if errors.Is(err, store.ErrNotFound) {
		return k.undone("/console/settings/alerts", "This is over already.")
	}
	if err != nil {
		return err
	}
	return k.done("/console/settings/alerts", "Nobody is told of it for "+plural(management.QuietDays, "day")+".")
}
