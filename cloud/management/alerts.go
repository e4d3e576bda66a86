package management

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"ldap-gateway/cloud/alerts"
	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/store"
)

// Channels makes and tries ways of telling alerts.
type Channels interface {
	// Make returns a channel with the secret that its receiver is given once. Its
	// error wraps alerts.ErrChannel when there cannot be one.
	Make(env, id, kind, target string) (c store.AlertChannel, secret string, err error)
	// Send tells one channel. Its error is for administrators.
	Send(ctx context.Context, c store.AlertChannel, m alerts.Message) error
}

// QuietDays are for how long an alert is made quiet.
const QuietDays = 7

// factsOfChannel leaves out the secret that signs.
// The target is shown, so nothing secret may be in it: see alerts.Post.Make.
func factsOfChannel(c store.AlertChannel) facts { return facts{"kind": c.Kind, "target": c.Target} }

// AddChannel adds a way of telling alerts, and returns the secret that signs them.
// Only this answer has it; mail has none.
// Whether the address may be called at all is the alerts' to say, by their error;
// whether anybody is there is found out by TryChannel.
func (s *Service) AddChannel(
	ctx context.Context, by By, kind, target string,
) (c store.AlertChannel, secret string, err error) {
	err = s.act(ctx, by, AddChannel, func(t *turn) (err error) {
		c, secret, err = s.Channels.Make(t.env(), uuid.Must(uuid.NewV7()).String(), kind, target)
		if errors.Is(err, alerts.ErrChannel) {
			return wrong(fault.Channel, 0, "%s.", err)
		}
		if err == nil {
			err = t.CreateAlertChannel(ctx, &c)
		}
		if errors.Is(err, store.ErrConflict) {
			return fault.Of(fault.Channel, fault.Taken, "It is told already.")
		}
		t.did(note{
			action:  "alertChannel.created",
			subject: "alertChannel:" + c.ID,
			text:    "alerts are told to " + c.Target,
			after:   factsOfChannel(c),
		})
		return err
	})
	return c, secret, err
}

// TryChannel tells a channel that nothing is wrong. A *Refusal says why it did not
// arrive.
// It is noted before it is sent, and sent when the transaction is over: a server that
// does not answer holds no writer up.
func (s *Service) TryChannel(ctx context.Context, by By, id string) (c store.AlertChannel, err error) {
	var e store.Environment
	err = s.act(ctx, by, TryChannel, func(t *turn) (err error) {
		if c, err = t.AlertChannel(ctx, t.env(), id); err == nil {
			e, err = t.Environment(ctx, t.env())
		}
		t.did(note{
			action:  "alertChannel.tried",
			subject: "alertChannel:" + c.ID,
			text:    "a trial was sent to " + c.Target,
		})
		return err
	})
	if err != nil {
		return c, err
	}
	if err := s.Channels.Send(ctx, c, alerts.Trial(e, s.now())); err != nil {
		return c, &Refusal{fmt.Sprintf("The trial did not arrive at %s: %s.", c.Target, err)}
	}
	return c, nil
}

// DeleteChannel removes a way of telling alerts.
// What it was not told yet it is never told.
func (s *Service) DeleteChannel(ctx context.Context, by By, id string) (c store.AlertChannel, err error) {
	err = s.act(ctx, by, DeleteChannel, func(t *turn) (err error) {
		if c, err = t.AlertChannel(ctx, t.env(), id); err != nil {
			return err
		}
		t.did(note{
			action:  "alertChannel.deleted",
			subject: "alertChannel:" + c.ID,
			text:    "alerts are told to " + c.Target + " no more",
			before:  factsOfChannel(c),
		})
		return t.DeleteAlertChannel(ctx, t.env(), c.ID)
	})
	return c, err
}

// QuietAlert has nobody told of an alert for QuietDays. store.ErrNotFound when it is
// over already.
// That it is quiet is for everybody, and said beside the alert: nobody should wonder
// why they were not told.
func (s *Service) QuietAlert(ctx context.Context, by By, key string) error {
	return s.act(ctx, by, QuietAlert, func(t *turn) error {
		until := s.now().AddDate(0, 0, QuietDays)
		t.did(note{
			action:  "alert.quieted",
			subject: "alert:" + key,
			text:    fmt.Sprintf("an alert was made quiet for %d days", QuietDays),
			more:    facts{"until": until.UTC().Format(time.RFC3339)},
		})
		return t.Store.QuietAlert(ctx, t.env(), key, until)
	})
}
