//go:build unix

package service

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
)

// systemdSocket is what systemd listens on; next returns what it was told.
func systemdSocket(t *testing.T) (next func() string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	return func() string {
		t.Helper()
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		b := make([]byte, 4096)
		n, err := c.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
}

// TestSystemdIsTold goes through a life.
func TestSystemdIsTold(t *testing.T) {
	next := systemdSocket(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := errors.New("ended")
	err := Run(ctx, false, nil, "", func(ctx context.Context, m *Manager, _ io.Writer) error {
		want := func(text string) {
			t.Helper()
			if got := next(); got != text {
				t.Errorf("told %q, want %q", got, text)
			}
		}
		m.Ready("it works")
		want("READY=1\nSTATUS=it works")
		m.Ready("again")
		m.Tell("it works")
		m.Tell("it does not")
		want("STATUS=it does not")
		m.Alive()
		want("WATCHDOG=1")
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		<-m.Reloads()
		m.Reloading()
		want("RELOADING=1")
		m.Reloaded()
		want("READY=1")
		stop()
		want("STOPPING=1")
		return ended
	})
	if !errors.Is(err, ended) {
		t.Error(err)
	}
}

// TestNobodyListens has neither a dead socket nor none at all stop anything.
func TestNobodyListens(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "gone"))
	if err := Run(t.Context(), false, nil, "", func(_ context.Context, m *Manager, _ io.Writer) error { m.Ready(""); m.Alive(); return nil }); err != nil {
		t.Error(err)
	}
	var none *Manager
	none.Ready("")
	none.Tell("")
	none.Alive()
	none.Reloading()
	if none.Reloads() != nil {
		t.Error("nobody can wish anything")
	}
}

func TestJournalEntry(t *testing.T) {
	got := string(entry("sign-on", hclog.Warn, "two\nlines", []any{"signOn", "so_1", "a-b", 3}))
	want := "MESSAGE\n\x24\x00\x00\x00\x00\x00\x00\x00sign-on: two\nlines signOn=so_1 a-b=3\nPRIORITY=4\nSYSLOG_IDENTIFIER=ldap-gateway\n" +
		"LDAP_GATEWAY_LOGGER=sign-on\nLDAP_GATEWAY_SIGN_ON=so_1\nLDAP_GATEWAY_A_B=3\n"
	if got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestJournalRefuses has a line that journald does not take stay on standard error,
// and none below the level go anywhere.
func TestJournalRefuses(t *testing.T) {
	var out, sent bytes.Buffer
	logger := hclog.NewInterceptLogger(&hclog.LoggerOptions{Output: io.Discard, Level: hclog.Info})
	refusing := &journal{to: closedWriter{}, level: logger, otherwise: hclog.New(&hclog.LoggerOptions{Output: &out})}
	logger.RegisterSink(refusing)
	logger.RegisterSink(&journal{to: &sent, level: logger})
	logger.Named("link").Info("it is up", "cloud", "id.example.com")
	logger.Named("link").Debug("nobody wants this")
	for name, text := range map[string]string{"otherwise": out.String(), "sent": sent.String()} {
		if !strings.Contains(text, "it is up") || !strings.Contains(text, "id.example.com") ||
			strings.Contains(text, "nobody") {
			t.Errorf("%s: %q", name, text)
		}
	}
	logger.SetLevel(hclog.Debug)
	logger.Named("link").Debug("now somebody does")
	if !strings.Contains(sent.String(), "now somebody does") {
		t.Error("the level does not follow")
	}
}

// closedWriter takes nothing.
type closedWriter struct{}

func (closedWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// TestOnlyTheJournalsStream takes standard error for the journal's only where it is.
func TestOnlyTheJournalsStream(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "x"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if journals(f, "") || journals(f, "1:2") || journals(&bytes.Buffer{}, "1:2") {
		t.Error("taken for the journal")
	}
}
