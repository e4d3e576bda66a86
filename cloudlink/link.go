package cloudlink

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloudlink/wire"
)

// Handler answers what the cloud asks. UserTypes is called in the order of arrival,
// one at a time, beside the others. Those are called in parallel; their context
// ends with the request's deadline or the link.
type Handler interface {
	UserTypes(ctx context.Context, m wire.UserTypes) wire.UserTypesAnswer
	SignOn(ctx context.Context, m wire.SignOn) wire.SignOnResult
	ChangePassword(ctx context.Context, m wire.ChangePassword) wire.PasswordChanged
	Explain(ctx context.Context, m wire.Explain) wire.Explained
	Look(ctx context.Context, m wire.Look) wire.Looked
}

// Link keeps one websocket to the cloud.
type Link struct {
	URL        *url.URL // of the cloud
	Client     *http.Client
	Credential Credential
	Handler    Handler
	Hello      func() wire.Hello     // Versions is filled in
	Heartbeat  func() wire.Heartbeat // BusyPercent is filled in
	Handlers   int                   // sign-ons and password changes at once; 0: 256
	DrainTime  time.Duration         // for answers after Run was told to stop; 0: 10 s
	Logger     hclog.Logger          // nil: none
	Watch      func(Event)           // must be quick and take calls in parallel; nil: nobody watches

	mu      sync.Mutex
	state   State
	session *session      // the newest
	skew    time.Duration // what to add to this machine's clock for the cloud's, to be let in
	greeted time.Time     // when the newest hello was sent; zero: no welcome told a time
	cloudAt time.Time     // what the cloud's clock showed then
}

// mostSkew is how far the cloud's word moves this machine's clock.
const mostSkew = time.Hour

// CloudTime returns what the cloud's clock showed at a moment of this program, by the
// last welcome: rather too late than too early, by the time that the welcome was on
// its way. It goes by time that has passed, so that setting this machine's clock
// changes nothing. Before the first welcome, and with a cloud of version 1, it is t.
func (l *Link) CloudTime(t time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.greeted.IsZero() {
		return t
	}
	return l.cloudAt.Add(t.Sub(l.greeted))
}

// State is how the link is.
type State struct {
	Connected bool
	Since     time.Time     // of Connected, or of its loss; zero: never connected
	Node      string        // of the cloud
	LastError error         // why it is not connected, or was not before
	ClockSkew time.Duration // the cloud's clock minus ours, when it kept the link down once
	// Silent is how long nothing came from the cloud while Connected. A link closes
	// itself long before three minutes: a longer silence is that of a program that hangs.
	Silent time.Duration
}

// State returns how the link is now.
func (l *Link) State() State {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.state
	s.ClockSkew = l.skew
	if s.Connected && l.session != nil {
		s.Silent = l.session.since(&l.session.heard)
	}
	return s
}

// Run keeps the link up until ctx ends, then drains and returns nil.
func (l *Link) Run(ctx context.Context) error {
	var draining sync.WaitGroup
	defer draining.Wait()
	var wait backoff
	for ctx.Err() == nil {
		start := time.Now()
		s, err := l.open(ctx)
		if err == nil {
			start = time.Now()
			draining.Go(func() { s.serve(ctx) })
			err = s.wait()
		}
		if ctx.Err() != nil {
			return nil
		}
		delay := wait.next(err, time.Since(start))
		l.down(err, delay)
		sleep(ctx, delay)
	}
	return nil
}

// open dials and gets as far as the welcome.
func (l *Link) open(ctx context.Context) (*session, error) {
	l.mu.Lock()
	skew := l.skew
	l.mu.Unlock()
	s, err := l.dial(ctx, skew)
	if err != nil {
		l.happened(Event{Kind: EventNotOpened, Err: err})
		return nil, err
	}
	if keep := l.Credential.Keep; keep != nil {
		// Without it the cloud takes this epoch and the one before, until a
		// heartbeat says that it was kept.
		if err := keep(s.welcome.Epoch); err != nil {
			l.log().Error("the state folder cannot be written", "error", err)
		}
	}
	l.up(s)
	l.happened(Event{Kind: EventOpened, Node: s.welcome.Node})
	return s, nil
}

