package hub

import (
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"ldap-gateway/cloudlink/wire"
)

// Bus is the message bus between nodes, embedded in the process.
type Bus struct {
	server *server.Server
	Conn   *nats.Conn
}

// StartBus starts a bus without a listener: nothing outside the process reaches it.
func StartBus() (*Bus, error) {
	s, err := server.NewServer(&server.Options{DontListen: true, NoSigs: true, NoLog: true, MaxPayload: 2 * wire.MaxFrame})
	if err != nil {
		return nil, fmt.Errorf("message bus: %w", err)
	}
	go s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		s.Shutdown()
		return nil, errors.New("message bus: not ready after 10 s")
	}
	conn, err := nats.Connect("", nats.InProcessServer(s))
	if err != nil {
		s.Shutdown()
		return nil, fmt.Errorf("message bus: %w", err)
	}
	return &Bus{s, conn}, nil
}

// Close ends the bus. Requests in progress fail.
func (b *Bus) Close() {
	b.Conn.Close()
	b.server.Shutdown()
	b.server.WaitForShutdown()
}
