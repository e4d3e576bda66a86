package provisioner

import (
	"cmp"
	"context"
	"sync"
	"time"
)

// What one source may have a node write within an hour: a key of a gateway that was
// stolen, or a directory gone mad, must not fill the database nor keep everybody else
// waiting. Both are far beyond what a morning of first sign-ons brings.
const (
	usualNewGroups = 50_000  // groups that are new, or have another name
	usualChanges   = 500_000 // those, and memberships
	budgetTime     = time.Hour
)

// Lists of more groups than largeList are taken one at a time of each source, and after
// one that changed as many as much time passes as it took, so that others come in
// between. Who has waited for largeWait signs on without.
const (
	largeList = 1000
	largeWait = 5 * time.Second
)

// budget is what sources have spent. There are few sources, so nothing is forgotten.
type budget struct {
	mu sync.Mutex
	of map[string]*spent
}

// spent is what one source has spent since.
type spent struct {
	since           time.Time
	groups, changes int
	turn            chan struct{} // of large lists
}

// source returns what a source has spent.
func (b *budget) source(id string, now time.Time) *spent {
	if b.of == nil {
		b.of = map[string]*spent{}
	}
	s := b.of[id]
	if s == nil {
		s = &spent{since: now, turn: make(chan struct{}, 1)}
		b.of[id] = s
	}
	if now.Sub(s.since) >= budgetTime || now.Before(s.since) {
		s.since, s.groups, s.changes = now, 0, 0
	}
	return s
}

// take spends on groups and changes, as far as there is anything left, and returns how
// many of each may be made.
func (p *Provisioner) take(source string, groups, changes int) (mayGroups, mayChanges int) {
	b := &p.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.source(source, time.Now())
	mayGroups = min(groups, max(0, cmp.Or(p.MostNewGroups, usualNewGroups)-s.groups))
	mayChanges = min(changes, max(0, cmp.Or(p.MostChanges, usualChanges)-s.changes))
	s.groups += mayGroups
	s.changes += mayChanges
	return mayGroups, mayChanges
}

// giveBack takes back what was spent on something that was not written.
func (p *Provisioner) giveBack(source string, groups, changes int) {
	p.budget.mu.Lock()
	defer p.budget.mu.Unlock()
	s := p.budget.source(source, time.Now())
	s.groups, s.changes = max(0, s.groups-groups), max(0, s.changes-changes)
}

// large waits for the turn of a large list, until done is called with how much it
// changed; false when that took too long. A list that is not large does not wait.
func (p *Provisioner) large(ctx context.Context, id Identity) (done func(changes int), ok bool) {
	if id.Membership == nil || len(id.Membership.Groups) <= largeList {
		return func(int) {}, true
	}
	p.budget.mu.Lock()
	turn := p.budget.source(id.SourceID, time.Now()).turn
	p.budget.mu.Unlock()
	late := time.NewTimer(cmp.Or(p.LargeWait, largeWait))
	defer late.Stop()
	select {
	case turn <- struct{}{}:
		from := time.Now()
		return func(changes int) {
			if changes <= largeList {
				<-turn
				return
			}
			time.AfterFunc(time.Since(from), func() { <-turn })
		}, true
	case <-late.C:
	case <-ctx.Done():
	}
	return func(int) {}, false
}
