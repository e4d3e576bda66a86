package store

import (
	"context"
	"errors"
	"time"
)

// AlertChannel is where alerts are told.
type AlertChannel struct {
	ID, EnvironmentID string
	Kind              string // "webhook" or "email"
	Target            string // URL, or address
	Sealed            []byte // secret that signs what a webhook gets
	CreatedAt         time.Time
	Problem           string // why it was not reached last; filled on reading
}

// Alert is one thing that is wrong.
type Alert struct {
	EnvironmentID, Key string // the key tells one from another, and stays as long as it lasts
	Code, GatewayID    string
	Text, Remedy       string
	Since              time.Time
	SeenAt             time.Time // last
	EndedAt            time.Time // zero: it lasts
	QuietUntil         time.Time // nobody is told before
}

// Delivery is what a channel is to be told of an alert.
type Delivery struct {
	Channel AlertChannel
	Alert   Alert
	Told    string // before: "" nothing, "open" that it lasts
}

const channelColumns = `
	SELECT c.id, c.environment_id, c.kind, c.target, c.sealed, c.created_at,
		coalesce((SELECT max(t.problem) FROM alert_tellings t WHERE t.channel_id = c.id), '')
	FROM alert_channels c`

// scanChannel reads a channel with the problem of one alert that it was not told of;
// what was told since has none.
func scanChannel(r row) (c AlertChannel, err error) {
	err = r.Scan(&c.ID, &c.EnvironmentID, &c.Kind, &c.Target, fromBase64{&c.Sealed}, at{&c.CreatedAt}, &c.Problem)
	return c, err
}

// AlertChannels returns those of an environment, at most MaxLimit.
func (r reader) AlertChannels(ctx context.Context, env string) ([]AlertChannel, error) {
	return queryAll(ctx, r.c, scanChannel, channelColumns+`
		WHERE c.environment_id = $1
		ORDER BY c.kind, c.target LIMIT $2`,
		env, MaxLimit)
}

// AlertChannel returns one, or ErrNotFound.
func (r reader) AlertChannel(ctx context.Context, env, id string) (AlertChannel, error) {
	return queryOne(ctx, r.c, scanChannel, channelColumns+` WHERE c.environment_id = $1 AND c.id = $2`, env, id)
}

// CreateAlertChannel adds c; the caller chose its ID, to seal the secret for it.
// ErrConflict when there is one with that target.
func (s *Store) CreateAlertChannel(ctx context.Context, c *AlertChannel) error {
	return s.Provision(ctx, func(tx *Tx) error {
		stamp(&c.CreatedAt)
		_, err := tx.c.exec(ctx, `
			INSERT INTO alert_channels (id, environment_id, kind, target, sealed, created_at)
			VALUES ($1, $2, $3, $4, $5, $6)`,
			c.ID, c.EnvironmentID, c.Kind, c.Target, inBase64(c.Sealed), micros(c.CreatedAt))
		return err
	})
}

// DeleteAlertChannel removes one; ErrNotFound when there is none.
func (s *Store) DeleteAlertChannel(ctx context.Context, env, id string) error {
	return s.Provision(ctx, func(tx *Tx) error {
		return tx.c.execOne(ctx, `DELETE FROM alert_channels WHERE environment_id = $1 AND id = $2`, env, id)
	})
}

const alertColumns = `
	SELECT environment_id, alert_key, code, gateway_id, text, remedy, since, seen_at, ended_at, quiet_until
	FROM alerts`

// scanAlert reads an alert whether it lasts or has ended.
func scanAlert(r row) (a Alert, err error) {
	err = r.Scan(
		&a.EnvironmentID,
		&a.Key,
		&a.Code,
		&a.GatewayID,
		&a.Text,
		&a.Remedy,
		at{&a.Since},
		at{&a.SeenAt},
		at{&a.EndedAt},
		at{&a.QuietUntil},
	)
	return a, err
}

// Alerts returns those of an environment that last, the oldest first, at most MaxLimit.
func (r reader) Alerts(ctx context.Context, env string) ([]Alert, error) {
	return queryAll(ctx, r.c, scanAlert, alertColumns+`
		WHERE environment_id = $1 AND ended_at = 0
		ORDER BY since, alert_key LIMIT $2`,
		env, MaxLimit)
}

// NodeAlert is what keys of alerts about one node begin with. Another node knows nothing of
// them, so they end when nobody has seen them for nodeAlertLasts.
const NodeAlert = "node/"

const nodeAlertLasts = 2 * time.Minute

// SeeAlerts takes in what is wrong in an environment now, and ends what is not
// any more. What ended longer than keep ago is forgotten.
// What ends keeps its row for a while, since the channels are still to be told that it
// is over; one that comes back within that time begins anew, with a new time.
func (s *Store) SeeAlerts(ctx context.Context, env string, now time.Time, keep time.Duration, alerts []Alert) error {
	return s.ProvisionIn(ctx, env, func(tx *Tx) error {
		for _, a := range alerts {
			_, err := tx.c.exec(ctx, `
				INSERT INTO alerts (environment_id, alert_key, code, gateway_id, text, remedy,
					since, seen_at, ended_at, quiet_until)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $7, 0, 0)
				ON CONFLICT (environment_id, alert_key) DO UPDATE
				SET text = $5, remedy = $6, seen_at = $7, ended_at = 0,
					since = CASE WHEN alerts.ended_at = 0 THEN alerts.since ELSE $7 END`,
				env, a.Key, a.Code, a.GatewayID, a.Text, a.Remedy, micros(now))
			if err != nil {
				return err
			}
		}
		_, err := tx.c.exec(ctx, `
			UPDATE alerts
			SET ended_at = $1
			WHERE environment_id = $2 AND ended_at = 0 AND seen_at < $1
				AND (alert_key NOT LIKE 'node/%' OR seen_at < $3)`,
			micros(now), env, micros(now.Add(-nodeAlertLasts)))
		if err != nil {
			return err
		}
		_, err = tx.c.exec(ctx, `DELETE FROM alerts WHERE environment_id = $1 AND ended_at > 0 AND ended_at < $2`,
			env, micros(now.Add(-keep)))
		return err
	})
}

