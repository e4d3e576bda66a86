package management

import (
	"cmp"
	"context"
	"errors"
	"net"
	"slices"
	"strconv"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/usertypes"
)

// How a client may say that the directory is reached.
var securities = []string{"", "None", "TLS", "StartTLS"}

// checkGateway tells what may not be kept of a gateway, and fills in what is usual.
// Everything that is wrong is told at once, whichever part it is of: somebody who is
// sent back for one mistake after the other gives up. An error that is no fault.List is
// the database's.
func (t *turn) checkGateway(ctx context.Context, d *Draft, before store.Gateway) error {
	l := checkPlace(d.Gateway, before)
	types, err := t.checkUserTypes(ctx, d.UserTypes, before.UserTypes)
	if err != nil {
		return err
	}
	keys, err := t.KerberosKeys(ctx, t.env(), before.ID, t.service.now())
	l = slices.Concat(l, types, checkKerberos(d.Kerberos), checkAccount(*d, before.Kerberos, len(keys)))
	return cmp.Or(err, l.Err())
}

// checkPlace tells what is wrong with what a client says of the directory.
// Nothing of it is used to connect: the agent has that in its own file. It is checked
// all the same, since people read it and believe it.
func checkPlace(g, before store.Gateway) (l fault.List) {
	l = checkName("gateway", before.Name, g.Name)
	if !slices.Contains(usertypes.Vendors(), g.Vendor) {
		l = append(l, wrong(
			fault.Vendor,
			0,
			"Choose the directory that this gateway joins: one of %q.",
			usertypes.Vendors(),
		)...)
	}
	if !slices.Contains(securities, g.Declared.ConnectionSecurity) {
		l = append(l, wrong(fault.Security, 0, "It must be None, TLS or StartTLS.")...)
	}
	for i, server := range g.Declared.ServersHostAndPort {
		if !hostAndPort(server) {
			l = append(l, wrong(fault.Servers, i+1, "%q is not a host and a port, as in ldap.example.com:636.", server)...)
		}
	}
	return l
}

// hostAndPort tells whether a text names a host and a port from 1 to 65535.
func hostAndPort(text string) bool {
	host, port, err := net.SplitHostPort(text)
	if err != nil || host == "" {
		return false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

// checkUserTypes checks the user types of a gateway, whose present ones are known,
// and fills in their populations.
// One that is sent without an ID is a new one. One with an ID that the gateway does not
// have is refused: else a user type would be made under an ID of the client's choice,
// and another gateway's users could be claimed by it.
func (t *turn) checkUserTypes(ctx context.Context, types, known []store.UserType) (l fault.List, err error) {
	for i := range types {
		found, err := t.checkUserType(ctx, &types[i], types[:i])
		if err != nil {
			return nil, err
		}
		same := func(k store.UserType) bool { return k.ID == types[i].ID }
		if types[i].ID != "" && !slices.ContainsFunc(known, same) {
			found = append(found, wrong(
				fault.UserTypeID,
				0,
				"This gateway has no such user type. Leave the id out to add one.",
			)...)
		}
		for _, f := range found {
			f.Type = i + 1
			l = append(l, f)
		}
	}
	return l, nil
}

// checkUserType checks one user type; others are those that it must not be named
// like. Without a population its new users join the default one.
func (t *turn) checkUserType(ctx context.Context, u *store.UserType, others []store.UserType) (fault.List, error) {
	l := usertypes.Check(*u, others)
	u.PasswordAuthority = usertypes.Authority
	if u.LinksOnly {
		u.FilterPattern, u.Mappings, u.PopulationID = "", nil, ""
		return l, nil
	}
	population, err := t.populationFor(ctx, u.PopulationID)
	if errors.Is(err, store.ErrNotFound) {
		return append(l, wrong(fault.TypeTarget, 0, "This environment has no such population.")...), nil
	}
	u.PopulationID = population
	return l, err
}
