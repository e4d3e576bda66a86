package signon

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloudlink/wire"
)

// stuck are agents of which those of one gateway do not answer.
type stuck struct {
	gateway string
	end     chan struct{} // closed: they do
}

func (s stuck) SignOn(ctx context.Context, r hub.Request) hub.Answer {
	if r.Gateway == s.gateway {
		select {
		case <-s.end:
		case <-ctx.Done():
		}
	}
	return hub.Answer{SignOnResult: wire.SignOnResult{Outcome: wire.OutcomeNoSuchUser}, Instance: "i"}
}

func (s stuck) ChangePassword(ctx context.Context, c hub.Change) hub.Changed {
	a := s.SignOn(ctx, hub.Request{Gateway: c.Gateway})
	return hub.Changed{PasswordChanged: wire.PasswordChanged{Outcome: a.Outcome}, Instance: a.Instance}
}

func (stuck) Look(context.Context, hub.Look) []wire.Sight { return nil }

// besieged is a cloud at whose first gateway nobody is answered, with small queues. Its names
// that begin with "b" are for the second alone.
func besieged(t *testing.T) (c *cloud, bounds *throttle.Bounds, end func()) {
	c, bounds = newCloud(t), &throttle.Bounds{}
	agents := stuck{c.first.ID, make(chan struct{})}
	c.second.UserTypes[0].AllowPasswords, c.first.UserTypes[0].AllowPasswords = true, true
	c.second.UserTypes[0].Usernames, c.first.UserTypes[0].Usernames = []string{"b*"}, []string{"a*"}
	must(t, c.Store.UpdateGateway(t.Context(), &c.first))
	must(t, c.Store.UpdateGateway(t.Context(), &c.second))
	c.Agents, c.Bounds = agents, bounds
	c.UnderWay = &throttle.Queue{
		Places: 64, OfOwner: 32, OfNear: 16, OfNetwork: 8, Spare: true, Bound: bounds.Of(throttle.SignOns),
	}
	c.AtGateway = &throttle.Queue{OfOwner: 12, Bound: bounds.Of(throttle.GatewaySignOns)}
	return c, bounds, sync.OnceFunc(func() { close(agents.end) })
}

// TestStuckGatewayHoldsUpFew: however many sign on, or change their passwords, at a gateway
// that does not answer, from one network or from a hundred, so many are under way; others are
// told to come again, nothing is written of them, and people of another gateway, of another
// environment, or of another network sign on meanwhile.
func TestStuckGatewayHoldsUpFew(t *testing.T) {
	everywhere := func(i int) string { return fmt.Sprintf("10.0.%d.%d", i%100, i/100) }
	for name, from := range map[string]func(int) string{
		"one-network":        func(int) string { return "192.0.2.1" },
		"one-neighbourhood":  func(i int) string { return fmt.Sprintf("192.0.2.%d", i%200) },
		"a-hundred-networks": everywhere,
	} {
		t.Run(name, func(t *testing.T) {
			c, bounds, end := besieged(t)
			defer end()
			var all sync.WaitGroup
			var mu sync.Mutex
			full, others := 0, 0
			for i := range 300 {
				all.Go(func() {
					var err error
					if i%2 == 0 {
						_, err = c.SignOn(t.Context(), Request{
							EnvironmentID: c.env, Username: fmt.Sprint("a", i), Password: []byte("x"), Address: from(i),
						})
					} else {
						_, err = c.ChangePassword(t.Context(), ChangeRequest{
							EnvironmentID: c.env, Username: fmt.Sprint("a", i), Old: []byte("x"), New: []byte("y"), Address: from(i),
						})
					}
					mu.Lock()
					defer mu.Unlock()
					switch {
					case errors.Is(err, throttle.ErrFull):
						full++
					case err != nil:
						t.Error(err)
					default:
						others++
					}
				})
			}
			refused := func() int {
				return bounds.Of(throttle.SignOns).Total() + bounds.Of(throttle.GatewaySignOns).Total()
			}
			await(t, func() bool {
				busy, _ := c.UnderWay.UnderWay()
				return busy <= 12 && busy+refused() == 300
			})
			signOns, activities := c.written()
			if busy, _ := c.UnderWay.UnderWay(); busy > 12 || signOns+activities != 0 {
				t.Errorf("%d are under way, %d and %d rows were written", busy, signOns, activities)
			}
			another := store.Environment{Name: "Another"}
			must(t, c.Store.CreateEnvironment(t.Context(), &another))
			for _, honest := range []Request{
				{EnvironmentID: c.env, Username: "bob", Address: "198.51.100.1"},
				{EnvironmentID: another.ID, Username: "ada", Address: "198.51.100.2"},
				{EnvironmentID: c.env, Username: "ben", Actor: "client:1"},
			} {
				honest.Password = []byte("x")
				so, err := c.SignOn(t.Context(), honest)
				if err != nil || so.Outcome != wire.OutcomeNoSuchUser.String() {
					t.Errorf("%s of %s: %v %v", honest.Username, honest.EnvironmentID, so.Outcome, err)
				}
			}
			end()
			all.Wait()
			if full != refused() || full+others != 300 || full < 280 {
				t.Errorf("%d were refused, %d counted, %d were answered", full, refused(), others)
			}
			for _, q := range []*throttle.Queue{c.UnderWay, c.AtGateway} {
				if busy, waiting := q.UnderWay(); busy != 0 || waiting != 0 {
					t.Errorf("%d and %d are left", busy, waiting)
				}
			}
		})
	}
}

// await waits for a condition, for ten seconds at most.
func await(t *testing.T, is func() bool) {
	t.Helper()
	tick, end := time.NewTicker(5*time.Millisecond), time.NewTimer(10*time.Second)
	defer tick.Stop()
	defer end.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-end.C:
			t.Fatal("it does not come to pass")
		}
	}
}

// TestTriesAreCounted: whoever waits for wrong passwords, theirs or their network's, is counted
// once by the bound, and what is not written by another.
func TestTriesAreCounted(t *testing.T) {
	c, bounds := newCloud(t), &throttle.Bounds{}
	c.Bounds = bounds
	c.agents.answers[c.first.ID] = wire.SignOnResult{Outcome: wire.OutcomeNoSuchUser}
	c.agents.answers[c.second.ID] = wire.SignOnResult{Outcome: wire.OutcomeNoSuchUser}
	for range wrongPerPerson + keptThrottled + 5 {
		_, err := c.SignOn(t.Context(), Request{
			EnvironmentID: c.env, Username: "nobody", Password: []byte("x"), Address: "192.0.2.1",
		})
		must(t, err)
	}
	n, network := bounds.Of(throttle.Tries).Lately(time.Now())
	if n != keptThrottled+5 || network != "192.0.2.1" || bounds.Of(throttle.Unwritten).Total() != 5 {
		t.Errorf("%d of %s, %d unwritten", n, network, bounds.Of(throttle.Unwritten).Total())
	}
}
