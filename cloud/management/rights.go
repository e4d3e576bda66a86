package management

import (
	"context"

	"ldap-gateway/cloud/store"
)

// holds tells whether who has one role has all that another allows.
// An empty role is that of what carries none: everybody holds it. RoleSignOn is none of
// the ladder of roles, and is held by whoever may sign people on.
func holds(have, role store.Role) bool {
	if role == "" || have.Covers(role) {
		return true
	}
	return role == store.RoleSignOn && May(have, SignPeopleOn)
}

// needs returns an error unless the actor has a role that hangs on something.
func (t *turn) needs(role store.Role, what string, err error) error {
	if err != nil || holds(t.by.Role, role) {
		return err
	}
	return &HigherError{What: what, Role: role}
}

// weighUser refuses who has less than what a user has by groups.
// Who can change what a user is known by can have somebody else become them.
func (t *turn) weighUser(ctx context.Context, u store.User) error {
	role, err := t.UserRole(ctx, t.env(), u.ID)
	return t.needs(role, "the user "+u.Username, err)
}

// weighGroup refuses who has less than what a group gives.
// It is asked within the transaction, so that a group which becomes mighty meanwhile is
// weighed as it is.
func (t *turn) weighGroup(ctx context.Context, g store.Group) error {
	role, err := t.GroupRole(ctx, t.env(), g.ID)
	return t.needs(role, "the group "+g.DisplayName, err)
}

// weighProvider refuses who has less than people have whom a provider vouches for: an
// account that is linked takes what the provider gives to it.
func (t *turn) weighProvider(ctx context.Context, p store.IdentityProvider) error {
	role, err := t.ProviderRole(ctx, t.env(), p.ID)
	return t.needs(role, "the identity provider "+p.Name, err)
}

// weighGateway refuses who has less than people have whom its directory vouches for.
// A gateway is as mighty as the mightiest whom its directory could say that somebody
// is: see Store.GatewayRole.
func (t *turn) weighGateway(ctx context.Context, g store.Gateway) error {
	role, err := t.GatewayRole(ctx, t.env(), g.ID)
	return t.needs(role, "the gateway "+g.Name, err)
}
