package cloudlinktest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/coder/websocket"

	"ldap-gateway/cloudlink/wire"
)

// Conn is one link, seen from the cloud.
type Conn struct {
	Hello      wire.Hello
	Heartbeats chan wire.Heartbeat // the newest 64
	Rotations  chan wire.Frame     // requests of ours, answered
	Going      chan struct{}       // closed when the agent says that it is going away
	Over       chan struct{}       // closed when the link has ended

	ws      *websocket.Conn
	cloud   *Cloud
	mu      sync.Mutex
	lastID  uint64
	answers map[uint64]chan wire.Frame
}

func refusalCode(err error) wire.RefusalCode {
	if errors.Is(err, wire.ErrAssertionTime) {
		return wire.RefusedClock
	}
	return wire.RefusedAssertion
}

func (c *Conn) serve() {
	defer close(c.Over)
	f, err := c.read()
	if err != nil || f.Decode(&c.Hello) != nil {
		return
	}
	beat := c.cloud.Heartbeat
	if beat == 0 {
		beat = 10 * time.Second
	}
	version := c.cloud.Version
	if version == 0 {
		version = wire.Version
	}
	if c.cloud.Heartless {
		beat = 0
	}
	if c.cloud.Greet != nil && !c.cloud.Greet(c) {
		_, _ = c.read()
		return
	}
	welcome := wire.Welcome{
		Version:         version,
		Node:            "test",
		HeartbeatMillis: uint32(beat.Milliseconds()),
		Epoch:           c.cloud.Epoch,
		At:              uint64(c.cloud.now().UnixMilli()),
	}
	_ = c.Send(wire.KindWelcome, 0, 0, welcome.For(version))
	c.cloud.links <- c
	for !c.cloud.Deaf.Load() {
		f, err := c.read()
		if err != nil {
			return
		}
		c.take(f)
	}
	<-c.cloud.done
}

func (c *Conn) read() (wire.Frame, error) {
	_, b, err := c.ws.Read(context.Background())
	if err != nil {
		return wire.Frame{}, err
	}
	if c.cloud.Tap != nil {
		c.cloud.Tap(b)
	}
	return wire.DecodeFrame(b)
}

func (c *Conn) take(f wire.Frame) {
	switch f.Kind {
	case wire.KindHeartbeat:
		var h wire.Heartbeat
		if f.Decode(&h) == nil {
			select {
			case c.Heartbeats <- h:
			default:
			}
		}
		if !c.cloud.Mute.Load() {
			c.reply(wire.KindHeartbeat, f.ID, nil)
		}
	case wire.KindRotate:
		c.Rotations <- f
		c.reply(wire.KindRotated, f.ID, wire.Rotated{})
	case wire.KindGoingAway:
		close(c.Going)
		c.reply(wire.KindGoingAway, 0, wire.GoingAway{})
	default:
		c.mu.Lock()
		answer := c.answers[f.ID]
		delete(c.answers, f.ID)
		c.mu.Unlock()
		if answer != nil {
			answer <- f
		}
	}
}

// reply sends without holding up the reader: a pipe has no buffer, and the other
// end may be writing too.
func (c *Conn) reply(kind wire.Kind, id uint64, body any) {
	go func() { _ = c.Send(kind, id, 0, body) }()
}

// Send sends one frame.
func (c *Conn) Send(kind wire.Kind, id uint64, budget time.Duration, body any) error {
	f, err := wire.NewFrame(kind, id, budget, body)
	if err != nil {
		return err
	}
	b, err := f.Encode()
	if err != nil {
		return err
	}
	return c.SendBytes(b)
}

// SendBytes sends a message as it is.
func (c *Conn) SendBytes(b []byte) error {
	return c.ws.Write(context.Background(), websocket.MessageBinary, b)
}

// SendText sends a message of type text, which the link has none of.
func (c *Conn) SendText(s string) error {
	return c.ws.Write(context.Background(), websocket.MessageText, []byte(s))
}

// Ask sends a request and returns the channel that its answer comes on.
func (c *Conn) Ask(kind wire.Kind, budget time.Duration, body any) (<-chan wire.Frame, error) {
	answer := make(chan wire.Frame, 1)
	c.mu.Lock()
	c.lastID++
	id := c.lastID
	c.answers[id] = answer
	c.mu.Unlock()
	return answer, c.Send(kind, id, budget, body)
}

// Cut ends the link without a word.
func (c *Conn) Cut() { _ = c.ws.CloseNow() }
