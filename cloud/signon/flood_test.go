package signon

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
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

// TestManyAtOnceOverNodes: of wrong passwords for one name that come to all nodes at once as many are
// tried as may be wrong, and two for each further node at most, which has not heard yet; right ones all
// sign on.
func TestManyAtOnceOverNodes(t *testing.T) {
	for n := range 5 {
		c := newCloud(t)
		counting := &countingAgents{answer: wire.SignOnResult{Outcome: wire.OutcomeInvalidCredentials, BindSent: true}}
		nodes := c.nodes(n+1, counting)
		crowd := func(name string) (outcomes map[string]int) {
			outcomes = map[string]int{}
			var all sync.WaitGroup
			var mu sync.Mutex
			for i := range 200 {
				all.Go(func() {
					so, err := nodes[i%len(nodes)].SignOn(t.Context(), Request{
						EnvironmentID: c.env, Username: name, Password: []byte("x"), Address: fmt.Sprintf("2001:db8:%x::1", i),
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
		got := crowd("nobody")
		if tried := got["invalidCredentials"]; tried < wrongPerPerson || tried > wrongPerPerson+2*n || int(counting.asked.Load()) != tried {
			t.Errorf("%d nodes: %v", n+1, got)
		}
		counting.answer = right("ada", "1")
		if got := crowd("ada"); got["ok"] != 200 {
			t.Errorf("%d nodes, who is right: %v", n+1, got)
		}
	}
}

// nodes are so many of one cloud, which hear of each other's tries at once.
func (c *cloud) nodes(n int, agents Agents) []*Service {
	nodes := make([]*Service, n)
	for i := range nodes {
		nodes[i] = &Service{Store: c.Store, Agents: agents, Provisioner: c.Provisioner, Logger: c.Logger}
		nodes[i].Nodes = func() int { return n }
		nodes[i].Tell = func(t hub.Try) {
			for j, other := range nodes {
				if j != i {
					other.Hear(t)
				}
			}
		}
	}
	return nodes
}

// TestNodesHearOfTries: wrong passwords for a name count at each node, whether somebody has it or not,
// so that where one waits and where not says nothing; those from one network do as well. What was
// right takes back what was counted everywhere.
func TestNodesHearOfTries(t *testing.T) {
	c := newCloud(t)
	c.agents.answers[c.first.ID] = right("ada", "1")
	c.signOn("ada", "right")
	wrong := &countingAgents{answer: wire.SignOnResult{Outcome: wire.OutcomeNoSuchUser}}
	nodes := c.nodes(3, wrong)
	addresses := 0
	try := func(node int, name, address string) (outcome string) {
		t.Helper()
		if addresses++; address == "" {
			address = fmt.Sprintf("2001:db8:%x::1", addresses)
		}
		so, err := nodes[node].SignOn(t.Context(), Request{
			EnvironmentID: c.env, Username: name, Password: []byte("x"), Address: address,
		})
		must(t, err)
		return so.Outcome
	}
	for _, name := range []string{"ada", "nobody", "ADA ", "Ñandú", "nobody@example.org", "\u200b"} {
		for i := range wrongPerPerson {
			if got := try(i%2, name, ""); name != "ADA " && got != "noSuchUser" {
				t.Errorf("try %d of %q: %s", i, name, got)
			}
		}
		for node := range nodes {
			if got := try(node, name, ""); got != "busy" {
				t.Errorf("node %d takes another try of %q: %s", node, name, got)
			}
		}
	}
	for i := range wrongPerAddress {
		try(i%2, fmt.Sprint("somebody-", i), "192.0.2.7")
	}
	if got := try(2, "somebody else", "192.0.2.7"); got != "busy" {
		t.Errorf("a network: %s", got)
	}
	for range wrongPerPerson - 1 {
		try(0, "bob", "")
	}
	wrong.answer = right("bob", "2")
	if got := try(1, "bob", ""); got != "ok" {
		t.Fatal(got)
	}
	wrong.answer = wire.SignOnResult{Outcome: wire.OutcomeInvalidCredentials, BindSent: true}
	for i := range wrongPerPerson {
		if got := try(i%3, "bob", ""); got != "invalidCredentials" {
			t.Errorf("after bob was right, try %d: %s", i, got)
		}
	}
}

// TestWaitingEndsAlike: the waiting after wrong passwords ends as soon for a name that somebody has as
// for one that nobody has, whatever was tried before with others.
func TestWaitingEndsAlike(t *testing.T) {
	c := newCloud(t)
	c.agents.answers[c.first.ID] = right("ada", "1")
	c.signOn("ada", "right")
	c.Agents = &countingAgents{answer: wire.SignOnResult{Outcome: wire.OutcomeNoSuchUser}}
	start := time.Now()
	now := start
	c.Now = func() time.Time { return now }
	try := func(name string, after time.Duration) (outcome string) {
		t.Helper()
		now = start.Add(after)
		so, err := c.SignOn(t.Context(), Request{EnvironmentID: c.env, Username: name, Password: []byte("x"), Actor: "client:1"})
		must(t, err)
		return so.Outcome
	}
	try("somebody else", 0)
	const first = 3 * time.Minute
	for _, name := range []string{"ada", "nobody"} {
		for range wrongPerPerson {
			try(name, first)
		}
	}
	for after, want := range map[time.Duration]string{
		first + time.Second:                  "busy",
		throttleWindow:                       "busy",
		throttleWindow + time.Minute:         "busy",
		first + throttleWindow - time.Second: "busy",
	} {
		for _, name := range []string{"ada", "nobody"} {
			if got := try(name, after); got != want {
				t.Errorf("%s after %s: %s", name, after, got)
			}
		}
	}
	for _, name := range []string{"ada", "nobody"} {
		if got := try(name, first+throttleWindow); got != "noSuchUser" {
			t.Errorf("%s at the end: %s", name, got)
		}
	}
}

// TestLate: whoever waits longer than a sign-on may take is told to come again, and that nothing is
// wrong with the cloud; whoever went away is not.
func TestLate(t *testing.T) {
	gone, leave := context.WithCancel(t.Context())
	leave()
	over, end := context.WithTimeout(t.Context(), 0)
	defer end()
	for name, c := range map[string]struct {
		caller, ctx context.Context
		err         error
		full        bool
	}{
		"nothing is wrong":      {t.Context(), over, nil, false},
		"waiting for a turn":    {t.Context(), over, context.DeadlineExceeded, true},
		"the database took it":  {t.Context(), over, fmt.Errorf("%w: %w", store.ErrUnavailable, context.DeadlineExceeded), true},
		"the caller went":       {gone, gone, context.Canceled, false},
		"the caller's own end":  {over, over, context.DeadlineExceeded, false},
		"the database, in time": {t.Context(), t.Context(), store.ErrUnavailable, false},
	} {
		got := late(c.caller, c.ctx, c.err)
		if errors.Is(got, throttle.ErrFull) != c.full || (got == nil) != (c.err == nil) ||
			c.full && errors.Is(got, store.ErrUnavailable) {
			t.Errorf("%s: %v", name, got)
		}
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
