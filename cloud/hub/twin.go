package hub

import (
	"slices"
	"time"
)

// twin returns another link of the same instance that was opened before the given
// time, and after this one, which is alive still: the agent never has two for so long. Links
// on their way out do not count, nor do those that nothing was heard of since then:
// their node may be gone, and its clock may have been ahead of ours. One that has ended does, when
// this node heard of it after this one: a copy that comes for a moment.
func (p *presence) twin(l Live, before time.Time) (Live, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	newer := func(other *Live) bool { return other.Since.After(l.Since) && other.Since.Before(before) }
	if l.Leaving {
		return Live{}, false
	}
	for _, other := range p.gateways[l.Gateway][l.Instance] {
		if other.Link != l.Link && !other.Leaving && !other.HeardAt.Before(before) && newer(other) {
			return *other, true
		}
	}
	mine, gone := p.links[l.Link], p.gone[l.Instance]
	if mine != nil && gone != nil && gone.NotedAt.After(mine.NotedAt) && newer(gone) {
		return *gone, true
	}
	return Live{}, false
}

// outlived keeps a link that has ended if an older one of its instance goes on, and nothing of an instance that has
// none. The caller holds mu.
func (p *presence) outlived(ended *Live, rest []*Live) {
	older := func(l *Live) bool { return l.Since.Before(ended.Since) }
	switch {
	case len(rest) == 0:
		delete(p.gone, ended.Instance)
	case slices.ContainsFunc(rest, older):
		p.gone[ended.Instance] = ended
	}
}
