package hub

import (
	"context"

	"ldap-gateway/cloudlink/wire"
)

// Request is one sign-on for an agent to check.
type Request struct {
	ID         string // of the sign-on
	Gateway    string
	UserType   string
	Revision   uint64
	Identifier string
	Known      []wire.Correlation
	Browser    wire.Browser
	Want       wire.Want
	Password   []byte // read before SignOn returns, never kept
}

// Answer is what came of an Ask.
type Answer struct {
	wire.SignOnResult
	Instance string // that answered, or was asked last
	answered bool   // by an agent, and not by us in its place
}

// SignOn has a live instance check a password. It always returns an answer of
// the closed set: without a live instance the directory is unavailable.
func (h *Hub) SignOn(ctx context.Context, a Request) Answer {
	return h.run(ctx, pending{
		Request: a,
		kind:    wire.KindSignOn,
		body: func(s sealing) any {
			return wire.SignOn{
				ID:         a.ID,
				UserType:   a.UserType,
				Revision:   a.Revision,
				Identifier: a.Identifier,
				Known:      a.Known,
				Browser:    s.tells(a.Browser),
				Want:       a.Want,
				Password:   s.seal(a.ID, a.Password),
			}
		},
		read: readSignOn,
	})
}

// readSignOn reads the answer to a sign-on. An outcome that no sign-on has is none, and
// makes the whole answer unknown.
func readSignOn(b []byte) (r wire.SignOnResult, err error) {
	err = wire.Unmarshal(b, &r)
	if r.Outcome == wire.OutcomeNewPasswordRefused {
		r.Outcome = 0 // no sign-on ends so
	}
	return r, err
}
