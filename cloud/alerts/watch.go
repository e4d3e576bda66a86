package alerts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloudlink/wire"
)

// All but slow are times: what is to be told is found in the store by them.
const (
	look    = 30 * time.Second   // between two looks
	holding = time.Minute        // that something lasts before anybody is told
	daily   = 24 * time.Hour     // until it is told again
	kept    = 7 * 24 * time.Hour // that the end of an alert is remembered
	slow    = 2000               // milliseconds that a sign-on takes at an instance
)

// Links knows the connected instances; *hub.Hub does.
// They are of all nodes: one node sees what is wrong with an instance of another.
type Links interface {
	Live(gateway string) []hub.Live
}

// Watch looks for what is wrong and has it told. Safe for concurrent use.
type Watch struct {
	Store  *store.Store
	Links  Links
	Post   *Post
	Logger hclog.Logger
	// Node returns what is wrong with the node itself, by keys of store.NodeAlert; nil: nothing is.
	Node func(context.Context) ([]store.Alert, error)
	Now  func() time.Time // nil: time.Now
}

// Run looks until ctx ends.
// What goes wrong is logged and tried again with the next look: a database that is away
// for a minute must not end the watch.
func (w *Watch) Run(ctx context.Context) {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := w.Look(ctx); err != nil && ctx.Err() == nil {
			w.Logger.Warn("alerts could not be looked for", "error", err)
		}
	}
}

// now is the time of day, which tests set.
func (w *Watch) now() time.Time {
	if w.Now == nil {
		return time.Now()
	}
	return w.Now()
}

