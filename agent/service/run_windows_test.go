package service

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/windows/svc"
)

// scm is the service manager's end of a service.
type scm struct {
	requests chan svc.ChangeRequest
	status   chan svc.Status
	ended    chan [2]uint32 // 1 in front for a code of the service's own
	manager  chan *Manager  // what serve got
	stop     chan error     // what serve returns
}

// startService has a handler executed whose serve returns when told, or when its
// context ends unless it hangs.
func startService(t *testing.T, hangs bool) *scm {
	t.Helper()
	m := &scm{
		make(chan svc.ChangeRequest),
		make(chan svc.Status, 100),
		make(chan [2]uint32, 1),
		make(chan *Manager, 1),
		make(chan error, 1),
	}
	h := &handler{ctx: t.Context(), serve: func(ctx context.Context, manager *Manager) error {
		m.manager <- manager
		if hangs {
			return <-m.stop
		}
		select {
		case <-ctx.Done():
			return nil
		case err := <-m.stop:
			return err
		}
	}}
	go func() {
		specific, code := h.Execute(nil, m.requests, m.status)
		m.ended <- [2]uint32{map[bool]uint32{true: 1}[specific], code}
	}()
	return m
}

// is wants the next state, and returns it.
func (m *scm) is(t *testing.T, want svc.State) svc.Status {
	t.Helper()
	s := <-m.status
	if s.State != want {
		t.Errorf("state %d, want %d", s.State, want)
	}
	return s
}

func TestServiceLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := startService(t, false)
		first := m.is(t, svc.StartPending)
		<-time.After(3 * time.Second) // of the bubble's clock
		if next := m.is(t, svc.StartPending); next.CheckPoint <= first.CheckPoint || next.WaitHint == 0 {
			t.Errorf("no sign of life: %+v", next)
		}
		manager := <-m.manager
		manager.Ready("it works")
		for s := <-m.status; s.State != svc.Running; s = <-m.status {
			if s.State != svc.StartPending {
				t.Fatalf("%+v", s)
			}
		}
		m.requests <- svc.ChangeRequest{Cmd: svc.Interrogate}
		if s := m.is(t, svc.Running); s.Accepts&svc.AcceptStop == 0 || s.Accepts&svc.AcceptShutdown == 0 {
			t.Errorf("%+v", s)
		}
		m.requests <- svc.ChangeRequest{Cmd: svc.ParamChange}
		<-manager.Reloads()
		m.requests <- svc.ChangeRequest{Cmd: svc.Stop}
		m.is(t, svc.StopPending)
		if got := <-m.ended; got != [2]uint32{0, 0} {
			t.Errorf("ended with %v", got)
		}
	})
}

// TestServiceFails has the service manager learn of it: it restarts only what did
// not end well.
func TestServiceFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := startService(t, false)
		m.stop <- errors.New("broken")
		if got := <-m.ended; got != [2]uint32{1, exitFailed} {
			t.Errorf("ended with %v", got)
		}
	})
}

// TestStopCannotHang has what does not stop be left behind.
func TestStopCannotHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := startService(t, true)
		(<-m.manager).Ready("it works")
		m.requests <- svc.ChangeRequest{Cmd: svc.Shutdown}
		began := time.Now()
		if got := <-m.ended; got != [2]uint32{1, exitHung} || time.Since(began) != stopTime {
			t.Errorf("ended with %v after %s", got, time.Since(began))
		}
		signs := 0
		for len(m.status) > 0 {
			if s := <-m.status; s.State == svc.StopPending && s.CheckPoint > 0 {
				signs++
			}
		}
		if signs < 15 {
			t.Errorf("%d signs of life in %s", signs, stopTime)
		}
		m.stop <- nil
	})
}
