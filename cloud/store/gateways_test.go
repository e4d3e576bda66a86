package store_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// Of a hundred who use one code at the same time, one gets an instance.
func TestRedeemOnce(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	now := time.Now()
	must(t, s.CreatePairing(t.Context(), &store.Pairing{
		EnvironmentID: w.env.ID,
		GatewayID:     w.gateway.ID,
		CodeHash:      []byte("h"),
		CreatedBy:     "ada",
		ExpiresAt:     now.Add(time.Minute),
	}))
	var won, used atomic.Int32
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			inst := store.Instance{PublicKey: []byte{byte(i)}, Fingerprint: "f"}
			switch _, err := s.RedeemPairing(t.Context(), []byte("h"), now, &inst); {
			case err == nil:
				won.Add(1)
			case errors.Is(err, store.ErrUsed):
				used.Add(1)
			}
		})
	}
	wg.Wait()
	all, err := s.Instances(t.Context(), w.env.ID, w.gateway.ID)
	if won.Load() != 1 || used.Load() != 99 || len(all) != 1 || err != nil {
		t.Fatalf("won %d, used %d, instances %d, %v", won.Load(), used.Load(), len(all), err)
	}
	if all[0].PairedBy != "ada" || all[0].EnvironmentID != w.env.ID || all[0].PairedAt.IsZero() {
		t.Errorf("instance %+v", all[0])
	}
}

func TestPairings(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	ctx, now := t.Context(), time.Now()
	pair := func(code string, life time.Duration) store.Pairing {
		p := store.Pairing{
			EnvironmentID: w.env.ID,
			GatewayID:     w.gateway.ID,
			CodeHash:      []byte(code),
			ExpiresAt:     now.Add(life),
		}
		must(t, s.CreatePairing(ctx, &p))
		return p
	}
	good, _ := pair("good", time.Minute), pair("old", -time.Minute)
	_, err := s.RedeemPairing(ctx, []byte("none"), now, &store.Instance{})
	want(t, err, store.ErrNotFound)
	_, err = s.RedeemPairing(ctx, []byte("old"), now, &store.Instance{})
	want(t, err, store.ErrExpired)
	want(t, s.CreatePairing(ctx, &store.Pairing{
		EnvironmentID: w.env.ID,
		GatewayID:     w.gateway.ID,
		CodeHash:      []byte("good"),
	}), store.ErrConflict)
	if all, err := s.Pairings(ctx, w.env.ID, w.gateway.ID, now); err != nil || len(all) != 1 || all[0].ID != good.ID {
		t.Errorf("%v, %v", all, err)
	}
	must(t, s.PurgePairings(ctx, now))
	_, err = s.RedeemPairing(ctx, []byte("old"), now, &store.Instance{})
	want(t, err, store.ErrNotFound)
	must(t, s.DeletePairing(ctx, w.env.ID, w.gateway.ID, good.ID))
	want(t, s.DeletePairing(ctx, w.env.ID, w.gateway.ID, good.ID), store.ErrNotFound)
}

func pairedInstance(t *testing.T, s *store.Store, w world) store.Instance {
	t.Helper()
	now := time.Now()
	must(t, s.CreatePairing(t.Context(), &store.Pairing{
		EnvironmentID: w.env.ID,
		GatewayID:     w.gateway.ID,
		CodeHash:      []byte("h"),
		ExpiresAt:     now.Add(time.Hour),
	}))
	i := store.Instance{PublicKey: []byte{1, 2}, SealKey: []byte{3}, Hostname: "first"}
	_, err := s.RedeemPairing(t.Context(), []byte("h"), now, &i)
	must(t, err)
	return i
}

