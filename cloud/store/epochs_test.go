package store_test

import (
	"errors"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

func TestEpochs(t *testing.T) {
	w := open(t)
	ctx := t.Context()
	id := pairInstance(t, w)
	advance := func(claimed, want uint64) {
		t.Helper()
		if next, err := w.AdvanceEpoch(ctx, id, claimed); err != nil || next != want {
			t.Fatalf("claiming %d: %d, %v, want %d", claimed, next, err, want)
		}
	}
	cloned := func(claimed uint64) {
		t.Helper()
		if _, err := w.AdvanceEpoch(ctx, id, claimed); !errors.Is(err, store.ErrCloned) {
			t.Fatalf("claiming %d: %v", claimed, err)
		}
	}
	advance(0, 1)
	advance(0, 2) // cut off before it learned of 1
	advance(2, 3)
	if err := w.ConfirmEpoch(ctx, id, 3); err != nil {
		t.Fatal(err)
	}
	cloned(2) // confirmed 3, and somebody is at 2
	cloned(0)
	cloned(4)
	advance(3, 4)
	if err := w.ConfirmEpoch(ctx, id, 3); err != nil { // late: changes nothing
		t.Fatal(err)
	}
	advance(3, 5)
	if _, err := w.AdvanceEpoch(ctx, "nobody", 0); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
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
