package management

import (
	"context"
	"errors"
	"slices"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/store"
)

// factsOfPolicy has the actions as they are; the caller changes copies.
func factsOfPolicy(p store.SignOnPolicy) facts {
	return facts{"name": p.Name, "description": p.Description, "default": p.Default, "actions": slices.Clone(p.Actions)}
}

// CreatePolicy adds a sign-on policy, and fills in ID and times.
func (s *Service) CreatePolicy(ctx context.Context, by By, p *store.SignOnPolicy) error {
	return s.act(ctx, by, CreatePolicy, func(t *turn) error {
		p.ID, p.EnvironmentID = "", t.env()
		if err := t.savePolicy(ctx, p, store.SignOnPolicy{}); err != nil {
			return err
		}
		t.did(note{
			action:  "signOnPolicy.created",
			subject: "signOnPolicy:" + p.ID,
			text:    "sign-on policy " + p.Name + " was created",
			after:   factsOfPolicy(*p),
		})
		return nil
	})
}

// ChangePolicy changes a sign-on policy, its actions among it. The default one stays it
// until another takes it over.
func (s *Service) ChangePolicy(
	ctx context.Context, by By, id string, change func(*store.SignOnPolicy) error,
) (p store.SignOnPolicy, err error) {
	err = s.act(ctx, by, ChangePolicy, func(t *turn) error {
		before, err := t.SignOnPolicy(ctx, t.env(), id)
		if err != nil {
			return err
		}
		p = before
		p.Actions = slices.Clone(before.Actions)
		if err := change(&p); err != nil {
			return err
		}
		p.ID, p.EnvironmentID, p.CreatedAt = before.ID, before.EnvironmentID, before.CreatedAt
		if before.Default && !p.Default {
			return fault.Of(fault.DefaultPolicy, fault.Invalid, "Make another policy the default one: there always is one.")
		}
		if err := t.savePolicy(ctx, &p, before); err != nil {
			return err
		}
		t.did(note{
			action:  "signOnPolicy.updated",
			subject: "signOnPolicy:" + p.ID,
			text:    "sign-on policy " + p.Name + " was changed",
			before:  factsOfPolicy(before),
			after:   factsOfPolicy(p),
		})
		return nil
	})
	return p, err
}

// DeletePolicy removes a sign-on policy; store.ErrDependents for the default one.
func (s *Service) DeletePolicy(ctx context.Context, by By, id string, seen func(store.SignOnPolicy) error) error {
	return s.act(ctx, by, DeletePolicy, func(t *turn) error {
		p, err := t.SignOnPolicy(ctx, t.env(), id)
		if err == nil {
			err = ask(seen, p)
		}
		if err != nil {
			return err
		}
		t.did(note{
			action:  "signOnPolicy.deleted",
			subject: "signOnPolicy:" + p.ID,
			text:    "sign-on policy " + p.Name + " was deleted",
			before:  factsOfPolicy(p),
		})
		return t.Store.DeletePolicy(ctx, t.env(), p.ID)
	})
}

// savePolicy checks a policy, which was before, and writes it.
func (t *turn) savePolicy(ctx context.Context, p *store.SignOnPolicy, before store.SignOnPolicy) error {
	l := checkName("sign-on policy", before.Name, p.Name)
	for _, a := range p.Actions {
		found, err := t.checkAction(ctx, a)
		if err != nil {
			return err
		}
		if l = append(l, found...); p.Default && (a.Type != store.ActionLogin || len(a.Providers) > 0) {
			l = append(l, fault.Of(fault.PolicyAction, fault.Invalid, "The default policy is the sign-on order: it has one "+
				"LOGIN action with gateways. Which identity providers people see, and whom their domains lead there, is set "+
				"at each identity provider.")...)
		}
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
		_, err := t.IdentityProvider(ctx, t.env(), id)
		if errors.Is(err, store.ErrNotFound) {
			l = append(l, wrong(fault.PolicyProvider, i+1, "This environment has no such identity provider.")...)
		} else if err != nil {
			return nil, err
		}
	}
	return l, nil
}
