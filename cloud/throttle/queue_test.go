package throttle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// crowd has each of many enter a queue in a goroutine of their own, one after the other, and
// keeps who got in, in that order.
type crowdOf struct {
	t *testing.T
	q *Queue

	mu    sync.Mutex // against those who get in or are sent away at once; between steps nobody is
	in    []string
	full  []string
	leave map[string]func()
}

func newCrowd(t *testing.T, q *Queue) *crowdOf {
	return &crowdOf{t: t, q: q, leave: map[string]func(){}}
}

// comes has somebody of "owner network name" come; within a bubble of synctest.
func (c *crowdOf) comes(ctx context.Context, all ...string) {
	c.t.Helper()
	for _, who := range all {
		of := strings.Fields(who)
		go func() {
			leave, err := c.q.Enter(ctx, Who{Owner: of[0], Network: of[1], Name: of[2]})
			c.mu.Lock()
			defer c.mu.Unlock()
			if err != nil {
				c.full = append(c.full, who)
				return
			}
			c.in = append(c.in, who)
			c.leave[who] = leave
		}()
		synctest.Wait()
	}
}

// leaves has somebody end what is under way, and then whoever comes next, until nobody is left.
func (c *crowdOf) leaves(who string) {
	for i := slices.Index(c.in, who); i < len(c.in); i++ {
		c.leave[c.in[i]]()
		synctest.Wait()
	}
}

// Names of networks: of is one of a neighbourhood of its own.
func net4(of, host int) string { return fmt.Sprintf("10.%d.%d.%d", of/256, of%256, host) }

// TestQueueIsFair: the order in which those who wait get in is that of what owners,
// neighbourhoods, networks and names have, and not that in which they came.
func TestQueueIsFair(t *testing.T) {
	tests := map[string]struct {
		come, order []string
	}{
		"neighbourhoods take turns": {
			[]string{"e 10.0.0.1 a", "e 10.0.0.1 b", "e 10.0.0.2 c", "e 10.0.9.1 z"},
			[]string{"e 10.0.9.1 z", "e 10.0.0.2 c", "e 10.0.0.1 b", "e 10.0.0.1 a"},
		},
		"of IPv6 as well": {
			[]string{"e 2001:db8::/64 a", "e 2001:db8:0:1::/64 b", "e 2001:db8:1::/64 z"},
			[]string{"e 2001:db8:1::/64 z", "e 2001:db8:0:1::/64 b", "e 2001:db8::/64 a"},
		},
		"owners before all": {
			[]string{"e 10.0.0.1 a", "e 10.0.1.1 b", "f 10.0.2.1 c", "f 10.0.3.1 d", "g 10.0.0.1 z"},
			[]string{"g 10.0.0.1 z", "f 10.0.3.1 d", "e 10.0.1.1 b", "f 10.0.2.1 c", "e 10.0.0.1 a"},
		},
		"names of a network": {
			[]string{"e 10.0.0.1 a", "e 10.0.0.1 a", "e 10.0.0.1 b", "e 10.0.0.1 a"},
			[]string{"e 10.0.0.1 b", "e 10.0.0.1 a", "e 10.0.0.1 a", "e 10.0.0.1 a"},
		},
		"of equals the newest": {
			[]string{"e 10.0.1.1 a", "e 10.0.2.1 b", "e 10.0.3.1 c"},
			[]string{"e 10.0.3.1 c", "e 10.0.2.1 b", "e 10.0.1.1 a"},
		},
	}
	for name, c := range tests {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				crowd := newCrowd(t, &Queue{Places: 1, Waiting: 100, Patience: time.Minute, Memory: time.Hour})
				crowd.comes(t.Context(), "- - -")
				crowd.comes(t.Context(), c.come...)
				crowd.leaves("- - -")
				if got := crowd.in[1:]; !slices.Equal(got, c.order) {
					t.Errorf("%q, want %q", got, c.order)
				}
				if busy, waiting := crowd.q.UnderWay(); busy != 0 || waiting != 0 {
					t.Errorf("%d and %d are left", busy, waiting)
				}
			})
		})
	}
}

// TestQueueRemembersTurns: whoever had turns comes after who had none, until they are
// forgotten, or forgiven.
func TestQueueRemembersTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const a, b, c = "e 10.0.1.1 a", "e 10.0.2.1 b", "e 10.0.3.1 c"
		q := &Queue{Places: 1, Waiting: 100, Patience: time.Minute, Memory: time.Hour}
		first := func(all ...string) string {
			t.Helper()
			crowd := newCrowd(t, q)
			crowd.comes(t.Context(), "- - -")
			crowd.comes(t.Context(), all...)
			crowd.leaves("- - -")
			return crowd.in[1]
		}
		if got := first(a, b); got != b {
			t.Errorf("%s before anybody had a turn", got)
		}
		if got := first(c, a, b); got != c {
			t.Errorf("%s before who had none", got)
		}
		q.Forgive(Who{Owner: "e", Network: "10.0.1.1", Name: "a"})
		if got := first(a, b, c); got != a {
			t.Errorf("%s before who was forgiven", got)
		}
		first(c)
		time.Sleep(time.Hour)
		if got := first(a, b, c); got != c {
			t.Errorf("%s when all was forgotten", got)
		}
	})
}

