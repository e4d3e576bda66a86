package management

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/store"
)

// Draft is a gateway as it is to be.
type Draft struct {
	store.Gateway
	// ServicePassword is that of Kerberos.ServiceAccount: its keys are put in use,
	// and it is not kept. Empty: the keys in use stay.
	ServicePassword string
}

// factsOfGateway has the user types whole: what a filter was before is what somebody
// looks for after a bad night.
func factsOfGateway(g store.Gateway) facts {
	return facts{
		"name":        g.Name,
		"description": g.Description,
		"vendor":      g.Vendor,
		"enabled":     g.Enabled,
		"declared":    g.Declared,
		"userTypes":   slices.Clone(g.UserTypes),
		"kerberos":    g.Kerberos,
		"revision":    g.Revision,
	}
}

// CreateGateway adds a gateway, and fills in IDs, revision and times.
// It takes no higher right, since nobody's password is checked by it yet; what hangs on
// it later is weighed then.
func (s *Service) CreateGateway(ctx context.Context, by By, d *Draft) error {
	return s.act(ctx, by, CreateGateway, func(t *turn) error {
		d.ID, d.EnvironmentID = "", t.env()
		if err := t.checkGateway(ctx, d, store.Gateway{}); err != nil {
			return err
		}
		if err := t.Store.CreateGateway(ctx, &d.Gateway); err != nil {
			return gatewayNameTaken(err)
		}
		t.did(note{
			action:  "gateway.created",
			subject: "gateway:" + d.ID,
			text:    "gateway " + d.Name + " was created",
			after:   factsOfGateway(d.Gateway),
		})
		return t.useAccount(ctx, *d)
	})
}

// ChangeGateway changes a gateway, its user types among it, and has its instances
// told.
// Two changes at once are made one on top of the other; who wants to be told instead
// compares the revision in change, or the ETag of what was read. To switch a gateway
// off is such a change as well.
func (s *Service) ChangeGateway(
	ctx context.Context, by By, id string, change func(*Draft) error,
) (g store.Gateway, err error) {
	err = s.act(ctx, by, ChangeGateway, func(t *turn) error {
		before, err := t.gateway(ctx, id)
		if err != nil {
			return err
		}
		d := Draft{Gateway: copyOf(before)}
		if err := change(&d); err != nil {
			return err
		}
		if err := t.checkGateway(ctx, &d, before); err != nil {
			return err
		}
		if err := t.saveGateway(ctx, &d.Gateway, before, "gateway "+d.Name+" was changed"); err != nil {
			return err
		}
		g = d.Gateway
		return t.useAccount(ctx, d)
	})
	return g, err
}

// gateway returns a gateway that the actor may change.
// Reading takes no such right, so faces read by the store.
func (t *turn) gateway(ctx context.Context, id string) (store.Gateway, error) {
	g, err := t.Gateway(ctx, t.env(), id)
	if err == nil {
		err = t.weighGateway(ctx, g)
	}
	return g, err
}

// saveGateway writes a gateway that was checked, and has its instances told.
// A user type that has users cannot be left out of a change by mistake: that is a fault
// of its own kind, and RemoveUserType is the way.
func (t *turn) saveGateway(ctx context.Context, g *store.Gateway, before store.Gateway, text string) error {
	g.ID, g.EnvironmentID = before.ID, before.EnvironmentID
	if err := t.leavesNamed(ctx, *g, before); err != nil {
		return err
	}
	err := t.UpdateGateway(ctx, g)
	if errors.Is(err, store.ErrDependents) {
		return fault.Of(fault.UserTypes, fault.Depended, "A user type that is missing here has users. "+
			"Move them to another user type, or delete it with force=true.")
	}
	if err != nil {
		return gatewayNameTaken(err)
	}
	t.did(note{
		action:  "gateway.updated",
		subject: "gateway:" + g.ID,
		text:    text,
		before:  factsOfGateway(before),
		after:   factsOfGateway(*g),
		more:    facts{"revision": g.Revision},
	})
	t.changed(g.ID)
	return nil
}

