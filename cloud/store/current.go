package store

import (
	"context"
	"strings"
	"sync"
	"time"
)

const (
	// settingsLife is how long settings are kept although their revision is the same: a
	// node of before counts none, and a database that was put back may have it, too.
	settingsLife = 5 * time.Second
	// mostSettings bounds how many are kept, such as tokens.
	mostSettings = 10_000
	// mostTime is how long a revision may take to be read, whoever wants it.
	mostTime = 5 * time.Second
)

// settingsTables are those of which Current keeps something.
func settingsTables() []string { return []string{"clients", "environments", "gateways"} }

// changesSettings tells whether a statement writes what Current keeps.
func changesSettings(query string) bool {
	words := strings.Fields(query)
	if len(words) < 3 {
		return false
	}
	table := words[2] // INSERT INTO it, DELETE FROM it
	if words[0] == "UPDATE" {
		table = words[1]
	}
	for _, t := range settingsTables() {
		if table == t && words[0] != "SELECT" {
			return true
		}
	}
	return false
}

// Current is what administrators set and every sign-on reads: whose an access token is,
// gateways with their user types, and the order of these. They are kept in memory for as
// long as the database has their revision, which grows in each transaction that changes
// them, and is asked for each time. So they are those of now, at every node. Of many who
// ask at once one asks the database. What is returned is shared: nobody changes it.
type Current struct {
	db reader

	reads struct {
		sync.Mutex
		next *revision
		turn sync.Mutex
	}
	mu   sync.Mutex
	at   int64 // revision of what is kept
	from time.Time
	kept map[string]any
}

// revision is one reading of the settings' revision, which all share who asked before it
// began.
type revision struct {
	once sync.Once
	n    int64
	err  error
}

// now returns the revision of a moment after it was called.
func (s *Current) now(ctx context.Context) (int64, error) {
	s.reads.Lock()
	if s.reads.next == nil {
		s.reads.next = &revision{}
	}
	mine := s.reads.next
	s.reads.Unlock()

	s.reads.turn.Lock()
	defer s.reads.turn.Unlock()
	mine.once.Do(func() {
		s.reads.Lock()
		s.reads.next = nil // who comes now wants a later one
		s.reads.Unlock()
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), mostTime)
		defer cancel()
		mine.n, mine.err = queryOne(limited, s.db.c, value[int64], `SELECT settings FROM revisions WHERE id = $1`, 1)
	})
	return mine.n, mine.err
}

// setting returns what is kept under a key, or reads it. Errors are not kept, such as that
// something is not there.
func setting[V any](ctx context.Context, s *Current, key string, read func() (V, error)) (V, error) {
	var none V
	at, err := s.now(ctx)
	if err != nil {
		return none, err
	}
	s.mu.Lock()
	if at != s.at || time.Since(s.from) >= settingsLife || len(s.kept) >= mostSettings {
		s.at, s.from, s.kept = at, time.Now(), map[string]any{}
	}
	kept, there := s.kept[key].(V)
	s.mu.Unlock()
	if there {
		return kept, nil
	}
	v, err := read()
	if err != nil {
		return none, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if at == s.at { // or else it may be of before
		s.kept[key] = v
	}
	return v, nil
}

// Gateway is Store.Gateway.
func (s *Current) Gateway(ctx context.Context, env, id string) (Gateway, error) {
	return setting(ctx, s, "gateway "+env+" "+id, func() (Gateway, error) { return s.db.Gateway(ctx, env, id) })
}

// Claimants is Store.Claimants.
func (s *Current) Claimants(ctx context.Context, env, username string) ([]UserTypeRef, error) {
	all, err := setting(ctx, s, "claiming "+env, func() ([]Gateway, error) { return s.db.claiming(ctx, env) })
	return claimants(all, username), err
}

// TokenClient is Store.TokenClient.
func (s *Current) TokenClient(ctx context.Context, hash []byte, now time.Time) (Client, error) {
	t, err := setting(ctx, s, "token "+string(hash), func() (tokenClient, error) { return s.db.tokenClient(ctx, hash) })
	if err == nil && !t.until.After(now) {
		err = ErrNotFound
	}
	if err != nil {
		return Client{}, err
	}
	return t.Client, nil
}

// revise has all nodes read the settings anew.
func (b *batch) revise(ctx context.Context) error {
	_, err := b.tx.ExecContext(ctx, `UPDATE revisions SET settings = settings + 1 WHERE id = 1`)
	return err
}
