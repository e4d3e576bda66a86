package audit

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"time"

	"ldap-gateway/cloud/alerts"
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
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, t.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	at := strconv.FormatInt(now.Unix(), 10)
	r.Header.Set("Content-Type", "application/x-ndjson")
	r.Header.Set("User-Agent", "ldap-cloud")
	r.Header.Set("X-Ldap-Cloud-Signature", "t="+at+",v1="+alerts.Signature(t.Secret, at, body))
	answer, err := outbound.Guard{Allowed: anywhere, RootCAs: t.Roots}.Client(0).Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10)) // so that the connection ends well
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("it answered %s", answer.Status)
	}
	return nil
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
