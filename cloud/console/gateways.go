package console

import (
	"cmp"
	"errors"
	"net/http"

	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/usertypes"
)

// gatewayRow is a gateway in the list.
type gatewayRow struct {
	store.Gateway
	Health    health
	Instances int
}

// gatewayList is one part of the list.
type gatewayList struct {
	Gateways []gatewayRow
	Pager    pager
}

// listGateways shows gateways with their health as the links have it at this moment;
// nothing of that is kept.
func (c *console) listGateways(k *call) error {
	list, err := c.gatewayList(k)
	if err != nil {
		return err
	}
	return k.render(http.StatusOK, "gateways", "Gateways", list)
}

// gatewayList returns one part of the list.
func (c *console) gatewayList(k *call) (list gatewayList, err error) {
	all, next, err := c.Store.Gateways(k.Context(), k.env(), k.part())
	if err != nil {
		return list, err
	}
	list.Pager = k.pagerOf(next)
	for _, g := range all {
		paired, _, err := c.instances(k, g)
		if err != nil {
			return list, err
		}
		list.Gateways = append(list.Gateways, gatewayRow{g, healthOf(paired), len(paired)})
	}
	return list, nil
}

// instances returns the paired and the revoked instances of a gateway.
// Links know the instances at every node, so it is the same on each.
func (c *console) instances(k *call, g store.Gateway) ([]instance, []store.Instance, error) {
	all, err := c.Store.Instances(k.Context(), k.env(), g.ID)
	if err != nil {
		return nil, nil, err
	}
	paired, revoked := instancesOf(g, all, c.Links.Live(g.ID))
	return paired, revoked, nil
}

// gateway returns the gateway in the path.
// It is store.ErrNotFound for one of another environment.
func (c *console) gateway(k *call) (store.Gateway, error) {
	return c.Store.Gateway(k.Context(), k.env(), k.PathValue("g"))
}

// gatewayForm makes a gateway.
type gatewayForm struct {
	Name, Description, Vendor string
	Vendors                   []string
	Errors                    map[string]string
}

// newGateway offers the vendors whose usual values a user type can begin with.
func (c *console) newGateway(k *call) error {
	return k.render(http.StatusOK, "gateway-new", "New gateway", gatewayForm{Vendors: usertypes.Vendors()})
}

// createGateway makes a gateway that is enabled but asks nobody yet: it has no user
// type and no instance, to which the next page leads.
func (c *console) createGateway(k *call) error {
	form := gatewayForm{
		Name:        k.posted("name"),
		Description: k.posted("description"),
		Vendor:      k.posted("vendor"),
		Vendors:     usertypes.Vendors(),
	}
	d := management.Draft{Gateway: store.Gateway{
		Name:        form.Name,
		Description: form.Description,
		Vendor:      form.Vendor,
		Enabled:     true,
	}}
	err := c.Management.CreateGateway(k.Context(), k.by(), &d)
	if wrong, ok := faults(err); ok {
		form.Errors = wrong
		return k.render(http.StatusUnprocessableEntity, "gateway-new", "New gateway", form)
	}
	if err != nil {
		return err
	}
	return k.done(under("gateways", d.ID), "The gateway was made. Next: add a user type, then pair an instance.")
}

// gatewayPage is one gateway.
type gatewayPage struct {
	store.Gateway
	Health    health
	Paired    []instance
	Revoked   []store.Instance
	Pairings  []store.Pairing
	Types     []userTypeRow
	UserCount int
}

// userTypeRow is a user type in the list of its gateway.
type userTypeRow struct {
	store.UserType
	Users      int
	Population string
	WithGroups bool
}

