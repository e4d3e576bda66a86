package cloud

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"ldap-gateway/cloud/store"
)

// copies adds people and groups to a database by copying, column by column, every row that the cloud itself wrote
// when one person signed on for the first time: so whatever it derives is there as it would be. Nobody has the
// database open.
type copies struct {
	database  string
	person    string   // username of whom the rows are copied, which stands wherever the rows say who it is
	groups    []string // words for the groups that the person is in, likewise; of the first of them all copies are
	people    int
	teamCount int // groups, the first among them of all
	told      int // of how many people, the last ones, there are activities yet
	progress  func(format string, args ...any)
}

// atOnce is of how many people rows are written at once.
const atOnce = 20_000

// copyOf is the name of the i-th of a kind.
func copyOf(kind string, i int) string { return fmt.Sprintf("%s%07d", kind, i) }

// idOf is the ID of the i-th of a kind, in the order of time as those of the store are.
func idOf(kind byte, i int) string { return fmt.Sprintf("018f0000-0000-7%03x-8000-%012x", kind, i) }

// teamOf is the k-th group of the i-th person.
func (c copies) teamOf(i, k int) int {
	if k == 0 {
		return 0
	}
	return 1 + (i*(len(c.groups)-1)+k-1)%(c.teamCount-1)
}

// add copies.
func (c copies) add(t testing.TB) {
	t.Helper()
	to := openCopied(t, c.database)
	defer to.close()
	from, began := c.read(t, to), time.Now()
	must(t, to.write(from.group, from.copiesOf(from.group, 0, c.teamCount, c.teamCount, c.team)))
	for first := 0; first < c.people; first += atOnce {
		last := min(first+atOnce, c.people)
		for _, table := range from.person {
			begin := first
			if table.name == "activities" {
				begin = max(first, c.people-c.told)
			}
			must(t, to.write(table, from.copiesOf(table, begin, last, c.people, c.one)))
		}
		c.progress("%d people after %s", last, time.Since(began).Round(time.Second))
	}
	must(t, to.done())
}

// template is what is copied: rows as the cloud wrote them, whose texts are taken apart at the words that differ.
type template struct {
	group  copied
	person []copied
	words  []string // who and what it is, in the order of one and team
	env    string
}

// copied is a table with the rows that are copied for each.
type copied struct {
	name    string
	columns []string
	rows    [][]column
}

// column is one value: of the same for all, a time, or a text of which some words differ.
type column struct {
	fixed any
	time  int64
	parts []part
}

// part is a text, or a word by its number.
type part struct {
	text string
	word int // below 0: the text
}

// one is what stands in the place of the words for the i-th person.
func (c copies) one(i int, words []string) []string {
	words = append(words[:0], copyOf("person", i), idOf(0, i), idOf(1, i))
	for k := range c.groups {
		team := c.teamOf(i, k)
		words = append(words, copyOf("team", team), idOf(2, team))
	}
	for k := range c.groups {
		words = append(words, idOf(3, i*(len(c.groups)+1)+k))
	}
	return append(words, idOf(3, i*(len(c.groups)+1)+len(c.groups)))
}

// team is what stands there for the i-th group.
func (c copies) team(i int, words []string) []string {
	words = append(words[:0], "", "", "", copyOf("team", i), idOf(2, i))
	for len(words) < 3+2*len(c.groups)+len(c.groups)+1 {
		words = append(words, "")
	}
	return words
}