// leavesNamed is the fault that a user type which something names is left out.
func (t *turn) leavesNamed(ctx context.Context, g, before store.Gateway) error {
	for _, was := range before.UserTypes {
		if slices.ContainsFunc(g.UserTypes, func(is store.UserType) bool { return is.ID == was.ID }) {
			continue
		}
		named, err := NamedBy(ctx, t.Store, t.env(), was.ID)
		if err != nil {
			return err
		}
		if len(named) > 0 {
			return fault.Of(fault.UserTypes, fault.Depended, "The user type "+was.Name+" is missing here. "+named[0].String()+
				" Change that first, or delete the user type with force=true.")
		}
	}
	return nil
}

// gatewayNameTaken is a conflict as the fault that it is here; any other error stays
// what it is.
func gatewayNameTaken(err error) error {
	if errors.Is(err, store.ErrConflict) {
		return fault.Of(fault.Name, fault.Taken, "Another gateway of this environment has this name.")
	}
	return err
}

// DeleteGateway removes a gateway with its instances and its just-in-time groups.
// *DependentsError when it has users, or something names it or what goes with it, unless
// force is set: users stay then, without a directory that checks their passwords.
// The links of its instances are cut once all is kept.
func (s *Service) DeleteGateway(
	ctx context.Context, by By, id string, force bool, seen func(store.Gateway) error,
) error {
	return s.act(ctx, by, DeleteGateway, func(t *turn) error {
		g, err := t.gateway(ctx, id)
		if err == nil {
			err = ask(seen, g)
		}
		if err == nil && !force {
			err = t.dependents(ctx, g.ID, "")
		}
		if err == nil {
			err = t.settled(ctx, g.ID)
		}
		if err != nil {
			return err
		}
		instances, err := t.Instances(ctx, t.env(), g.ID)
		if err != nil {
			return err
		}
		for _, i := range instances {
			t.after = append(t.after, func() { t.service.Links.Revoked(i.ID) })
		}
		users, groups, err := t.hangingOn(ctx, g.ID)
		if err != nil {
			return err
		}
		t.did(note{
			action:  "gateway.deleted",
			subject: "gateway:" + g.ID,
			text:    "gateway " + g.Name + " was deleted",
			before:  factsOfGateway(g),
			more:    facts{"force": force, "users": users, "groups": groups},
		})
		_, err = t.goes(ctx, store.GatewayGoes, g.ID)
		return err
	})
}

// hangingOn counts the users and the just-in-time groups of a gateway.
func (t *turn) hangingOn(ctx context.Context, gateway string) (users, groups int, err error) {
	if users, err = t.GatewayUsers(ctx, t.env(), gateway, ""); err != nil {
		return 0, 0, err
	}
	groups, err = t.CountGroups(ctx, t.env(), store.SourceGateway, gateway)
	return users, groups, err
}

// dependents returns a *DependentsError when users have their passwords checked
// through a gateway, or through one of its user types, or something names it.
// It names ten of them, so that whoever reads it knows whether these are three trial
// accounts or the whole company.
// It must be asked in the transaction of the deletion, so that nobody comes between.
func (t *turn) dependents(ctx context.Context, gateway, userType string) error {
	n, err := t.GatewayUsers(ctx, t.env(), gateway, userType)
	if err != nil {
		return err
	}
	named, err := NamedBy(ctx, t.Store, t.env(), cmp.Or(userType, gateway))
	if err != nil || n == 0 && len(named) == 0 {
		return err
	}
	filter := store.UserFilter{GatewayID: gateway, UserTypeID: userType}
	some, _, err := t.Users(ctx, t.env(), filter, store.Page{Limit: 10})
	if err != nil {
		return err
	}
	return &DependentsError{Users: n, Some: some, Named: named}
}
