package store

import (
	"context"
	"fmt"
	"slices"
)

const gatewayColumns = `
	SELECT id, environment_id, name, description, vendor, enabled, declared, user_types, kerberos, revision,
		created_at, updated_at
	FROM gateways`

// scanGateway reads user types and Kerberos as JSON: they are read and written with
// their gateway, and looked up by nothing else.
func scanGateway(r row) (g Gateway, err error) {
	err = r.Scan(
		&g.ID,
		&g.EnvironmentID,
		&g.Name,
		&g.Description,
		&g.Vendor,
		&g.Enabled,
		fromJSON{&g.Declared},
		fromJSON{&g.UserTypes},
		fromJSON{&g.Kerberos},
		&g.Revision,
		at{&g.CreatedAt},
		at{&g.UpdatedAt},
	)
	return g, err
}

// CreateGateway adds g and fills in its ID, those of its user types, its
// revision and times. ErrConflict when the name is taken.
func (s *Store) CreateGateway(ctx context.Context, g *Gateway) error {
	return s.Provision(ctx, func(tx *Tx) error {
		if err := newGatewayIDs(g); err != nil {
			return err
		}
		stamp(&g.CreatedAt)
		g.UpdatedAt, g.Revision = g.CreatedAt, 1
		_, err := tx.c.exec(ctx, `
			INSERT INTO gateways (id, environment_id, name, name_folded, description, vendor, enabled, declared,
				user_types, kerberos, claims, revision, created_at, updated_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $11, $12, 1, $10, $10)`,
			g.ID,
			g.EnvironmentID,
			g.Name,
			Fold(g.Name),
			g.Description,
			g.Vendor,
			g.Enabled,
			inJSON(g.Declared),
			inJSON(g.UserTypes),
			micros(g.CreatedAt),
			inJSON(g.Kerberos),
			g.claims(),
		)
		return err
	})
}

// newGatewayIDs gives IDs to the gateway and to those of its user types that have none:
// an ID once given stays with the user type through every change, since users refer to
// it.
func newGatewayIDs(g *Gateway) error {
	if err := newID(&g.ID); err != nil {
		return err
	}
	for i := range g.UserTypes {
		if err := newID(&g.UserTypes[i].ID); err != nil {
			return err
		}
	}
	return nil
}

// Gateway returns a gateway, or ErrNotFound.
func (r reader) Gateway(ctx context.Context, env, id string) (Gateway, error) {
	return queryOne(ctx, r.c, scanGateway, gatewayColumns+` WHERE environment_id = $1 AND id = $2 AND NOT going`, env, id)
}

// GatewayByID returns a gateway of any environment, or ErrNotFound. It is for
// the link's end, which knows no more than what an instance has proven.
func (r reader) GatewayByID(ctx context.Context, id string) (Gateway, error) {
	return queryOne(ctx, r.c, scanGateway, gatewayColumns+` WHERE id = $1 AND NOT going`, id)
}

// Gateways lists by name.
// Case does not count for the order.
func (r reader) Gateways(ctx context.Context, env string, page Page) ([]Gateway, string, error) {
	l := list{query: gatewayColumns, key: "name_folded", id: "id", word: "gateway"}
	l.where("environment_id = ? AND NOT going", env)
	if err := l.matching(page.Where, gatewayField); err != nil {
		return nil, "", err
	}
	return queryPage(ctx, r.c, l, page, scanGateway, func(g Gateway) (any, string) { return Fold(g.Name), g.ID })
}

// GatewayUsers counts the users of a gateway, or of one of its user types when
// userType is not empty.
func (r reader) GatewayUsers(ctx context.Context, env, gateway, userType string) (int, error) {
	if userType == "" {
		return queryOne(ctx, r.c, value[int], `SELECT count(*) FROM users WHERE environment_id = $1 AND gateway_id = $2`,
			env, gateway)
	}
	return queryOne(ctx, r.c, value[int], `
		SELECT count(*)
		FROM users
		WHERE environment_id = $1 AND gateway_id = $2 AND user_type_id = $3`,
		env, gateway, userType)
}