// read reads what is copied.
func (c copies) read(t testing.TB, from copiedTo) (f template) {
	t.Helper()
	one := func(query string, args ...any) string {
		got := from.read(t, query, args...)
		if len(got.rows) != 1 {
			t.Fatalf("%d rows: %s", len(got.rows), query)
		}
		return got.rows[0][0].fixed.(string)
	}
	user := one(`SELECT id FROM users WHERE username = $1`, c.person)
	f.env = one(`SELECT environment_id FROM users WHERE id = $1`, user)
	f.words = []string{c.person, user, one(`SELECT id FROM sign_ons WHERE user_id = $1`, user)}
	for _, g := range c.groups {
		f.words = append(f.words, g, one(`SELECT id FROM cloud_groups WHERE name LIKE $1`, "%"+g+"%"))
	}
	noted := from.read(t, `SELECT id FROM activities WHERE sign_on_id = $1 ORDER BY id`, f.words[2])
	if len(noted.rows) != len(c.groups)+1 {
		t.Fatalf("the sign-on has %d activities", len(noted.rows))
	}
	for _, a := range noted.rows {
		f.words = append(f.words, a[0].fixed.(string))
	}
	f.group = f.cut(from, t, "cloud_groups", "id", f.words[4])
	for table, key := range map[string]string{
		"users": "id", "correlations": "user_id", "user_texts": "user_id", "membership_rows": "user_id", "sign_ons": "user_id",
		"activities": "sign_on_id",
	} {
		value := user
		if key == "sign_on_id" {
			value = f.words[2]
		}
		f.person = append(f.person, f.cut(from, t, table, key, value))
	}
	first := func(a, b copied) int { return strings.Compare(b.name, a.name) } // users before what hangs on them
	slices.SortFunc(f.person, first)
	return f
}

// cut reads the rows of a table that are copied, and takes them apart.
func (f template) cut(from copiedTo, t testing.TB, table, key, value string) copied {
	t.Helper()
	got := from.read(t, fmt.Sprintf(`SELECT * FROM %s WHERE %s = $1`, table, key), value)
	got.name = table
	if len(got.rows) == 0 {
		t.Fatalf("there is nothing in %s", table)
	}
	for _, row := range got.rows {
		for i := range row {
			text, is := row[i].fixed.(string)
			if n, err := strconv.ParseInt(fmt.Sprint(row[i].fixed), 10, 64); err == nil && n > 1e15 {
				row[i] = column{time: n}
			} else if is {
				row[i] = f.apart(text)
			}
		}
	}
	return got
}

// apart takes a text apart at the words.
func (f template) apart(text string) (c column) {
	for rest := text; ; {
		at, word := len(rest), -1
		for n, w := range f.words {
			if i := strings.Index(rest, w); i >= 0 && i < at {
				at, word = i, n
			}
		}
		if word < 0 && c.parts == nil {
			return column{fixed: text}
		}
		c.parts = append(c.parts, part{rest[:at], -1})
		if word < 0 {
			return c
		}
		c.parts = append(c.parts, part{"", word})
		rest = rest[at+len(f.words[word]):]
	}
}

// copiesOf returns the rows of a table for some of so many; of those before others the times are earlier.
func (f template) copiesOf(t copied, first, last, of int, words func(i int, words []string) []string) (rows [][]any) {
	var with []string
	for i := first; i < last; i++ {
		with = words(i, with)
		for _, row := range t.rows {
			values := make([]any, len(row))
			for k, c := range row {
				values[k] = c.value(with, month/int64(of)*int64(of-i))
			}
			rows = append(rows, values)
		}
	}
	return rows
}

// month is over how long before what was copied the copies are spread, in microseconds.
const month = int64(30 * 24 * 3600e6)

// value is a value with words in it, so much earlier.
func (c column) value(words []string, earlier int64) any {
	switch {
	case c.time != 0:
		return c.time - earlier
	case c.parts == nil:
		return c.fixed
	}
	var b strings.Builder
	for _, p := range c.parts {
		if p.word >= 0 {
			b.WriteString(words[p.word])
		} else {
			b.WriteString(p.text)
		}
	}
	return b.String()
}

// copiedTo is a database that copies are written to.
type copiedTo interface {
	read(t testing.TB, query string, args ...any) copied
	write(t copied, rows [][]any) error
	remove(table, which string) error
	pieces(t testing.TB) []string // that each copy is found by, where no table shows it
	done() error                  // all has been written
	close()
}

