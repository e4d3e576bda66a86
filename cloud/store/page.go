package store

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ErrCursor says that a page's cursor did not come from the same list.
var ErrCursor = errors.New("not a cursor of this list")

// The limits of a page.
const (
	DefaultLimit = 100
	MaxLimit     = 1000
)

// Page asks for a part of a list. A list method returns with it the cursor of
// the next page; it is empty after the last.
type Page struct {
	Where  Where  // which of them, of lists that have no filter of their own
	Cursor string // empty: from the start
	Before string // cursor of the part after the one that is asked for, in place of Cursor
	// Previous is told the cursor to go back by, which is for Before; empty: this is the first part.
	// nil: nobody wants to know.
	Previous *string
	Limit    int // 0: DefaultLimit; at most MaxLimit
}

// limit is how many rows a page has, whatever a client asks for.
func (p Page) limit() int {
	if p.Limit <= 0 {
		return DefaultLimit
	}
	return min(p.Limit, MaxLimit)
}

// list is a query whose answer comes in pages, in the order of key, then what stands between, and id.
type list struct {
	query    string // up to and without WHERE
	conds    []string
	args     []any
	key, id  string   // columns
	then     []string // columns between the two
	word     string   // what its cursors begin with, so that no other list or order takes them
	time     bool     // the key is a time
	backward bool     // the last comes first
}

// columns are those of the order.
func (l *list) columns() []string { return append(append([]string{l.key}, l.then...), l.id) }

// where adds a condition; each ? in it stands for one of args.
// Nothing that a client said is ever part of cond.
func (l *list) where(cond string, args ...any) {
	var b strings.Builder
	for _, r := range cond {
		if r != '?' {
			b.WriteRune(r)
			continue
		}
		l.args = append(l.args, args[0])
		args = args[1:]
		b.WriteString("$" + strconv.Itoa(len(l.args)))
	}
	l.conds = append(l.conds, b.String())
}

// whereSet adds an equality for a value that is not empty.
func (l *list) whereSet(column, value string) {
	if value != "" {
		l.where(column+" = ?", value)
	}
}

// sql returns the text for one page, which starts after what the cursor names.
func (l *list) sql(p Page) (string, error) {
	order, direction := ">", ""
	if l.backward != (p.Before != "") {
		order, direction = "<", " DESC"
	}
	columns := l.columns()
	if from := cmp.Or(p.Before, p.Cursor); from != "" {
		place, err := l.parse(from)
		if err != nil {
			return "", err
		}
		marks := strings.TrimSuffix(strings.Repeat("?, ", len(columns)), ", ")
		l.where(fmt.Sprintf("(%s) %s (%s)", strings.Join(columns, ", "), order, marks), place...)
	}
	return fmt.Sprintf("%s WHERE %s ORDER BY %s%s LIMIT %d", l.query, strings.Join(l.conds, " AND "),
		strings.Join(columns, direction+", "), direction, p.limit()+1), nil
}

// parse reads a cursor; it came from a client.
// It is not signed: it names a place in an order and opens nothing, since the
// conditions of the list hold besides.
func (l *list) parse(cursor string) (values []any, err error) {
	place, err := l.place(cursor)
	if err != nil {
		return nil, err
	}
	for _, value := range place {
		values = append(values, value)
	}
	if l.time {
		if values[0], err = strconv.ParseInt(place[0], 10, 64); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrCursor, err)
		}
	}
	return values, nil
}

// place reads which place in this order a cursor names.
func (l *list) place(cursor string) (place []string, err error) {
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil {
		err = json.Unmarshal(b, &place)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCursor, err)
	}
	if len(place) != len(l.columns())+1 || place[0] != l.word {
		return nil, fmt.Errorf("%w: it names a place in another list or order", ErrCursor)
	}
	return place[1:], nil
}

// placeOf is the place of a row in an order: its key, which is a []string of several columns, and its ID.
func placeOf(key any, id string) []string {
	if several, are := key.([]string); are {
		return append(slices.Clone(several), id)
	}
	return []string{fmt.Sprint(key), id}
}

// cursor returns the cursor of what follows the row of that key and id.
func (l *list) cursor(key any, id string) string {
	place := append([]string{l.word}, placeOf(key, id)...)
	return base64.RawURLEncoding.EncodeToString([]byte(inJSON(place)))
}

// queryPage returns one page and the cursor of the next.
// One row more than the page has is asked for, which tells whether there is a next page
// without counting.
func queryPage[T any](
	ctx context.Context, c conn, l list, p Page, scan func(row) (T, error), key func(T) (any, string),
) ([]T, string, error) {
	all, err := queryPart(ctx, c, l, p, scan)
	if err != nil {
		return nil, "", err
	}
	return ends(l, p, all, key)
}

// queryPart returns the rows of one page and the next after it, in the order in which they are
// asked for.
func queryPart[T any](ctx context.Context, c conn, l list, p Page, scan func(row) (T, error)) ([]T, error) {
	query, err := l.sql(p)
	if err != nil {
		return nil, err
	}
	return queryInTurn(ctx, c, scan, l, query)
}

// queryInTurn is queryAll of a list, in its environment's turn among lists.
func queryInTurn[T any](ctx context.Context, c conn, scan func(row) (T, error), l list, query string) ([]T, error) {
	if c.lists != nil {
		defer c.lists.take(fmt.Sprint(l.args[:min(1, len(l.args))]...))() // what a list is of comes first
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return queryAll(ctx, c, scan, query, l.args...)
}

// ends cuts off what was read beyond the page, and returns the cursor of what follows.
func ends[T any](l list, p Page, all []T, key func(T) (any, string)) ([]T, string, error) {
	more := len(all) > p.limit()
	if more {
		all = all[:p.limit()]
	}
	if p.Before != "" {
		slices.Reverse(all)
	}
	if len(all) == 0 {
		return all, "", nil
	}
	if p.Previous != nil && (p.Before == "" && p.Cursor != "" || p.Before != "" && more) {
		*p.Previous = l.cursor(key(all[0]))
	}
	if p.Before == "" && !more {
		return all, "", nil
	}
	return all, l.cursor(key(all[len(all)-1])), nil
}

// cut returns a page of what is in memory, in the order of a list. Keys are compared as texts.
func cut[T any](l list, all []T, p Page, key func(T) (any, string)) ([]T, string, error) {
	order := func(one T, at []string) int {
		if l.backward {
			return slices.Compare(at, placeOf(key(one)))
		}
		return slices.Compare(placeOf(key(one)), at)
	}
	slices.SortFunc(all, func(a, b T) int { return order(a, placeOf(key(b))) })
	if from := cmp.Or(p.Before, p.Cursor); from != "" {
		at, err := l.place(from)
		if err != nil {
			return nil, "", err
		}
		onward := 1
		if p.Before != "" {
			onward = -1
		}
		all = slices.DeleteFunc(all, func(one T) bool { return order(one, at) != onward })
	}
	if p.Before != "" {
		slices.Reverse(all)
	}
	return ends(l, p, all, key)
}
