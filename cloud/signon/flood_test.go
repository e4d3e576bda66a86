package signon

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloudlink/wire"
)

// written counts sign-ons and activities of the environment.
func (c *cloud) written() (signOns, activities int) {
	c.t.Helper()
	page := store.Page{Limit: store.MaxLimit}
	for {
		all, next, err := c.Store.SignOns(c.t.Context(), c.env, store.SignOnFilter{}, page)
		must(c.t, err)
		if signOns += len(all); next == "" {
			break
		}
		page.Cursor = next
	}
	page = store.Page{Limit: store.MaxLimit}
	for {
		all, next, err := c.Store.Activities(c.t.Context(), c.env, store.ActivityFilter{}, page)
		must(c.t, err)
		if activities += len(all); next == "" {
			return signOns, activities
		}
		page.Cursor = next
	}
}

// TestStrangersFillNoDisk: however many sign-ons and changes of passwords are refused, of
// names that nobody has, of one that waits, from one network and from everywhere, so many
// are written, and that there were more is told once. Who signs on is written as ever.
func TestStrangersFillNoDisk(t *testing.T) {
	c := newCloud(t)
	counted := 0
	c.Service.Counted = func(store.SignOn) { counted++ }
	c.agents.answers[c.first.ID] = right("ada", "1")
	c.signOn("ada", "right")
	c.agents.answers[c.first.ID] = wire.SignOnResult{Outcome: wire.OutcomeNoSuchUser}
	c.agents.answers[c.second.ID] = wire.SignOnResult{Outcome: wire.OutcomeNoSuchUser}
	try := func(name, address string) {
		t.Helper()
		_, err := c.SignOn(t.Context(), Request{
			EnvironmentID: c.env, Username: name, Password: []byte("guess"), Address: address,
		})
		must(t, err)
	}
	for i := range 400 {
		try(fmt.Sprintf("somebody-%d", i), fmt.Sprintf("2001:db8:%x::1", i)) // from everywhere
		try("nobody", fmt.Sprintf("2001:db8:ffff:%x::1", i))                 // one name
		try(fmt.Sprintf("other-%d", i), "2001:db8::1")                       // from one network
		c.change(fmt.Sprintf("changer-%d", i), "guess", "new")
		try("", "")
	}
	signOns, activities := c.written()
	if most := keptStrangers + keptThrottled + 1; signOns > most || activities > most+10 {
		t.Errorf("%d sign-ons and %d activities are written, want %d at most", signOns, activities, most)
	}
	if counted != 1601 {
		t.Errorf("%d sign-ons were counted", counted)
	}
	told, _, err := c.Store.Activities(t.Context(), c.env, store.ActivityFilter{Action: "sign-on.unwritten"}, store.Page{Limit: 10})
	if err != nil || len(told) != 2 {
		t.Errorf("%d were told of, %v", len(told), err)
	}
	c.agents.answers[c.first.ID] = right("bob", "2")
	try("bob", "198.51.100.7")
	if now, _ := c.written(); now != signOns+1 {
		t.Errorf("who signs on is not written: %d after %d", now, signOns)
	}
}

// TestManyAtOnceHaveNoMoreTries: of two hundred wrong passwords at once ten are tried, and
// at another node none; two hundred right ones all sign on.
func TestManyAtOnceHaveNoMoreTries(t *testing.T) {
	c := newCloud(t)
	c.agents.answers[c.first.ID] = right("ada", "1")
	c.signOn("ada", "right")
	counting := &countingAgents{answer: wire.SignOnResult{Outcome: wire.OutcomeInvalidCredentials, BindSent: true}}
	c.Service.Agents = counting
	crowd := func(s *Service) (outcomes map[string]int) {
		t.Helper()
		outcomes = map[string]int{}
		var all sync.WaitGroup
		var mu sync.Mutex
		for i := range 200 {
			all.Go(func() {
				so, err := s.SignOn(t.Context(), Request{
					EnvironmentID: c.env, Username: "ada", Password: []byte("x"), Address: fmt.Sprintf("2001:db8:%x::1", i),
				})
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				outcomes[so.Outcome]++
				mu.Unlock()
			})
		}
		all.Wait()
		return outcomes
	}
	if got := crowd(c.Service); got["invalidCredentials"] != wrongPerPerson || counting.asked.Load() != wrongPerPerson {
		t.Errorf("%v, asked %d times", got, counting.asked.Load())
	}
	another := &Service{Store: c.Store, Agents: counting, Provisioner: c.Provisioner, Logger: c.Logger}
	if got := crowd(another); got["busy"] != 200 {
		t.Errorf("another node: %v", got)
	}
	counting.answer = right("ada", "1")
	later := &Service{Store: c.Store, Agents: counting, Provisioner: c.Provisioner, Logger: c.Logger}
	later.Now = func() time.Time { return time.Now().Add(throttleWindow) }
	if got := crowd(later); got["ok"] != 200 {
		t.Errorf("who is right: %v", got)
	}
}

// countingAgents answers alike, however many ask at once.
type countingAgents struct {
	agents
	answer wire.SignOnResult
	asked  atomic.Int64
}

func (a *countingAgents) SignOn(context.Context, hub.Request) hub.Answer {
	a.asked.Add(1)
	return hub.Answer{SignOnResult: a.answer, Instance: "i"}
}
