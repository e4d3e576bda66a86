package hub

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"ldap-gateway/cloudlink/wire"
)

// TestDeadNodesLinkIsNoTwin: a link of a node that died does not make the instance's
// next one look like that of a second machine, however far that node's clock was ahead.
func TestDeadNodesLinkIsNoTwin(t *testing.T) {
	const heartbeat = 10 * time.Second
	for ahead := range 60 {
		deadNode(t, heartbeat, time.Duration(ahead)*time.Second)
	}
}

func deadNode(t *testing.T, heartbeat, ahead time.Duration) {
	t.Helper()
	start := time.Now()
	p := presence{life: 3 * heartbeat}
	old := Live{Link: "old", Instance: "i", Gateway: "g", Since: start.Add(ahead)}
	p.note(old, start)
	now := start.Add(time.Second)
	live := Live{Link: "new", Instance: "i", Gateway: "g", Since: now}
	for range 100 {
		now = now.Add(time.Second)
		p.note(live, now)
		if _, twin := p.twin(live, now.Add(-2*heartbeat)); twin {
			t.Fatalf("ahead by %s, it is a twin after %s", ahead, now.Sub(start))
		}
	}
	p.note(old, now)
	if _, twin := p.twin(live, now.Add(-2*heartbeat)); twin != old.Since.After(live.Since) {
		t.Errorf("ahead by %s, one that lives is a twin: %t", ahead, twin)
	}
}

// TestACopyThatLeavesIsATwin: a link that came after another one of its instance, and ended, is that of a second machine
// once the older one has gone on for two heartbeats, however short it was and whether or not it said that it leaves.
func TestACopyThatLeavesIsATwin(t *testing.T) {
	const heartbeat = 10 * time.Second
	for stays := range 40 {
		for _, ahead := range []time.Duration{-time.Minute, 0, time.Minute} {
			for _, leaves := range []bool{false, true} {
				copied(t, heartbeat, time.Duration(stays)*time.Second, ahead, leaves)
			}
		}
	}
}

// copied has a copy come a minute after the original, at a node whose clock is ahead by so much, and stay for so long.
func copied(t *testing.T, heartbeat, stays, ahead time.Duration, leaves bool) {
	t.Helper()
	start := time.Now()
	p := presence{life: 3 * heartbeat}
	old := Live{Link: "old", Instance: "i", Gateway: "g", Since: start}
	p.note(old, start)
	now := start.Add(time.Minute)
	twin := Live{Link: "twin", Instance: "i", Gateway: "g", Since: now.Add(ahead)}
	p.note(twin, now)
	twin.Leaving = leaves
	p.note(twin, now.Add(stays))
	twin.Over = true
	p.note(twin, now.Add(stays))
	from := now
	found := false
	for now = from.Add(stays); now.Before(from.Add(3 * time.Minute)); now = now.Add(heartbeat) {
		p.note(old, now)
		_, is := p.twin(old, now.Add(-2*heartbeat))
		if is && now.Sub(from) < heartbeat {
			t.Fatalf("found after %s", now.Sub(from))
		}
		found = found || is
	}
	if !found && ahead >= 0 {
		t.Errorf("one that stayed for %s, ahead by %s, leaving %t, was not found", stays, ahead, leaves)
	}
	p.note(Live{Link: "old", Instance: "i", Gateway: "g", Since: start, Over: true}, now)
	if len(p.gone) > 0 {
		t.Error("it is kept for ever")
	}
}

// What is known of links is the same however they came and went: it is held against a list
// of all that was said, which is walked each time.
func TestPresenceIsWhatWasSaid(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	now := time.Now()
	p := presence{life: time.Minute, node: "here"}
	said := map[string]Live{}
	for step := range 3000 {
		now = now.Add(time.Duration(random.IntN(500)) * time.Millisecond)
		instance := random.IntN(12)
		l := Live{
			Link:     fmt.Sprintf("l%d.%d", instance, random.IntN(3)),
			Instance: fmt.Sprintf("i%d", instance),
			Gateway:  fmt.Sprintf("g%d", instance%3),
			NodeID:   []string{"here", "there"}[random.IntN(2)],
			Since:    now.Add(-time.Duration(random.IntN(100)) * time.Second),
			Leaving:  random.IntN(8) == 0,
			Over:     random.IntN(5) == 0,
			Refused:  []wire.Refused{{ID: []string{"t", "u"}[random.IntN(2)]}},
			Beat:     wire.Heartbeat{BusyPercent: uint8(random.IntN(100))},
		}
		p.note(l, now)
		l.HeardAt = now
		if said[l.Link] = l; l.Over {
			delete(said, l.Link)
		}
		for _, gateway := range []string{"g0", "g1", "g2"} {
			best, ok := p.best(gateway, "t", nil, true, now)
			live := newestOf(said, gateway, now, p.life)
			if got := p.of(gateway, now); !reflect.DeepEqual(linksOf(got), live) {
				t.Fatalf("step %d, %s: %v, said was %v", step, gateway, linksOf(got), live)
			}
			usable := slices.ContainsFunc(live, func(link string) bool { return !said[link].Leaving })
			if ok != usable || ok && !slices.Contains(live, best.Link) {
				t.Fatalf("step %d, %s: best is %+v, %t", step, gateway, best.Link, ok)
			}
		}
	}
	for link := range said {
		p.note(Live{Link: link, Instance: said[link].Instance, Gateway: said[link].Gateway, Over: true}, now)
	}
	p.note(Live{Link: "never", Instance: "was", Gateway: "there", Over: true}, now)
	if len(p.links)+len(p.gateways)+len(p.inFlight) > 0 {
		t.Errorf("%v %v %v are left", p.links, p.gateways, p.inFlight)
	}
}

