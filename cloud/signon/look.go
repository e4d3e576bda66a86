package signon

import (
	"context"

	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloud/provisioner"
	"ldap-gateway/cloudlink/wire"
)

// look asks the instance that answered the sign-on how the person stands to groups
// whose memberships would change without evidence.
func (a *attempt) look(
	ctx context.Context, w Route, instance string, questions []provisioner.Question,
) *provisioner.Evidence {
	q := hub.Look{
		ID:       a.record.ID,
		Gateway:  w.Gateway.ID,
		Instance: instance,
		UserType: w.UserType.ID,
		Revision: w.Gateway.Revision,
	}
	for _, one := range questions {
		q.Groups = append(q.Groups, wire.LookGroup{DN: one.Name, ID: one.DirectoryID, Stamp: one.Stamp})
	}
	e := &provisioner.Evidence{Of: make(map[string]provisioner.Sight, len(questions)), Beyond: untold(wire.LookTooMany)}
	for i, seen := range a.Agents.Look(ctx, q) {
		e.Of[questions[i].Key] = sight(seen)
	}
	return e
}

// sight takes an answer over; one that is not known is worth nothing.
func sight(s wire.Sight) provisioner.Sight {
	switch {
	case s.Finding == wire.FindingStill:
		return provisioner.Sight{Finding: provisioner.Member}
	case s.Finding == wire.FindingGone || s.Finding == wire.FindingRenamed:
		return provisioner.Sight{Finding: provisioner.Gone}
	case s.Finding.Evidence():
		return provisioner.Sight{Finding: provisioner.Left}
	}
	return untold(s.Reason)
}

func untold(why wire.LookReason) provisioner.Sight {
	why = wire.LookReasonOf(why.String()) // one that is not known is another
	return provisioner.Sight{Reason: why.String(), Words: why.Words()}
}
