package store_test

import (
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