func TestInstances(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	ctx, i := t.Context(), pairedInstance(t, s, w)
	first, later := time.UnixMicro(1000).UTC(), time.UnixMicro(2000).UTC()
	must(t, s.ReportInstance(ctx, i.ID, store.InstanceReport{
		Hostname:   "h",
		Software:   "1.0",
		PolicyHash: "p",
		At:         first,
	}))
	must(t, s.ReportInstance(ctx, i.ID, store.InstanceReport{At: later}))
	want(t, s.ReportInstance(ctx, "none", store.InstanceReport{}), store.ErrNotFound)
	must(t, s.RevokeInstance(ctx, w.env.ID, w.gateway.ID, i.ID, "ada", first))
	must(t, s.RevokeInstance(ctx, w.env.ID, w.gateway.ID, i.ID, "bob", later))
	want(t, s.RevokeInstance(ctx, w.env.ID, "other", i.ID, "ada", first), store.ErrNotFound)
	i.Hostname, i.Software, i.PolicyHash, i.LastReportedAt = "h", "1.0", "p", later
	i.RevokedAt, i.RevokedBy = first, "ada"
	if got, err := s.Instance(ctx, i.ID); err != nil || fmt.Sprint(got) != fmt.Sprint(i) {
		t.Errorf("read %v\nwant %v, %v", got, i, err)
	}
}

// TestAdmittedIsInitialized: no instance has a link without the time of its first.
func TestAdmittedIsInitialized(t *testing.T) {
	s := open(t)
	ctx, i := t.Context(), pairedInstance(t, s, build(t, s, "one"))
	_, _, err := s.AdvanceEpoch(ctx, i.ID, 1<<40)
	want(t, err, store.ErrCloned)
	if got, err := s.Instance(ctx, i.ID); err != nil || !got.InitializedAt.IsZero() {
		t.Errorf("refused: %s, %v", got.InitializedAt, err)
	}
	from := time.Now().Add(-time.Second)
	_, _, err = s.AdvanceEpoch(ctx, i.ID, 0)
	must(t, err)
	first, err := s.Instance(ctx, i.ID)
	if err != nil || first.InitializedAt.Before(from) {
		t.Errorf("admitted: %s, %v", first.InitializedAt, err)
	}
	_, _, err = s.AdvanceEpoch(ctx, i.ID, 1)
	must(t, err)
	if again, err := s.Instance(ctx, i.ID); err != nil || !again.InitializedAt.Equal(first.InitializedAt) {
		t.Errorf("again: %s, %v", again.InitializedAt, err)
	}
}

func TestAssertionOnce(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	must(t, s.UseAssertion(ctx, []byte("n"), time.Now().Add(time.Hour)))
	want(t, s.UseAssertion(ctx, []byte("n"), time.Now().Add(time.Hour)), store.ErrUsed)
	must(t, s.UseAssertion(ctx, []byte("m"), time.Now().Add(-time.Hour)))
	must(t, s.UseAssertion(ctx, []byte("m"), time.Now().Add(time.Hour))) // the expired one was forgotten
}

func TestRevision(t *testing.T) {
	s := open(t)
	g := build(t, s, "one").gateway
	ctx := t.Context()
	g.Description = "moved"
	must(t, s.UpdateGateway(ctx, &g))
	if g.Revision != 1 {
		t.Errorf("revision %d: no user type changed", g.Revision)
	}
	g.UserTypes = append(g.UserTypes, store.UserType{Name: "guests"})
	must(t, s.UpdateGateway(ctx, &g))
	got, err := s.GatewayByID(ctx, g.ID)
	if err != nil || got.Revision != 2 || got.UserTypes[1].ID == "" || fmt.Sprint(got) != fmt.Sprint(g) {
		t.Errorf("%+v, %v", got, err)
	}
}

