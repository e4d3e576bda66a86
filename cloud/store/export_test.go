package store

import "context"

// RowsWritten returns how many rows the writing connection has written since
// the store was opened.
func (s *Store) RowsWritten(ctx context.Context) (int, error) {
	return queryOne(ctx, conn{s.w}, value[int], `SELECT total_changes()`)
}


// PlanOf returns how the database answers a query, a step a line.
func (s *Store) PlanOf(ctx context.Context, query string, args ...any) ([]string, error) {
	return queryAll(ctx, conn{s.r}, func(r row) (step string, err error) {
		var a, b, c any
		err = r.Scan(&a, &b, &c, &step)
		return step, err
	}, "EXPLAIN QUERY PLAN "+query, args...)
}
