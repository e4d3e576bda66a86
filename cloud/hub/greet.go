package hub

import (
	"context"
	"fmt"
	"time"

	"github.com/coder/websocket"

	"ldap-gateway/cloudlink/wire"
)

// greet takes the hello and says welcome.
// An agent that says nothing for two and a half heartbeats is given up. Until it has
// said hello a frame may be small only.
func (l *link) greet(gateway string) error {
	ctx, cancel := context.WithTimeout(context.Background(), l.hub.Heartbeat*5/2)
	defer cancel()
	l.ws.SetReadLimit(wire.MaxFirstFrame)
	f, err := l.read(ctx)
	if err != nil {
		return err
	}
	if f.Kind != wire.KindHello {
		return fmt.Errorf("%w: %s instead of a hello", wire.ErrFrame, f.Kind)
	}
	var hello wire.Hello
	if err := f.Decode(&hello); err != nil {
		return err
	}
	boundHello(&hello)
	version, err := wire.CommonVersion(wire.Versions(), hello.Versions)
	if err != nil {
		_ = l.ws.Close(websocket.StatusPolicyViolation, "no common version: update ldap-gateway")
		return err
	}
	l.live.Wire = version
	l.live.Hostname = hello.Hostname
	l.live.Software = hello.Software
	l.live.System = hello.System
	l.live.Policy = hello.Policy
	l.policy = hello.PolicyHash
	l.ws.SetReadLimit(wire.MaxFrame)
	welcome := wire.Welcome{
		Version:         version,
		Gateway:         gateway,
		Node:            l.hub.Node,
		HeartbeatMillis: uint32(l.hub.Heartbeat.Milliseconds()),
		Epoch:           l.epoch,
		At:              uint64(time.Now().UnixMilli()),
	}
	return l.write(wire.KindWelcome, welcome.For(version))
}

// write sends a frame past the queue, which only the greeting may: nobody else writes
// yet.
func (l *link) write(kind wire.Kind, body any) error {
	f, err := wire.NewFrame(kind, 0, 0, body)
	if err != nil {
		return err
	}
	return l.writeFrame(f)
}
