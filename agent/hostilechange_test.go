package agent_test

import (
	"strings"
	"testing"
	"time"

	"ldap-gateway/agent/agenttest"
	"ldap-gateway/agent/audit"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/configs"
)

// TestHostileChanges has a cloud ask for changes that it may not have.
func TestHostileChanges(t *testing.T) {
	for name, c := range map[string]struct {
		file   bool // password_changes
		change func(*hostile, *wire.ChangePassword)
		want   wire.Outcome
	}{
		"policy-off":    {false, func(*hostile, *wire.ChangePassword) {}, wire.OutcomeNotAllowed},
		"type-off":      {true, func(h *hostile, _ *wire.ChangePassword) { h.deliver(22, agenttest.Staff()) }, wire.OutcomeNotAllowed},
		"other-type":    {true, func(_ *hostile, m *wire.ChangePassword) { m.UserType = "admins" }, wire.OutcomeNotAllowed},
		"no-id":         {true, func(_ *hostile, m *wire.ChangePassword) { m.ID = "" }, wire.OutcomeNotAllowed},
		"replayed-id":   {true, func(h *hostile, m *wire.ChangePassword) { h.sealChange(m, "sign-on-1") }, wire.OutcomeNotAllowed},
		"swapped":       {true, func(_ *hostile, m *wire.ChangePassword) { m.Old, m.New = m.New, m.Old }, wire.OutcomeNotAllowed},
		"one-for-both":  {true, func(_ *hostile, m *wire.ChangePassword) { m.New = m.Old }, wire.OutcomeNotAllowed},
		"other-change":  {true, func(_ *hostile, m *wire.ChangePassword) { m.ID = "another" }, wire.OutcomeNotAllowed},
		"of-a-sign-on":  {true, func(h *hostile, m *wire.ChangePassword) { m.Old = h.sealer.Seal(m.ID, []byte("wonderland")) }, wire.OutcomeNotAllowed},
		"unsealed":      {true, func(_ *hostile, m *wire.ChangePassword) { m.Old, m.New = wire.Sealed{}, wire.Sealed{} }, wire.OutcomeBusy},
		"huge-name":     {true, func(_ *hostile, m *wire.ChangePassword) { m.Identifier = strings.Repeat("a", 1<<20) }, wire.OutcomeNoSuchUser},
		"later-edition": {true, func(_ *hostile, m *wire.ChangePassword) { m.Revision = 1 << 40 }, wire.OutcomeBusy},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := startHostile(t, func(g *configs.Gateway) { g.Policy.PasswordChanges = c.file }, nil)
			h.link()
			u := agenttest.Staff()
			u.ChangePasswords = true
			h.deliver(21, u)
			asked, written := h.asked(), h.written()
			m := wire.ChangePassword{UserType: "staff", Revision: 21, Identifier: "alice"}
			h.sealChange(&m, "change-1")
			c.change(h, &m)
			var r wire.PasswordChanged
			agenttest.Must(t, h.ask(wire.KindChangePassword, 5*time.Second, m).Decode(&r))
			if r.Outcome != c.want || r.BindSent {
				t.Errorf("%+v", r)
			}
			h.awaitAudit(written, func(r audit.Record) bool {
				return r.Password != nil && r.Password.Outcome == c.want.String() && !r.Password.BindSent
			})
			if n := h.asked() - asked; n != 0 || h.server.Changes(agenttest.AliceDN) != 0 {
				t.Errorf("%d binds and searches, %d changes", n, h.server.Changes(agenttest.AliceDN))
			}
		})
	}
}

func (h *hostile) sealChange(m *wire.ChangePassword, id string) {
	m.ID, m.Old, m.New = id, h.sealer.Seal(wire.OldPassword(id), []byte("wonderland")), h.sealer.Seal(wire.NewPassword(id),
		[]byte("looking-glass"))
}
