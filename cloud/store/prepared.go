package store

import (
	"context"
	"database/sql"
	"sync"
)

// What is kept parsed: so many statements of a pool, none of them longer than those whose
// length is that of a list.
const (
	mostPrepared    = 300
	longestPrepared = 2000 // bytes
)

// prepared keeps the statements of a pool of SQLite parsed, which costs as much as to run
// most of them. (The driver of PostgreSQL does so itself.) Safe for concurrent use.
type prepared struct {
	*sql.DB
	mu     sync.RWMutex
	kept   map[string]*sql.Stmt // nil: to be parsed
	wanted []string
}

// of returns a statement that is kept; nil when it is not.
func (p *prepared) of(query string) *sql.Stmt {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.kept[query]
}

// want has a statement be kept from the next parse on.
func (p *prepared) want(query string) {
	if len(query) > longestPrepared {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.kept[query]; known || len(p.kept) >= mostPrepared {
		return
	}
	if p.kept == nil {
		p.kept = map[string]*sql.Stmt{}
	}
	p.kept[query] = nil
	p.wanted = append(p.wanted, query)
}

// parse parses what is wanted. A connection must be free. What cannot be parsed is not
// kept: whoever runs it is told why.
func (p *prepared) parse(ctx context.Context) {
	p.mu.Lock()
	wanted := p.wanted
	p.wanted = nil
	p.mu.Unlock()
	for _, query := range wanted {
		stmt, err := p.PrepareContext(ctx, query)
		if err != nil {
			continue
		}
		p.mu.Lock()
		p.kept[query] = stmt
		p.mu.Unlock()
	}
}

// ready returns a statement of a pool with connections to spare, parsed at its first use.
func (p *prepared) ready(ctx context.Context, query string) *sql.Stmt {
	if stmt := p.of(query); stmt != nil {
		return stmt
	}
	p.want(query)
	p.parse(context.WithoutCancel(ctx))
	return p.of(query)
}

// ExecContext implements engine.
func (p *prepared) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if stmt := p.ready(ctx, query); stmt != nil {
		return stmt.ExecContext(ctx, args...)
	}
	return p.DB.ExecContext(ctx, query, args...)
}

// QueryContext implements engine.
func (p *prepared) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if stmt := p.ready(ctx, query); stmt != nil {
		return stmt.QueryContext(ctx, args...)
	}
	return p.DB.QueryContext(ctx, query, args...)
}