// showGateway shows one gateway with all that belongs to it: instances with their
// health, codes that wait, user types with how many users each has.
func (c *console) showGateway(k *call) error {
	g, err := c.gateway(k)
	if err != nil {
		return err
	}
	page := gatewayPage{Gateway: g}
	if page.Paired, page.Revoked, err = c.instances(k, g); err != nil {
		return err
	}
	page.Health = healthOf(page.Paired)
	if page.Pairings, err = c.Store.Pairings(k.Context(), k.env(), g.ID, c.now()); err != nil {
		return err
	}
	if page.Types, err = c.userTypeRows(k, g); err != nil {
		return err
	}
	for _, t := range page.Types {
		page.UserCount += t.Users
	}
	return k.render(http.StatusOK, "gateway", g.Name, page)
}

// switchGateway enables or disables a gateway, and touches nothing else of it, so that
// it needs not be told who came between.
func (c *console) switchGateway(k *call) error {
	enabled := k.posted("enabled") == "yes"
	g, err := c.Management.ChangeGateway(k.Context(), k.by(), k.PathValue("g"), func(d *management.Draft) error {
		d.Enabled = enabled
		return nil
	})
	if err != nil {
		return err
	}
	if enabled {
		return k.done(under("gateways", g.ID), "The gateway is enabled.")
	}
	return k.done(
		under("gateways", g.ID),
		"The gateway is disabled: nobody signs on through it until it is enabled again.",
	)
}

// deletion asks before something goes, and shows who depends on it.
// One page does it for all kinds: who depends on it is what is asked of each.
type deletion struct {
	Kind, Name, Back string // as in "gateway"; where it is seen
	Count            int    // users who depend on it
	Users            []store.User
	Groups           int               // just-in-time groups that go with an identity provider
	Roles            []store.NamedRole // those of them that give a role
	Named            []management.Naming
	Unsure           bool   // it was tried without the box ticked
	Relink           string // where the users are moved to another user type from; empty: not here
	Targets          []target
	Never            string // why it cannot be deleted at all; empty: it can
	JustInTime       bool   // a group that a sign-on may bring back
}

// deletionOf counts the users of a gateway, or of one of its user types, and finds what
// names it.
// Ten of them are named at most, and all are counted.
func (c *console) deletionOf(k *call, d deletion, gateway, userType string) (deletion, error) {
	var err error
	if d.Count, err = c.Store.GatewayUsers(k.Context(), k.env(), gateway, userType); err != nil {
		return d, err
	}
	if d.Named, err = management.NamedBy(k.Context(), c.Store, k.env(), cmp.Or(userType, gateway)); err != nil {
		return d, err
	}
	d.Users, _, err = c.Store.Users(k.Context(), k.env(), store.UserFilter{
		GatewayID:  gateway,
		UserTypeID: userType,
	}, store.Page{Limit: 10})
	return d, err
}

func (c *console) confirmDeleteGateway(k *call) error {
	return c.askDeleteGateway(k, http.StatusOK, false)
}

// askDeleteGateway shows who could not sign on any more. unsure is for who sent the
// form without the box that says that they mean it.
func (c *console) askDeleteGateway(k *call, status int, unsure bool) error {
	g, err := c.gateway(k)
	if err != nil {
		return err
	}
	d, err := c.deletionOf(k, deletion{
		Kind:   "gateway",
		Name:   g.Name,
		Back:   under("gateways", g.ID),
		Unsure: unsure,
	}, g.ID, "")
	if err != nil {
		return err
	}
	return k.render(status, "delete", "Delete "+g.Name, d)
}

// deleteGateway deletes a gateway without users at once, and one with users only with
// the box ticked. Whether there are any is decided by the deletion itself, not by what
// the page showed.
func (c *console) deleteGateway(k *call) error {
	g, err := c.gateway(k)
	if err != nil {
		return err
	}
	err = c.Management.DeleteGateway(k.Context(), k.by(), g.ID, k.posted("force") == "yes", nil)
	if errors.Is(err, store.ErrDependents) {
		return c.askDeleteGateway(k, http.StatusConflict, true)
	}
	if err != nil {
		return err
	}
	return k.done("/console/gateways", "The gateway "+g.Name+" was deleted.")
}
