package store_test

import (
	"fmt"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// channel adds a channel that tells one target.
func channel(t testing.TB, s *store.Store, w world, target string) store.AlertChannel {
	t.Helper()
	c := store.AlertChannel{
		ID:            "to " + target,
		EnvironmentID: w.env.ID,
		Kind:          "webhook",
		Target:        target,
		Sealed:        []byte("secret of " + target),
		CreatedAt:     moment(1),
	}
	must(t, s.CreateAlertChannel(t.Context(), &c))
	return c
}

// wrong is an alert of a kind.
func wrong(w world, key string) store.Alert {
	return store.Alert{
		Key:       key,
		Code:      "code " + key,
		GatewayID: w.gateway.ID,
		Text:      "text",
		Remedy:    "remedy",
	}
}

func TestAlertChannels(t *testing.T) {
	s := open(t)
	w, other := build(t, s, "one"), build(t, s, "two")
	ctx := t.Context()
	b, a := channel(t, s, w, "https://b.example/"), channel(t, s, w, "https://a.example/")
	got, err := s.AlertChannel(ctx, w.env.ID, a.ID)
	same(t, got, a, err)
	all, err := s.AlertChannels(ctx, w.env.ID)
	same(t, all, []store.AlertChannel{a, b}, err)

	again := a
	again.ID = "again"
	want(t, s.CreateAlertChannel(ctx, &again), store.ErrConflict)
	again.EnvironmentID = other.env.ID // there it is another's
	must(t, s.CreateAlertChannel(ctx, &again))
	again.ID, again.EnvironmentID = "nowhere", "none"
	want(t, s.CreateAlertChannel(ctx, &again), store.ErrNotFound)

	_, err = s.AlertChannel(ctx, other.env.ID, a.ID)
	want(t, err, store.ErrNotFound)
	want(t, s.DeleteAlertChannel(ctx, other.env.ID, a.ID), store.ErrNotFound)
	must(t, s.DeleteAlertChannel(ctx, w.env.ID, a.ID))
	want(t, s.DeleteAlertChannel(ctx, w.env.ID, a.ID), store.ErrNotFound)
	all, err = s.AlertChannels(ctx, w.env.ID)
	same(t, all, []store.AlertChannel{b}, err)
}

// An alert lasts since it was first seen until it is seen no more; one that comes back
// is a new one.
func TestAlertsLast(t *testing.T) {
	s := open(t)
	w, other := build(t, s, "one"), build(t, s, "two")
	ctx := t.Context()
	see := func(minute int, alerts ...store.Alert) []store.Alert {
		t.Helper()
		must(t, s.SeeAlerts(ctx, w.env.ID, moment(minute), 5*time.Minute, alerts))
		all, err := s.Alerts(ctx, w.env.ID)
		must(t, err)
		return all
	}
	must(t, s.SeeAlerts(ctx, other.env.ID, moment(0), time.Hour, []store.Alert{wrong(other, "a")}))
	a, b := wrong(w, "a"), wrong(w, "b")
	all := see(1, b)
	full := b
	full.EnvironmentID, full.Since, full.SeenAt = w.env.ID, moment(1), moment(1)
	same(t, all, []store.Alert{full}, nil)

	b.Text = "another text"
	all = see(2, a, b)
	if len(all) != 2 || all[0].Key != "b" || !all[0].Since.Equal(moment(1)) || !all[0].SeenAt.Equal(moment(2)) {
		t.Fatalf("%+v", all)
	}
	same(t, all[0].Text, "another text", nil)
	all = see(3, a)
	same(t, len(all), 1, nil)
	all = see(4, a, b)
	if len(all) != 2 || all[1].Key != "b" || !all[1].Since.Equal(moment(4)) {
		t.Errorf("what came back lasts since %+v", all)
	}
	theirs, err := s.Alerts(ctx, other.env.ID)
	if err != nil || len(theirs) != 1 || !theirs[0].SeenAt.Equal(moment(0)) {
		t.Errorf("of another environment: %+v, %v", theirs, err)
	}
}

// Who made an alert quiet is not told of it before then, nor is anybody.
func TestQuietAlerts(t *testing.T) {
	s := open(t)
	w, other := build(t, s, "one"), build(t, s, "two")
	ctx := t.Context()
	channel(t, s, w, "https://a.example/")
	must(t, s.SeeAlerts(ctx, w.env.ID, moment(1), time.Hour, []store.Alert{wrong(w, "a")}))
	must(t, s.QuietAlert(ctx, w.env.ID, "a", moment(20)))
	want(t, s.QuietAlert(ctx, w.env.ID, "none", moment(20)), store.ErrNotFound)
	want(t, s.QuietAlert(ctx, other.env.ID, "a", moment(50)), store.ErrNotFound)
	all, err := s.Alerts(ctx, w.env.ID)
	if err != nil || len(all) != 1 || !all[0].QuietUntil.Equal(moment(20)) {
		t.Errorf("%+v, %v", all, err)
	}
	for minute, due := range map[int]int{19: 0, 20: 1} {
		got, err := s.DueDeliveries(ctx, w.env.ID, moment(minute), time.Minute)
		same(t, len(got), due, err)
	}
	must(t, s.SeeAlerts(ctx, w.env.ID, moment(30), time.Hour, nil))
	want(t, s.QuietAlert(ctx, w.env.ID, "a", moment(40)), store.ErrNotFound) // it is over
}

// deliveries is what is due, as target, key and what was told before.
func deliveries(t testing.TB, s *store.Store, w world, minute int) (all []string, due []store.Delivery) {
	t.Helper()
	due, err := s.DueDeliveries(t.Context(), w.env.ID, moment(minute), 2*time.Minute)
	must(t, err)
	for _, d := range due {
		if d.Channel.Sealed == nil || d.Alert.Text == "" || d.Channel.EnvironmentID != w.env.ID {
			t.Errorf("it lacks something: %+v", d)
		}
		all = append(all, fmt.Sprintf("%s %s %q", d.Channel.Target, d.Alert.Key, d.Told))
	}
	return all, due
}

// Each channel is told of each alert that has lasted for a while, is told by one node,
// and is told again when that failed, and when it is over.
func TestDeliveries(t *testing.T) {
	s := open(t)
	w, other := build(t, s, "one"), build(t, s, "two")
	ctx := t.Context()
	channel(t, s, w, "A")
	channel(t, s, w, "B")
	channel(t, s, other, "C")
	must(t, s.SeeAlerts(ctx, w.env.ID, moment(1), time.Hour, []store.Alert{wrong(w, "x")}))
	got, _ := deliveries(t, s, w, 2)
	same(t, got, nil, nil) // it may be over in a moment
	got, due := deliveries(t, s, w, 3)
	same(t, got, []string{`A x ""`, `B x ""`}, nil)

	must(t, s.ClaimDelivery(ctx, due[0], moment(3)))
	want(t, s.ClaimDelivery(ctx, due[0], moment(3)), store.ErrStale)
	got, _ = deliveries(t, s, w, 4)
	same(t, got, []string{`B x ""`}, nil)
	must(t, s.EndDelivery(ctx, due[0], "", "refused", moment(6)))
	c, err := s.AlertChannel(ctx, w.env.ID, due[0].Channel.ID)
	same(t, c.Problem, "refused", err)
	got, _ = deliveries(t, s, w, 5)
	same(t, got, []string{`B x ""`}, nil)

	got, due = deliveries(t, s, w, 6)
	same(t, got, []string{`A x ""`, `B x ""`}, nil)
	for _, d := range due {
		must(t, s.ClaimDelivery(ctx, d, moment(6)))
		must(t, s.EndDelivery(ctx, d, "open", "", moment(40)))
	}
	c, err = s.AlertChannel(ctx, w.env.ID, due[0].Channel.ID)
	same(t, c.Problem, "", err)
	got, _ = deliveries(t, s, w, 39)
	same(t, got, nil, nil)
	got, _ = deliveries(t, s, w, 40)
	same(t, got, []string{`A x "open"`, `B x "open"`}, nil)

	must(t, s.SeeAlerts(ctx, w.env.ID, moment(41), time.Hour, nil))
	got, due = deliveries(t, s, w, 42)
	same(t, got, []string{`A x "open"`, `B x "open"`}, nil)
	must(t, s.EndDelivery(ctx, due[0], "ended", "", moment(42)))
	got, _ = deliveries(t, s, w, 43)
	same(t, got, []string{`B x "open"`}, nil)
}

// TestEndIsNotLate: the end of what was told is due at once, whenever it would have been told
// again; it waits for a claim and after a failure, one node tells it, and what comes back is due
// like what is new.
func TestEndIsNotLate(t *testing.T) {
	for _, again := range []int{0, 5, 40, 24 * 60} { // minutes after it was told at 3
		s := open(t)
		w, ctx := build(t, s, "one"), t.Context()
		channel(t, s, w, "A")
		must(t, s.SeeAlerts(ctx, w.env.ID, moment(1), time.Hour, []store.Alert{wrong(w, "x")}))
		_, open := deliveries(t, s, w, 3)
		must(t, s.ClaimDelivery(ctx, open[0], moment(3)))
		must(t, s.SeeAlerts(ctx, w.env.ID, moment(4), time.Hour, nil)) // while it is told
		must(t, s.EndDelivery(ctx, open[0], "open", "", moment(3+again)))
		got, due := deliveries(t, s, w, 4)
		same(t, got, []string{`A x "open"`}, nil)
		must(t, s.ClaimDelivery(ctx, due[0], moment(4)))
		want(t, s.ClaimDelivery(ctx, due[0], moment(4)), store.ErrStale)
		want(t, s.ClaimDelivery(ctx, open[0], moment(7)), store.ErrStale) // it was told
		got, _ = deliveries(t, s, w, 5)
		same(t, got, nil, nil)
		must(t, s.EndDelivery(ctx, due[0], "open", "refused", moment(6)))
		got, _ = deliveries(t, s, w, 5)
		same(t, got, nil, nil)
		got, due = deliveries(t, s, w, 6)
		same(t, got, []string{`A x "open"`}, nil)
		must(t, s.ClaimDelivery(ctx, due[0], moment(6)))
		must(t, s.EndDelivery(ctx, due[0], "ended", "", moment(6)))
		want(t, s.ClaimDelivery(ctx, due[0], moment(6)), store.ErrStale)
		must(t, s.SeeAlerts(ctx, w.env.ID, moment(7), time.Hour, []store.Alert{wrong(w, "x")}))
		got, _ = deliveries(t, s, w, 8)
		same(t, got, nil, nil)
		got, _ = deliveries(t, s, w, 9)
		same(t, got, []string{`A x "ended"`}, nil)
	}
}

// What nobody was told of is not told when it is over; what is over for long is
// forgotten, with all that was told of it.
func TestAlertsAreForgotten(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	ctx := t.Context()
	c := channel(t, s, w, "A")
	see := func(minute int, alerts ...store.Alert) {
		t.Helper()
		must(t, s.SeeAlerts(ctx, w.env.ID, moment(minute), 10*time.Minute, alerts))
	}
	see(1, wrong(w, "x"), wrong(w, "y"))
	_, due := deliveries(t, s, w, 3)
	same(t, len(due), 2, nil)
	must(t, s.ClaimDelivery(ctx, due[0], moment(3)))
	must(t, s.EndDelivery(ctx, due[0], "open", "", moment(4)))
	see(5)
	got, _ := deliveries(t, s, w, 8)
	same(t, got, []string{`A ` + due[0].Alert.Key + ` "open"`}, nil)
	see(15)
	got, _ = deliveries(t, s, w, 15)
	same(t, len(got), 1, nil)
	see(16)
	got, _ = deliveries(t, s, w, 16)
	same(t, got, nil, nil)
	must(t, s.EndDelivery(ctx, due[0], "ended", "", moment(17))) // it is gone: nothing to note

	see(20, wrong(w, "x"))
	_, due = deliveries(t, s, w, 30)
	must(t, s.DeleteAlertChannel(ctx, w.env.ID, c.ID))
	want(t, s.ClaimDelivery(ctx, due[0], moment(30)), store.ErrNotFound)
	got, _ = deliveries(t, s, w, 31)
	same(t, got, nil, nil)
}
