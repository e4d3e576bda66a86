package store_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ldap-gateway/cloud/store"
)

// elsewhere makes an environment that takes its turns beside those of the first.
func elsewhere(t testing.TB, s *store.Store, first world) world {
	t.Helper()
	for i := range 100 {
		if w := build(t, s, fmt.Sprint("other", i)); !s.SameLane(first.env.ID, w.env.ID) {
			return w
		}
	}
	t.Fatal("all environments take one turn")
	return world{}
}

// On PostgreSQL a long turn of one environment holds nobody of another up, at any node;
// what concerns all waits for it, and holds up whoever comes after.
func TestLongTurnOfOneEnvironment(t *testing.T) {
	all := nodes(t, 2)
	if !all[0].Lanes() {
		t.Skip("one turn for all: TestTurnsAreFair has what that engine promises")
	}
	one := build(t, all[0], "one")
	two := elsewhere(t, all[0], one)
	holding, released := make(chan struct{}), make(chan struct{})
	release := sync.OnceFunc(func() { close(released) })
	defer release()
	var wg sync.WaitGroup
	wg.Go(func() {
		noError(t, all[0].ProvisionIn(t.Context(), one.env.ID, func(*store.Tx) error {
			close(holding)
			<-released
			return nil
		}))
	})
	<-holding
	for _, s := range all {
		must(t, writeIn(t.Context(), s, two, "meanwhile"))
		must(t, s.RevokeUserTokens(t.Context(), two.env.ID, two.user.ID, "none"))
	}
	after := make(chan string, 3)
	for i, s := range all {
		wg.Go(func() {
			noError(t, writeIn(t.Context(), s, one, fmt.Sprint("same", i)))
			after <- "same"
		})
	}
	wg.Go(func() {
		noError(t, all[1].Provision(t.Context(), func(*store.Tx) error { return nil }))
		after <- "all"
	})
	select {
	case who := <-after:
		t.Errorf("%s did not wait", who)
	case <-time.After(200 * time.Millisecond):
	}
	release()
	wg.Wait()
}

// noError is must for who is not the test itself.
func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// writeIn adds a sign-on that decides something in an environment.
func writeIn(ctx context.Context, s *store.Store, w world, name string) error {
	return s.ProvisionIn(ctx, w.env.ID, func(tx *store.Tx) error {
		return tx.RecordSignOn(ctx, &store.SignOn{EnvironmentID: w.env.ID, Username: name})
	})
}

// Whoever comes while another environment has a hundred waiting is the second to go on.
func TestTurnsAreFair(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	const crowd = 100
	turns := make(chan string, crowd+2)
	var wg sync.WaitGroup
	goes := func(key string) {
		wg.Go(func() {
			noError(t, s.ProvisionAt(t.Context(), key, func(*store.Tx) error {
				turns <- key
				return nil
			}))
		})
	}
	release := s.Hold()
	for range crowd {
		goes(w.env.ID)
	}
	s.AwaitWaiting(t, crowd)
	goes("two")
	goes("three")
	s.AwaitWaiting(t, crowd+2)
	release()
	wg.Wait()
	close(turns)
	place := 0
	for key := range turns {
		if place++; key != w.env.ID && place > 4 {
			t.Errorf("%s was number %d", key, place)
		}
	}
}

// Whoever writes a row or two is not behind those of the same environment who write many.
func TestShortTurnsAreApart(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	const crowd = 50
	turns := make(chan string, crowd+1)
	var wg sync.WaitGroup
	release := s.Hold()
	for range crowd {
		wg.Go(func() {
			noError(t, s.ProvisionAt(t.Context(), w.env.ID, func(*store.Tx) error {
				turns <- "long"
				return nil
			}))
		})
	}
	s.AwaitWaiting(t, crowd)
	wg.Go(func() {
		noError(t, s.Add(t.Context(), w.env.ID, func(*store.Tx) error {
			turns <- "short"
			return nil
		}))
	})
	if s.Lanes() { // it waits for nobody
		first := <-turns
		release()
		if wg.Wait(); first != "short" {
			t.Error("it waited")
		}
		return
	}
	s.AwaitWaiting(t, crowd+1)
	release()
	wg.Wait()
	close(turns)
	place := 0
	for kind := range turns {
		if kind == "short" {
			if place > crowd/2 {
				t.Errorf("it came after %d others", place)
			}
			return
		}
		place++
	}
}

// Whoever writes a row or two shares the disk with others of that kind, and waits for the end of nobody who comes
// after and writes many.
func TestShortTurnsAreCommitted(t *testing.T) {
	for shorts := 1; shorts <= 5; shorts++ {
		t.Run(fmt.Sprint(shorts), func(t *testing.T) { commitShort(t, shorts) })
	}
}

func commitShort(t *testing.T, shorts int) {
	s := open(t)
	if s.Lanes() {
		t.Skip("one who writes a row or two shares no transaction with others")
	}
	w := build(t, s, "one")
	const longs = 8
	began, goOn := make(chan struct{}), make(chan struct{})
	var written, committed atomic.Int64
	var wg sync.WaitGroup
	release := s.Hold()
	for range longs {
		wg.Go(func() {
			noError(t, s.ProvisionAt(t.Context(), w.env.ID, func(*store.Tx) error {
				began <- struct{}{}
				<-goOn
				return nil
			}))
		})
	}
	for range shorts {
		wg.Go(func() {
			noError(t, s.Add(t.Context(), w.env.ID, func(*store.Tx) error { written.Add(1); return nil }))
			committed.Add(1)
		})
	}
	s.AwaitWaiting(t, longs+shorts)
	release()
	for range longs {
		<-began
		limit := time.After(2 * time.Second)
		for tick := time.Tick(time.Millisecond); committed.Load() < written.Load() && !t.Failed(); {
			select {
			case <-tick:
			case <-limit:
				t.Errorf("%d are written, %d are committed", written.Load(), committed.Load())
			}
		}
		goOn <- struct{}{}
	}
	wg.Wait()
	if committed.Load() != int64(shorts) {
		t.Errorf("%d are committed", committed.Load())
	}
}

