package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// Plan is what a function would write: statements that were not made yet.
type Plan struct{ statements []statement }

// statement is one of a plan's, with its values.
type statement struct {
	query string
	args  []any
}

// Plan runs f on what is committed, and keeps what f would write in place of writing it.
// It takes no turn and keeps nobody waiting. Each statement of f sees what was committed
// before it, and nothing of what f would write: f must not read that. The error is f's.
func (s *Store) Plan(f func(tx *Tx) error) (*Plan, error) {
	p := &planned{engine: s.c.db, plan: &Plan{}}
	err := f(&Tx{reader: reader{conn{db: p, fts: s.c.fts, counts: s.c.counts}}, rows: s.writer.rows, each: s.writer.each})
	return p.plan, err
}

// Writes tells whether there is anything to write.
func (p *Plan) Writes() bool { return len(p.statements) > 0 }

// planned makes no statement that writes, and keeps it.
type planned struct {
	engine
	plan *Plan
}

// ExecContext implements engine. Each statement is taken for one that will write a row.
func (p *planned) ExecContext(_ context.Context, query string, args ...any) (sql.Result, error) {
	p.plan.statements = append(p.plan.statements, statement{query, args})
	return driver.RowsAffected(1), nil
}

// Carry writes what was planned. What finds nothing any more to change or to add to is ErrNotFound; what
// else the plan does not expect is what the database says of it, as ErrConflict.
func (tx *Tx) Carry(ctx context.Context, plans ...*Plan) error {
	all := slices.Collect(statements(plans))
	if p, can := tx.c.db.(pipeline); can {
		return p.carry(ctx, all)
	}
	for _, s := range all {
		n, err := tx.c.exec(ctx, s.query, s.args...)
		if err == nil {
			err = s.expects(n)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// expects returns ErrNotFound unless a statement has written so many rows as it was to.
func (s statement) expects(rows int64) error {
	if rows == 0 && !strings.HasPrefix(strings.TrimSpace(s.query), "DELETE") {
		return fmt.Errorf("%w: what was planned to be changed", ErrNotFound)
	}
	return nil
}

// carry is Carry of some statements at once.
func (p pipeline) carry(ctx context.Context, all []statement) error {
	for some := range slices.Chunk(all, chunk) {
		rows, err := p.exec(ctx, some)
		for i, n := range rows {
			if err := some[i].expects(n); err != nil {
				return err
			}
		}
		if err != nil {
			return typed(err)
		}
	}
	return nil
}

// statements yields those of all plans.
func statements(plans []*Plan) iter.Seq[statement] {
	return func(yield func(statement) bool) {
		for _, p := range plans {
			for _, s := range p.statements {
				if !yield(s) {
					return
				}
			}
		}
	}
}
