package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/pgtest"
)

// identified is what leads to the user of a world.
func (w world) identified() store.Identified {
	return store.Identified{UserID: w.user.ID, GatewayID: w.gateway.ID, By: w.user.Correlation[0]}
}

// A sign-on that changes nothing is kept as any other, whatever its texts are.
func TestUnchangedIsKeptWhole(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	for _, text := range []string{
		"", "plain", `{"a",NULL}`, `a\b"c'`, "nul\x00", "no text \xff", "é́ 雪 \U0001F600", "NULL", "{}", "a\nb\tc", `\N`, `\u0000`,
	} {
		so := store.SignOn{
			EnvironmentID: w.env.ID,
			At:            time.UnixMicro(1_700_000_000_123_456).UTC(),
			Method:        store.ByPassword,
			Username:      text,
			UserID:        w.user.ID,
			GatewayID:     text + "g",
			UserTypeID:    text + "t",
			InstanceID:    text + "i",
			Outcome:       store.SignedOnOK,
			Reason:        text + "r",
			Message:       text + "m",
			Updated:       true,
			UpdateReason:  text + "u",
			Verdict:       "complete",
			VerdictReason: text + "v",
			Added:         []string{text, "b"},
			Removed:       []string{text},
			Duration:      1234567 * time.Microsecond,
			Address:       text + "a",
			ProviderID:    text + "p",
			Line:          text + "l",
		}
		usual, at := so, so.At.Add(time.Second)
		usual.At = at
		must(t, s.RecordSignOn(t.Context(), &usual))
		_, kept, err := s.RecordUnchanged(t.Context(), &so, w.identified())
		same(t, kept, true, err)
		one, err := s.SignOn(t.Context(), w.env.ID, so.ID)
		must(t, err)
		other, err := s.SignOn(t.Context(), w.env.ID, usual.ID)
		one.ID, one.At = other.ID, at
		same(t, one, other, err)
	}
}

// Who signs on beside many others is recorded, or not, as if alone: once, and in their own environment.
func TestManyAreRecordedAtOnce(t *testing.T) {
	s := open(t)
	worlds := []world{build(t, s, "one"), build(t, s, "two")}
	ended, end := context.WithCancel(t.Context())
	end()
	ids := make([]string, 300)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			w, ctx, of := worlds[i%2], t.Context(), worlds[i%2].identified()
			good := i%5 != 0 && i%7 != 0
			if i%5 == 0 {
				of.GatewayID = worlds[1-i%2].gateway.ID
			}
			if i%7 == 0 {
				ctx = ended
			}
			so := store.SignOn{EnvironmentID: w.env.ID, UserID: w.user.ID, Outcome: store.SignedOnOK, Line: fmt.Sprint(i)}
			_, kept, err := s.RecordUnchanged(ctx, &so, of)
			if kept != good || (err != nil) != (i%7 == 0) || (so.ID != "") != good {
				t.Errorf("%d: %t, %v, ID %q", i, kept, err, so.ID)
			}
			ids[i] = so.ID
		})
	}
	wg.Wait()
	for i, id := range ids {
		if id == "" {
			continue
		}
		so, err := s.SignOn(t.Context(), worlds[i%2].env.ID, id)
		same(t, so.Line, fmt.Sprint(i), err)
	}
	for _, w := range worlds {
		n, whole, err := s.HourCounts(t.Context(), w.env.ID, time.Now().Add(-time.Hour), time.Now())
		same(t, whole, true, err)
		total := 0
		for _, hour := range n {
			total += hour.N
		}
		same(t, total, 103, nil) // of 150, without a fifth and a seventh
	}
}

