package audit

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"ldap-gateway/cloud/outbound"
	"ldap-gateway/cloud/store"
)

// sendTime bounds one telling, from the look-up of the name to the last answer.
const sendTime = 20 * time.Second

// anywhere is where a target may be: whoever runs the cloud has named it.
var anywhere = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}

// Send tells activities. It returns once all of them were taken, or by syslog sent; its
// error is for administrators, and has nothing of an answer but the status.
func (t *Target) Send(ctx context.Context, all []store.Activity, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	if t.scheme == "https" {
		return t.post(ctx, all, now)
	}
	return t.write(ctx, all)
}

// post sends JSON lines, signed as alerts are.
func (t *Target) post(ctx context.Context, all []store.Activity, now time.Time) error {
	body, err := inJSON(all)
	if err != nil {
		return err
	}
	g := outbound.Guard{Allowed: anywhere, RootCAs: t.Roots}
	return g.Post(ctx, t.URL, "application/x-ndjson", t.Secret, body, now)
}

// write sends messages of syslog over a connection of their own. It closes its half and
// waits for a moment: a receiver that has read all closes the other.
func (t *Target) write(ctx context.Context, all []store.Activity) error {
	host, err := os.Hostname()
	if err != nil {
		host = "-"
	}
	text, err := inSyslog(all, host)
	if err != nil {
		return err
	}
	conn, err := t.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if end, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(end) // it fails only when all else does
	}
	if _, err := conn.Write(text); err != nil {
		return err
	}
	return read(conn)
}

// goodbye is how long a receiver is waited for that has nothing to say.
const goodbye = time.Second

// read ends the own half of a connection, and tells of one that was broken off meanwhile.
func read(conn net.Conn) error {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		if err := half.CloseWrite(); err != nil {
			return err
		}
	}
	_ = conn.SetReadDeadline(time.Now().Add(goodbye))
	_, err := io.Copy(io.Discard, io.LimitReader(conn, 64<<10))
	if slow, ok := err.(net.Error); ok && slow.Timeout() {
		return nil
	}
	return err
}

func (t *Target) dial(ctx context.Context) (net.Conn, error) {
	if t.scheme == "syslog+tcp" {
		return new(net.Dialer).DialContext(ctx, "tcp", t.address)
	}
	d := tls.Dialer{Config: &tls.Config{RootCAs: t.Roots, MinVersion: tls.VersionTLS12}}
	return d.DialContext(ctx, "tcp", t.address)
}
