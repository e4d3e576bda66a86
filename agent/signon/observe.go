package signon

import (
	"fmt"
	"strings"

	"ldap-gateway/cloudlink/wire"
)

// observeNames bounds how many groups a reason names.
const observeNames = 10

// observed is what leaves of a membership while policy.mode is "observe": a
// verdict that changes nothing, and in its reason what would have been pushed.
// Without a membership it is still unknown, so that the cloud never takes the
// answer for one without groups.
func observed(m *wire.Membership) *wire.Membership {
	switch {
	case m == nil:
		return &wire.Membership{Verdict: wire.VerdictUnknown, Reason: "observe: the user type asks for no groups"}
	case m.Verdict == wire.VerdictUnknown:
		return &wire.Membership{Verdict: wire.VerdictUnknown, Reason: "observe: would push nothing: " + m.Reason}
	}
	names := make([]string, 0, observeNames)
	for _, g := range m.Groups[:min(len(m.Groups), observeNames)] {
		names = append(names, g.DN)
	}
	if more := len(m.Groups) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return &wire.Membership{Verdict: wire.VerdictUnknown,
		Reason: fmt.Sprintf("observe: would push %d groups: %s (%s)", len(m.Groups), strings.Join(names, "; "), m.Verdict)}
}
