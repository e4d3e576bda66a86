package store

import "sync"

// turns hands a turn, or one of several, from one to the next, fairly by what it is for: of those who wait one of
// each kind goes before the second of any. So an environment that many write in at once
// keeps the others waiting for one of its own, and not for all.
type turns struct {
	most int // turns there are; 0: one

	mu     sync.Mutex
	taken  int
	queues map[string][]chan struct{} // of those who wait, the first first
	order  []string                   // the keys of queues, whose turn comes first
}

// take waits for the turn.
func (t *turns) take(key string) {
	t.mu.Lock()
	if t.taken < max(1, t.most) {
		t.taken++
		t.mu.Unlock()
		return
	}
	mine := make(chan struct{})
	if t.queues == nil {
		t.queues = map[string][]chan struct{}{}
	}
	if len(t.queues[key]) == 0 {
		t.order = append(t.order, key)
	}
	t.queues[key] = append(t.queues[key], mine)
	t.mu.Unlock()
	<-mine
}

// pass gives the turn to the next who waits.
func (t *turns) pass() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.order) == 0 {
		t.taken--
		return
	}
	key := t.order[0]
	t.order = t.order[1:]
	next := t.queues[key][0]
	if rest := t.queues[key][1:]; len(rest) > 0 {
		t.queues[key] = rest
		t.order = append(t.order, key)
	} else {
		delete(t.queues, key)
	}
	close(next)
}