// Of administrators of two environments who approve one shown code at the same time, one
// does.
func TestOneApprovesACode(t *testing.T) {
	all := nodes(t, 2)
	one := build(t, all[0], "one")
	two := elsewhereOr(t, all[0], one)
	for i := range 20 {
		code := fmt.Sprint("code", i)
		must(t, all[0].CreatePairingRequest(t.Context(), &store.PairingRequest{
			CodeHash:   []byte(code),
			TicketHash: []byte("t" + code),
			ExpiresAt:  time.Now().Add(time.Hour),
		}))
		var wg sync.WaitGroup
		errs := make([]error, 2)
		for k, w := range []world{one, two} {
			wg.Go(func() {
				inst := store.Instance{EnvironmentID: w.env.ID, GatewayID: w.gateway.ID}
				errs[k] = all[k].ProvisionIn(t.Context(), w.env.ID, func(tx *store.Tx) error {
					return tx.Store().ApprovePairing(t.Context(), []byte(code), time.Now(), &inst)
				})
			})
		}
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Errorf("%v, %v", errs[0], errs[1])
		}
		for _, err := range errs {
			if err != nil {
				want(t, err, store.ErrUsed)
			}
		}
	}
}

// elsewhereOr is elsewhere, or any other environment where all take one turn.
func elsewhereOr(t *testing.T, s *store.Store, first world) world {
	t.Helper()
	if s.Lanes() {
		return elsewhere(t, s, first)
	}
	return build(t, s, "two")
}

// Wrong and right passwords of many, at two nodes at once, wait for each other without a
// deadlock, however many share a commit.
func TestTriesAtOnce(t *testing.T) {
	all := nodes(t, 2)
	var wg sync.WaitGroup
	for i := range 400 {
		wg.Go(func() {
			s, key := all[i%2], fmt.Sprint("person", (i*7)%20)
			tried := store.Tries{Key: key, Most: 1000, Window: time.Hour}
			err := s.CountTry(t.Context(), tried, time.Now())
			if i%3 == 0 {
				err = s.ForgetTries(t.Context(), key)
			}
			if _, failed := s.BeginTry(t.Context(), tried, time.Now()); failed != nil || err != nil {
				t.Error(err, failed)
			}
		})
	}
	wg.Wait()
}

// However many lists are asked for, half of the connections that read are free, and another
// environment's list is the next but one.
func TestListsLeaveRoom(t *testing.T) {
	s := open(t)
	one, two := build(t, s, "one"), build(t, s, "two")
	pass, turns := s.HoldLists()
	var lists sync.WaitGroup
	list := func(w world) {
		lists.Go(func() {
			_, _, err := s.Users(t.Context(), w.env.ID, store.UserFilter{}, store.Page{})
			noError(t, err)
		})
	}
	for range 60 {
		list(one)
	}
	s.AwaitLists(t, 60)
	list(two)
	s.AwaitLists(t, 61)
	_, err := s.User(t.Context(), one.env.ID, one.user.ID) // as a sign-on does
	must(t, err)
	must(t, writeIn(t.Context(), s, one, "alice"))
	pass()
	pass()
	if s.ListsWaiting(two.env.ID) > 0 {
		t.Error("the other environment's list waits for all of the first")
	}
	for range turns - 2 {
		pass()
	}
	lists.Wait()
}

// Whose turns are long waits for all of those whose are short, and each kind has as much time as the
// next, however many of it wait, and however late it comes.
func TestTimeIsSharedFairly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var turns store.Turns
		var all sync.WaitGroup
		var mu sync.Mutex
		var ended []string
		goes := func(kind string, takes time.Duration, n int) {
			for range n {
				all.Go(func() {
					pass := turns.Take(kind)
					time.Sleep(takes)
					mu.Lock()
					ended = append(ended, kind)
					mu.Unlock()
					pass()
				})
			}
			synctest.Wait()
		}
		release := turns.Take("holder")
		goes("long", time.Second, 20)
		goes("short", 10*time.Millisecond, 150)
		goes("middling", 100*time.Millisecond, 15)
		release()
		time.Sleep(5500 * time.Millisecond)
		goes("late", 10*time.Millisecond, 50)
		all.Wait()
		order := func(kind string, nth int) (place int) {
			for i, k := range ended {
				if k == kind {
					if nth--; nth == 0 {
						place = i
					}
				}
			}
			return place
		}
		for name, ok := range map[string]bool{
			"100 short ones are done before the second long one": order("short", 100) < order("long", 2),
			"10 middling ones, too":                              order("middling", 10) < order("long", 2),
			"the long ones go on meanwhile":                      order("long", 2) < order("short", 150),
			"who comes late waits for one of the others":         order("late", 50) < order("long", 6),
		} {
			if !ok {
				t.Errorf("%s: not so in %v", name, ended)
			}
		}
	})
}