// UserTypeUsers is GatewayUsers of a user type for whoever looks at it: of more than PeopleCounted it is how many there
// were within the last minute.
func (r reader) UserTypeUsers(ctx context.Context, env, gateway, userType string) (int, error) {
	const which = `environment_id = $1 AND gateway_id = $2 AND user_type_id = $3`
	n, err := queryOne(ctx, r.c, value[int], upTo("users", which), env, gateway, userType)
	if err != nil {
		return 0, err
	}
	return r.c.whole(ctx, n, `SELECT count(*) FROM users WHERE `+which, env, gateway, userType)
}

// UpdateGateway writes g, gives its new user types IDs, and fills in the
// revision, which has grown when a user type differs. ErrDependents when a user
// type that is not there any more has users: see RemoveUserType. ErrStale when
// g has a revision and the user types have changed since it: the other change
// would be lost. ErrConflict when the name is taken.
func (s *Store) UpdateGateway(ctx context.Context, g *Gateway) error {
	return s.Provision(ctx, func(tx *Tx) error { return tx.updateGateway(ctx, g) })
}

// updateGateway is UpdateGateway within a transaction. Whether user types differ is
// decided on what is kept of them: two that are written alike are one revision, and
// agents are told of nothing.
func (tx *Tx) updateGateway(ctx context.Context, g *Gateway) error {
	before, err := tx.Gateway(ctx, g.EnvironmentID, g.ID)
	if err != nil {
		return err
	}
	for _, t := range before.UserTypes {
		if slices.ContainsFunc(g.UserTypes, func(kept UserType) bool { return kept.ID == t.ID }) {
			continue
		}
		if n, err := tx.GatewayUsers(ctx, g.EnvironmentID, g.ID, t.ID); err != nil || n > 0 {
			return orDependents(err, n)
		}
	}
	return tx.writeGateway(ctx, g, before)
}

// writeGateway writes a gateway, whoever is of a user type that is not there any more.
func (tx *Tx) writeGateway(ctx context.Context, g *Gateway, before Gateway) error {
	if g.Revision != 0 && g.Revision != before.Revision {
		return ErrStale
	}
	if err := newGatewayIDs(g); err != nil {
		return err
	}
	g.Revision, g.CreatedAt, g.UpdatedAt = before.Revision, before.CreatedAt, now()
	if inJSON(before.UserTypes) != inJSON(g.UserTypes) {
		g.Revision++
	}
	return tx.c.execOne(ctx, `
		UPDATE gateways
		SET name = $1, name_folded = $2, description = $3, vendor = $4, enabled = $5, declared = $6,
			user_types = $7, revision = $8, updated_at = $9, kerberos = $12, claims = $13
		WHERE environment_id = $10 AND id = $11`,
		g.Name,
		Fold(g.Name),
		g.Description,
		g.Vendor,
		g.Enabled,
		inJSON(g.Declared),
		inJSON(g.UserTypes),
		g.Revision,
		micros(g.UpdatedAt),
		g.EnvironmentID,
		g.ID,
		inJSON(g.Kerberos),
		g.claims(),
	)
}

// orDependents returns ErrDependents with how many there are, unless they could not
// even be counted.
func orDependents(err error, users int) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: %d users", ErrDependents, users)
}

// RemoveUserType takes a user type off its gateway and returns what is left.
// ErrDependents when it has users, unless force is set: they stay then, signed
// off and without a directory that checks their passwords.
func (s *Store) RemoveUserType(ctx context.Context, env, gateway, userType string, force bool) (g Gateway, err error) {
	err = s.Provision(ctx, func(tx *Tx) error {
		if g, _, err = tx.withoutType(ctx, env, gateway, userType); err != nil {
			return err
		}
		if force {
			err = tx.all(ctx, unlinked(env, gateway, userType))
		}
		if err != nil {
			return err
		}
		return tx.updateGateway(ctx, &g)
	})
	return g, err
}

