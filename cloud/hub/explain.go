package hub

import (
	"context"

	"ldap-gateway/cloudlink/wire"
)

// Explain has a live instance say what a sign-on of a person would bring. It
// always returns an answer of the closed set.
// Nothing is sealed, since no password is in the question, and no bind is ever made.
func (h *Hub) Explain(ctx context.Context, a Request) wire.Explained {
	var answered wire.Explained
	r := h.run(ctx, pending{
		kind:    wire.KindExplain,
		Request: a,
		body: func(sealing) any {
			return wire.Explain{ID: a.ID, UserType: a.UserType, Revision: a.Revision, Identifier: a.Identifier}
		},
		read: func(b []byte) (wire.SignOnResult, error) {
			// The answer of an instance that was asked before must not show through.
			answered = wire.Explained{}
			err := wire.Unmarshal(b, &answered)
			boundExplained(&answered)
			return wire.SignOnResult{
				ID:         answered.ID,
				Outcome:    answered.Outcome,
				Reason:     answered.Reason,
				Entry:      answered.Entry,
				Membership: answered.Membership,
			}, err
		},
	})
	if r.Outcome != wire.OutcomeOK {
		return wire.Explained{ID: a.ID, Outcome: r.Outcome, Reason: r.Reason}
	}
	return answered
}

// mostExplained bounds how much of a list is shown.
const mostExplained = 1000

// boundExplained cuts what an agent says in words.
func boundExplained(e *wire.Explained) {
	clipText(&e.Method)
	clipText(&e.Server)
	e.Account = e.Account[:min(len(e.Account), mostExplained)]
	for i := range e.Account {
		f := &e.Account[i]
		clipText(&f.Name)
		clipText(&f.State)
		clipText(&f.Detail)
	}
	e.Skipped = e.Skipped[:min(len(e.Skipped), mostExplained)]
	for i := range e.Skipped {
		clipText(&e.Skipped[i].DN)
		clipText(&e.Skipped[i].Reason)
	}
}
