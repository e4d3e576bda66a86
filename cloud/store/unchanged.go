package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Identified says what led to the record of a sign-on: the ID alone, or a value that one
// entry of a gateway has.
type Identified struct {
	UserID    string
	GatewayID string      // empty: the ID alone
	By        Correlation // with GatewayID
	UpdatedAt time.Time   // when the record was last changed; zero: whenever
}

// RecordUnchanged is RecordSignOn for one that writes nothing else, and tells whether it
// was recorded: not when it leads to that record no more, that has changed, the user may not sign on, or one
// of its ID is recorded already. It waits for no turn of another node, since it changes nothing that others decide on.
// Where a value led there it returns the IDs of the groups, in no order, that the user is in as it is recorded; nil
// otherwise.
func (s *Store) RecordUnchanged(
	ctx context.Context, so *SignOn, of Identified, activities ...Activity,
) (groups []string, recorded bool, err error) {
	if of.GatewayID == "" || len(activities) > 0 {
		recorded, err = s.recordIfStill(ctx, so, of, activities)
		return nil, recorded, err
	}
	keep := *so
	if err := newID(&keep.ID); err != nil {
		return nil, false, err
	}
	stamp(&keep.At)
	row := append(keep.row(), micros(of.UpdatedAt),
		so.EnvironmentID, strings.ToLower(of.By.Attribute), of.By.Value, of.GatewayID, of.UserID)
	kept, err := s.recordOne(ctx, row)
	if err != nil || kept.id == "" {
		return nil, false, err
	}
	*so = keep
	return strings.Fields(kept.groups), true, nil
}

// Where the environment and the user are in the row of a sign-on.
const (
	environmentAt = 1
	userAt        = 5
)

// recordOne records a sign-on that still leads to its record, alone or with those that wait with it.
func (s *Store) recordOne(ctx context.Context, row []any) (kept recorded, err error) {
	if s.recorder != nil {
		kept, err = s.recorder.record(ctx, row)
		s.condition.saw(err)
		return kept, err
	}
	env := row[environmentAt].(string)
	return kept, s.writeBy(ctx, s.light, short(env), func() (err error) {
		kept, err = alone(ctx, s.light, scanRecorded, recordUnchanged, row...)
		return err
	})
}

// recorded is a sign-on that was recorded: its ID, whom it is of, and the IDs of their groups, with a space between.
// Empty: none was.
type recorded struct{ id, user, groups string }

func scanRecorded(r row) (kept recorded, err error) {
	err = r.Scan(&kept.id, &kept.user, &kept.groups)
	return kept, err
}

// recordIfStill is RecordUnchanged in statements of their own.
func (s *Store) recordIfStill(ctx context.Context, so *SignOn, of Identified, activities []Activity) (bool, error) {
	keep := *so
	still := false
	err := s.write(ctx, s.light, short(so.EnvironmentID), func(tx *Tx) (err error) {
		if still, err = tx.still(ctx, so.EnvironmentID, of); err != nil || !still {
			return err
		}
		return tx.RecordSignOn(ctx, &keep, activities...)
	})
	if err != nil || !still {
		return false, err
	}
	*so = keep
	return true, nil
}

// still tells whether what identifies somebody leads to that user alone, who may sign on.
func (tx *Tx) still(ctx context.Context, env string, of Identified) (bool, error) {
	if of.GatewayID != "" {
		return tx.Still(ctx, env, of, -1)
	}
	_, err := queryOne(ctx, tx.c, value[string], `
		SELECT id
		FROM users
		WHERE environment_id = $1 AND id = $2 AND enabled AND NOT locked AND CAST($3 AS BIGINT) IN (0, updated_at)`,
		env, of.UserID, micros(of.UpdatedAt))
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Still tells whether a value leads to a user alone, who may sign on, has not changed and is in so many groups;
// of less than 0 it does not count.
func (tx *Tx) Still(ctx context.Context, env string, of Identified, groups int) (bool, error) {
	return queryOne(ctx, tx.c, value[bool], `
		SELECT coalesce(`+theOne("$1", "$2", "$3", "$4", "CAST($5 AS BIGINT)")+` = $6, false)
			AND CAST($7 AS BIGINT) IN (-1, (SELECT count(*) FROM memberships WHERE user_id = $8))`,
		env, strings.ToLower(of.By.Attribute), of.By.Value, of.GatewayID, micros(of.UpdatedAt), of.UserID,
		max(groups, -1), of.UserID)
}

// theOne is the ID of the user that a value leads to, if it leads to one alone, who may sign on and was last
// changed at a time, or whenever where that is 0; NULL otherwise.
func theOne(env, attribute, value, gateway, changed string) string {
	return `(
		SELECT CASE WHEN count(*) = 1 AND min(good) = 1 THEN max(id) END
		FROM (
			SELECT u.id, CASE WHEN u.enabled AND NOT u.locked AND ` + changed + ` IN (0, u.updated_at) THEN 1 ELSE 0 END AS good
			FROM ` + byCorrelation(env, attribute, value, gateway) + `
		) found
	)`
}

// asRecorded goes after what adds a sign-on, unless one of its ID is there, and returns what scanRecorded reads.
const asRecorded = `
	ON CONFLICT (id) DO NOTHING
	RETURNING id, user_id, (
		SELECT coalesce(string_agg(m.group_id, ' '), '')
		FROM memberships m
		WHERE m.user_id = sign_ons.user_id
	)`

// recordUnchanged records a sign-on of somebody to whom a value still leads: its own fields are followed by the
// environment, the value and whom it has to lead to.
var recordUnchanged = insertSignOn + `
	SELECT ` + strings.Trim(placeholders(1, 1, signOnWidth), "()") + `
	WHERE ` + theOne("$24", "$25", "$26", "$27", "$23") + ` = $28` + asRecorded

// fromTexts reads the columns that are no texts.
var fromTexts = strings.NewReplacer(
	" at,", " at::bigint,", "updated,", "updated::boolean,", "duration,", "duration::bigint,",
)

// recordAll is recordUnchanged of many, whose values come as one list a column.
var recordAll = insertSignOn + `
	SELECT ` + fromTexts.Replace(signOnFields) + `
	FROM unnest($1::text[]` + strings.Join(textLists(2, signOnWidth+5), "") + `)
		AS r (` + signOnFields + `, known_since, known_in, known_by, known_value, known_gateway, known_as)
	WHERE ` + theOne("r.known_in", "r.known_by", "r.known_value", "r.known_gateway", "r.known_since::bigint") + ` =
		r.known_as` + asRecorded

// textLists are so many arguments that are lists of texts.
func textLists(first, n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf(", $%d::text[]", first+i))
	}
	return all
}