// QuietAlert has nobody told of an alert until then; ErrNotFound when it is over.
func (s *Store) QuietAlert(ctx context.Context, env, key string, until time.Time) error {
	return s.Provision(ctx, func(tx *Tx) error {
		return tx.c.execOne(ctx, `
			UPDATE alerts
			SET quiet_until = $1
			WHERE environment_id = $2 AND alert_key = $3 AND ended_at = 0`,
			micros(until), env, key)
	})
}

// scanDelivery reads the columns of DueDeliveries.
func scanDelivery(r row) (t Delivery, err error) {
	a, c := &t.Alert, &t.Channel
	err = r.Scan(
		&a.EnvironmentID,
		&a.Key,
		&a.Code,
		&a.GatewayID,
		&a.Text,
		&a.Remedy,
		at{&a.Since},
		at{&a.SeenAt},
		at{&a.EndedAt},
		at{&a.QuietUntil},
		&c.ID,
		&c.EnvironmentID,
		&c.Kind,
		&c.Target,
		fromBase64{&c.Sealed},
		&t.Told,
	)
	return t, err
}

// ClaimLasts is how long one node has for telling a channel, and the longest wait until
// a telling that failed is tried again. What is to be told later than that was told, and
// is told again because it lasts.
const ClaimLasts = 2 * time.Minute

// DueDeliveries returns what channels of an environment are to be told now: what
// lasts since holding or longer and was not told, or not since; and the end of
// what was told. An end waits for a claim and after a failure, and not until what lasts
// would be told again.
func (r reader) DueDeliveries(
	ctx context.Context, env string, now time.Time, holding time.Duration,
) ([]Delivery, error) {
	return queryAll(ctx, r.c, scanDelivery, `
		SELECT a.environment_id, a.alert_key, a.code, a.gateway_id, a.text, a.remedy,
			a.since, a.seen_at, a.ended_at, a.quiet_until,
			c.id, c.environment_id, c.kind, c.target, c.sealed, coalesce(t.told, '')
		FROM alerts a
		JOIN alert_channels c ON c.environment_id = a.environment_id
		LEFT JOIN alert_tellings t ON t.environment_id = a.environment_id AND t.alert_key = a.alert_key
			AND t.channel_id = c.id
		WHERE a.environment_id = $1 AND a.quiet_until <= $2
			AND ((a.ended_at = 0 AND a.since <= $3 AND coalesce(t.next_at, 0) <= $2)
				OR (a.ended_at > 0 AND t.told = 'open' AND (t.next_at <= $2 OR t.next_at > $4)))
		ORDER BY a.since, a.alert_key, c.id LIMIT $5`,
		env, micros(now), micros(now.Add(-holding)), micros(now.Add(ClaimLasts)), MaxLimit)
}

// ClaimDelivery takes on to tell a channel, for ClaimLasts; ErrStale when another node
// has, or it is done.
// The claim is the row itself: of several nodes that find one due, the unique key, what
// was told and the time of the next try let one through. A node that dies with a claim
// delays the telling by ClaimLasts, and does not lose it.
func (s *Store) ClaimDelivery(ctx context.Context, t Delivery, now time.Time) error {
	return s.Provision(ctx, func(tx *Tx) error {
		n, err := tx.c.exec(ctx, `
			INSERT INTO alert_tellings (environment_id, alert_key, channel_id, told, next_at, failures, problem)
			VALUES ($1, $2, $3, '', $4, 0, '')
			ON CONFLICT (environment_id, alert_key, channel_id) DO UPDATE
			SET next_at = $4
			WHERE alert_tellings.told = $6
				AND (alert_tellings.next_at <= $5 OR $7 AND alert_tellings.next_at > $4)`,
			t.Alert.EnvironmentID, t.Alert.Key, t.Channel.ID, micros(now.Add(ClaimLasts)), micros(now),
			t.Told, !t.Alert.EndedAt.IsZero())
		if err == nil && n == 0 {
			err = ErrStale
		}
		return err
	})
}

// EndDelivery notes that a channel was told, or why it was not, and when it is to
// be told again.
// An empty problem says that it was told, and sets the count of failures back. The
// back-off is the caller's: it says when next.
func (s *Store) EndDelivery(ctx context.Context, t Delivery, told, problem string, next time.Time) error {
	err := s.Provision(ctx, func(tx *Tx) error {
		return tx.c.execOne(ctx, `
			UPDATE alert_tellings
			SET told = $1, problem = $2, next_at = $3,
				failures = CASE WHEN $2 = '' THEN 0 ELSE failures + 1 END
			WHERE environment_id = $4 AND alert_key = $5 AND channel_id = $6`,
			told, problem, micros(next), t.Alert.EnvironmentID, t.Alert.Key, t.Channel.ID)
	})
	if errors.Is(err, ErrNotFound) {
		return nil // the alert or the channel went meanwhile
	}
	return err
}