// Look takes in what is wrong now, and tells what is due.
// What is wrong is kept also where nobody is told: the console shows it. Each node
// looks; the claims of the store have one of them tell.
func (w *Watch) Look(ctx context.Context) error {
	// Of several environments the first that fails ends the look: it is the database
	// that does.
	environments, err := w.Store.Environments(ctx)
	if err != nil {
		return err
	}
	var ofNode []store.Alert
	if w.Node != nil {
		if ofNode, err = w.Node(ctx); err != nil {
			return err
		}
	}
	for _, e := range environments {
		channels, err := w.Store.AlertChannels(ctx, e.ID)
		if err != nil {
			return err
		}
		wrong, err := w.wrong(ctx, e.ID)
		if err != nil {
			return err
		}
		if err := w.Store.SeeAlerts(ctx, e.ID, w.now(), kept, append(wrong, ofNode...)); err != nil {
			return err
		}
		if len(channels) == 0 {
			continue
		}
		if err := w.tell(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// tell has every channel of an environment told what is due.
// A channel that fails is no error here: it is noted, and tried again.
func (w *Watch) tell(ctx context.Context, e store.Environment) error {
	due, err := w.Store.DueDeliveries(ctx, e.ID, w.now(), holding)
	if err != nil {
		return err
	}
	for _, t := range due {
		// It is claimed before it is sent: a node that dies between delays it, and two
		// do not tell both.
		err := w.Store.ClaimDelivery(ctx, t, w.now())
		if errors.Is(err, store.ErrStale) {
			continue // another node has
		}
		if err != nil {
			return err
		}
		told, next := "open", w.now().Add(daily)
		if !t.Alert.EndedAt.IsZero() {
			told, next = "ended", w.now() // what comes back is told as what is new is
		}
		problem := ""
		if err := w.Post.Send(ctx, t.Channel, messageOf(e, t.Alert, w.now())); err != nil {
			// What was told stays what it was, so that it is due again.
			told, next, problem = t.Told, w.now().Add(store.ClaimLasts), err.Error()
			w.Logger.Warn("an alert could not be told", "kind", t.Channel.Kind, "channel", t.Channel.ID, "error", err)
		}
		if err := w.Store.EndDelivery(ctx, t, told, problem, next); err != nil {
			return err
		}
	}
	return nil
}

// wrong returns what is wrong in an environment now.
// It is the state of now and no change: the store finds out what is new and what is
// over.
func (w *Watch) wrong(ctx context.Context, env string) (all []store.Alert, err error) {
	if all, err = w.ofProviders(ctx, env); err != nil {
		return nil, err
	}
	ending, err := w.ofApplications(ctx, env)
	if err != nil {
		return nil, err
	}
	all = append(all, ending...)
	doubted, err := w.Store.DoubtedGroups(ctx, env)
	if err != nil {
		return nil, err
	}
	page := store.Page{Limit: store.MaxLimit}
	for {
		gateways, next, err := w.Store.Gateways(ctx, env, page)
		if err != nil {
			return nil, err
		}
		for _, g := range gateways {
			// Without a user type nobody is asked of it, so that it is not set up yet.
			if !g.Enabled || len(g.UserTypes) == 0 {
				continue // nobody is meant to sign on through it
			}
			instances, err := w.Store.Instances(ctx, env, g.ID)
			if err != nil {
				return nil, err
			}
			all = append(all, w.ofGateway(g, instances)...)
			all = append(all, ofDoubts(g, doubted)...)
		}
		if page.Cursor = next; next == "" {
			return all, nil
		}
	}
}

// ofGateway returns what is wrong with a gateway.
func (w *Watch) ofGateway(g store.Gateway, instances []store.Instance) (all []store.Alert) {
	// The key tells one alert from another: kind, gateway, and what it is about. The
	// text may change meanwhile, as counts do, without being told anew.
	alert := func(code, about, remedy, format string, args ...any) {
		all = append(all, store.Alert{
			Key:       code + "/" + g.ID + "/" + about,
			Code:      code,
			GatewayID: g.ID,
			Text:      "Gateway " + g.Name + ": " + fmt.Sprintf(format, args...),
			Remedy:    remedy,
		})
	}
	// A revoked instance is not one that may come back.
	paired := slices.DeleteFunc(slices.Clone(instances), func(i store.Instance) bool { return !i.RevokedAt.IsZero() })
	live := w.Links.Live(g.ID)
	switch {
	case len(live) == 0:
		alert("noInstance", "", "Look on the machines: ldap-gateway status",
			"no instance is connected, so nobody can sign on through it")
	case len(live) == 1 && len(paired) > 1:
		alert("singleInstance", "", "Look on the other machines: ldap-gateway status",
			"one of %d instances is connected: when it goes nobody can sign on", len(paired))
	case len(live) == 1:
		alert("singleInstance", "", "Pair a second instance on another machine",
			"it has one instance only: when it goes nobody can sign on")
	}
	updates := slices.ContainsFunc(g.UserTypes, func(u store.UserType) bool { return u.UpdateOnSignOn })
	for _, l := range live {
		for _, p := range l.Beat.Problems {
			if p.Severity != wire.SeverityInfo {
				alert(p.Code, l.Instance, p.Remedy, "on %s %s", l.Hostname, p.Text)
			}
		}
		// At zero the node that holds the link is one of before, and does not say.
		if l.Wire > 0 && l.Wire < wire.Version && updates {
			alert("oldAgent", l.Instance, wire.LookOldAgent.Remedy(),
				"on %s ldap-gateway %s is too old to show that somebody left a group: memberships are only added",
				l.Hostname, l.Software)
		}
		if l.Beat.ResponseTimeMillis > slow {
			alert("slowDirectory", l.Instance, "See how the directory fares: ldap-gateway check",
				"on %s a sign-on takes %.1f seconds", l.Hostname, l.Beat.ResponseTimeMillis/1000)
		}
	}
	for _, i := range paired {
		if w.now().Sub(i.BadAnswerAt) < daily {
			alert("badAnswers", i.ID, "Update ldap-gateway there. If it is up to date somebody else may have its key: "+
				"revoke the instance, and pair the machine anew",
				"the instance on %s says what none does: %s", i.Hostname, i.BadAnswer)
		}
		// The time is in the store, so that it is told also when the agent is away
		// again. After a day it counts as known.
		if w.now().Sub(i.PolicyChangedAt) < daily {
			alert("policyChanged", i.ID+"/"+i.PolicyHash, "If nobody on the premises meant to, find out who did",
				"the policy in the file on %s was changed", i.Hostname)
		}
	}
	return all
}
