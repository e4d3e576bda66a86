package cloudlink_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ldap-gateway/cloudlink"
	"ldap-gateway/cloudlink/cloudlinktest"
	"ldap-gateway/cloudlink/wire"
)

// slowHandler answers a sign-on when released, or when its context ends.
type slowHandler struct {
	release chan struct{} // nil: at once
	panics  bool
	budget  atomic.Int64 // of the last sign-on
}

func (h *slowHandler) UserTypes(_ context.Context, m wire.UserTypes) wire.UserTypesAnswer {
	return wire.UserTypesAnswer{Revision: m.Revision}
}

func (h *slowHandler) SignOn(ctx context.Context, m wire.SignOn) wire.SignOnResult {
	if end, ok := ctx.Deadline(); ok {
		h.budget.Store(int64(time.Until(end)))
	}
	if h.panics {
		panic("an entry that nobody foresaw")
	}
	if h.release != nil {
		select {
		case <-h.release:
		case <-ctx.Done():
			return wire.SignOnResult{ID: m.ID, Outcome: wire.OutcomeTimeout}
		}
	}
	return wire.SignOnResult{ID: m.ID, Outcome: wire.OutcomeOK}
}

func (h *slowHandler) ChangePassword(ctx context.Context, m wire.ChangePassword) wire.PasswordChanged {
	return wire.PasswordChanged{ID: m.ID, Outcome: h.SignOn(ctx, wire.SignOn{}).Outcome}
}

type fixture struct {
	cloud *cloudlinktest.Cloud
	link  *cloudlink.Link
	stop  context.CancelFunc
	ended chan error
}

// start runs a link against cloud in the bubble, until the test ends.
func start(t *testing.T, cloud *cloudlinktest.Cloud, h cloudlink.Handler, change ...func(*cloudlink.Link)) *fixture {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	if cloud.Key == nil {
		cloud.Key = public
	}
	cloud.Start(t)
	l := &cloudlink.Link{
		URL: cloud.Base(), Client: cloud.Client(t), Handler: h,
		Credential: cloudlink.Credential{Instance: "instance-1", Key: private},
		Hello:      func() wire.Hello { return wire.Hello{Software: "test", Hostname: "host"} },
		Heartbeat:  func() wire.Heartbeat { return wire.Heartbeat{OperationsPerSecond: 1} },
	}
	for _, f := range change {
		f(l)
	}
	ctx, stop := context.WithCancel(t.Context())
	f := &fixture{cloud: cloud, link: l, stop: stop, ended: make(chan error, 1)}
	go func() { f.ended <- l.Run(ctx) }()
	t.Cleanup(func() { stop(); synctest.Wait() })
	return f
}

func ask(t *testing.T, c *cloudlinktest.Conn, id string, budget time.Duration) <-chan wire.Frame {
	t.Helper()
	return asked(t, c, wire.KindSignOn, budget, wire.SignOn{ID: id, Want: wire.WantVerify})
}

func asked(t *testing.T, c *cloudlinktest.Conn, kind wire.Kind, budget time.Duration, body any) <-chan wire.Frame {
	t.Helper()
	answer, err := c.Ask(kind, budget, body)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func result(t *testing.T, f wire.Frame) wire.SignOnResult {
	t.Helper()
	return decoded[wire.SignOnResult](t, f, wire.KindSignOnResult)
}

func decoded[T any](t *testing.T, f wire.Frame, kind wire.Kind) (body T) {
	t.Helper()
	if f.Kind != kind {
		t.Fatalf("got %s", f.Kind)
	}
	if err := f.Decode(&body); err != nil {
		t.Fatal(err)
	}
	return body
}

func TestSignOnIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &slowHandler{}
		c := start(t, &cloudlinktest.Cloud{}, h).cloud.AwaitLink(t)
		if c.Hello.Software != "test" || len(c.Hello.Versions) == 0 {
			t.Errorf("hello %+v", c.Hello)
		}
		if r := result(t, <-ask(t, c, "s1", 3*time.Second)); r.Outcome != wire.OutcomeOK || r.ID != "s1" {
			t.Errorf("%+v", r)
		}
		if got := time.Duration(h.budget.Load()); got != 3*time.Second {
			t.Errorf("budget %s", got)
		}
		answer, err := c.Ask(wire.KindUserTypes, 0, wire.UserTypes{Revision: 7})
		var a wire.UserTypesAnswer
		if f := <-answer; err != nil || f.Decode(&a) != nil || a.Revision != 7 {
			t.Errorf("%v %+v", err, a)
		}
	})
}

