package store

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// settingsLife is how long settings are kept although their revision is the same: a
	// node of before counts none, and a database that was put back may have it, too.
	settingsLife = 5 * time.Second
	// mostSettings bounds how many are kept, as of tokens and groups.
	mostSettings = 20_000
)

// settingsTables are those of which Current keeps something.
func settingsTables() []string {
	return []string{"applications", "clients", "environments", "gateways", "sign_on_policies"}
}

// changesSettings tells whether a statement writes what Current keeps. A group that is new
// is kept by nobody yet.
func changesSettings(query string) bool {
	words := strings.Fields(query)
	if len(words) < 3 {
		return false
	}
	table := words[2] // INSERT INTO it, DELETE FROM it
	if words[0] == "UPDATE" {
		table = words[1]
	}
	if table == "cloud_groups" {
		return words[0] == "UPDATE" || words[0] == "DELETE"
	}
	return words[0] != "SELECT" && slices.Contains(settingsTables(), table)
}

// Current is what administrators set and every sign-on reads: whose an access token is,
// gateways with their user types, and what groups are called. They are kept in memory for as
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
	// groups are by their IDs, with what GroupsOf returns.
	groups map[string]Group
}

// revision is one reading of the settings' revision, which all share who asked before it
// began.
type revision struct {
	once sync.Once
	n    int64
	err  error
}

// held is a revision that is read once for one request.
type held struct {
	once sync.Once
	n    int64
	err  error
}

type heldKey struct{}

// Held returns a context in which the revision is asked for once: what Current returns is of a moment after the first
// question. It is for a request that changes no settings itself, and is short.
func (*Current) Held(ctx context.Context) context.Context {
	return context.WithValue(ctx, heldKey{}, &held{})
}

// now returns the revision of a moment after it was called, or that which the context holds.
func (s *Current) now(ctx context.Context) (int64, error) {
	h, holds := ctx.Value(heldKey{}).(*held)
	if !holds {
		return s.revision(ctx)
	}
	h.once.Do(func() { h.n, h.err = s.revision(ctx) })
	return h.n, h.err
}

// revision returns that of a moment after it was called.
func (s *Current) revision(ctx context.Context) (int64, error) {
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
		mine.n, mine.err = queryOne(context.WithoutCancel(ctx), s.db.c, value[int64],
			`SELECT settings FROM revisions WHERE id = $1`, 1)
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
	s.renew(at)
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

// renew forgets what is kept unless it is of a revision, young and not too much. The caller
// holds mu.
func (s *Current) renew(at int64) {
	if at != s.at || time.Since(s.from) >= settingsLife || len(s.kept)+len(s.groups) >= mostSettings {
		s.at, s.from, s.kept, s.groups = at, time.Now(), map[string]any{}, map[string]Group{}
	}
}

// GroupsOf is Store.GroupsOf. Which groups they are is read each time.
func (s *Current) GroupsOf(ctx context.Context, env, user string) ([]Group, error) {
	at, err := s.now(ctx)
	if err != nil {
		return nil, err
	}
	ids, err := s.db.groupIDsOf(ctx, user)
	if err != nil {
		return nil, err
	}
	return s.called(ctx, at, env, ids)
}

// Groups returns what GroupsOf does of groups by their IDs; those that are not there are left out. Not nil.
func (s *Current) Groups(ctx context.Context, env string, ids []string) ([]Group, error) {
	at, err := s.now(ctx)
	if err != nil {
		return nil, err
	}
	return s.called(ctx, at, env, ids)
}

// UserGroups is Store.UserGroups, in no order, with the groups from memory.
func (s *Current) UserGroups(ctx context.Context, env, user string) ([]GroupMembership, error) {
	at, err := s.now(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := queryAll(ctx, s.db.c, scanJoined,
		`SELECT group_id, since, stamp, doubt, doubted_at FROM memberships WHERE user_id = $1`, user)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(rows))
	byID := make(map[string]*joinedRow, len(rows))
	for i, m := range rows {
		ids[i], byID[m.group] = m.group, &rows[i]
	}
	groups, err := s.called(ctx, at, env, ids)
	if err != nil {
		return nil, err
	}
	all := make([]GroupMembership, len(groups))
	for i, g := range groups {
		m := byID[g.ID]
		all[i] = GroupMembership{g, m.since, m.stamp, m.doubt, m.doubtedAt}
	}
	return all, nil
}

// joinedRow is a membership of a user's, without the group.
type joinedRow struct {
	group, stamp, doubt string
	since, doubtedAt    time.Time
}

func scanJoined(r row) (m joinedRow, err error) {
	err = r.Scan(&m.group, at{&m.since}, &m.stamp, &m.doubt, at{&m.doubtedAt})
	return m, err
}

// called is Groups at a revision.
func (s *Current) called(ctx context.Context, at int64, env string, ids []string) ([]Group, error) {
	s.mu.Lock()
	s.renew(at)
	groups, missing := s.known(env, ids)
	s.mu.Unlock()
	if len(missing) == 0 {
		return groups, nil
	}
	read, err := s.db.groupsByID(ctx, env, missing)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range read {
		if at == s.at {
			s.groups[g.ID] = g
		}
	}
	return append(groups, read...), nil
}

// known returns the groups that are kept, and the IDs of the others.
func (s *Current) known(env string, ids []string) (groups []Group, missing []string) {
	groups = make([]Group, 0, len(ids))
	for _, id := range ids {
		if g, kept := s.groups[id]; kept && g.EnvironmentID == env {
			groups = append(groups, g)
		} else {
			missing = append(missing, id)
		}
	}
	return groups, missing
}

// Gateway is Store.Gateway.
func (s *Current) Gateway(ctx context.Context, env, id string) (Gateway, error) {
	return setting(ctx, s, "gateway "+env+" "+id, func() (Gateway, error) { return s.db.Gateway(ctx, env, id) })
}

// Environment is Store.Environment.
func (s *Current) Environment(ctx context.Context, id string) (Environment, error) {
	return setting(ctx, s, "environment "+id, func() (Environment, error) { return s.db.Environment(ctx, id) })
}

// Application is Store.Application.
func (s *Current) Application(ctx context.Context, env, id string) (Application, error) {
	return setting(ctx, s, "application "+env+" "+id, func() (Application, error) {
		return s.db.Application(ctx, env, id)
	})
}

// SignOnPolicy is Store.SignOnPolicy.
func (s *Current) SignOnPolicy(ctx context.Context, env, id string) (SignOnPolicy, error) {
	return setting(ctx, s, "policy "+env+" "+id, func() (SignOnPolicy, error) { return s.db.SignOnPolicy(ctx, env, id) })
}

// DefaultSignOnPolicy is Store.DefaultSignOnPolicy.
func (s *Current) DefaultSignOnPolicy(ctx context.Context, env string) (SignOnPolicy, error) {
	return setting(ctx, s, "default policy "+env, func() (SignOnPolicy, error) {
		return s.db.DefaultSignOnPolicy(ctx, env)
	})
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