// withoutType returns a gateway without one of its user types, and as it is; ErrNotFound when it has no such.
func (r reader) withoutType(ctx context.Context, env, gateway, userType string) (g, before Gateway, err error) {
	if before, err = r.Gateway(ctx, env, gateway); err != nil {
		return g, before, err
	}
	g = before
	g.UserTypes = slices.DeleteFunc(slices.Clone(g.UserTypes), func(t UserType) bool { return t.ID == userType })
	if len(g.UserTypes) == len(before.UserTypes) {
		err = ErrNotFound
	}
	return g, before, err
}

// DropUserType takes a user type off its gateway and returns what is left. Whoever is of it is to be taken off
// it as well: see UserTypeGoes.
func (s *Store) DropUserType(ctx context.Context, env, gateway, userType string) (g Gateway, err error) {
	err = s.ProvisionIn(ctx, env, func(tx *Tx) error {
		var before Gateway
		if g, before, err = tx.withoutType(ctx, env, gateway, userType); err != nil {
			return err
		}
		return tx.writeGateway(ctx, &g, before)
	})
	return g, err
}

// DeleteGateway removes a gateway, its instances, its pairings and its
// just-in-time groups. ErrDependents when it has users, unless force is set:
// they stay then, signed off and without a directory that checks their passwords.
// Its groups go, since nobody could say any more who is in them; users stay, since they
// are people and may be linked elsewhere.
func (s *Store) DeleteGateway(ctx context.Context, env, id string, force bool) error {
	return s.Provision(ctx, func(tx *Tx) error {
		users, err := tx.GatewayUsers(ctx, env, id, "")
		if err != nil || users > 0 && !force {
			return orDependents(err, users)
		}
		if err := tx.all(ctx, unlinked(env, id, "")); err != nil {
			return err
		}
		if err := tx.all(ctx, groupsOf(env, SourceGateway, id)); err != nil {
			return err
		}
		return tx.c.execOne(ctx, `DELETE FROM gateways WHERE environment_id = $1 AND id = $2`, env, id)
	})
}

// RelinkUsers moves all users of one user type to another, of the same gateway
// or of another one, and returns how many. When the gateway is another, the old link
// ends, with what hangs on it. ErrNotFound when the target does not exist.
func (s *Store) RelinkUsers(
	ctx context.Context, env, gateway, userType, toGateway, toUserType string,
) (moved int, err error) {
	from, to := UserTypeRef{gateway, userType}, UserTypeRef{toGateway, toUserType}
	err = s.Provision(ctx, func(tx *Tx) error {
		g, err := tx.Gateway(ctx, env, to.Gateway)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(g.UserTypes, func(t UserType) bool { return t.ID == to.UserType }) {
			return fmt.Errorf("user type: %w", ErrNotFound)
		}
		if moved, err = tx.GatewayUsers(ctx, env, from.Gateway, from.UserType); err != nil {
			return err
		}
		return tx.all(ctx, relinked(env, from, to))
	})
	return moved, err
}

// GatewayNames returns what gateways of any environment are called, by their IDs; those that are not there are left
// out.
func (r reader) GatewayNames(ctx context.Context, ids []string) (map[string]string, error) {
	names := map[string]string{}
	for some := range slices.Chunk(ids, chunk) {
		args := make([]any, 0, len(some))
		for _, id := range some {
			args = append(args, id)
		}
		read, err := queryAll(ctx, r.c, func(r row) (p [2]string, err error) {
			err = r.Scan(&p[0], &p[1])
			return p, err
		}, `SELECT id, name FROM gateways WHERE id IN `+placeholders(1, 1, len(some)), args...)
		if err != nil {
			return nil, err
		}
		for _, p := range read {
			names[p[0]] = p[1]
		}
	}
	return names, nil
}
