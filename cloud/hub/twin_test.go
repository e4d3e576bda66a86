package hub_test

import (
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

func TestChangedPolicyIsAnActivity(t *testing.T) {
	n := startNode(t, time.Second)
	m := n.start(ok)
	for _, policy := range []string{"", "one", "one", "two"} {
		m.policy = policy
		n.restart(m)
	}
	did, _, err := n.store.Activities(
		t.Context(),
		n.gateway.EnvironmentID,
		store.ActivityFilter{Action: "instance.policyChanged"},
		store.Page{},
	)
	must(t, err)
	if len(did) != 1 || did[0].Detail["before"] != "one" || did[0].Detail["after"] != "two" {
		t.Errorf("%+v", did)
	}
}

// TestTwoMachinesWithOneKey has a copy linked while the original is: both are
// cut, and neither comes back.
func TestTwoMachinesWithOneKey(t *testing.T) {
	n := startNode(t, time.Second)
	m := n.start(ok)
	n.await("its epoch is confirmed", func() bool { return m.epoch.Load() == 1 })
	twin := &machine{instance: m.instance, seal: m.seal, keys: m.keys, person: &person{answer: ok}}
	twin.epoch.Store(m.epoch.Load())
	twin.forget(t)
	n.run(twin)
	n.await("the instance is in quarantine", func() bool {
		i, err := n.store.Instance(t.Context(), m.instance)
		return err == nil && !i.QuarantinedAt.IsZero()
	})
	n.await("neither has a link", func() bool { return len(n.hub.Live(n.gateway.ID)) == 0 })
}

// TestACopyThatCameForAMoment: one that was linked beside the original and has left is found all the same.
func TestACopyThatCameForAMoment(t *testing.T) {
	n := startNode(t, time.Second)
	m := n.start(ok)
	n.await("its epoch is confirmed", func() bool { return m.epoch.Load() == 1 })
	twin := &machine{instance: m.instance, seal: m.seal, keys: m.keys, person: &person{answer: ok}}
	twin.epoch.Store(m.epoch.Load())
	twin.forget(t)
	n.run(twin)
	n.await("it is told its user types", func() bool { return len(twin.deliveries()) > 0 })
	twin.stop()
	n.await("the instance is in quarantine", func() bool {
		i, err := n.store.Instance(t.Context(), m.instance)
		return err == nil && !i.QuarantinedAt.IsZero()
	})
}