// openCopied opens a database past the store, which would write row by row.
func openCopied(t testing.TB, where string) copiedTo {
	t.Helper()
	if store.IsPostgres(where) {
		conn, err := pgx.Connect(context.Background(), where)
		must(t, err)
		_, err = conn.Exec(context.Background(), `SET session_replication_role = replica`) // keys are copied with what they name
		must(t, err)
		return &copiedToPostgres{conn: conn}
	}
	db, err := sql.Open("sqlite", "file:"+where+"?_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)&_pragma=cache_size(-1500000)")
	must(t, err)
	db.SetMaxOpenConns(1)
	return &copiedToSQLite{db: db}
}

type copiedToSQLite struct{ db *sql.DB }

func (c *copiedToSQLite) read(t testing.TB, query string, args ...any) (all copied) {
	t.Helper()
	rows, err := c.db.Query(strings.ReplaceAll(query, "$1", "?"), args...)
	must(t, err)
	defer rows.Close()
	all.columns, err = rows.Columns()
	must(t, err)
	for rows.Next() {
		row, into := make([]column, len(all.columns)), make([]any, len(all.columns))
		for i := range row {
			into[i] = &row[i].fixed
		}
		must(t, rows.Scan(into...))
		all.rows = append(all.rows, row)
	}
	must(t, rows.Err())
	return all
}

// inOne is how many rows a statement has.
const inOne = 50

// write writes rows in one transaction.
func (c *copiedToSQLite) write(t copied, rows [][]any) error {
	tx, err := c.db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if t.name == "user_texts" {
		if err := c.number(tx, t, rows); err != nil {
			return err
		}
	}
	if err := insert(tx, t.name, t.columns, rows); err != nil {
		return err
	}
	return tx.Commit()
}

