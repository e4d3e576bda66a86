package store

import "context"

const environmentColumns = `
	SELECT id, name, short_name, parent_id, settings, kept, logo <> '', created_at, updated_at
	FROM environments`

// scanEnvironment reads whether there is a logo and not the logo, which is large and
// wanted by one page.
func scanEnvironment(r row) (e Environment, err error) {
	err = r.Scan(
		&e.ID,
		&e.Name,
		&e.ShortName,
		&e.ParentID,
		fromJSON{&e.Settings},
		fromJSON{&e.Kept},
		&e.HasLogo,
		at{&e.CreatedAt},
		at{&e.UpdatedAt},
	)
	return e, err
}

// CreateEnvironment adds e and fills in its ID and times. ErrConflict when another has its short
// name.
func (s *Store) CreateEnvironment(ctx context.Context, e *Environment) error {
	return s.Provision(ctx, func(tx *Tx) error {
		if err := newID(&e.ID); err != nil {
			return err
		}
		stamp(&e.CreatedAt)
		e.UpdatedAt = e.CreatedAt
		_, err := tx.c.exec(ctx, `
			INSERT INTO environments (id, name, settings, created_at, updated_at, parent_id, kept, short_name)
			VALUES ($1, $2, $3, $4, $4, $5, $6, $7)`,
			e.ID, e.Name, inJSON(e.Settings), micros(e.CreatedAt), e.ParentID, inJSON(e.Kept), e.ShortName)
		if err != nil {
			return err
		}
		first := SignOnPolicy{EnvironmentID: e.ID, Name: "Default", Default: true, CreatedAt: e.CreatedAt}
		return tx.Store().SavePolicy(ctx, &first)
	})
}

// Environment returns an environment, or ErrNotFound.
func (r reader) Environment(ctx context.Context, id string) (Environment, error) {
	return queryOne(ctx, r.c, scanEnvironment, environmentColumns+` WHERE id = $1`, id)
}

// EnvironmentByShortName returns the environment of that short name, or ErrNotFound.
func (r reader) EnvironmentByShortName(ctx context.Context, name string) (Environment, error) {
	return queryOne(ctx, r.c, scanEnvironment, environmentColumns+` WHERE short_name = $1 AND short_name <> ''`, name)
}

// Environments returns all environments, the oldest first. There are few.
func (r reader) Environments(ctx context.Context) ([]Environment, error) {
	return queryAll(ctx, r.c, scanEnvironment, environmentColumns+` ORDER BY id`)
}

// UpdateEnvironment writes the names and settings of e and fills in when;
// ErrNotFound when there is none, ErrConflict when another has its short name.
func (s *Store) UpdateEnvironment(ctx context.Context, e *Environment) error {
	return s.Provision(ctx, func(tx *Tx) error {
		e.UpdatedAt = now()
		return tx.c.execOne(ctx, `
			UPDATE environments
			SET name = $1, settings = $2, kept = $5, updated_at = $3, short_name = $6
			WHERE id = $4`,
			e.Name, inJSON(e.Settings), micros(e.UpdatedAt), e.ID, inJSON(e.Kept), e.ShortName)
	})
}

// Logo returns the picture of an environment, a PNG; ErrNotFound when it has none.
func (r reader) Logo(ctx context.Context, env string) (png []byte, err error) {
	png, err = queryOne(ctx, r.c, func(r row) (b []byte, err error) {
		err = r.Scan(fromBase64{&b})
		return b, err
	}, `SELECT logo FROM environments WHERE id = $1`, env)
	if err == nil && len(png) == 0 {
		err = ErrNotFound
	}
	return png, err
}

// SetLogo keeps the picture of an environment; nil takes it away.
func (s *Store) SetLogo(ctx context.Context, env string, png []byte) error {
	return s.Provision(ctx, func(tx *Tx) error {
		return tx.c.execOne(ctx, `UPDATE environments SET logo = $1, updated_at = $2 WHERE id = $3`,
			inBase64(png), micros(now()), env)
	})
}
