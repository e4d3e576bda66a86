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

// has tells whether the instance has this public key.
func (h *hostile) has(public []byte) bool {
	now, err := h.state.Instance()
	if err != nil {
		return false
	}
	have, _, err := now.Keys.Public()
	return err == nil && bytes.Equal(have, public)
}

// rotatesTo has the keys be changed, over whichever link there is by then, and returns the
// public key that is asked for.
func (h *hostile) rotatesTo() []byte {
	h.t.Helper()
	agenttest.Must(h.t, h.state.WishRotation())
	limit := time.After(time.Minute)
	for {
		select {
		case f := <-h.conn.Rotations:
			var r wire.Rotate
			agenttest.Must(h.t, f.Decode(&r))
			return r.PublicKey
		case <-h.conn.Over:
			h.conn = h.cloud.AwaitLink(h.t)
		case <-limit:
			h.t.Fatal("the keys are not changed")
		}
	}
}

// TestRetiredKeysStayRetired: a cloud that refuses proofs for a moment, as one with a wrong
// --url does, has an agent try the pair before, and come back; the next change is to a new
// pair, and not to the retired one.
func TestRetiredKeysStayRetired(t *testing.T) {
	var refusing atomic.Bool
	h := newHostile(t, func(c *cloudlinktest.Cloud) {
		c.Refuse = func() *wire.Refusal {
			if refusing.Load() {
				return &wire.Refusal{Code: wire.RefusedAssertion, Message: "the instance is not proven"}
			}
			return nil
		}
	})
	h.link()
	retired, err := state.NewKeys()
	agenttest.Must(t, err)
	public, _, err := retired.Public()
	agenttest.Must(t, err)
	agenttest.Must(t, h.state.SaveOtherKeys(agenttest.Instance, []state.OtherKeys{{Keys: retired, Before: true}}))
	refusing.Store(true)
	h.conn.Cut()
	await(t, "the pair before is tried", func() bool { return h.has(public) })
	refusing.Store(false)
	await(t, "the cloud's pair is the instance's again", func() bool { return h.has(h.cloud.Key) })
	h.conn = h.cloud.AwaitLink(t)
	if bytes.Equal(h.rotatesTo(), public) {
		t.Error("the change of keys is to the pair that was retired")
	}
}

// TestChangeIsToOtherKeys: also when the program ended between becoming the new pair and
// keeping the one before.
func TestChangeIsToOtherKeys(t *testing.T) {
	h := newHostile(t, nil)
	h.link()
	now, err := h.state.Instance()
	agenttest.Must(t, err)
	agenttest.Must(t, h.state.SaveOtherKeys(agenttest.Instance, []state.OtherKeys{{Keys: now.Keys}}))
	if bytes.Equal(h.rotatesTo(), h.cloud.Key) {
		t.Error("the keys are changed to themselves")
	}
}
