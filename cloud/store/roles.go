package store

import (
	"context"
	"errors"
	"slices"
)

// Role is what somebody may do in the console or over the API.
type Role string

// The roles. Each may change what those after it may, except RoleSignOn.
const (
	RoleOwner         Role = "OWNER"          // administrators, API clients and settings too
	RoleIdentityAdmin Role = "IDENTITY_ADMIN" // gateways, users, groups, applications
	RoleHelpDesk      Role = "HELP_DESK"      // looks, tries a person, and signs people off
	RoleReadOnly      Role = "READ_ONLY"
	RoleSignOn        Role = "SIGN_ON" // of an API client that signs people on, and does nothing else
)

// Roles are those that an administrator may have, the mightiest first.
func Roles() []Role { return []Role{RoleOwner, RoleIdentityAdmin, RoleHelpDesk, RoleReadOnly} }

// Covers tells whether who has role r may change what needs role needed.
func (r Role) Covers(needed Role) bool {
	have, need := slices.Index(Roles(), r), slices.Index(Roles(), needed)
	return have >= 0 && need >= 0 && have <= need
}

// ErrLastOwner says that an environment would have no owner left.
var ErrLastOwner = errors.New("an environment needs an owner")

// RoleGroup gives the members of a group a role.
type RoleGroup struct {
	EnvironmentID, GroupID string
	Role                   Role
}

// RoleGroups returns the groups of an environment whose members have a role.
func (r reader) RoleGroups(ctx context.Context, env string) ([]RoleGroup, error) {
	return queryAll(ctx, r.c, scanRoleGroup, `
		SELECT environment_id, group_id, role
		FROM role_groups
		WHERE environment_id = $1
		ORDER BY group_id`,
		env)
}

// scanRoleGroup reads which role a group gives.
func scanRoleGroup(r row) (g RoleGroup, err error) {
	err = r.Scan(&g.EnvironmentID, &g.GroupID, &g.Role)
	return g, err
}

// NamedRole is a group that gives a role, with its name.
type NamedRole struct {
	GroupID, Name string
	Role          Role
}

// RolesOfSource returns the just-in-time groups of a source that give a role. Groups with
// roles are few, so each is looked at: a source may have very many.
func (r reader) RolesOfSource(
	ctx context.Context, env string, kind Source, source string,
) (found []NamedRole, err error) {
	all, err := r.RoleGroups(ctx, env)
	for _, role := range all {
		name, err := queryOne(ctx, r.c, value[string], `
			SELECT display_name FROM cloud_groups
			WHERE environment_id = $1 AND id = $2 AND source_type = $3 AND source_id = $4`,
			env, role.GroupID, kind, source)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, NamedRole{role.GroupID, name, role.Role})
	}
	return found, err
}

// SetRoleGroup gives the members of a group a role; ErrNotFound when the
// environment has no such group. The empty role takes it away.
func (s *Store) SetRoleGroup(ctx context.Context, g RoleGroup) error {
	return s.Provision(ctx, func(tx *Tx) error {
		if _, err := tx.Group(ctx, g.EnvironmentID, g.GroupID); err != nil {
			return err
		}
		if g.Role == "" {
			return tx.c.execOne(ctx, `DELETE FROM role_groups WHERE environment_id = $1 AND group_id = $2`,
				g.EnvironmentID, g.GroupID)
		}
		_, err := tx.c.exec(ctx, `
			INSERT INTO role_groups (environment_id, group_id, role)
			VALUES ($1, $2, $3)
			ON CONFLICT (environment_id, group_id) DO UPDATE SET role = $3`,
			g.EnvironmentID, g.GroupID, g.Role)
		return err
	})
}

// UserRole returns the mightiest role that a user's groups give; empty when
// they give none.
// It is asked at each request of a person's and at each change of theirs, so a
// membership that ends takes the role with it at once.
func (r reader) UserRole(ctx context.Context, env, user string) (Role, error) {
	return r.mightiest(ctx, `
		SELECT r.role
		FROM role_groups r
		WHERE r.environment_id = $1
			AND EXISTS (SELECT 1 FROM memberships m WHERE m.user_id = $2 AND m.group_id = r.group_id)`,
		env, user)
}

// GroupRole returns the role that a group gives its members; empty when it gives none.
func (r reader) GroupRole(ctx context.Context, env, group string) (Role, error) {
	return r.mightiest(ctx, `SELECT role FROM role_groups WHERE environment_id = $1 AND group_id = $2`, env, group)
}

// GatewayRole returns the mightiest role that people have whose directory a gateway
// joins: by any group of a user whose password it checks, or by a just-in-time
// group of its own, whose members its directory names. Empty when nobody has one.
func (r reader) GatewayRole(ctx context.Context, env, gateway string) (Role, error) {
	return r.sourceRole(ctx, env, SourceGateway, gateway, `
		JOIN users u ON u.environment_id = m.environment_id AND u.id = m.user_id AND u.gateway_id = $3`)
}

// ProviderRole returns the mightiest role that people have whom an identity provider
// knows, or that a just-in-time group of its own gives. Empty when nobody has one.
func (r reader) ProviderRole(ctx context.Context, env, provider string) (Role, error) {
	return r.sourceRole(ctx, env, SourceIDP, provider, `
		JOIN linked_accounts l ON l.environment_id = m.environment_id AND l.user_id = m.user_id AND l.provider_id = $3`)
}

// sourceRole returns the mightiest role by a group of a source, or of one of its people,
// who are the members that people joins.
func (r reader) sourceRole(ctx context.Context, env string, kind Source, id, people string) (Role, error) {
	return r.mightiest(ctx, `
		SELECT r.role
		FROM role_groups r
		WHERE r.environment_id = $1
			AND (EXISTS (
				SELECT 1
				FROM cloud_groups g
				WHERE g.environment_id = r.environment_id AND g.id = r.group_id
					AND g.source_type = $2 AND g.source_id = $3
			) OR EXISTS (
				SELECT 1
				FROM memberships m `+people+`
				WHERE m.environment_id = r.environment_id AND m.group_id = r.group_id
			))`,
		env, kind, id)
}

// UserTypeRole is GatewayRole for the users of one user type alone.
func (r reader) UserTypeRole(ctx context.Context, env, gateway, userType string) (Role, error) {
	return r.mightiest(ctx, `
		SELECT r.role
		FROM role_groups r
		WHERE r.environment_id = $1
			AND EXISTS (
				SELECT 1
				FROM memberships m
				JOIN users u ON u.environment_id = m.environment_id AND u.id = m.user_id
				WHERE m.environment_id = r.environment_id AND m.group_id = r.group_id
					AND u.gateway_id = $2 AND u.user_type_id = $3
			)`,
		env, gateway, userType)
}

// mightiest returns the mightiest of the roles that a query finds; empty for none.
// A role that this program does not know counts as none: a newer one may have written
// it.
func (r reader) mightiest(ctx context.Context, query string, args ...any) (Role, error) {
	all, err := queryAll(ctx, r.c, value[Role], query, args...)
	for _, mighty := range Roles() {
		if slices.Contains(all, mighty) {
			return mighty, err
		}
	}
	return "", err
}