// recorder records, with one statement that is a transaction of its own, all sign-ons of an environment that
// wait: the way to the server and back costs more than to write one. Of an environment one is on its way at a time, so
// that one whose rows are locked keeps no other waiting.
type recorder struct {
	db   *sql.DB
	turn turns
	mu   sync.Mutex
	next map[string]*recording // that waits for its turn, by environment
	last map[string]*recording // that began last and has not ended, by environment
}

// recording is what one statement records.
type recording struct {
	rows   [][]any
	ends   []context.Context // of those who wait for it
	before <-chan struct{}   // closed when the one before, of the environment, has ended
	done   chan struct{}     // closed after kept and err were set
	kept   []recorded
	err    error
}

// record records a sign-on.
func (r *recorder) record(ctx context.Context, row []any) (none recorded, err error) {
	env := row[environmentAt].(string)
	mine, first := r.join(ctx, env, row)
	if first {
		r.lead(ctx, env, mine)
	}
	<-mine.done
	if mine.err != nil {
		return none, mine.err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(mine.kept, func(k recorded) bool { return k.id == row[0] && k.user == row[userAt] })
	if i < 0 {
		return none, ctx.Err()
	}
	kept := mine.kept[i]
	mine.kept = slices.Delete(mine.kept, i, i+1) // of two with one ID one was recorded
	return kept, nil
}

// join has a row be recorded with those that wait; false when another leads them.
func (r *recorder) join(ctx context.Context, env string, row []any) (mine *recording, first bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	mine = r.next[env]
	if first = mine == nil || len(mine.rows) == maxBatch; first {
		mine = &recording{before: r.ended(env), done: make(chan struct{})}
		r.next[env], r.last[env] = mine, mine
	}
	mine.rows, mine.ends = append(mine.rows, row), append(mine.ends, ctx)
	return mine, first
}

// ended is closed when what began last of an environment has ended. The caller holds mu.
func (r *recorder) ended(env string) <-chan struct{} {
	if last := r.last[env]; last != nil {
		return last.done
	}
	none := make(chan struct{})
	close(none)
	return none
}

// end has those who wait look at what was recorded.
func (r *recorder) end(env string, mine *recording) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last[env] == mine {
		delete(r.last, env)
	}
	close(mine.done)
}

// lead records all who have joined until it is their turn.
func (r *recorder) lead(ctx context.Context, env string, mine *recording) {
	defer r.end(env, mine)
	<-mine.before
	defer r.turn.take(env)()
	r.mu.Lock()
	if r.next[env] == mine {
		delete(r.next, env)
	}
	r.mu.Unlock()
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), batchTime)
	defer cancel()
	mine.kept, mine.err = r.insert(limited, mine.waiting())
}

// waiting are the rows of those who have not given up.
func (r *recording) waiting() (rows [][]any) {
	for i, row := range r.rows {
		if r.ends[i].Err() == nil {
			rows = append(rows, row)
		}
	}
	return rows
}

// insert returns what was recorded.
func (r *recorder) insert(ctx context.Context, rows [][]any) ([]recorded, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	lists := make([]any, len(rows[0]))
	for column := range lists {
		texts := make([]string, len(rows))
		for i, row := range rows {
			texts[i] = text(row[column])
		}
		lists[column] = texts
	}
	return queryAll(ctx, conn{db: r.db}, scanRecorded, recordAll, lists...)
}

// text is how a value is written that is one of a list.
func text(v any) string {
	switch v := v.(type) {
	case int64:
		return strconv.FormatInt(v, 10)
	case bool:
		return strconv.FormatBool(v)
	case string:
		return Storable(v)
	}
	return fmt.Sprint(v)
}