func TestUnknownKindIsAnsweredAsUnsupported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, &cloudlinktest.Cloud{}, &slowHandler{}).cloud.AwaitLink(t)
		answer, err := c.Ask(wire.Kind(200), 0, nil)
		if f := <-answer; err != nil || f.Kind != wire.KindUnsupported {
			t.Errorf("%v %s", err, f.Kind)
		}
	})
}

func TestBeyondTheHandlersIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &slowHandler{release: make(chan struct{})}
		c := start(t, &cloudlinktest.Cloud{}, h, func(l *cloudlink.Link) { l.Handlers = 2 }).cloud.AwaitLink(t)
		first, second, third := ask(t, c, "1", time.Minute), ask(t, c, "2", time.Minute), ask(t, c, "3", time.Minute)
		if r := result(t, <-third); r.Outcome != wire.OutcomeBusy || r.RetryMillis == 0 || r.BindSent {
			t.Errorf("%+v", r)
		}
		<-c.Heartbeats // the first, at once
		time.Sleep(11 * time.Second)
		if h := <-c.Heartbeats; h.BusyPercent != 100 {
			t.Errorf("busy %d%%", h.BusyPercent)
		}
		close(h.release)
		if r, s := result(t, <-first), result(t, <-second); r.Outcome != wire.OutcomeOK || s.Outcome != wire.OutcomeOK {
			t.Error(r, s)
		}
	})
}

func TestPanicIsAnUnknownOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, &cloudlinktest.Cloud{}, &slowHandler{panics: true}).cloud.AwaitLink(t)
		for range 3 {
			if r := result(t, <-ask(t, c, "1", time.Minute)); r.Outcome != wire.OutcomeUnknown || !r.BindSent {
				t.Errorf("%+v", r)
			}
		}
	})
}

func TestDeadCloudIsFoundWithin30Seconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, &cloudlinktest.Cloud{}, &slowHandler{})
		c := f.cloud.AwaitLink(t)
		time.Sleep(5 * time.Minute) // healthy, without traffic
		select {
		case <-c.Over:
			t.Fatal("a healthy link was closed")
		default:
		}
		f.cloud.Mute.Store(true)
		from := time.Now()
		<-c.Over
		if d := time.Since(from); d > 30*time.Second {
			t.Errorf("noticed after %s", d)
		}
		f.cloud.Mute.Store(false)
		f.cloud.AwaitLink(t)
	})
}

func TestStopAnswersWhatIsRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &slowHandler{release: make(chan struct{})}
		f := start(t, &cloudlinktest.Cloud{}, h)
		c := f.cloud.AwaitLink(t)
		answer := ask(t, c, "1", time.Minute)
		synctest.Wait()
		f.stop()
		<-c.Going
		time.Sleep(2 * time.Second)
		close(h.release)
		if r := result(t, <-answer); r.Outcome != wire.OutcomeOK {
			t.Errorf("%+v", r)
		}
		if err := <-f.ended; err != nil {
			t.Error(err)
		}
	})
}

func TestStopDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, &cloudlinktest.Cloud{}, &slowHandler{release: make(chan struct{})})
		ask(t, f.cloud.AwaitLink(t), "1", 10*time.Minute)
		synctest.Wait()
		from := time.Now()
		f.stop()
		<-f.ended
		if d := time.Since(from); d > 12*time.Second {
			t.Errorf("stopped after %s", d)
		}
	})
}

// TestGoingAwayOverlaps has a node leave: the next link is up while the old
// one still answers.
func TestGoingAwayOverlaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &slowHandler{release: make(chan struct{})}
		f := start(t, &cloudlinktest.Cloud{}, h)
		old := f.cloud.AwaitLink(t)
		answer := ask(t, old, "1", time.Minute)
		if err := old.Send(wire.KindGoingAway, 0, 0, wire.GoingAway{}); err != nil {
			t.Fatal(err)
		}
		f.cloud.AwaitLink(t)
		close(h.release)
		if r := result(t, <-answer); r.Outcome != wire.OutcomeOK {
			t.Errorf("%+v", r)
		}
		<-old.Over
	})
}

func TestMalformedFrameEndsTheLinkOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, &cloudlinktest.Cloud{}, &slowHandler{})
		for _, b := range [][]byte{{}, {0xff}, []byte("hello"), make([]byte, 1<<16)} {
			c := f.cloud.AwaitLink(t)
			if err := c.SendBytes(b); err != nil {
				t.Fatal(err)
			}
			<-c.Over
		}
		f.cloud.AwaitLink(t)
	})
}

func TestWaitGrowsAndStartsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, &cloudlinktest.Cloud{}, &slowHandler{})
		for range 8 { // a link that does not hold must not look healthy
			f.cloud.AwaitLink(t).Cut()
		}
		from := time.Now()
		c := f.cloud.AwaitLink(t)
		if d := time.Since(from); d < 2*time.Second || d > 6*time.Second {
			t.Errorf("after eight short links the wait is %s", d)
		}
		time.Sleep(time.Minute)
		c.Cut()
		from = time.Now()
		f.cloud.AwaitLink(t)
		if d := time.Since(from); d > time.Second {
			t.Errorf("after a link that held the wait is %s", d)
		}
	})
}

func TestRevokedInstanceAsksRarelyAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &cloudlinktest.Cloud{Refuse: func() *wire.Refusal {
			return &wire.Refusal{Code: wire.RefusedRevoked, Message: "revoked; pair again"}
		}}
		f := start(t, cloud, &slowHandler{})
		time.Sleep(24 * time.Hour)
		if n := cloud.Dials.Load(); n < 200 || n > 700 {
			t.Errorf("%d dials in a day", n)
		}
		var r *wire.Refusal
		if err := f.link.State().LastError; !errors.As(err, &r) || r.Code != wire.RefusedRevoked {
			t.Errorf("state says %v", err)
		}
	})
}

func TestWrongClockIsLearned(t *testing.T) {
	for _, ahead := range []time.Duration{50 * time.Minute, -50 * time.Minute, time.Second} {
		synctest.Test(t, func(t *testing.T) {
			cloud := &cloudlinktest.Cloud{Now: func() time.Time { return time.Now().Add(ahead) }}
			f := start(t, cloud, &slowHandler{})
			cloud.AwaitLink(t)
			if s := f.link.State().ClockSkew; s != ahead && ahead.Abs() > wire.AssertionLife {
				t.Errorf("skew %s", s)
			}
			synctest.Wait()
			if d := time.Until(f.link.CloudTime(time.Now())); d < ahead || d > ahead+2*time.Millisecond {
				t.Errorf("the cloud is ahead by %s, taken for %s", ahead, d)
			}
		})
	}
}

// TestCloudMovesTheClockByAnHour has a cloud say that it is another day: no proof is
// signed for then, and the link is there once the clocks are right.
func TestCloudMovesTheClockByAnHour(t *testing.T) {
	for _, ahead := range []time.Duration{3 * time.Hour, 180 * 24 * time.Hour, -3 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			var off atomic.Int64
			off.Store(int64(ahead))
			cloud := &cloudlinktest.Cloud{Now: func() time.Time { return time.Now().Add(time.Duration(off.Load())) }}
			f := start(t, cloud, &slowHandler{})
			time.Sleep(time.Hour)
			if s := f.link.State(); s.Connected || s.ClockSkew.Abs() > time.Hour {
				t.Errorf("%+v", s)
			}
			off.Store(0)
			cloud.AwaitLink(t)
		})
	}
}

// TestNoProofIsForLater has a cloud that gives no nonce tell another time: what it gets
// is good by this machine's clock alone. With a nonce of the cloud it is good for minutes.
func TestNoProofIsForLater(t *testing.T) {
	for _, ahead := range []time.Duration{50 * time.Minute, -50 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			var off atomic.Int64
			off.Store(int64(ahead))
			now := func() time.Time { return time.Now().Add(time.Duration(off.Load())) }
			cloud := &cloudlinktest.Cloud{Now: now, NoNonces: true}
			f := start(t, cloud, &slowHandler{})
			time.Sleep(30 * time.Minute)
			if s := f.link.State(); s.Connected || s.ClockSkew == 0 {
				t.Errorf("%+v", s)
			}
			off.Store(0)
			cloud.AwaitLink(t)
			if cloud.Nonced.Load() != 0 {
				t.Error("a proof carries a nonce that nobody gave")
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		cloud := &cloudlinktest.Cloud{}
		start(t, cloud, &slowHandler{})
		cloud.AwaitLink(t)
		if dials := cloud.Dials.Load(); dials != 1 || cloud.Nonced.Load() != 1 {
			t.Errorf("%d dials, %d with a nonce of the cloud", dials, cloud.Nonced.Load())
		}
	})
}

// lossy loses the first so many requests.
type lossy struct {
	http.RoundTripper
	lose atomic.Int64
}