// newestOf returns the links to be used of a gateway, by instance.
func newestOf(said map[string]Live, gateway string, now time.Time, life time.Duration) (links []string) {
	newest := map[string]Live{}
	for _, l := range said {
		if l.Gateway != gateway || now.Sub(l.HeardAt) > life {
			continue
		}
		if n, ok := newest[l.Instance]; !ok || better(&l, &n) {
			newest[l.Instance] = l
		}
	}
	for _, id := range slices.Sorted(maps.Keys(newest)) {
		links = append(links, newest[id].Link)
	}
	return links
}

func linksOf(all []Live) (links []string) {
	for _, l := range all {
		links = append(links, l.Link)
	}
	return links
}

// Of very many instances the ones that are bad for any reason are asked last.
func TestBestOfVeryMany(t *testing.T) {
	now := time.Now()
	for name, bad := range map[string]Live{
		"refuses":    {NodeID: "here", Refused: []wire.Refused{{ID: "t"}}},
		"sick":       {NodeID: "here", Beat: wire.Heartbeat{Problems: []wire.Problem{{}}}},
		"other node": {NodeID: "there"},
		"busy":       {NodeID: "here", Beat: wire.Heartbeat{BusyPercent: 99}},
		"leaving":    {NodeID: "here", Leaving: true},
	} {
		p := presence{life: time.Minute, node: "here"}
		for i := range 5000 {
			l := bad
			if i%1000 == 0 {
				l = Live{NodeID: "here"}
			}
			l.Link, l.Instance, l.Gateway = fmt.Sprint("l", i), fmt.Sprint("i", i), "g"
			p.note(l, now)
		}
		for range 20 {
			best, ok := p.best("g", "t", nil, true, now)
			if n, _ := strconv.Atoi(best.Link[1:]); !ok || n%1000 != 0 {
				t.Errorf("%s: %s was the best", name, best.Link)
			}
		}
	}
}

// BenchmarkPresence is what each sign-on and each heartbeat ask of it.
func BenchmarkPresence(b *testing.B) {
	for _, links := range []int{10, 10_000} {
		p := presence{life: time.Minute, node: "here"}
		now := time.Now()
		for i := range links {
			p.note(Live{Link: fmt.Sprint(i), Instance: fmt.Sprint(i), Gateway: "g", NodeID: "here"}, now)
		}
		b.Run(fmt.Sprint("SignOn/", links), func(b *testing.B) {
			for b.Loop() {
				p.best("g", "t", nil, true, now)
			}
		})
		b.Run(fmt.Sprint("Heartbeat/", links), func(b *testing.B) {
			l := Live{Link: "7", Instance: "7", Gateway: "g", NodeID: "here"}
			for b.Loop() {
				p.note(l, now)
				p.twin(l, now)
			}
		})
	}
}

// Of a gateway with very many instances few are asked again and again, and the others now and then; who has gone, leaves
// or was tried is not, and many requests at once are spread.
func TestFewOfVeryManyAreAsked(t *testing.T) {
	for _, many := range []int{enough, enough + 1, 3 * enough, 1000} {
		t.Run(strconv.Itoa(many), func(t *testing.T) { askVeryMany(t, many) })
	}
}

func askVeryMany(t *testing.T, many int) {
	now := time.Now()
	p := presence{life: time.Minute, node: "here"}
	link := func(i int) Live {
		id := strconv.Itoa(i)
		return Live{Link: id, Instance: id, Gateway: "g", NodeID: "here", Since: now}
	}
	for i := range many {
		p.note(link(i), now)
	}
	asked := map[string]int{}
	ask := func(tried map[string]bool) string {
		l, ok := p.best("g", "t", tried, true, now)
		if !ok || tried[l.Link] {
			t.Fatalf("asked is %q, %t", l.Link, ok)
		}
		return l.Link
	}
	const requests = 4000
	for range requests {
		asked[ask(nil)]++
	}
	if most := remembered + 2*requests/elsewhere; len(asked) > most || many > enough && len(asked) < min(many, remembered)/2 {
		t.Errorf("%d of %d are asked, want up to %d", len(asked), many, most)
	}
	var done []func()
	busiest := 0
	for range 2 * enough {
		link := ask(nil)
		done = append(done, p.asking(link))
		busiest = max(busiest, p.inFlight[link])
	}
	if most := (2*enough + many - 1) / many; busiest > most {
		t.Errorf("%d of %d requests at once are at one of %d", busiest, 2*enough, many)
	}
	for _, end := range done {
		end()
	}
	tried := map[string]bool{}
	for range mostTries {
		tried[ask(tried)] = true
	}
	for i := range many - 1 { // all but the last go
		l := link(i)
		l.Leaving, l.Over = i%2 == 0, i%2 == 1
		p.note(l, now)
		for range 3 {
			if got := ask(nil); got == strconv.Itoa(i) {
				t.Fatalf("%s has gone", got)
			}
		}
	}
	if got := ask(nil); got != strconv.Itoa(many-1) {
		t.Errorf("%s is asked, which has gone", got)
	}
}
