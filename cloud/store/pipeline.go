package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// pipeline makes several statements of a transaction of PostgreSQL on one way to the server and back, which costs more
// than most of them do.
type pipeline struct {
	uninterrupted
	conn *sql.Conn // that has the transaction
}

// exec returns the number of rows that each statement has written, up to the first that fails.
func (p pipeline) exec(ctx context.Context, all []statement) (rows []int64, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	batch := &pgx.Batch{}
	for _, s := range all {
		*p.settings = *p.settings || changesSettings(s.query)
		batch.Queue(s.query, storable(s.args)...)
	}
	failed := p.conn.Raw(func(driver any) error {
		results := driver.(*stdlib.Conn).Conn().SendBatch(p.ctx, batch)
		for range all {
			var tag interface{ RowsAffected() int64 }
			if tag, err = results.Exec(); err != nil {
				break
			}
			rows = append(rows, tag.RowsAffected())
		}
		closed := results.Close()
		if err == nil {
			err = closed
		}
		return nil
	})
	return rows, errors.Join(err, failed)
}
