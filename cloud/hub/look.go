package hub

import (
	"context"
	"time"

	"ldap-gateway/cloudlink/wire"
)

// Look is a question how the person of a sign-on stands to some groups.
type Look struct {
	ID       string // of the sign-on
	Gateway  string
	Instance string // that answered the sign-on
	UserType string
	Revision uint64
	Groups   []wire.LookGroup
}

// lookTime is the most that a question after a sign-on may take.
const lookTime = 3 * time.Second

// Look asks the instance that answered a sign-on, and no other. It always returns one
// sight for each group, in their order; without an answer none of them can be told.
func (h *Hub) Look(ctx context.Context, q Look) []wire.Sight {
	l, ok := h.presence.instance(q.Gateway, q.Instance, time.Now())
	switch {
	case !ok:
		return untold(q, wire.LookNotAsked)
	case l.Wire < 2:
		return untold(q, wire.LookOldAgent)
	}
	defer h.presence.asking(l.Link)()
	ctx, cancel := context.WithTimeout(ctx, timeToLook(ctx))
	defer cancel()
	var looked wire.Looked
	a := h.request(ctx, l, pending{
		Request: Request{ID: q.ID, Revision: q.Revision},
		kind:    wire.KindLook,
		body: func(sealing) any {
			return wire.Look{ID: q.ID, UserType: q.UserType, Revision: q.Revision, Groups: q.Groups}
		},
		read: func(b []byte) (wire.SignOnResult, error) {
			err := wire.Unmarshal(b, &looked)
			return wire.SignOnResult{ID: looked.ID, Outcome: looked.Outcome}, err
		},
	}, nil)
	if a.Outcome != wire.OutcomeOK || len(looked.Groups) != len(q.Groups) {
		return untold(q, wire.LookNotAsked)
	}
	for i := range looked.Groups {
		boundSight(&looked.Groups[i])
	}
	return looked.Groups
}

// timeToLook is half of what the sign-on has left: it still has to be recorded.
func timeToLook(ctx context.Context) time.Duration {
	if end, ok := ctx.Deadline(); ok {
		return min(lookTime, time.Until(end)/2)
	}
	return lookTime
}

// untold says of every group that it cannot be told.
func untold(q Look, why wire.LookReason) []wire.Sight {
	out := make([]wire.Sight, len(q.Groups))
	for i := range out {
		out[i] = wire.Sight{Finding: wire.FindingUntellable, Reason: why}
	}
	return out
}

// mostStamp bounds, in bytes, what tells two states of a group apart.
const mostStamp = 255

// boundSight makes of what is not known here what can be kept.
func boundSight(s *wire.Sight) {
	if s.Finding != wire.FindingStill && !s.Finding.Evidence() {
		s.Finding = wire.FindingUntellable
		if !s.Reason.Known() {
			s.Reason = wire.LookNotAsked
		}
	}
	s.Stamp = clip(s.Stamp, mostStamp)
}
