package cloudlink_test

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ldap-gateway/cloudlink"
	"ldap-gateway/cloudlink/cloudlinktest"
	"ldap-gateway/cloudlink/wire"
)

// counted counts the connections of a client, and those that are open.
type counted struct {
	net.Conn
	open *atomic.Int64
	once atomic.Bool
}

func (c *counted) Close() error {
	if !c.once.Swap(true) {
		c.open.Add(-1)
	}
	return c.Conn.Close()
}

// TestEachDialIsOneConnection: whatever comes of it, an attempt opens one connection, a new one, for the
// nonce and the websocket: each costs both ends a handshake of TLS. One that was refused stays open for
// nobody.
func TestEachDialIsOneConnection(t *testing.T) {
	for name, refusals := range map[string][]wire.RefusalCode{
		"let in":             nil,
		"refused and let in": {wire.RefusedClock, wire.RefusedNonce, wire.RefusedGoingAway, wire.RefusedThrottled},
		"refused":            {wire.RefusedRevoked, wire.RefusedCloned, wire.RefusedDisabled, wire.RefusedAssertion},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				left := refusals
				cloud := &cloudlinktest.Cloud{Refuse: func() *wire.Refusal {
					if len(left) == 0 {
						return nil
					}
					code := left[0]
					left = left[1:]
					return &wire.Refusal{Code: code, Message: "no"}
				}}
				var connections, open atomic.Int64
				start(t, cloud, &slowHandler{}, func(l *cloudlink.Link) {
					transport := l.Client.Transport.(*http.Transport)
					dial := transport.DialContext
					transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
						conn, err := dial(ctx, network, address)
						if err != nil {
							return nil, err
						}
						connections.Add(1)
						open.Add(1)
						return &counted{Conn: conn, open: &open}, nil
					}
				})
				for attempt := range len(refusals) + 1 {
					for cloud.Dials.Load() == int64(attempt) {
						time.Sleep(time.Millisecond)
					}
					synctest.Wait()
					if n := connections.Load(); n != int64(attempt+1) {
						t.Errorf("%d connections for %d attempts", n, attempt+1)
					}
					want := int64(0)
					if attempt == len(refusals) { // let in
						want = 1
					}
					if n := open.Load(); n != want {
						t.Errorf("%d are open after attempt %d", n, attempt)
					}
				}
			})
		})
	}
}
