package hub

import "sync"

// queued bounds the frames that wait for one link's socket.
const queued = 1024

// outbox are the frames that wait for a link's socket, in their order. It takes memory for
// as many as there are: most links have none. Safe for concurrent use.
type outbox struct {
	some chan struct{} // has one when a frame waits

	mu     sync.Mutex
	frames []outgoing
}

// put adds a frame; false when there are too many.
func (b *outbox) put(o outgoing) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.frames) >= queued {
		return false
	}
	b.frames = append(b.frames, o)
	b.wake()
	return true
}

// take returns the oldest frame; false when there is none.
func (b *outbox) take() (o outgoing, waits bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.frames
	if len(all) == 0 {
		return outgoing{}, false
	}
	o, all[0] = all[0], outgoing{}
	b.frames = all[1:]
	if len(all) == 1 {
		b.frames = nil // what a burst took is given back
		return o, true
	}
	b.wake()
	return o, true
}

// wake says that a frame waits; the caller holds mu.
func (b *outbox) wake() {
	select {
	case b.some <- struct{}{}:
	default:
	}
}
