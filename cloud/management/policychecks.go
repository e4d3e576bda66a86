package management

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/store"
)

// savePolicy checks a policy, which was before, and writes it.
func (t *turn) savePolicy(ctx context.Context, p *store.SignOnPolicy, before store.SignOnPolicy) error {
	l := checkName("sign-on policy", before.Name, p.Name)
	for _, a := range p.Actions {
		found, err := t.checkAction(ctx, a)
		if err != nil {
			return err
		}
		l = append(l, found...)
	}
	// Fewer actions are no new mistake: one that was kept before can be taken away.
	if p.Default != before.Default || len(p.Actions) >= len(before.Actions) {
		l = append(l, checkSteps(*p)...)
	}
	if err := l.Err(); err != nil {
		return err
	}
	err := t.SavePolicy(ctx, p)
	if errors.Is(err, store.ErrConflict) {
		return fault.Of(fault.Name, fault.Taken, "Another sign-on policy of this environment has this name.")
	}
	return err
}

// checkSteps tells what of a policy's actions, taken together, cannot be obeyed. To sign
// on is one step here, by a password, or at an identity provider; a second factor comes after it.
func checkSteps(p store.SignOnPolicy) fault.List {
	login, first, away, factor := -1, -1, -1, -1
	for i, a := range p.Actions {
		switch a.Type {
		case store.ActionLogin:
			login = i
		case store.ActionIdentifierFirst:
			first = i
		case store.ActionProvider:
			away = i
		case store.ActionMultiFactor:
			factor = i
		}
	}
	steps := len(p.Actions)
	if factor >= 0 {
		steps--
	}
	switch {
	case factor >= 0 && factor < steps:
		return fault.Of(fault.PolicyAction, fault.Invalid, "A MULTI_FACTOR_AUTHENTICATION action is the last of its "+
			"policy: whoever is asked for a second factor has proven the first. Give it the highest priority.")
	case away >= 0 && p.Default:
		return fault.Of(fault.PolicyAction, fault.Invalid, "The default policy is the sign-on order of the gateways, so it "+
			"has no IDENTITY_PROVIDER action. Give applications a policy of their own that has it.")
	case away >= 0 && steps > 1:
		return fault.Of(fault.PolicyAction, fault.Invalid, "An IDENTITY_PROVIDER action stands alone in its policy, but "+
			"for a second factor: whoever comes back from there has signed on. To offer providers beside the password "+
			"name them in socialProviders.")
	case login >= 0 && first > login:
		return fault.Of(fault.PolicyAction, fault.Invalid, "LOGIN asks for the name and the password at once, so nobody "+
			"comes to an IDENTIFIER_FIRST action after it. Give that one the lower priority.")
	}
	return nil
}

// checkAction tells what an action names that is not there.
func (t *turn) checkAction(ctx context.Context, a store.PolicyAction) (l fault.List, err error) {
	for i, ref := range a.Order {
		g, err := t.Gateway(ctx, t.env(), ref.Gateway)
		if errors.Is(err, store.ErrNotFound) {
			l = append(l, wrong(fault.PolicyGateway, i+1, "This environment has no such gateway.")...)
			continue
		}
		if err != nil {
			return nil, err
		}
		switch at := indexOf(g, ref.UserType); {
		case at < 0:
			l = append(l, wrong(fault.PolicyUserType, i+1, "The gateway has no such user type.")...)
		case g.UserTypes[at].LinksOnly:
			l = append(l, wrong(fault.PolicyUserType, i+1, "The user type looks nobody up: it has no newUserLookup.")...)
		}
	}
	for i, id := range a.Providers {
		field, item := fault.PolicyProvider, i+1
		if a.Type == store.ActionProvider {
			field, item = fault.PolicyStep, 0
		}
		if l, err = t.checkProviderOf(ctx, l, field, item, id); err != nil {
			return nil, err
		}
	}
	for i, rule := range a.Rules {
		if l, err = t.checkProviderOf(ctx, l, fault.PolicyRule, i+1, rule.Provider); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// checkProviderOf adds to l that there is no such identity provider.
func (t *turn) checkProviderOf(
	ctx context.Context, l fault.List, field fault.Field, item int, id string,
) (fault.List, error) {
	_, err := t.IdentityProvider(ctx, t.env(), id)
	if errors.Is(err, store.ErrNotFound) {
		return append(l, wrong(field, item, "This environment has no such identity provider.")...), nil
	}
	return l, err
}

// mostPolicies is how many sign-on policies an application may have.
const mostPolicies = 20

// checkAssigned tells what may not be kept of the sign-on policies of an application,
// which was before. What it had already is not looked at again.
func (t *turn) checkAssigned(ctx context.Context, a, before store.Application) (l fault.List, err error) {
	if slices.Equal(a.Kept.Policies, before.Kept.Policies) {
		return nil, nil
	}
	if len(a.Kept.Policies) > max(mostPolicies, len(before.Kept.Policies)) {
		l = fault.Of(fault.PolicyAssigned, fault.Invalid, fmt.Sprintf("An application has at most %d.", mostPolicies))
	}
	for i, one := range a.Kept.Policies {
		if slices.Contains(before.Kept.Policies, one) {
			continue
		}
		others := slices.Delete(slices.Clone(a.Kept.Policies), i, i+1)
		if slices.ContainsFunc(others, func(o store.PolicyAssignment) bool { return o.Policy == one.Policy }) {
			l = append(l, fault.Of(fault.PolicyAssigned, fault.Taken, "The application has this policy already.")...)
		}
		if slices.ContainsFunc(others, func(o store.PolicyAssignment) bool { return o.Priority == one.Priority }) {
			l = append(l, fault.Of(fault.PolicyPriority, fault.Taken,
				"Another policy of the application has this priority.")...)
		}
		p, err := t.SignOnPolicy(ctx, t.env(), one.Policy)
		if errors.Is(err, store.ErrNotFound) {
			l = append(l, wrong(fault.PolicyAssigned, 0, "This environment has no such sign-on policy.")...)
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, f := range checkSteps(p) {
			l = append(l, fault.Of(fault.PolicyAssigned, fault.Invalid, f.Message)...)
		}
	}
	return l, nil
}
