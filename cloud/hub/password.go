package hub

import (
	"context"

	"ldap-gateway/cloudlink/wire"
)

// Change is one password change for an agent to make.
type Change struct {
	ID         string // of the change
	Gateway    string
	UserType   string
	Revision   uint64
	Identifier string
	Known      []wire.Correlation
	Browser    wire.Browser
	Old, New   []byte // read before ChangePassword returns, never kept
}

// Changed is what came of a Change.
type Changed struct {
	wire.PasswordChanged
	Instance string // that answered, or was asked last
}

// ChangePassword has a live instance change a password. Like SignOn it always
// returns an answer of the closed set. Each password is sealed for its own purpose, so
// that the two cannot be exchanged on the way.
func (h *Hub) ChangePassword(ctx context.Context, c Change) Changed {
	var answered wire.PasswordChanged
	a := h.run(ctx, pending{
		kind:    wire.KindChangePassword,
		Request: Request{ID: c.ID, Gateway: c.Gateway, UserType: c.UserType, Revision: c.Revision},
		body: func(s sealing) any {
			return wire.ChangePassword{
				ID:         c.ID,
				UserType:   c.UserType,
				Revision:   c.Revision,
				Identifier: c.Identifier,
				Known:      c.Known,
				Browser:    s.tells(c.Browser),
				Old:        s.seal(wire.OldPassword(c.ID), c.Old),
				New:        s.seal(wire.NewPassword(c.ID), c.New),
			}
		},
		read: func(b []byte) (wire.SignOnResult, error) {
			err := wire.Unmarshal(b, &answered)
			return wire.SignOnResult{
				ID:         answered.ID,
				Outcome:    answered.Outcome,
				Reason:     answered.Reason,
				BindSent:   answered.BindSent,
				KeyUnknown: answered.KeyUnknown,
			}, err
		},
	})
	out := Changed{
		Instance:        a.Instance,
		PasswordChanged: wire.PasswordChanged{ID: c.ID, Outcome: a.Outcome, Reason: a.Reason, BindSent: a.BindSent},
	}
	if out.Outcome == wire.OutcomeNewPasswordRefused {
		out.Refusal = wire.RefusalOther
		if answered.Refusal.Known() {
			out.Refusal = answered.Refusal
		}
	}
	return out
}
