package management

import (
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
func (t *turn) gateway(ctx context.Context, id string) (store.Gateway, error) {
	g, err := t.Gateway(ctx, t.env(), id)
	if err == nil {
		err = t.weighGateway(ctx, g)
	}
	return g, err
}

// saveGateway writes a gateway that was checked, and has its instances told.
func (t *turn) saveGateway(ctx context.Context, g *store.Gateway, before store.Gateway, text string) error {
	g.ID, g.EnvironmentID = before.ID, before.EnvironmentID
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

func gatewayNameTaken(err error) error {
	if errors.Is(err, store.ErrConflict) {
		return fault.Of(fault.Name, fault.Taken, "Another gateway of this environment has this name.")
	}
	return err
}

// DeleteGateway removes a gateway with its instances and its just-in-time groups.
// *DependentsError when it has users, unless force is set: they stay then, without
// a directory that checks their passwords.
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
		t.did(note{
			action:  "gateway.deleted",
			subject: "gateway:" + g.ID,
			text:    "gateway " + g.Name + " was deleted",
			before:  factsOfGateway(g),
			more:    facts{"force": force},
		})
		return t.Store.DeleteGateway(ctx, t.env(), g.ID, force)
	})
}

// dependents returns a *DependentsError when users have their passwords checked
// through a gateway, or through one of its user types.
func (t *turn) dependents(ctx context.Context, gateway, userType string) error {
	n, err := t.GatewayUsers(ctx, t.env(), gateway, userType)
	if err != nil || n == 0 {
		return err
	}
	filter := store.UserFilter{GatewayID: gateway, UserTypeID: userType}
	some, _, err := t.Users(ctx, t.env(), filter, store.Page{Limit: 10})
	if err != nil {
		return err
	}
	return &DependentsError{Users: n, Some: some}
}
