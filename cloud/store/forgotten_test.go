package store_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// However much has expired, little of it goes with the next that is made: whoever makes it, and all who wait,
// would wait for the rest.
func TestLittleIsForgottenAtOnce(t *testing.T) {
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "cloud.db")) // which counts what is written
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	w := build(t, s, "one")
	c := store.Client{EnvironmentID: w.env.ID, Name: "c", Role: store.RoleReadOnly, SecretHash: []byte("x")}
	must(t, s.CreateClient(t.Context(), &c))
	ctx, e := t.Context(), w.env.ID
	for name, make := range map[string]func(i int, until time.Time) error{
		"sessions": func(i int, until time.Time) error { return s.CommitSession(ctx, fmt.Sprint(i), []byte("x"), until) },
		"tokens":   func(i int, until time.Time) error { return s.CreateToken(ctx, fmt.Append(nil, i), c.ID, e, until) },
		"arrivals": func(i int, until time.Time) error { return s.KeepArrival(ctx, e, fmt.Sprint(i), []byte("x"), until) },
		"proofs":   func(i int, until time.Time) error { return s.UseProof(ctx, e, fmt.Append(nil, i), until) },
		"pairing requests": func(i int, until time.Time) error {
			p := store.PairingRequest{
				TicketHash: fmt.Append(nil, "t", i),
				CodeHash:   fmt.Append(nil, "c", i),
				CreatedAt:  until.Add(-time.Minute),
				ExpiresAt:  until,
			}
			return s.CreatePairingRequest(ctx, &p)
		},
	} {
		t.Run(name, func(t *testing.T) {
			soon := time.Now().Add(time.Hour)
			for i := range 300 { // that expire in half an hour, so that none goes as they are made
				must(t, make(i, soon.Add(time.Duration(i-300)*time.Second)))
			}
			must(t, s.Provision(ctx, func(tx *store.Tx) error { return tx.Expire(ctx) }))
			before, err := s.RowsWritten(ctx)
			must(t, err)
			must(t, make(1000, soon))
			after, err := s.RowsWritten(ctx)
			must(t, err)
			if n := after - before; n < 10 || n > 30 {
				t.Errorf("%d rows were written", n)
			}
		})
	}
}
