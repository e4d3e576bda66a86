package hub

import (
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/usertypes"
	"ldap-gateway/cloudlink/wire"
)

// delivery is what an agent gets to know of a gateway's user types.
func delivery(g store.Gateway) wire.UserTypes {
	m := wire.UserTypes{Revision: g.Revision}
	for _, u := range g.UserTypes {
		m.Types = append(m.Types, usertypes.Compile(u))
	}
	return m
}
