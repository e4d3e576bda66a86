package signon

import (
	"fmt"

	"ldap-gateway/cloudlink/wire"
)

// observed is what leaves of a sign-on that succeeded while policy.mode is
// "observe": the outcome and numbers. Of the entry that is what the cloud said
// itself, and only when the entry is the one that it means: it is nothing that the
// cloud did not have, and lets people whom it knows sign on.
func observed(r wire.SignOnResult, known []wire.Correlation) wire.SignOnResult {
	out := wire.SignOnResult{
		Outcome:    r.Outcome,
		BindSent:   r.BindSent,
		Membership: observedGroups(r.Membership),
		Observed:   true,
	}
	if k, same := decisive(known, r.Entry.Correlation); same {
		out.Entry = &wire.Entry{Correlation: []wire.Correlation{k}}
	}
	return out
}

// observedGroups is a verdict that changes nothing, and in its reason how many
// groups would have been pushed. Without a membership it is still unknown, so that
// the cloud never takes the answer for one without groups.
func observedGroups(m *wire.Membership) *wire.Membership {
	out := &wire.Membership{Verdict: wire.VerdictUnknown}
	switch {
	case m == nil:
		out.Reason = "observe: no groups were asked for"
	case m.Verdict == wire.VerdictUnknown:
		out.Reason = "observe: would push nothing: " + m.Reason
	default:
		out.Reason = fmt.Sprintf("observe: would push %d groups (%s)", len(m.Groups), m.Verdict)
	}
	return out
}
