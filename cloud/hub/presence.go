package hub

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"ldap-gateway/cloudlink/wire"
)

// returnTime is how long a sign-on waits for an agent that has just gone, as at
// its restart, when there is no other.
const returnTime = 5 * time.Second

// Live is one live link, as any node knows it.
// It crosses the bus as JSON between nodes of different versions: fields are added and
// never renamed.
type Live struct {
	Link      string // unique for each connection
	Instance  string
	Gateway   string
	Node      string // that holds it, by name
	NodeID    string
	SealKey   []byte
	Since     time.Time
	Hostname  string
	Software  string
	Wire      uint16 // version of the wire in use; 0: a node of before version 2 holds the link
	System    string
	Policy    []string // in words
	Refused   []wire.Refused
	Revision  uint64 // of the user types that the agent has
	Beat      wire.Heartbeat
	Leaving   bool // it takes no more requests
	Over      bool // the link has ended
	Dismissed bool // for good: the instance was revoked, or is in quarantine
	HeardAt   time.Time
	NotedAt   time.Time `json:"-"` // when this node first heard of it, by its own clock
}

// Healthy tells whether nothing is known to be wrong with the instance: an
// information is nothing wrong.
func (l Live) Healthy() bool {
	wrong := func(p wire.Problem) bool { return p.Severity != wire.SeverityInfo }
	down := func(s wire.Server) bool { return s.State == "down" }
	return !slices.ContainsFunc(l.Beat.Problems, wrong) && !slices.ContainsFunc(l.Beat.Servers, down)
}

// presence is what this node knows of all links.
// It is a guess that is renewed with each heartbeat: a link of which nothing was heard
// for its life is taken for gone.
type presence struct {
	life time.Duration // how long a link counts as live without another word of it
	node string        // this one

	mu       sync.RWMutex
	links    map[string]*Live // by link; none of them is changed, it is replaced
	gateways map[string]instances
	asked    map[string][]string  // instances of a gateway that were asked lately, which has very many
	inFlight map[string]int       // requests of this node, by link
	lost     map[string]time.Time // when a gateway last lost a link
	gone     map[string]*Live     // links that ended while an older one of their instance went on, by that
	news     chan struct{}        // closed at the next note; nil: nobody waits
}

// instances are those of a gateway that have links, by their IDs, with the links.
type instances map[string][]*Live

// put has a link be what was said last of it, or gone when that is nothing.
func (i instances) put(of *Live, link *Live) {
	rest := slices.DeleteFunc(slices.Clone(i[of.Instance]), func(l *Live) bool { return l.Link == of.Link })
	if link != nil {
		rest = append(rest, link)
	}
	if len(rest) == 0 {
		delete(i, of.Instance)
		return
	}
	i[of.Instance] = rest
}

// note takes in what a node said of a link.
func (p *presence) note(l Live, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.links == nil {
		p.links, p.gateways = map[string]*Live{}, map[string]instances{}
		p.inFlight, p.lost = map[string]int{}, map[string]time.Time{}
		p.asked, p.gone = map[string][]string{}, map[string]*Live{}
	}
	if p.news != nil {
		close(p.news)
		p.news = nil
	}
	// Who left for good is not waited for.
	if (l.Leaving || l.Over) && !l.Dismissed {
		p.lost[l.Gateway] = now
	}
	of := p.gateways[l.Gateway]
	l.NotedAt = now
	if known := p.links[l.Link]; known != nil {
		l.NotedAt = known.NotedAt
	}
	if l.Over {
		delete(p.links, l.Link)
		delete(p.inFlight, l.Link)
		of.put(&l, nil)
		if p.outlived(&l, of[l.Instance]); len(of) == 0 {
			delete(p.gateways, l.Gateway)
			delete(p.asked, l.Gateway)
		}
		return
	}
	if of == nil {
		of = instances{}
		p.gateways[l.Gateway] = of
	}
	l.HeardAt = now
	p.links[l.Link] = &l
	of.put(&l, &l)
}

// refuses tells whether the instance's own file does not allow a user type.
func (l *Live) refuses(userType string) bool {
	return slices.ContainsFunc(l.Refused, func(r wire.Refused) bool { return r.ID == userType })
}

// of returns the live links of a gateway, or of all without one; of each instance
// the newest.
// Sorted by instance, so that pages show them in one order.
func (p *presence) of(gateway string, now time.Time) []Live {
	p.mu.RLock()
	defer p.mu.RUnlock()
	var out []Live
	for id, all := range p.gateways {
		if gateway != "" && id != gateway {
			continue
		}
		for _, links := range all {
			if l := p.newest(links, now); l != nil {
				out = append(out, *l)
			}
		}
	}
	slices.SortFunc(out, func(a, b Live) int { return cmp.Compare(a.Instance, b.Instance) })
	return out
}

