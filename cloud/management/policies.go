package management

import (
	"cmp"
	"context"
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

// DeletePolicy removes a sign-on policy; store.ErrDependents for the default one,
// *DependentsError for one that an application goes by.
func (s *Service) DeletePolicy(ctx context.Context, by By, id string, seen func(store.SignOnPolicy) error) error {
	return s.act(ctx, by, DeletePolicy, func(t *turn) error {
		p, err := t.SignOnPolicy(ctx, t.env(), id)
		if err == nil {
			err = cmp.Or(ask(seen, p), t.unnamed(ctx, p.ID))
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
