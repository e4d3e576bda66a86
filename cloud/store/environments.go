package store

import "context"

const environmentColumns = `SELECT id, name, created_at, updated_at FROM environments`

func scanEnvironment(r row) (e Environment, err error) {
	err = r.Scan(&e.ID, &e.Name, at{&e.CreatedAt}, at{&e.UpdatedAt})
	return e, err
}

// CreateEnvironment adds e and fills in its ID and times.
func (s *Store) CreateEnvironment(ctx context.Context, e *Environment) error {
	return s.Provision(ctx, func(tx *Tx) error {
		if err := newID(&e.ID); err != nil {
			return err
		}
		stamp(&e.CreatedAt)
		e.UpdatedAt = e.CreatedAt
		_, err := tx.c.exec(ctx, `INSERT INTO environments (id, name, created_at, updated_at) VALUES ($1, $2, $3, $3)`,
			e.ID, e.Name, micros(e.CreatedAt))
		return err
	})
}

// Environment returns an environment, or ErrNotFound.
func (r reader) Environment(ctx context.Context, id string) (Environment, error) {
	return queryOne(ctx, r.c, scanEnvironment, environmentColumns+` WHERE id = $1`, id)
}

// Environments returns all environments, the oldest first. There are few.
func (r reader) Environments(ctx context.Context) ([]Environment, error) {
	return queryAll(ctx, r.c, scanEnvironment, environmentColumns+` ORDER BY id`)
}

// UpdateEnvironment writes the name of e and fills in when; ErrNotFound when there is none.
func (s *Store) UpdateEnvironment(ctx context.Context, e *Environment) error {
	return s.Provision(ctx, func(tx *Tx) error {
		e.UpdatedAt = now()
		return tx.c.execOne(ctx, `UPDATE environments SET name = $1, updated_at = $2 WHERE id = $3`, e.Name, micros(e.UpdatedAt), e.ID)
	})
}