// TestQueueHasRoom: however many come, from one network, one neighbourhood, a hundred or for one owner, so many are
// under way, so many more wait, and somebody of elsewhere gets in or is next.
func TestQueueHasRoom(t *testing.T) {
	tests := map[string]struct {
		q      *Queue
		of     func(i int) string
		begun  int
		honest string
	}{
		"one network":        {&Queue{Places: 100, OfOwner: 80, OfNear: 40, OfNetwork: 20}, func(int) string { return "e 10.0.0.1 a" }, 20, "e 10.0.0.2 z"},
		"one neighbourhood":  {&Queue{Places: 100, OfOwner: 80, OfNear: 40, OfNetwork: 20}, func(i int) string { return "e " + net4(0, i%200) + " a" }, 40, "e 10.0.1.1 z"},
		"a hundred networks": {&Queue{Places: 200, OfOwner: 100, Spare: true}, func(i int) string { return "e " + net4(i%100, 1) + " a" }, 100, "e 11.0.0.1 z"},
		"one owner":          {&Queue{Places: 100, OfOwner: 50}, func(i int) string { return "e " + net4(i, 1) + " a" }, 50, "f 10.0.0.1 z"},
		"many owners":        {&Queue{Places: 200, OfOwner: 150, Spare: true}, func(i int) string { return fmt.Sprint(i%2, " ", net4(i%100, 1), " a") }, 200, "2 11.0.0.1 z"},
	}
	for name, c := range tests {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c.q.Waiting, c.q.Patience = 60, time.Minute
				var bounds Bounds
				c.q.Bound = bounds.Of(SignOns)
				crowd := newCrowd(t, c.q)
				ctx, cancel := context.WithCancel(t.Context())
				for i := range 1000 {
					crowd.comes(ctx, c.of(i))
				}
				if len(crowd.in) != c.begun || len(crowd.full) < 1000-c.begun-60 {
					t.Errorf("%d began, %d were refused", len(crowd.in), len(crowd.full))
				}
				if n := bounds.Of(SignOns).Total(); n != len(crowd.full) {
					t.Errorf("%d were counted of %d", n, len(crowd.full))
				}
				crowd.comes(ctx, c.honest)
				if last := crowd.in[len(crowd.in)-1]; last != c.honest {
					t.Errorf("somebody of elsewhere waits, after %s", last)
				}
				cancel()
				synctest.Wait()
				if _, waiting := c.q.UnderWay(); waiting != 0 {
					t.Errorf("%d wait for ever", waiting)
				}
			})
		})
	}
}

// TestQueueDropsWhoHasMost: where too many wait it is one of those who have the most that
// goes, and not who came last.
func TestQueueDropsWhoHasMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		crowd := newCrowd(t, &Queue{Places: 1, Waiting: 8, Patience: time.Minute})
		ctx, cancel := context.WithCancel(t.Context())
		crowd.comes(ctx, "- - -")
		for i := range 20 {
			crowd.comes(ctx, fmt.Sprint(i%2, " 10.0.0.1 ", i))
		}
		for i := range 3 {
			crowd.comes(ctx, fmt.Sprint("2 ", net4(1+i, 1), " z"))
		}
		for _, who := range crowd.full {
			if strings.HasPrefix(who, "2") {
				t.Errorf("%s was sent away", who)
			}
		}
		crowd.leave["- - -"]()
		synctest.Wait()
		if crowd.in[1] != "2 10.0.3.1 z" {
			t.Error(crowd.in)
		}
		cancel()
		synctest.Wait()
	})
}

// TestQueueHasAnEnd: who waits too long is told, and who goes away is forgotten.
func TestQueueHasAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &Queue{Places: 1, Waiting: 10, Patience: 5 * time.Second}
		leave, err := q.Enter(t.Context(), Who{})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := q.Enter(t.Context(), Who{}); !errors.Is(err, ErrFull) || time.Since(start) != 5*time.Second {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := q.Enter(ctx, Who{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		leave()
		leave() // once more is nothing
		if busy, waiting := q.UnderWay(); busy != 0 || waiting != 0 {
			t.Errorf("%d and %d", busy, waiting)
		}
		for level, l := range q.loads {
			if len(l) != 0 {
				t.Errorf("of level %d %d are kept", level, len(l))
			}
		}
		if _, err := q.Enter(ctx, Who{}); err == nil {
			t.Error("who has gone gets in")
		}
		var none *Queue
		if leave, err := none.Enter(t.Context(), Who{}); err != nil || leave == nil {
			t.Error(err)
		}
	})
}