// dial connects and exchanges greetings.
func (l *Link) dial(ctx context.Context, skew time.Duration) (*session, error) {
	conn, err := connect(ctx, l.Client, l.URL, l.Credential, skew)
	if err != nil {
		l.learnClock(err)
		return nil, err
	}
	s := newSession(l, conn)
	if err := s.greet(ctx); err != nil {
		_ = conn.CloseNow()
		return nil, cut(ctx, l.Client, l.URL, err)
	}
	return s, nil
}

// learnClock takes the cloud's time over when it refused ours.
func (l *Link) learnClock(err error) {
	var r *wire.Refusal
	if !errors.As(err, &r) || r.Code != wire.RefusedClock || r.Time.IsZero() {
		return
	}
	said := time.Until(r.Time).Round(time.Second)
	l.mu.Lock()
	l.skew = withinAnHour(said)
	l.mu.Unlock()
	if said != withinAnHour(said) {
		l.log().Error("the cloud's clock and this machine's differ by more than an hour: set both by NTP", "difference", said)
	}
}

func withinAnHour(d time.Duration) time.Duration { return min(max(d, -mostSkew), mostSkew) }

func (l *Link) up(s *session) {
	node := s.welcome.Node
	l.mu.Lock()
	l.session = s
	if at := s.welcome.At; at > 0 {
		wall := s.greeted.Round(0) // without what has passed: a clock is compared with a clock
		l.greeted = s.greeted
		l.cloudAt = wall.Add(withinAnHour(time.UnixMilli(int64(min(at, 1<<62)) + 1).Sub(wall)))
	}
	l.state = State{Connected: true, Since: time.Now(), Node: node, LastError: l.state.LastError}
	skew := l.skew
	l.mu.Unlock()
	l.log().Info("link is up", "cloud", l.URL.Host, "node", node)
	if skew != 0 {
		l.log().Warn("this machine's clock is wrong: set it by NTP", "difference", skew)
	}
}

func (l *Link) down(err error, delay time.Duration) {
	l.mu.Lock()
	if l.state.Connected {
		l.state.Since = time.Now()
	}
	l.state.Connected, l.state.LastError = false, err
	l.mu.Unlock()
	if errors.Is(err, errGoingAway) {
		l.log().Info("this node of the cloud is going away, dialling again", "in", delay)
		return
	}
	l.log().Warn("link is down, dialling again", "in", delay, "error", err)
}

// ErrNoLink says that there is no link to ask on.
var ErrNoLink = errors.New("there is no link to the cloud")

// Rotate asks the cloud to replace the instance's keys, and returns when it has.
// On an error other than ErrNoLink it may have: both keys are to be kept until
// one of them opens a link.
func (l *Link) Rotate(ctx context.Context, r wire.Rotate) error {
	l.mu.Lock()
	s := l.session
	l.mu.Unlock()
	if s == nil {
		return ErrNoLink
	}
	f, err := s.ask(ctx, wire.KindRotate, r)
	if err != nil {
		return err
	}
	var done wire.Rotated
	if f.Kind != wire.KindRotated {
		return fmt.Errorf("the cloud does not rotate keys: it answers %s", f.Kind)
	}
	return f.Decode(&done)
}

func (l *Link) log() hclog.Logger {
	if l.Logger == nil {
		return hclog.NewNullLogger()
	}
	return l.Logger
}

func (l *Link) handlers() int {
	if l.Handlers > 0 {
		return l.Handlers
	}
	return 256
}

func (l *Link) drainTime() time.Duration {
	if l.DrainTime > 0 {
		return l.DrainTime
	}
	return 10 * time.Second
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
