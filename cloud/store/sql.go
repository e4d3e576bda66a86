package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// engine is what a pool of connections and a transaction have in common.
type engine interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// conn runs portable SQL.
type conn struct {
	db  engine
	fts bool // people are found by a table of FTS5: it is SQLite
	// lists are those of the connections that pages of lists may have, so that however many are
	// asked for, sign-ons find others; nil: any, as in a transaction.
	lists  *turns
	counts *counts
	limit  time.Duration // of one read, where a server may stop without a word; 0: none
}

// reader has the reads; a Store and a Tx both have it.
type reader struct{ c conn }

// exec returns the number of rows written.
func (c conn) exec(ctx context.Context, query string, args ...any) (int64, error) {
	res, err := c.db.ExecContext(ctx, query, storable(args)...)
	if err != nil {
		return 0, typed(err)
	}
	return res.RowsAffected()
}

// execOne is exec for a statement that must write a row; ErrNotFound otherwise.
func (c conn) execOne(ctx context.Context, query string, args ...any) error {
	n, err := c.exec(ctx, query, args...)
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return err
}

// row is one row of an answer.
type row interface{ Scan(dest ...any) error }

// queryAll returns all rows.
// It reads the whole answer before it returns, so that no connection is held while the
// caller works: how much an answer is, the query must bound.
func queryAll[T any](ctx context.Context, c conn, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	if c.limit > 0 {
		var end context.CancelFunc
		ctx, end = context.WithTimeout(ctx, c.limit)
		defer end()
	}
	rows, err := c.db.QueryContext(ctx, query, storable(args)...)
	if err != nil {
		return nil, typed(err)
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, typed(rows.Err())
}

// queryOne returns the first row, or ErrNotFound.
func queryOne[T any](ctx context.Context, c conn, scan func(row) (T, error), query string, args ...any) (T, error) {
	all, err := queryAll(ctx, c, scan, query, args...)
	if err == nil && len(all) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		var none T
		return none, err
	}
	return all[0], nil
}

// value scans a row of one column.
func value[T any](r row) (v T, err error) {
	err = r.Scan(&v)
	return v, err
}

// typed makes the database's refusals errors that callers decide on.
// What a foreign key refuses is ErrNotFound: something was named that is not there, or
// not in this environment.
func typed(err error) error {
	if err == nil {
		return nil
	}
	switch refusal := cmp.Or(sqliteRefusal(err), postgresRefusal(err)); refusal {
	case nil:
		if away(err) {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		return err
	case ErrNotFound:
		return fmt.Errorf("%w: what it refers to: %w", ErrNotFound, err)
	default:
		return fmt.Errorf("%w: %w", refusal, err)
	}
}

// storable replaces, in texts, what PostgreSQL has no place for: bytes that are
// no UTF-8, and NUL. Both engines keep the same.
func storable(args []any) []any {
	for i, a := range args {
		if s, ok := a.(string); ok && !isStorable(s) {
			args[i] = Storable(s)
		}
	}
	return args
}

// Storable returns a text as it is kept. Who compares what comes with what is kept
// compares that: see storable.
func Storable(s string) string {
	if isStorable(s) {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

func isStorable(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// newID gives id a value when it has none.
// IDs of version 7 grow with time, so rows that are made together stand together in
// every index.
func newID(id *string) error {
	if *id != "" {
		return nil
	}
	u, err := uuid.NewV7()
	if err != nil {
		return err
	}
	*id = u.String()
	return nil
}

// now is the time as the database keeps it.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// stamp gives t the present time when it has none.
func stamp(t *time.Time) {
	if t.IsZero() {
		*t = now()
	}
}

// micros is how a time is written.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// at reads a time into t.
type at struct{ t *time.Time }

// Scan implements sql.Scanner.
func (a at) Scan(src any) error {
	n, ok := src.(int64)
	if !ok && src != nil {
		return fmt.Errorf("time is a %T", src)
	}
	*a.t = time.Time{}
	if n != 0 {
		*a.t = time.UnixMicro(n).UTC()
	}
	return nil
}

// inJSON is how lists and structures are written.
// Nobody looks into it by SQL, so both engines may keep it as text.
func inJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "null" // only a Detail with something that is no JSON gets here
	}
	return string(b)
}

// fromJSON reads what inJSON wrote into v.
type fromJSON struct{ v any }

// Scan implements sql.Scanner.
func (j fromJSON) Scan(src any) error {
	s, ok := src.(string)
	if !ok {
		return fmt.Errorf("JSON is a %T", src)
	}
	return json.Unmarshal([]byte(s), j.v)
}

// inBase64 is how bytes are written.
func inBase64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// fromBase64 reads what inBase64 wrote into b; nil when it is empty.
type fromBase64 struct{ b *[]byte }

// Scan implements sql.Scanner.
func (f fromBase64) Scan(src any) (err error) {
	s, ok := src.(string)
	if !ok {
		return fmt.Errorf("base64 is a %T", src)
	}
	*f.b = nil
	if s != "" {
		*f.b, err = base64.StdEncoding.DecodeString(s)
	}
	return err
}

// orNull writes an empty reference as NULL, which no foreign key checks.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// chunk is how many rows or values one statement takes; an engine's limit of
// arguments is 32766 or more, and no table here has more than 20 columns.
const chunk = 500

// among asks for one of many texts, which an argument has as texts returns them. The statement is the same however
// many they are, so it is parsed and planned once.
func (c conn) among(argument string) string {
	if c.fts {
		return "IN (SELECT value FROM json_each(" + argument + ") AS value)"
	}
	return "= ANY(CAST(" + argument + " AS text[]))"
}

// texts are an argument for among.
func (c conn) texts(all []string) any {
	clean := make([]string, len(all))
	for i, s := range all {
		clean[i] = Storable(s)
	}
	if c.fts {
		return inJSON(clean)
	}
	return clean
}

// placeholders returns "($1,$2),($3,$4)" for two rows of two columns, counting
// from first.
func placeholders(first, rows, columns int) string {
	b := make([]byte, 0, rows*columns*6)
	for i := range rows * columns {
		switch {
		case i == 0:
			b = append(b, '(')
		case i%columns == 0:
			b = append(b, "),("...)
		default:
			b = append(b, ',')
		}
		b = strconv.AppendInt(append(b, '$'), int64(first+i), 10)
	}
	return string(append(b, ')'))
}
