package console

import (
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"ldap-gateway/cloud/alerts"
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

// quietDays are for how long an alert may be made quiet.
const quietDays = 7

func (c *console) showAlerts(k *call) error { return c.renderAlerts(k, http.StatusOK, alertPage{}) }

func (c *console) renderAlerts(k *call, status int, page alertPage) (err error) {
	page.Mails, page.Now = c.Post.SMTP != "", c.now()
	if page.Alerts, err = c.Store.Alerts(k.Context(), k.env()); err != nil {
		return err
	}
	if page.Channels, err = c.Store.AlertChannels(k.Context(), k.env()); err != nil {
		return err
	}
	return k.render(status, "alerts", "Alerts", page)
}

// notingChannel returns the store, which adds to what is written what was done to
// a way of telling alerts.
func (k *call) notingChannel(action, text string, ch *store.AlertChannel) *store.Store {
	return k.noting(func() note {
		return note{"alertChannel." + action, "alertChannel:" + ch.ID, text, map[string]any{"kind": ch.Kind, "target": ch.Target}}
	})
}

func (c *console) addChannel(k *call) error {
	page := alertPage{Kind: k.posted("kind"), Target: k.posted("target")}
	made, secret, err := c.Post.Make(k.env(), uuid.Must(uuid.NewV7()).String(), page.Kind, page.Target)
	if err == nil {
		err = k.notingChannel("created", "alerts are told to "+made.Target, &made).CreateAlertChannel(k.Context(), &made)
	}
	switch {
	case errors.Is(err, alerts.ErrChannel):
		page.Errors = map[string]string{"target": err.Error() + "."}
	case errors.Is(err, store.ErrConflict):
		page.Errors = map[string]string{"target": "It is told already."}
	case err != nil:
		return err
	default:
		return c.renderAlerts(k, http.StatusOK, alertPage{Made: made, Secret: secret})
	}
	return c.renderAlerts(k, http.StatusUnprocessableEntity, page)
}

// tryChannel tells a channel that nothing is wrong.
func (c *console) tryChannel(k *call) error {
	ch, err := c.Store.AlertChannel(k.Context(), k.env(), k.PathValue("id"))
	if err != nil {
		return err
	}
	env, err := c.Store.Environment(k.Context(), k.env())
	if err != nil {
		return err
	}
	if err := c.Post.Send(k.Context(), ch, alerts.Trial(env, c.now())); err != nil {
		return c.renderAlerts(k, http.StatusBadGateway, alertPage{Errors: map[string]string{"channels": "The trial did not arrive at " + ch.Target + ": " + err.Error() + "."}})
	}
	return k.done("/console/settings/alerts", "The trial was taken by "+ch.Target+".")
}

func (c *console) deleteChannel(k *call) error {
	ch, err := c.Store.AlertChannel(k.Context(), k.env(), k.PathValue("id"))
	if err != nil {
		return err
	}
	if err := k.notingChannel("deleted", "alerts are told to "+ch.Target+" no more", &ch).DeleteAlertChannel(k.Context(), k.env(), ch.ID); err != nil {
		return err
	}
	return k.done("/console/settings/alerts", "Nothing is told to "+ch.Target+" any more.")
}

// quietAlert has nobody told of an alert for a while.
func (c *console) quietAlert(k *call) error {
	key := k.posted("key")
	noting := k.noting(func() note {
		return note{"alert.quieted", "alert:" + key, "an alert was made quiet for " + plural(quietDays, "day"), nil}
	})
	err := noting.QuietAlert(k.Context(), k.env(), key, c.now().AddDate(0, 0, quietDays))
	if errors.Is(err, store.ErrNotFound) {
		return k.done("/console/settings/alerts", "This is over already.")
	}
	if err != nil {
		return err
	}
	return k.done("/console/settings/alerts", "Nobody is told of it for "+plural(quietDays, "day")+".")
}
