package simulation

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloudlink/wire"
)

var (
	simulated     = flag.Int("steps", 20_000, "steps of the simulated world")
	simulatedSeed = flag.Uint64("simulation", uint64(time.Now().UnixNano()), "seed of the simulated world")
)

// TestSimulation lets a world of people, groups, access rules, two directory servers
// and two instances change at random, and compares each record with what the
// directory has ever shown: nothing is taken away while it is true, nothing added
// that never was, no password bound for twice, nothing acknowledged lost, and a
// record follows once all can be seen.
func TestSimulation(t *testing.T) {
	w := newSimulation(t, *simulatedSeed)
	w.live(*simulated)
	if len(w.wrong) > 0 {
		t.Fatalf("seed %d, step %d:\n%s", *simulatedSeed, w.step, strings.Join(w.wrong, "\n"))
	}
	t.Logf("seed %d: %d steps, %d sign-ons, %d ok; %d joined, %d left, %d doubted, %d times all was as it is",
		*simulatedSeed, w.step, w.acknowledged, w.ok, w.joined, w.left, w.doubted, w.whole)
	if *simulated >= 1000 && (w.joined == 0 || w.left == 0 || w.doubted == 0 || w.whole == 0 ||
		w.ok < w.acknowledged/4) {
		t.Error("too little happened for it to show anything")
	}
}

// TestSimulationFindsFaults plants a fault of each kind, and has the model find it.
func TestSimulationFindsFaults(t *testing.T) {
	for name, c := range map[string]struct {
		plant func(*simulation)
		says  string
	}{
		"absence-is-evidence": {func(w *simulation) {
			w.plantedLook = func(q hub.Look) []wire.Sight {
				return slices.Repeat([]wire.Sight{{Finding: wire.FindingSeen}}, len(q.Groups))
			}
		}, "was taken away"},
		"made-up-group": {func(w *simulation) {
			w.plantedAnswer = func(r *wire.SignOnResult) {
				if r.Membership != nil {
					r.Membership.Groups = append(
						r.Membership.Groups,
						wire.Group{DN: "cn=made-up,ou=groups,dc=x", Name: "made-up"},
					)
				}
			}
		}, "never had"},
		"second-bind":   {func(w *simulation) { w.plantedTwice = true }, "binds"},
		"lost-sign-on":  {func(w *simulation) { w.plantedLoss = true }, "acknowledged"},
		"never-follows": {func(w *simulation) { w.plantedAnswer = func(r *wire.SignOnResult) { r.Membership = nil } }, "although all can be seen"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newSimulation(t, 1)
			c.plant(w)
			w.live(3000)
			if len(w.wrong) == 0 || !strings.Contains(strings.Join(w.wrong, "\n"), c.says) {
				t.Errorf("%d steps: %q", w.step, w.wrong)
			}
		})
	}
}

// live takes steps until something is wrong.
func (w *simulation) live(steps int) {
	for w.step = 0; w.step < steps && len(w.wrong) == 0; w.step++ {
		w.now = w.now.Add(time.Minute)
		switch n := w.r.IntN(100); {
		case n < 55:
			w.signOn(w.anyone())
		case n < 58:
			w.ticket(w.anyone())
		case n < 95:
			w.change()
		case n < 96:
			w.restartAgent(w.r.IntN(len(w.agents)))
		case n < 97:
			w.restartCloud()
		default:
			w.setUpdate(w.r.IntN(4) > 0) // mostly on: off, nothing happens
		}
	}
	w.countAcknowledged()
}

// change alters the directory, who sees what of it, or how it fails.
func (w *simulation) change() {
	g := w.groups[w.r.IntN(len(w.groups))]
	switch w.r.IntN(12) {
	case 0, 1, 2:
		w.setMember(g, w.anyone(), true)
	case 3, 4:
		w.setMember(g, w.anyone(), false)
	case 5:
		w.rename(g)
	case 6:
		w.removeGroup(g)
	case 7:
		w.hide(g, w.r.IntN(3))
	case 8:
		for _, g := range w.groups {
			w.hide(g, 0)
		}
	case 9:
		w.hide(g, 0)
	case 10:
		w.fail()
	default:
		w.heal()
	}
}

// signOn signs somebody on, well or badly, over a link that may break, and compares.
func (w *simulation) signOn(p string) {
	password := "right"
	if w.r.IntN(10) == 0 {
		password = "wrong"
	}
	w.broken = w.r.IntN(8)
	before, known := w.record(p)
	for _, s := range w.servers {
		s.Forget()
	}
	so := w.ask(p, password)
	after, _ := w.record(p)
	if n := w.binds(p); n > 1 {
		w.fault("%s: %d binds for one sign-on", p, n)
	}
	if so.Outcome == "ok" {
		w.ok++
	}
	if so.Outcome != "ok" && !maps.Equal(before, after) {
		w.fault(
			"%s: %s changed the record from %v to %v",
			p,
			so.Outcome,
			slices.Sorted(maps.Keys(before)),
			slices.Sorted(maps.Keys(after)),
		)
	}
	if so.Outcome == "ok" && known && !w.update && !maps.Equal(before, after) {
		w.fault("%s: updates are off, and the record changed", p)
	}
	w.compare(p, before, after)
	if so.Outcome == "ok" && (w.update || !known) && w.allCanBeSeen() && (w.broken == 0 || w.broken > 3) {
		w.whole++
		if truth := w.truth(p); !maps.Equal(after, truth) {
			w.fault(
				"%s has %v, and is in %v, although all can be seen",
				p,
				slices.Sorted(maps.Keys(after)),
				slices.Sorted(maps.Keys(truth)),
			)
		}
	}
}

// compare looks at each membership that is new or gone.
func (w *simulation) compare(p string, before, after map[string]bool) {
	for dn := range after {
		if !before[dn] {
			w.joined++
			if !w.shown[p][dn] {
				w.fault("%s joined %s, which never had them", p, dn)
			}
		}
	}
	for dn := range before {
		if !after[dn] {
			w.left++
			if w.truth(p)[dn] {
				w.fault("%s was taken away from %s, which has them", dn, p)
			}
		}
	}
}

// ticket is a sign-on that brings no record: it touches nothing.
func (w *simulation) ticket(p string) {
	before, known := w.record(p)
	w.recordTicket(p, known)
	if after, _ := w.record(p); !maps.Equal(before, after) {
		w.fault("%s: a ticket changed the record", p)
	}
}

func (w *simulation) countAcknowledged() {
	kept := 0
	page := store.Page{Limit: store.MaxLimit}
	for {
		list, next, err := w.db.SignOns(w.t.Context(), w.env, store.SignOnFilter{}, page)
		must(w.t, err)
		kept += len(list)
		if page.Cursor = next; next == "" {
			break
		}
	}
	if kept != w.acknowledged {
		w.fault("%d sign-ons were acknowledged, and %d are kept", w.acknowledged, kept)
	}
}

// fault notes what is wrong, with what happened before.
func (w *simulation) fault(format string, args ...any) {
	w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
	w.wrong = append(w.wrong, w.before...)
}

// note keeps what happened last.
func (w *simulation) note(format string, args ...any) {
	w.before = append(w.before, fmt.Sprintf("  %d: ", w.step)+fmt.Sprintf(format, args...))
	w.before = w.before[max(0, len(w.before)-mostBefore):]
}

const mostBefore = 40

func (w *simulation) anyone() string { return w.people[w.r.IntN(len(w.people))] }

func random(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 7)) }
