package store_test

import (
	"errors"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// claims has an instance claim epochs.
type claims struct {
	*testing.T
	*store.Store
	id string
}

func (c claims) good(claimed, want, lacks uint64) {
	c.Helper()
	next, missing, err := c.AdvanceEpoch(c.Context(), c.id, claimed)
	if err != nil || next != want || missing != lacks {
		c.Fatalf("claiming %d: %d, %d missing, %v, want %d, %d", claimed, next, missing, err, want, lacks)
	}
}

func (c claims) cloned(claimed uint64) {
	c.Helper()
	if _, _, err := c.AdvanceEpoch(c.Context(), c.id, claimed); !errors.Is(err, store.ErrCloned) {
		c.Fatalf("claiming %d: %v", claimed, err)
	}
}

func TestEpochs(t *testing.T) {
	w := open(t)
	ctx := t.Context()
	id := pairInstance(t, w)
	c := claims{t, w, id}
	advance := func(claimed, want uint64) { t.Helper(); c.good(claimed, want, 0) }
	cloned := c.cloned
	advance(0, 1)
	advance(0, 2) // cut off before it learned of 1
	advance(2, 3)
	kept := func(epoch uint64) { t.Helper(); must(t, w.ReportInstance(ctx, id, store.InstanceReport{Epoch: epoch})) }
	kept(3)
	cloned(2) // confirmed 3, and somebody is at 2
	cloned(0)
	advance(3, 4)
	kept(3) // late: changes nothing
	kept(0) // nothing is said of it
	advance(3, 5)
	if _, _, err := w.AdvanceEpoch(ctx, "nobody", 0); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}

// TestDatabaseThatWentBack knows less than an instance does: the instance goes on, and
// what it lacks is told. A state folder of the past is found as before, and so is who
// makes up a claim of what is to come, when the true instance comes.
func TestDatabaseThatWentBack(t *testing.T) {
	w := open(t)
	c := claims{t, w, pairInstance(t, w)}
	c.good(0, 1, 0)
	c.good(5, 6, 4)
	must(t, w.ReportInstance(t.Context(), c.id, store.InstanceReport{Epoch: 6}))
	c.cloned(5) // a copy of the folder
	c.cloned(1)
	c.good(6, 7, 0)
	c.good(6, 8, 0) // it was cut off
	c.good(9, 10, 1)
	c.good(1_000_000, 1_000_001, 999_990) // by a thief
	c.cloned(10)                          // the true one is noticed at once
	for _, made := range []uint64{1 << 40, 1 << 62, 1<<63 - 1, 1 << 63, 1<<64 - 1} {
		c.cloned(made)
	}
}

func TestQuarantineAndRotation(t *testing.T) {
	w := open(t)
	id := pairInstance(t, w)
	at := time.Unix(1_800_000_000, 0).UTC()
	for _, reason := range []string{"first", "second"} {
		if err := w.QuarantineInstance(t.Context(), id, reason, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.RotateKeys(t.Context(), id, []byte{1}, []byte{2}, "F"); err != nil {
		t.Fatal(err)
	}
	i, err := w.Instance(t.Context(), id)
	if err != nil || i.Quarantine != "first" || !i.QuarantinedAt.Equal(at) || i.PublicKey[0] != 1 ||
		i.SealKey[0] != 2 || i.Fingerprint != "F" {
		t.Errorf("%+v %v", i, err)
	}
}

// pairInstance returns the ID of an instance that was just paired.
func pairInstance(t *testing.T, s *store.Store) string {
	t.Helper()
	w := build(t, s, "E")
	must(t, s.CreatePairing(t.Context(), &store.Pairing{
		EnvironmentID: w.env.ID,
		GatewayID:     w.gateway.ID,
		CodeHash:      []byte("h"),
		ExpiresAt:     time.Now().Add(time.Hour),
	}))
	var i store.Instance
	_, err := s.RedeemPairing(t.Context(), []byte("h"), time.Now(), &i)
	must(t, err)
	return i.ID
}

// TestLinkBeginsWholeOrNot: who arrives has the proof used up, the nonce known, and an epoch begun, or
// none of it; but a proof that claims a state of the past is used up all the same.
func TestLinkBeginsWholeOrNot(t *testing.T) {
	w := open(t)
	c := claims{t, w, pairInstance(t, w)}
	until := time.Now().Add(time.Hour)
	good := store.Arrival{Instance: c.id, Nonce: []byte("n"), Expires: until, Nonced: true}
	stranger := store.Arrival{Instance: "nobody", Nonce: []byte("of nobody"), Expires: until, Nonced: true}
	past := store.Arrival{Instance: c.id, Nonce: []byte("of the past"), Expires: until}
	ahead := store.Arrival{Instance: c.id, Nonce: []byte("ahead"), Expires: until, Claimed: 7}
	for _, step := range []struct {
		a             store.Arrival
		next, missing uint64
		err           error
	}{
		{good, 1, 0, nil},
		{good, 0, 0, store.ErrUsed},
		{stranger, 0, 0, store.ErrNotFound},
		{stranger, 0, 0, store.ErrNotFound}, // not used up: nothing of it is kept
		{ahead, 8, 6, nil},
		{past, 0, 0, store.ErrCloned},
		{past, 0, 0, store.ErrUsed},
	} {
		next, missing, err := w.BeginLink(t.Context(), step.a)
		if !errors.Is(err, step.err) || err == nil && (next != step.next || missing != step.missing) {
			t.Fatalf("%q: %d, %d missing, %v", step.a.Nonce, next, missing, err)
		}
	}
	i, err := w.Instance(t.Context(), c.id)
	must(t, err)
	if !i.Nonced {
		t.Error("that it gave a nonce is not kept")
	}
	c.good(8, 9, 0)
}
