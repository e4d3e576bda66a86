package service

import (
	"fmt"
	"strings"
	"sync/atomic"
)

// Name is that of the service, to every manager.
const Name = "ldap-gateway"

// mostLog bounds, in bytes, what RecentLog returns.
const mostLog = 4 << 20

// line is what stands in a log that has no fields.
func line(name, msg string, args []any) string {
	var out strings.Builder
	if name != "" {
		out.WriteString(name + ": ")
	}
	out.WriteString(msg)
	for i := 0; i+1 < len(args); i += 2 {
		fmt.Fprintf(&out, " %v=%v", args[i], args[i+1])
	}
	return out.String()
}

// Manager is the service manager as the running program sees it. A nil *Manager is
// none. Safe for concurrent use.
type Manager struct {
	tell  func(state string) // in the words of sd_notify(3); nil: to nobody
	wish  chan struct{}
	ready atomic.Bool
	how   atomic.Pointer[string] // told last
}

func newManager(tell func(string)) *Manager {
	return &Manager{tell: tell, wish: make(chan struct{}, 1)}
}

// Reloads returns what has a value when the file is to be read again; several
// wishes may be one. It is nil without a manager.
func (m *Manager) Reloads() <-chan struct{} {
	if m == nil {
		return nil
	}
	return m.wish
}

// wished passes a wish on, unless one waits already.
func (m *Manager) wished() {
	select {
	case m.wish <- struct{}{}:
	default:
	}
}

func (m *Manager) send(state string) {
	if m != nil && m.tell != nil {
		m.tell(state)
	}
}

// Ready says that the start is over, and how it is. Only the first call counts.
func (m *Manager) Ready(how string) {
	if m != nil && m.ready.CompareAndSwap(false, true) {
		m.how.Store(&how)
		m.send("READY=1\nSTATUS=" + how)
	}
}

// Tell says how it is, when that is another than before.
func (m *Manager) Tell(how string) {
	if m == nil {
		return
	}
	if last := m.how.Swap(&how); last == nil || *last != how {
		m.send("STATUS=" + how)
	}
}

// Alive says that the program gets on. One that does not say so for as long as the
// manager's watchdog waits is ended and started again.
func (m *Manager) Alive() { m.send("WATCHDOG=1") }

// Reloading says that the file is being read again; Reloaded that this is over.
func (m *Manager) Reloading() { m.send("RELOADING=1") }

// Reloaded says that the file was read, or refused.
func (m *Manager) Reloaded() { m.send("READY=1") }
