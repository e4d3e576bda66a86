package store_test

import (
	"path/filepath"
	"testing"
	"time"
)

// A request that read a session before it ended writes it back afterwards, on whichever
// node: it stays ended.
func TestEndedSessionsStayEnded(t *testing.T) {
	s := open(t)
	ctx, until := t.Context(), time.Now().Add(time.Hour)
	must(t, s.CommitSession(ctx, "one", []byte("somebody"), until))
	must(t, s.CommitSession(ctx, "two", []byte("somebody else"), until))
	must(t, s.DeleteSession(ctx, "one"))
	must(t, s.CommitSession(ctx, "one", []byte("somebody"), until))
	if _, found, err := s.FindSession(ctx, "one"); found || err != nil {
		t.Errorf("it came back: %v", err)
	}
	if data, found, err := s.FindSession(ctx, "two"); !found || string(data) != "somebody else" || err != nil {
		t.Errorf("another ended: %q %v", data, err)
	}
}

// The session manager commits at each request; a row is written when the session is another, or is to last for
// longer, or shorter, by a minute.
func TestSessionsAreWrittenWhenTheyChange(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "cloud.db")) // which counts what is written
	ctx, until := t.Context(), time.Now().Add(time.Hour).Truncate(time.Microsecond)
	for name, row := range map[string]struct {
		data   string
		until  time.Time
		writes bool
	}{
		"the same":             {"somebody", until, false},
		"a little later":       {"somebody", until.Add(59 * time.Second), false},
		"a little earlier":     {"somebody", until.Add(-59 * time.Second), false},
		"a minute later":       {"somebody", until.Add(time.Minute), true},
		"a minute earlier":     {"somebody", until.Add(-time.Minute), true},
		"another":              {"somebody else", until, true},
		"another, later":       {"somebody else", until.Add(time.Second), true},
		"nobody":               {"", until, true},
		"one that has expired": {"somebody", time.Now().Add(-time.Hour), true},
	} {
		t.Run(name, func(t *testing.T) {
			must(t, s.CommitSession(ctx, name, []byte("somebody"), until))
			before, err := s.RowsWritten(ctx)
			must(t, err)
			must(t, s.CommitSession(ctx, name, []byte(row.data), row.until))
			after, err := s.RowsWritten(ctx)
			must(t, err)
			if wrote := after > before; wrote != row.writes {
				t.Errorf("written: %v", wrote)
			}
			data, found, err := s.FindSession(ctx, name)
			must(t, err)
			if good := row.data != "" && row.until.After(time.Now()); found != good || good && string(data) != row.data {
				t.Errorf("it is %q, %v", data, found)
			}
		})
	}
}
