package simulation

import (
	"context"
	"crypto/x509"
	"time"

	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloud/provisioner"
	"ldap-gateway/cloud/signon"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloudlink/wire"
)

// simulatedLinks stands between the cloud's sign-on and the agents', and breaks.
type simulatedLinks struct{ w *simulation }

// SignOn asks one instance, and the other when the first was not reached.
func (l simulatedLinks) SignOn(ctx context.Context, a hub.Request) hub.Answer {
	w := l.w
	first := w.r.IntN(len(w.agents))
	for i := range w.agents {
		agent := w.agents[(first+i)%len(w.agents)]
		if w.broken == 1 && i == 0 {
			continue // lost before it was sent
		}
		r := l.give(ctx, agent, a)
		if w.broken == 2 { // lost on the way back
			return hub.Answer{
				SignOnResult: wire.SignOnResult{ID: a.ID, Outcome: wire.OutcomeUnknown, BindSent: true},
				Instance:     agent.id,
			}
		}
		if r.BindSent || r.Outcome != wire.OutcomeBusy && r.Outcome != wire.OutcomeDirectoryUnavailable {
			return hub.Answer{SignOnResult: r, Instance: agent.id}
		}
	}
	return hub.Answer{SignOnResult: wire.SignOnResult{ID: a.ID, Outcome: wire.OutcomeDirectoryUnavailable}}
}

func (l simulatedLinks) give(ctx context.Context, agent *simulatedAgent, a hub.Request) wire.SignOnResult {
	w := l.w
	m := wire.SignOn{
		ID:         a.ID,
		UserType:   a.UserType,
		Revision:   a.Revision,
		Identifier: a.Identifier,
		Known:      a.Known,
		Want:       a.Want,
		Password:   agent.sealer.SealAt(a.ID, time.Now(), a.Password),
	}
	r, _ := agent.service.SignOn(ctx, m)
	if w.plantedTwice {
		m.ID += "-again"
		m.Password = agent.sealer.SealAt(m.ID, time.Now(), a.Password)
		r, _ = agent.service.SignOn(ctx, m)
	}
	w.note("%s at %s: %s, %+v", a.Identifier, r.Server, r.Outcome, r.Membership)
	if w.plantedAnswer != nil {
		w.plantedAnswer(&r)
	}
	return r
}

// Look asks the instance that answered, unless that was started anew or the link broke.
func (l simulatedLinks) Look(ctx context.Context, q hub.Look) []wire.Sight {
	w := l.w
	if w.plantedLook != nil {
		return w.plantedLook(q)
	}
	untold := make([]wire.Sight, len(q.Groups))
	for i := range untold {
		untold[i] = wire.Sight{Finding: wire.FindingUntellable, Reason: wire.LookNotAsked}
	}
	if w.broken == 3 {
		return untold
	}
	for _, agent := range w.agents {
		if agent.id != q.Instance {
			continue
		}
		looked, _ := agent.service.Look(ctx, wire.Look{
			ID:       q.ID,
			UserType: q.UserType,
			Revision: q.Revision,
			Groups:   q.Groups,
		})
		w.note("looked %s: %+v: %+v", looked.Outcome, q.Groups, looked.Groups)
		if looked.Outcome == wire.OutcomeOK && len(looked.Groups) == len(q.Groups) {
			return looked.Groups
		}
	}
	return untold
}

// ChangePassword is not asked for here.
func (l simulatedLinks) ChangePassword(context.Context, hub.Change) hub.Changed {
	l.w.t.Fatal("a change of password")
	return hub.Changed{}
}

// ask makes one sign-on, which is acknowledged when it has no error.
func (w *simulation) ask(p, password string) store.SignOn {
	so, err := w.desk.SignOn(w.t.Context(), signon.Request{
		EnvironmentID: w.env,
		Username:      p,
		Password:      []byte(password),
		Address:       "192.0.2.1",
	})
	must(w.t, err)
	w.acknowledged++
	if w.plantedLoss {
		w.acknowledged++
	}
	return so
}

// recordTicket records what a Kerberos sign-on does.
func (w *simulation) recordTicket(p string, known bool) {
	so := store.SignOn{EnvironmentID: w.env, At: time.Now(), Method: "kerberos", Username: p}
	_, err := (&provisioner.Provisioner{Store: w.db}).Apply(w.t.Context(), provisioner.Identity{
		EnvironmentID: w.env,
		SourceType:    store.SourceGateway,
		SourceID:      w.gateway.ID,
		UserTypeID:    "staff",
		Username:      p,
		At:            so.At,
		Update:        w.update,
		Correlation:   []store.Correlation{{Attribute: "entryUUID", Value: w.idOf(p)}},
		Membership:    &provisioner.Membership{Verdict: provisioner.Complete},
	}, &so)
	if known {
		must(w.t, err)
		w.acknowledged++
	}
}

func (w *simulation) idOf(p string) string {
	for i, one := range w.people {
		if one == p {
			return uuidOf(i)
		}
	}
	return ""
}

// pool trusts both servers.
func (w *simulation) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	for _, s := range w.servers {
		pool.AppendCertsFromPEM(s.CAPEM())
	}
	return pool
}
