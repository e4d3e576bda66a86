package hub

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"

	"ldap-gateway/cloudlink/wire"
)

// TestOutboxHasOneWriterWhileThereIsSomething: whoever puts something into an outbox, and however many at
// once, it is taken out once, in the order of each; one at a time takes out, and nobody when there is
// nothing. After the end nobody begins, and what is left is told.
func TestOutboxHasOneWriterWhileThereIsSomething(t *testing.T) {
	for _, putters := range []int{1, 2, 7, 64} {
		for _, each := range []int{1, 3, 16} {
			synctest.Test(t, func(t *testing.T) { putAll(t, putters, each) })
		}
	}
}

func putAll(t *testing.T, putters, each int) {
	b := &outbox{}
	var writing sync.Mutex // held by who writes: never waited for
	taken, types := map[uint32][]uint64{}, 0
	write := func() {
		for o, wish, more := b.next(); more; o, wish, more = b.next() {
			if !writing.TryLock() {
				t.Error("two write at once")
				return
			}
			runtime.Gosched()
			if wish {
				types++
			} else {
				taken[o.frame.Budget] = append(taken[o.frame.Budget], o.frame.ID)
			}
			writing.Unlock()
		}
	}
	for p := range putters {
		go func() {
			for n := range each {
				if begins, added := b.put(outgoing{frame: wire.Frame{ID: uint64(n), Budget: uint32(p)}}); !added {
					t.Error("it has no room")
				} else if begins {
					write()
				}
				if b.wish() {
					write()
				}
			}
		}()
	}
	synctest.Wait()
	for p, all := range taken {
		for n, id := range all {
			if id != uint64(n) || len(all) != each {
				t.Fatalf("of %d: %v", p, all)
			}
		}
	}
	if len(taken) != putters || types == 0 || types > putters*each || b.busy {
		t.Errorf("%d of %d, %d wishes, busy: %v", len(taken), putters, types, b.busy)
	}
	b.end()
	if begins, added := b.put(outgoing{}); begins || !added {
		t.Errorf("after the end: begins %v, added %v", begins, added)
	}
	b.wait()
	if left := b.left(); len(left) != 1 {
		t.Errorf("%d are left", len(left))
	}
}

// TestOutboxWaitsForItsWriter: who waits for the end is told when the one who writes has ended, who takes
// out nothing more by then.
func TestOutboxWaitsForItsWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &outbox{}
		b.put(outgoing{})
		b.put(outgoing{})
		b.next()
		b.end()
		ended, told := context.WithCancel(t.Context())
		go func() { b.wait(); told() }()
		synctest.Wait()
		if ended.Err() != nil {
			t.Error("one still writes")
		}
		if _, _, more := b.next(); more {
			t.Error("it writes on after the end")
		}
		synctest.Wait()
		if ended.Err() == nil || len(b.left()) != 1 {
			t.Error("nobody is told, or what is left is gone")
		}
	})
}
