package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// nodes opens one empty store several times: on PostgreSQL at the same time, as
// nodes that start together do.
func nodes(t *testing.T, n int) []*store.Store {
	t.Helper()
	where := empty(t)
	all := make([]*store.Store, n)
	if !store.IsPostgres(where) { // one node has the file
		openAt(t, where)
	}
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() {
			s, err := store.Open(t.Context(), where)
			if err != nil {
				t.Error(err)
				return
			}
			all[i] = s
		})
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
	t.Cleanup(func() {
		for _, s := range all {
			must(t, s.Close())
		}
	})
	return all
}

// Of many nodes that do the same thing at the same time one succeeds, and the
// others get the error that says so.
func TestOneOfManyNodes(t *testing.T) {
	all := nodes(t, 4)
	w := build(t, all[0], "one")
	instance := pairInstance(t, all[0])
	ctx, e := t.Context(), w.env.ID
	must(t, all[0].CreatePairing(ctx, &store.Pairing{
		EnvironmentID: e,
		GatewayID:     w.gateway.ID,
		CodeHash:      []byte("c"),
		ExpiresAt:     time.Now().Add(time.Hour),
	}))
	must(t, all[0].CreatePairingRequest(ctx, &store.PairingRequest{
		CodeHash:   []byte("d"),
		TicketHash: []byte("t"),
		ExpiresAt:  time.Now().Add(time.Hour),
	}))
	must(t, all[0].CreateAdministrator(ctx, &store.Administrator{
		EnvironmentID: e,
		Name:          "Ada",
		SetupHash:     []byte("s"),
	}))
	for name, c := range map[string]struct {
		do   func(s *store.Store, n int) error
		lost error
	}{
		"pairing-code": {func(s *store.Store, _ int) error {
			_, err := s.RedeemPairing(ctx, []byte("c"), time.Now(), &store.Instance{})
			return err
		}, store.ErrUsed},
		"pairing-request": {func(s *store.Store, _ int) error {
			return s.ApprovePairing(
				ctx,
				[]byte("d"),
				time.Now(),
				&store.Instance{EnvironmentID: e, GatewayID: w.gateway.ID},
			)
		}, store.ErrUsed},
		"arrival": {func(s *store.Store, _ int) error {
			_, _, err := s.BeginLink(ctx, store.Arrival{
				Instance: instance,
				Nonce:    []byte("a"),
				Expires:  time.Now().Add(time.Hour),
				Nonced:   true,
			})
			return err
		}, store.ErrUsed},
		"assertion": {func(s *store.Store, _ int) error {
			return s.UseAssertion(ctx, []byte("n"), time.Now().Add(time.Hour))
		}, store.ErrUsed},
		"set-up-secret": {func(s *store.Store, n int) error {
			_, err := s.SetUpAdministrator(ctx, "ada", []byte("s"), time.Now(), fmt.Sprint("hash", n))
			return err
		}, store.ErrNotFound},
		"gateway": {func(s *store.Store, n int) error {
			g := w.gateway
			g.UserTypes = []store.UserType{g.UserTypes[0]}
			g.UserTypes[0].Name = fmt.Sprint("changed by ", n)
			return s.UpdateGateway(ctx, &g)
		}, store.ErrStale},
		"username": {func(s *store.Store, _ int) error {
			return s.CreateUser(ctx, &store.User{EnvironmentID: e, PopulationID: w.population.ID, Username: "Ada"})
		}, store.ErrConflict},
	} {
		t.Run(name, func(t *testing.T) {
			errs := make([]error, 16)
			var wg sync.WaitGroup
			for i := range errs {
				wg.Go(func() { errs[i] = c.do(all[i%len(all)], i) })
			}
			wg.Wait()
			won := 0
			for _, err := range errs {
				if err == nil {
					won++
				} else if !errors.Is(err, c.lost) {
					t.Error(err)
				}
			}
			if won != 1 {
				t.Errorf("%d succeeded: %v", won, errs)
			}
		})
	}
}

// What one node has acknowledged the others see.
func TestNodesSeeEachOther(t *testing.T) {
	all := nodes(t, 3)
	w := build(t, all[0], "one")
	var wg sync.WaitGroup
	for i, s := range all {
		wg.Go(func() {
			for n := range 20 {
				u := store.User{EnvironmentID: w.env.ID, PopulationID: w.population.ID, Username: fmt.Sprint(i, "-", n)}
				if err := s.CreateUser(t.Context(), &u); err != nil {
					t.Error(err)
				}
				if _, err := all[(i+1)%len(all)].User(t.Context(), w.env.ID, u.ID); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// Text that is no UTF-8 and NUL are kept in a form that both engines have, and
// are found by it.
func TestOddText(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	for _, name := range []string{"nul\x00nul", "latin\xe9"} {
		u := store.User{EnvironmentID: w.env.ID, PopulationID: w.population.ID, Username: name}
		must(t, s.CreateUser(t.Context(), &u))
		got, err := s.UserByUsername(t.Context(), w.env.ID, name)
		must(t, err)
		if got.ID != u.ID {
			t.Errorf("%q is %+v", name, got)
		}
		must(t, s.RecordSignOn(t.Context(), &store.SignOn{
			EnvironmentID: w.env.ID,
			Username:      name,
		}, store.Activity{Action: "sign-on", Text: name, Detail: map[string]any{"typed": name}}))
	}
}
