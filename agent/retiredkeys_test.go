package agent_test

import (
	"bytes"
	"sync/atomic"
	"testing"
	"time"

	"ldap-gateway/agent/agenttest"
	"ldap-gateway/agent/state"
	"ldap-gateway/cloudlink/cloudlinktest"
	"ldap-gateway/cloudlink/wire"
)

// TestRetiredKeysComeBack: they do not. The cloud refuses proofs for a moment (its --url was wrong),
// and the next change of keys is to the pair that was retired before.
func TestRetiredKeysComeBack(t *testing.T) {
	var refusing atomic.Bool
	h := newHostile(t, func(c *cloudlinktest.Cloud) {
		c.Refuse = func() *wire.Refusal {
			if refusing.Load() {
				return &wire.Refusal{Code: wire.RefusedAssertion, Message: "the instance is not proven: cloud.url must be ..."}
			}
			return nil
		}
	})
	h.link()
	retired, err := state.NewKeys()
	agenttest.Must(t, err)
	retiredPublic, _, err := retired.Public()
	agenttest.Must(t, err)
	agenttest.Must(t, h.state.SaveOtherKeys(agenttest.Instance, state.OtherKeys{Keys: retired, Before: true}))
	refusing.Store(true)
	h.conn.Cut()
	is := func(k []byte) bool {
		now, err := h.state.Instance()
		if err != nil {
			return false
		}
		p, _, _ := now.Keys.Public()
		return bytes.Equal(p, k)
	}
	limit := time.Now().Add(40 * time.Second)
	for !is(retiredPublic) && time.Now().Before(limit) {
		time.Sleep(50 * time.Millisecond)
	}
	t.Log("on the retired pair:", is(retiredPublic))
	refusing.Store(false)
	rotations := make(chan wire.Frame, 8)
	go func() {
		for {
			c := h.cloud.AwaitLink(t)
			h.conn = c
			go func() {
				for f := range c.Rotations {
					rotations <- f
				}
			}()
		}
	}()
	for !is(h.cloud.Key) && time.Now().Before(limit.Add(time.Minute)) {
		time.Sleep(50 * time.Millisecond)
	}
	o, ok := h.state.OtherKeys(agenttest.Instance)
	p, _, _ := o.Keys.Public()
	t.Log("back on its own:", is(h.cloud.Key), "other is the retired:", bytes.Equal(p, retiredPublic), "before:", o.Before, ok)
	agenttest.Must(t, h.state.WishRotation())
	select {
	case f := <-rotations:
		var r wire.Rotate
		agenttest.Must(t, f.Decode(&r))
		t.Log("rotates to the retired pair:", bytes.Equal(r.PublicKey, retiredPublic))
		if bytes.Equal(r.PublicKey, retiredPublic) {
			t.Error("the change of keys is to the pair that was retired")
		}
	case <-time.After(45 * time.Second):
		t.Error("no rotation")
	}
}

// TestChangeToTheSameKeys: the program ended between becoming the new pair and keeping the one before.
func TestChangeToTheSameKeys(t *testing.T) {
	h := newHostile(t, nil)
	h.link()
	now, err := h.state.Instance()
	agenttest.Must(t, err)
	agenttest.Must(t, h.state.SaveOtherKeys(agenttest.Instance, state.OtherKeys{Keys: now.Keys})) // as rotate leaves it then
	agenttest.Must(t, h.state.WishRotation())
	select {
	case f := <-h.conn.Rotations:
		var r wire.Rotate
		agenttest.Must(t, f.Decode(&r))
		if bytes.Equal(r.PublicKey, h.cloud.Key) {
			t.Error("the keys are changed to themselves")
		}
	case <-time.After(20 * time.Second):
		t.Error("no rotation")
	}
	time.Sleep(time.Second)
	t.Log("wish left:", h.state.RotationWished())
}