func (l *lossy) RoundTrip(r *http.Request) (*http.Response, error) {
	if l.lose.Add(-1) >= 0 {
		return nil, io.ErrUnexpectedEOF
	}
	return l.RoundTripper.RoundTrip(r)
}

// TestNoNonceNoProof: while the cloud cannot be asked what a proof is to carry, as just after its
// start, none is made: one without a nonce would be refused to who has given one before.
func TestNoNonceNoProof(t *testing.T) {
	for _, lost := range []int64{0, 1, 5} {
		synctest.Test(t, func(t *testing.T) {
			cloud := &cloudlinktest.Cloud{}
			start(t, cloud, &slowHandler{}, func(l *cloudlink.Link) {
				way := &lossy{RoundTripper: l.Client.Transport} // loses what asks for a nonce, in both ways
				way.lose.Store(lost)
				l.Client = &http.Client{Transport: way}
			})
			cloud.AwaitLink(t)
			if dials, nonced := cloud.Dials.Load(), cloud.Nonced.Load(); dials != 1 || nonced != 1 {
				t.Errorf("%d lost: %d dials, %d with a nonce of the cloud", lost, dials, nonced)
			}
		})
	}
}

func TestDeafCloudIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &cloudlinktest.Cloud{}
		cloud.Deaf.Store(true)
		f := start(t, cloud, &slowHandler{})
		f.cloud.AwaitLink(t)
		synctest.Wait() // it is deaf now
		f.cloud.Deaf.Store(false)
		from := time.Now()
		f.cloud.AwaitLink(t) // although the writes to the first one are stuck
		if d := time.Since(from); d > time.Minute {
			t.Errorf("left after %s", d)
		}
	})
}

// TestEpochIsKeptAndClaimed goes through two links.
func TestEpochIsKeptAndClaimed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var kept atomic.Uint64
		f := start(t, &cloudlinktest.Cloud{Epoch: 8}, &slowHandler{}, func(l *cloudlink.Link) {
			kept.Store(7)
			l.Credential.Epoch = kept.Load
			l.Credential.Keep = func(e uint64) error { kept.Store(e); return nil }
		})
		c := f.cloud.AwaitLink(t)
		if h := <-c.Heartbeats; f.cloud.Claimed.Load() != 7 || h.Epoch != 8 {
			t.Errorf("claimed %d, kept %d", f.cloud.Claimed.Load(), h.Epoch)
		}
		c.Cut()
		f.cloud.AwaitLink(t)
		if f.cloud.Claimed.Load() != 8 {
			t.Errorf("claimed %d", f.cloud.Claimed.Load())
		}
	})
}

// TestUnwritableStateServesAll has the state folder be full: sign-ons go on, and
// the cloud is not told of an epoch that was not kept.
func TestUnwritableStateServesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, &cloudlinktest.Cloud{Epoch: 8}, &slowHandler{}, func(l *cloudlink.Link) {
			l.Credential.Epoch = func() uint64 { return 7 }
			l.Credential.Keep = func(uint64) error { return errors.New("disk full") }
		})
		c := f.cloud.AwaitLink(t)
		if h := <-c.Heartbeats; h.Epoch != 7 {
			t.Errorf("kept %d", h.Epoch)
		}
		if r := result(t, <-ask(t, c, "1", time.Minute)); r.Outcome != wire.OutcomeOK {
			t.Errorf("%+v", r)
		}
	})
}

func TestRotate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if err := new(cloudlink.Link).Rotate(t.Context(), wire.Rotate{}); !errors.Is(err, cloudlink.ErrNoLink) {
			t.Errorf("before any link: %v", err)
		}
		f := start(t, &cloudlinktest.Cloud{}, &slowHandler{})
		c := f.cloud.AwaitLink(t)
		synctest.Wait()
		if err := f.link.Rotate(t.Context(), wire.Rotate{PublicKey: []byte{1}}); err != nil {
			t.Error(err)
		}
		var r wire.Rotate
		if got := <-c.Rotations; got.Decode(&r) != nil || r.PublicKey[0] != 1 {
			t.Errorf("%+v", r)
		}
	})
}

// Look implements cloudlink.Handler.
func (*slowHandler) Look(_ context.Context, m wire.Look) wire.Looked {
	return wire.Looked{ID: m.ID, Outcome: wire.OutcomeOK, Groups: make([]wire.Sight, len(m.Groups))}
}

// Explain implements cloudlink.Handler.
func (*slowHandler) Explain(_ context.Context, m wire.Explain) wire.Explained {
	return wire.Explained{ID: m.ID, Outcome: wire.OutcomeNotAllowed}
}
