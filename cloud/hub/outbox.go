package hub

import "sync"

// queued bounds the frames that wait for one link's socket.
const queued = 1024

// outbox is what waits for a link's socket: frames in their order, and the wish to send the user
// types. It takes memory for what there is, and who writes it is there as long as something is: most
// links have nothing, and nobody who waits for it. The zero value is empty. Safe for concurrent use.
type outbox struct {
	mu     sync.Mutex
	frames []outgoing
	types  bool          // the user types are to be sent
	busy   bool          // somebody writes
	over   bool          // nobody begins to write any more
	rests  chan struct{} // closed when nobody writes; nil: nobody waits for that
}

// put adds a frame; false when there are too many. When nobody writes the caller is to: it begins.
func (b *outbox) put(o outgoing) (begins, added bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.frames) >= queued {
		return false, false
	}
	b.frames = append(b.frames, o)
	return b.begin(), true
}

// wish has the user types sent; several wishes become one. Who calls it begins as with put.
func (b *outbox) wish() (begins bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.types = true
	return b.begin()
}

// begin makes the caller the one who writes, unless there is one; the caller holds mu.
func (b *outbox) begin() bool {
	if b.busy || b.over {
		return false
	}
	b.busy = true
	return true
}

// next returns what is to be written now: the user types, or the oldest frame. With neither, or after
// the end, who writes has ended by that.
func (b *outbox) next() (o outgoing, types, more bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.over || !b.types && len(b.frames) == 0:
		b.busy = false
		if b.rests != nil {
			close(b.rests)
		}
		return outgoing{}, false, false
	case b.types:
		b.types = false
		return outgoing{}, true, true
	}
	return b.oldest(), false, true
}

// oldest takes out the first frame; the caller holds mu.
func (b *outbox) oldest() outgoing {
	all := b.frames
	var o outgoing
	o, all[0] = all[0], o
	b.frames = all[1:]
	if len(all) == 1 {
		b.frames = nil // what a burst took is given back
	}
	return o
}

// end has nobody begin to write any more.
func (b *outbox) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
}

// wait returns when nobody writes; after the end, so that nobody begins.
func (b *outbox) wait() {
	b.mu.Lock()
	rests := make(chan struct{})
	if b.busy {
		b.rests = rests
	} else {
		close(rests)
	}
	b.mu.Unlock()
	<-rests
}

// left takes out the frames that were not written.
func (b *outbox) left() []outgoing {
	b.mu.Lock()
	defer b.mu.Unlock()
	left := b.frames
	b.frames = nil
	return left
}