// Of two who change what they read at the same time, one is told.
func TestStaleGateway(t *testing.T) {
	s := open(t)
	g := build(t, s, "one").gateway
	other := g
	g.UserTypes = append(g.UserTypes[:1:1], store.UserType{Name: "guests"})
	must(t, s.UpdateGateway(t.Context(), &g))
	other.UserTypes = append(other.UserTypes[:1:1], store.UserType{Name: "robots"})
	want(t, s.UpdateGateway(t.Context(), &other), store.ErrStale)
	if got, err := s.Gateway(t.Context(), g.EnvironmentID, g.ID); err != nil || got.UserTypes[1].Name != "guests" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestDeleteGateway(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	ctx, e := t.Context(), w.env.ID
	i := pairedInstance(t, s, w)
	want(t, s.DeleteGateway(ctx, e, w.gateway.ID, false), store.ErrDependents)
	must(t, s.DeleteGateway(ctx, e, w.gateway.ID, true))
	u, err := s.User(ctx, e, w.user.ID)
	if err != nil || u.GatewayID != "" || u.UserTypeID != "" || u.DN != "" || len(u.Correlation) != 0 {
		t.Errorf("user %+v, %v", u, err)
	}
	_, err = s.Group(ctx, e, w.jit.ID)
	want(t, err, store.ErrNotFound)
	_, err = s.Group(ctx, e, w.group.ID)
	must(t, err)
	_, err = s.Instance(ctx, i.ID)
	want(t, err, store.ErrNotFound)
	want(t, s.DeleteGateway(ctx, e, w.gateway.ID, true), store.ErrNotFound)
}

func TestUserTypes(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	ctx, e, g := t.Context(), w.env.ID, w.gateway
	people := g.UserTypes[0].ID
	g.UserTypes = nil
	want(t, s.UpdateGateway(ctx, &g), store.ErrDependents)
	_, err := s.RemoveUserType(ctx, e, g.ID, people, false)
	want(t, err, store.ErrDependents)
	_, err = s.RemoveUserType(ctx, e, g.ID, "none", true)
	want(t, err, store.ErrNotFound)
	g.UserTypes = []store.UserType{w.gateway.UserTypes[0], {Name: "guests"}}
	must(t, s.UpdateGateway(ctx, &g))
	guests := g.UserTypes[1].ID
	if n, err := s.RelinkUsers(ctx, e, g.ID, people, g.ID, guests); n != 1 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	u, err := s.User(ctx, e, w.user.ID)
	if err != nil || u.UserTypeID != guests || len(u.Correlation) != 2 {
		t.Errorf("%+v, %v", u, err)
	}
	if n, err := s.GatewayUsers(ctx, e, g.ID, guests); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	left, err := s.RemoveUserType(ctx, e, g.ID, guests, true)
	if err != nil || len(left.UserTypes) != 1 || left.Revision != g.Revision+1 {
		t.Errorf("%+v, %v", left, err)
	}
}

func TestPopulations(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	ctx, e := t.Context(), w.env.ID
	guests := store.Population{EnvironmentID: e, Name: "Guests"}
	must(t, s.CreatePopulation(ctx, &guests))
	want(t, s.CreatePopulation(ctx, &store.Population{EnvironmentID: e, Name: "GUESTS"}), store.ErrConflict)
	if d, err := s.DefaultPopulation(ctx, e); err != nil || d.ID != w.population.ID {
		t.Errorf("%+v, %v", d, err)
	}
	if p, err := s.Population(ctx, e, w.population.ID); err != nil || p.UserCount != 1 {
		t.Errorf("%+v, %v", p, err)
	}
	want(t, s.DeletePopulation(ctx, e, w.population.ID), store.ErrDependents)
	guests.Default = true
	must(t, s.UpdatePopulation(ctx, &guests))
	if d, err := s.DefaultPopulation(ctx, e); err != nil || d.ID != guests.ID {
		t.Errorf("%+v, %v", d, err)
	}
	want(t, s.DeletePopulation(ctx, e, guests.ID), store.ErrDependents)
	must(t, s.DeleteUser(ctx, e, w.user.ID))
	want(t, s.DeletePopulation(ctx, e, w.population.ID), store.ErrDependents) // a user type names it
	must(t, s.DeleteGateway(ctx, e, w.gateway.ID, false))
	must(t, s.DeletePopulation(ctx, e, w.population.ID))
}

// Names are those of the gateways that there are, of any environment.
func TestGatewayNames(t *testing.T) {
	s := open(t)
	one, two := build(t, s, "one"), build(t, s, "two")
	ids := []string{one.gateway.ID, "gone", two.gateway.ID, one.gateway.ID}
	for range 1200 { // more than one statement takes
		ids = append(ids, "none")
	}
	names, err := s.GatewayNames(t.Context(), ids)
	same(t, names, map[string]string{one.gateway.ID: one.gateway.Name, two.gateway.ID: two.gateway.Name}, err)
	names, err = s.GatewayNames(t.Context(), nil)
	same(t, names, map[string]string{}, err)
}