// One whose ID is recorded already is not recorded once more, and keeps nobody else from it.
func TestRecordedOnce(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	so := store.SignOn{ID: "once", EnvironmentID: w.env.ID, UserID: w.user.ID, Outcome: store.SignedOnOK}
	for _, want := range []bool{true, false, false} {
		again := so
		_, kept, err := s.RecordUnchanged(t.Context(), &again, w.identified())
		same(t, kept, want, err)
	}
	var wg sync.WaitGroup
	var once [10]atomic.Int64
	for i := range 20 {
		wg.Go(func() {
			both := so
			both.ID = fmt.Sprint("of two ", i%10)
			_, kept, err := s.RecordUnchanged(t.Context(), &both, w.identified())
			if same(t, err, nil, nil); kept {
				once[i%10].Add(1)
			}
		})
		wg.Go(func() {
			twin, own := so, so
			own.ID = ""
			_, kept, err := s.RecordUnchanged(t.Context(), &twin, w.identified())
			same(t, kept, false, err)
			_, kept, err = s.RecordUnchanged(t.Context(), &own, w.identified())
			same(t, kept, true, err)
		})
	}
	wg.Wait()
	for i := range once {
		same(t, once[i].Load(), 1, nil)
	}
}

// What PostgreSQL refuses at the commit, or says nothing more of, was not recorded: whoever signs on is told so.
func TestPostgresRefusesACommit(t *testing.T) {
	server := pgtest.Start(t)
	where := server.Database()
	s := openAt(t, where)
	w := build(t, s, "one")
	db, err := sql.Open("pgx", where)
	must(t, err)
	defer db.Close()
	record := func() error {
		so := store.SignOn{EnvironmentID: w.env.ID, UserID: w.user.ID, Outcome: store.SignedOnOK}
		_, kept, err := s.RecordUnchanged(t.Context(), &so, w.identified())
		if kept == (err != nil) {
			t.Errorf("recorded: %t, %v", kept, err)
		}
		return err
	}
	must(t, record())
	for _, does := range []string{"RAISE EXCEPTION 'no'", "PERFORM pg_terminate_backend(pg_backend_pid())"} {
		_, err = db.Exec(`
			CREATE OR REPLACE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ` + does + `; RETURN NULL; END $$;
			DROP TRIGGER IF EXISTS late ON sign_ons;
			CREATE CONSTRAINT TRIGGER late AFTER INSERT ON sign_ons DEFERRABLE INITIALLY DEFERRED
				FOR EACH ROW EXECUTE FUNCTION late()`)
		must(t, err)
		if record() == nil {
			t.Errorf("recorded although: %s", does)
		}
	}
	_, err = db.Exec(`DROP TRIGGER late ON sign_ons`)
	must(t, err)
	must(t, record())
	var n int
	must(t, db.QueryRow(`SELECT count(*) FROM sign_ons`).Scan(&n))
	same(t, n, 2, nil)
	server.Stop()
	if err := record(); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("without a database: %v", err)
	}
	server.Restart()
	must(t, record())
}

// A sign-on that changes nothing says which groups its person is in as it is recorded: none, many, and not those that
// are only on their way.
func TestUnchangedSaysWhichGroups(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	ctx, e := t.Context(), w.env.ID
	check := func(want int) {
		t.Helper()
		so := store.SignOn{EnvironmentID: e, UserID: w.user.ID, Outcome: store.SignedOnOK}
		groups, _, err := s.RecordUnchanged(ctx, &so, w.identified())
		must(t, err)
		all, err := s.GroupsOf(ctx, e, w.user.ID)
		same(t, len(all), want, err)
		ids := make([]string, 0, len(all))
		for _, g := range all {
			ids = append(ids, g.ID)
		}
		slices.Sort(ids)
		slices.Sort(groups)
		same(t, groups, ids, nil)
		named, err := s.Current.Groups(ctx, e, append(groups, "none"))
		same(t, len(named), want, err)
	}
	check(1)
	var ids []string
	for _, g := range seen(t, s, w, 300) {
		ids = append(ids, g.ID)
	}
	list, err := s.BeginLargeList(ctx, e, w.user.ID)
	must(t, err)
	must(t, list.Join(ctx, joined(ids[:200]...), time.Now()))
	check(1)
	must(t, list.End(ctx))
	must(t, s.Provision(ctx, func(tx *store.Tx) error {
		return tx.AddMemberships(ctx, e, w.user.ID, joined(ids...), time.Now())
	}))
	check(301)
	must(t, s.Provision(ctx, func(tx *store.Tx) error {
		return tx.RemoveMemberships(ctx, e, w.user.ID, append(ids, w.jit.ID))
	}))
	check(0)
}
