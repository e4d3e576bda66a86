package signon

import (
	"context"
	"errors"
	"fmt"

	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloud/mapping"
	"ldap-gateway/cloud/provisioner"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloudlink/wire"
)

// provision records a sign-on that succeeded, with what it did to the record.
func (a *attempt) provision(ctx context.Context, w Route, answer hub.Answer) error {
	a.finish(wire.OutcomeOK, answer.Reason)
	id := a.identity(w, answer)
	change, err := a.Provisioner.Apply(context.WithoutCancel(ctx), id, &a.record)
	var wanted *provisioner.EvidenceWanted
	if errors.As(err, &wanted) {
		id.Evidence = a.look(ctx, w, answer.Instance, wanted.Questions)
		change, err = a.Provisioner.Apply(context.WithoutCancel(ctx), id, &a.record)
	}
	if errors.Is(err, provisioner.ErrUsernameOfOthers) {
		a.suspect(ctx, answer.Instance)
	}
	switch {
	case err == nil:
		a.person = Person{change.User.Username, change.Groups}
		return nil
	case errors.Is(err, provisioner.ErrAmbiguousRecord),
		errors.Is(err, provisioner.ErrUsernameTaken),
		errors.Is(err, provisioner.ErrNoUsername),
		errors.Is(err, provisioner.ErrUsernameOfOthers),
		errors.Is(err, provisioner.ErrUnknownRecord),
		errors.Is(err, provisioner.ErrMoved),
		errors.Is(err, provisioner.ErrDisabled):
		return a.fail(ctx, wire.OutcomeNotAllowed, "the password was right, but "+err.Error())
	}
	return err
}

// suspect keeps that an instance said somebody had a username that is for others.
func (a *attempt) suspect(ctx context.Context, instance string) {
	what := "it said that somebody has a username which is for another user type"
	if err := a.Store.NoteBadAnswer(context.WithoutCancel(ctx), instance, what, a.record.At); err != nil {
		a.Logger.Warn("what an instance said is not kept for an alert", "instance", instance, "error", err)
	}
}

// identity is what the agent's answer says, in the provisioner's words.
func (a *attempt) identity(w Route, answer hub.Answer) provisioner.Identity {
	id := provisioner.Identity{
		EnvironmentID: a.request.EnvironmentID,
		SourceType:    store.SourceGateway,
		SourceID:      w.Gateway.ID,
		UserTypeID:    w.UserType.ID,
		PopulationID:  w.UserType.PopulationID,
		SignOnID:      a.record.ID,
		Known:         a.user,
		Username:      a.request.Username,
		At:            a.record.At,
		DN:            answer.Entry.DN,
		GroupIdentity: w.UserType.Groups.Identity,
		Update:        w.UserType.UpdateOnSignOn,
	}
	for _, c := range answer.Entry.Correlation {
		id.Correlation = append(id.Correlation, store.Correlation{Attribute: c.Attribute, Value: c.Value})
	}
	if answer.Entry.Attributes != nil {
		id.Properties = mapping.Properties(w.UserType, answer.Entry.Attributes)
		if len(answer.Entry.TooLarge) > 0 {
			id.Mapped = mapping.Filled(w.UserType, answer.Entry.TooLarge)
		}
	}
	if w.UserType.LinksOnly { // nothing is mapped, so nothing of the record follows
		id.Properties, id.Mapped = map[string]string{}, []string{}
	}
	if m := answer.Membership; m != nil {
		id.Membership = &provisioner.Membership{
			Verdict:     verdict(m.Verdict),
			Reason:      m.Reason,
			Unconfirmed: m.Unconfirmed,
			Whole:       m.Whole,
		}
		if len(m.Groups) > mostGroups {
			id.Membership.Verdict = max(id.Membership.Verdict, provisioner.Partial) // an unknown one stays unknown
			id.Membership.Whole = false
			id.Membership.Reason = fmt.Sprintf("%d groups came, and the first %d are taken", len(m.Groups), mostGroups)
			m.Groups = m.Groups[:mostGroups]
		}
		for _, g := range m.Groups {
			id.Membership.Groups = append(id.Membership.Groups, provisioner.Group{
				Name:        g.DN,
				DisplayName: g.Name,
				ID:          g.ID,
				Stamp:       g.Stamp,
			})
		}
	}
	return id
}

// mostGroups bounds what one sign-on may bring, whatever an agent says.
const mostGroups = 10_000

// verdict takes a verdict over; one that is not known is worth nothing.
func verdict(v wire.Verdict) provisioner.Verdict {
	switch v {
	case wire.VerdictComplete:
		return provisioner.Complete
	case wire.VerdictPartial:
		return provisioner.Partial
	}
	return provisioner.Unknown
}
