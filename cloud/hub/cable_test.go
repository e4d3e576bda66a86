package hub_test

import (
	"io"
	"net"
	"sync"
	"testing"
)

// cable carries connections to an address. Cut, it carries nothing and says nothing.
type cable struct {
	net.Listener
	mu   sync.Mutex
	held *sync.Cond
	off  bool
}

func newCable(t *testing.T, to string) *cable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	c := &cable{Listener: l}
	c.held = sync.NewCond(&c.mu)
	t.Cleanup(func() { c.mend(); _ = l.Close() })
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			there, err := net.Dial("tcp", to)
			if err != nil {
				_ = from.Close()
				continue
			}
			go c.carry(from, there)
			go c.carry(there, from)
		}
	}()
	return c
}

func (c *cable) carry(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	_, _ = io.Copy(heldWriter{c, to}, from)
}

// heldWriter waits while the cable is cut.
type heldWriter struct {
	*cable
	to net.Conn
}

func (w heldWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	for w.off {
		w.held.Wait()
	}
	w.mu.Unlock()
	return w.to.Write(b)
}

func (c *cable) cut()  { c.set(true) }
func (c *cable) mend() { c.set(false) }

func (c *cable) set(off bool) {
	c.mu.Lock()
	c.off = off
	c.mu.Unlock()
	c.held.Broadcast()
}