// insert writes rows, many with a statement.
func insert(tx *sql.Tx, table string, columns []string, rows [][]any) error {
	text := func(n int) string {
		row := "(" + strings.Repeat("?,", len(columns)-1) + "?)"
		return fmt.Sprintf("INSERT INTO %s (%s) VALUES %s", table, strings.Join(columns, ","),
			strings.Repeat(row+",", n-1)+row)
	}
	many, err := tx.Prepare(text(inOne))
	if err != nil {
		return err
	}
	defer many.Close()
	args := make([]any, 0, inOne*len(columns))
	for some := range slices.Chunk(rows, inOne) {
		args = args[:0]
		for _, row := range some {
			args = append(args, row...)
		}
		if len(some) == inOne {
			_, err = many.Exec(args...)
		} else {
			_, err = tx.Exec(text(len(some)), args...)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// number gives each person the next number, by which the table of their pieces knows them, and fills that.
func (c *copiedToSQLite) number(tx *sql.Tx, t copied, rows [][]any) error {
	var last int64
	if err := tx.QueryRow(`SELECT max(no) FROM user_texts`).Scan(&last); err != nil {
		return err
	}
	no, user, env := slices.Index(t.columns, "no"), slices.Index(t.columns, "user_id"), slices.Index(t.columns, "environment_id")
	pieces := make([][]any, len(rows))
	for i, row := range rows {
		row[no] = last + 1 + int64(i)
		var found string
		if err := tx.QueryRow(`SELECT found_by FROM users WHERE id = ?`, row[user]).Scan(&found); err != nil {
			return err
		}
		pieces[i] = []any{row[no], strings.Join(pieces3(row[env].(string), found), " ")}
	}
	return insert(tx, "user_pieces", []string{"rowid", "pieces"}, pieces)
}

func (c *copiedToSQLite) remove(table, which string) error {
	_, err := c.db.Exec("DELETE FROM " + table + " WHERE " + which)
	return err
}

func (c *copiedToSQLite) pieces(t testing.TB) (all []string) {
	t.Helper()
	_, err := c.db.Exec(`CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(main, user_pieces, instance)`)
	must(t, err)
	got := c.read(t, `
		SELECT u.username, v.term
		FROM vocabulary v
		JOIN user_texts x ON x.no = v.doc
		JOIN users u ON u.id = x.user_id
		WHERE u.username LIKE 'person0%'`)
	for _, row := range got.rows {
		all = append(all, fmt.Sprint("piece ", row[0].fixed, " ", row[1].fixed))
	}
	return all
}

func (c *copiedToSQLite) done() error { return nil }
func (c *copiedToSQLite) close()      { _ = c.db.Close() }

// pieces3 are the pieces that somebody is found by, as the store makes them: see its find.go.
func pieces3(env, text string) (all []string) {
	piece := func(s string) {
		h := fnv.New64a()
		_, _ = h.Write([]byte(env + "\x00" + s))
		all = append(all, strconv.FormatUint(h.Sum64()>>16, 10))
	}
	for word := range strings.FieldsSeq(text) { // of ASCII
		for n := 1; n <= 2 && n <= len(word); n++ {
			piece(" " + word[:n])
		}
		for i := 0; i+3 <= len(word); i++ {
			piece(word[i : i+3])
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

type copiedToPostgres struct {
	conn  *pgx.Conn
	found map[string]string // by user: what is written of them at once
}

func (c *copiedToPostgres) read(t testing.TB, query string, args ...any) (all copied) {
	t.Helper()
	rows, err := c.conn.Query(context.Background(), fmt.Sprintf(`SELECT row_to_json(q)::text FROM (%s) AS q`, query), args...)
	must(t, err)
	texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	for _, text := range texts {
		all.columns, all.rows = nil, append(all.rows, nil)
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		_, _ = d.Token()
		for d.More() {
			name, err := d.Token()
			must(t, err)
			var value any
			must(t, d.Decode(&value))
			all.columns = append(all.columns, name.(string))
			all.rows[len(all.rows)-1] = append(all.rows[len(all.rows)-1], column{fixed: value})
		}
	}
	return all
}

// write writes rows by COPY, as text (PostgreSQL's manual, COPY, File Formats).
func (c *copiedToPostgres) write(t copied, rows [][]any) error {
	if t.name == "users" {
		c.found = map[string]string{}
		id, found := slices.Index(t.columns, "id"), slices.Index(t.columns, "found_by")
		for _, row := range rows {
			c.found[row[id].(string)] = row[found].(string)
		}
	}
	if t.name == "user_texts" {
		pieces, user, env := slices.Index(t.columns, "pieces"), slices.Index(t.columns, "user_id"), slices.Index(t.columns, "environment_id")
		for _, row := range rows {
			row[pieces] = "{" + strings.Join(pieces3(row[env].(string), c.found[row[user].(string)]), ",") + "}"
		}
	}
	escape := strings.NewReplacer("\\", `\\`, "\n", `\n`, "\r", `\r`, "\t", `\t`)
	var text bytes.Buffer
	for _, row := range rows {
		for i, v := range row {
			if i > 0 {
				text.WriteByte('\t')
			}
			if v == nil {
				text.WriteString(`\N`)
				continue
			}
			_, _ = escape.WriteString(&text, fmt.Sprint(v))
		}
		text.WriteByte('\n')
	}
	_, err := c.conn.PgConn().CopyFrom(context.Background(), &text,
		fmt.Sprintf(`COPY %s (%s) FROM STDIN`, t.name, strings.Join(t.columns, ",")))
	return err
}

func (c *copiedToPostgres) remove(table, which string) error {
	_, err := c.conn.Exec(context.Background(), "DELETE FROM "+table+" WHERE "+which)
	return err
}

func (c *copiedToPostgres) pieces(testing.TB) []string { return nil }

// done has the server count, as it does by itself within minutes.
func (c *copiedToPostgres) done() error {
	_, err := c.conn.Exec(context.Background(), `VACUUM ANALYZE`)
	return err
}

func (c *copiedToPostgres) close() { _ = c.conn.Close(context.Background()) }
