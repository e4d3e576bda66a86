package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/eventlog"

	"ldap-gateway/agent/rotated"
)

const (
	// stopTime is how long a stop may take. Then the program ends without what hangs.
	stopTime = 20 * time.Second
	// pendingHint is what the service manager is told to wait for the next sign of
	// life, while a start or a stop is under way.
	pendingHint = 10 * time.Second

	exitFailed = 1 // of the service's own: serve returned an error
	exitHung   = 2 // the stop took too long
)

// Run calls serve with the service manager, and returns its error. Where the
// service manager has started this program, out is not the console's but a file at
// logPath, which is rotated, and errors are in the event log too. asService says
// that it has; else it is found out, which does not work under wine.
func Run(
	ctx context.Context,
	asService bool,
	out io.Writer,
	logPath string,
	serve func(context.Context, *Manager, io.Writer) error,
) error {
	if is, err := svc.IsWindowsService(); !asService && (err != nil || !is) {
		return serve(ctx, newManager(nil), out)
	}
	file := &rotated.File{Path: logPath, MaxSize: 10 << 20, Keep: 5}
	defer file.Close()
	h := &handler{ctx: ctx, serve: func(ctx context.Context, m *Manager) error { return serve(ctx, m, file) }}
	if err := svc.Run(Name, h); err != nil {
		return err
	}
	if h.err != nil {
		fmt.Fprintf(file, "ended: %v\n", h.err)
		report(func(l *eventlog.Log) error { return l.Error(1, h.err.Error()+"; more is in "+logPath) })
	}
	return h.err
}

// report writes to the event log; where that cannot be done it is in the file.
func report(write func(*eventlog.Log) error) {
	if l, err := eventlog.Open(Name); err == nil {
		_ = write(l)
		_ = l.Close()
	}
}

// handler is the service as the service manager sees it.
type handler struct {
	ctx   context.Context
	serve func(context.Context, *Manager) error
	err   error // of serve, or why it was not waited for
}

// errHung ends a service that does not stop in time.
var errHung = errors.New("the gateway did not stop in time, and was ended")

// Execute implements svc.Handler: start-pending until the gateway says that it is
// ready, running, stop-pending until it has stopped or its time is over.
func (h *handler) Execute(
	_ []string, requests <-chan svc.ChangeRequest, status chan<- svc.Status,
) (specific bool, code uint32) {
	ctx, cancel := context.WithCancel(h.ctx)
	defer cancel()
	isReady := make(chan struct{})
	closeOnce := sync.OnceFunc(func() { close(isReady) })
	m := newManager(func(state string) {
		if strings.HasPrefix(state, "READY=1") {
			closeOnce()
		}
	})
	ended := make(chan error, 1)
	go func() { ended <- h.serve(ctx, m) }()
	life := life{status: status, now: svc.Status{State: svc.StartPending}}
	life.tell()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var over <-chan time.Time
	for ready := isReady; ; {
		select {
		case <-ready:
			ready = nil
			if over == nil {
				life.now = svc.Status{State: svc.Running, Accepts: svc.AcceptStop | svc.AcceptShutdown | svc.AcceptParamChange}
				life.tell()
			}
		case r := <-requests:
			switch r.Cmd {
			case svc.Interrogate:
				status <- life.now
			case svc.ParamChange:
				m.wished()
			case svc.Stop, svc.Shutdown:
				if over == nil {
					over = time.After(stopTime)
				}
				life.now = svc.Status{State: svc.StopPending}
				life.tell()
				cancel()
			}
		case h.err = <-ended:
			return h.err != nil, h.code()
		case <-over:
			h.err = errHung
			return true, exitHung
		case <-tick.C:
			life.pending()
		}
	}
}

func (h *handler) code() uint32 {
	if h.err != nil {
		return exitFailed
	}
	return 0
}

// life is the state that the service manager knows.
type life struct {
	status chan<- svc.Status
	now    svc.Status
}

func (l *life) tell() {
	if l.now.State == svc.StartPending || l.now.State == svc.StopPending {
		l.now.WaitHint = uint32(pendingHint.Milliseconds())
	}
	l.status <- l.now
}

// pending is a sign of life while a start or a stop is under way.
func (l *life) pending() {
	if l.now.State == svc.StartPending || l.now.State == svc.StopPending {
		l.now.CheckPoint++
		l.tell()
	}
}

// Logger logs to out, and when that is the service's file, warnings and errors to
// the event log as well. No field is longer than 4 KB.
func Logger(opts hclog.LoggerOptions, out io.Writer) hclog.Logger { return bounded{logger(opts, out)} }

func logger(opts hclog.LoggerOptions, out io.Writer) hclog.Logger {
	opts.Output = out
	logger := hclog.NewInterceptLogger(&opts)
	if _, ok := out.(*rotated.File); ok {
		logger.RegisterSink(events{})
	}
	return logger
}

// events is the event log.
type events struct{}

// Accept implements hclog.SinkAdapter.
func (events) Accept(name string, level hclog.Level, msg string, args ...interface{}) {
	switch level {
	case hclog.Error:
		report(func(l *eventlog.Log) error { return l.Error(1, line(name, msg, args)) })
	case hclog.Warn:
		report(func(l *eventlog.Log) error { return l.Warning(2, line(name, msg, args)) })
	}
}

// RecentLog returns the end of what the service logged; the error says why it
// cannot be had.
func RecentLog(_ context.Context, logPath string) ([]byte, error) {
	b, err := os.ReadFile(logPath)
	return b[max(0, len(b)-mostLog):], err
}