// newest returns which of an instance's links is to be used; nil when none is live. The
// caller holds mu.
func (p *presence) newest(links []*Live, now time.Time) (newest *Live) {
	for _, l := range links {
		if now.Sub(l.HeardAt) <= p.life && (newest == nil || better(l, newest)) {
			newest = l
		}
	}
	return newest
}

// instance returns the newest live link of one instance; false when it has none.
func (p *presence) instance(gateway, id string, now time.Time) (Live, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if l := p.newest(p.gateways[gateway][id], now); l != nil {
		return *l, true
	}
	return Live{}, false
}

// better tells which of two links of one instance is to be used.
func better(a, b *Live) bool {
	if a.Leaving != b.Leaving {
		return b.Leaving
	}
	return a.Since.After(b.Since)
}

// expect says that an agent of a gateway may be on its way back.
func (p *presence) expect(gateway string, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lost[gateway] = now
}

// returning tells whether a gateway lost a link so recently that its agent may be
// on its way back, and returns a channel that is closed at the next news.
func (p *presence) returning(gateway string, now time.Time) (bool, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.news == nil {
		p.news = make(chan struct{})
	}
	return now.Sub(p.lost[gateway]) < returnTime, p.news
}

// best returns the link to ask for a user type, without those tried already; false
// when there is none. One that works comes first, then one of this node that is not
// busy, then the one with the least to do, then the quickest. A link known to refuse the
// type comes last, so that its reason is heard. With others false only this node's own
// are asked.
// The count of requests is this node's alone: the agent's own report of how busy it is
// brings in the others. Of a gateway with very many instances those come first that were asked lately, since to seal
// for another takes an agreement of keys at both ends, and most often no more are looked at, as long as enough of
// them are idle and as good as can be.
func (p *presence) best(gateway, userType string, tried map[string]bool, others bool, now time.Time) (Live, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := choice{p: p, userType: userType, tried: tried, others: others, now: now}
	of := p.gateways[gateway]
	many := len(of) > enough
	if many && rand.N(elsewhere) > 0 {
		for _, id := range p.asked[gateway] {
			c.consider(of[id])
		}
	}
	for _, links := range of { // a map begins anywhere
		if c.good >= enough {
			break
		}
		c.consider(links)
	}
	if c.best == nil {
		return Live{}, false
	}
	if many {
		p.asks(gateway, c.best.Instance)
	}
	return *c.best, true
}

// Of a gateway with very many instances so many are remembered, so many good ones are compared, and one request of so
// many goes to any.
const (
	remembered = 2 * enough
	enough     = 32
	elsewhere  = 32
)

// asks remembers who is asked, in the place of who has been remembered for longest. The caller holds mu.
func (p *presence) asks(gateway, instance string) {
	all := p.asked[gateway]
	if slices.Contains(all, instance) {
		return
	}
	if len(all) >= remembered {
		all = slices.Delete(all, 0, 1)
	}
	p.asked[gateway] = append(all, instance)
}

// choice is the best of the links that were considered.
type choice struct {
	p        *presence
	userType string
	tried    map[string]bool
	others   bool
	now      time.Time
	best     *Live
	good     int // how many had nothing to do, and nothing against them
}

// consider looks at the links of an instance.
func (c *choice) consider(links []*Live) {
	l := c.p.newest(links, c.now)
	if l == nil || l.Leaving || c.tried[l.Link] || !c.others && l.NodeID != c.p.node {
		return
	}
	if c.best == nil || c.p.compare(l, c.best, c.userType) < 0 {
		c.best = l
	}
	if c.p.inFlight[l.Link] == 0 && c.p.near(l) && !l.refuses(c.userType) && l.Healthy() {
		c.good++
	}
}

// compare tells which of two links is to be asked: below 0 the first.
func (p *presence) compare(a, b *Live, userType string) int {
	return cmp.Or(
		falseFirst(a.refuses(userType), b.refuses(userType)),
		falseFirst(!a.Healthy(), !b.Healthy()),
		falseFirst(!p.near(a), !p.near(b)),
		cmp.Compare(p.inFlight[a.Link], p.inFlight[b.Link]),
		cmp.Compare(a.Beat.BusyPercent, b.Beat.BusyPercent),
		cmp.Compare(a.Beat.ResponseTimeMillis, b.Beat.ResponseTimeMillis),
	)
}

// busy is how busy an agent may be, in percent, and still be preferred for being near.
const busy = 75

// near tells whether a link is this node's own, and not busy.
func (p *presence) near(l *Live) bool { return l.NodeID == p.node && l.Beat.BusyPercent < busy }

// falseFirst compares as cmp.Compare does, with false before true.
func falseFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// asking counts a request of this node until the returned function is called.
func (p *presence) asking(link string) (done func()) {
	p.add(link, 1)
	return func() { p.add(link, -1) }
}

// add counts requests of a link; of one that has ended nothing is counted, or its
// number would never be given back.
func (p *presence) add(link string, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.links[link]; ok {
		p.inFlight[link] += n
	}
}
