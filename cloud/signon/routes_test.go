package signon

import (
	"context"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloudlink/wire"
)

// absent answers as a hub does for gateways that no instance is linked to.
type absent struct {
	*agents
	gateways map[string]bool
}

func (a absent) SignOn(ctx context.Context, r hub.Request) hub.Answer {
	answer := a.agents.SignOn(ctx, r)
	if a.gateways[r.Gateway] {
		return hub.Answer{SignOnResult: wire.SignOnResult{Outcome: wire.OutcomeDirectoryUnavailable, Reason: "no instance"}}
	}
	return answer
}

func (a absent) ChangePassword(ctx context.Context, c hub.Change) hub.Changed {
	changed := a.agents.ChangePassword(ctx, c)
	if a.gateways[c.Gateway] {
		return hub.Changed{PasswordChanged: wire.PasswordChanged{Outcome: wire.OutcomeDirectoryUnavailable, Reason: "no instance"}}
	}
	return changed
}

// instance pairs one with a gateway; it has no link yet.
func (c *cloud) instance(g store.Gateway) store.Instance {
	c.t.Helper()
	i := store.Instance{PublicKey: []byte("k" + g.ID), SealKey: []byte("s"), Fingerprint: "f"}
	must(c.t, c.Store.CreatePairing(c.t.Context(), &store.Pairing{
		EnvironmentID: c.env,
		GatewayID:     g.ID,
		CodeHash:      []byte("code" + g.ID),
		CreatedAt:     time.Now(),
		ExpiresAt:     time.Now().Add(time.Hour),
	}))
	_, err := c.Store.RedeemPairing(c.t.Context(), []byte("code"+g.ID), time.Now(), &i)
	must(c.t, err)
	return i
}

// links has an instance have linked once.
func (c *cloud) links(i store.Instance) {
	c.t.Helper()
	_, _, err := c.Store.AdvanceEpoch(c.t.Context(), i.ID, 0)
	must(c.t, err)
}

// TestGatewayWithoutInstancesHoldsNobodyUp puts gateways without instances before, between
// and behind others: people who are new at those sign on, and who is nobody hears what
// they would hear otherwise. One whose instances are away is not passed by.
func TestGatewayWithoutInstancesHoldsNobodyUp(t *testing.T) {
	c := newCloud(t)
	third := c.gateway("third")
	gone := absent{c.agents, map[string]bool{}}
	c.Service.Agents = gone
	unlinked := c.instance(c.first)
	all := []string{c.first.ID, c.second.ID, third.ID}
	set := func(knows string, without ...string) {
		clear(gone.gateways)
		for _, g := range without {
			gone.gateways[g] = true
		}
		for _, g := range all {
			c.agents.answers[g] = wire.SignOnResult{Outcome: wire.OutcomeNoSuchUser}
		}
		c.agents.answers[knows] = wire.SignOnResult{Outcome: wire.OutcomeInvalidCredentials, BindSent: true}
	}
	for name, k := range map[string]struct {
		knows   string
		without []string
		want    wire.Outcome
		asked   int
	}{
		"before":     {third.ID, []string{c.first.ID}, wire.OutcomeInvalidCredentials, 3},
		"between":    {third.ID, []string{c.second.ID}, wire.OutcomeInvalidCredentials, 3},
		"two-before": {third.ID, []string{c.first.ID, c.second.ID}, wire.OutcomeInvalidCredentials, 3},
		"behind":     {c.first.ID, []string{third.ID}, wire.OutcomeInvalidCredentials, 1},
		"nobody":     {"", []string{third.ID}, wire.OutcomeNoSuchUser, 3},
		"all":        {"", all, wire.OutcomeDirectoryUnavailable, 3},
	} {
		set(k.knows, k.without...)
		if so := c.signOn("new", "x"); so.Outcome != k.want.String() || len(c.agents.asked) != k.asked {
			t.Errorf("%s: %s, %d asked", name, so.Outcome, len(c.agents.asked))
		}
	}
	c.links(unlinked)
	set(third.ID, c.first.ID)
	if so := c.signOn("new", "x"); so.Outcome != wire.OutcomeDirectoryUnavailable.String() || len(c.agents.asked) != 1 ||
		!strings.Contains(so.Reason, "were not asked") {
		t.Errorf("its instance is away, and others see the password: %s, %d asked", so.Outcome, len(c.agents.asked))
	}
}
