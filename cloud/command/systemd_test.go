package command

import (
	"context"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestSystemdIsTold has systemd learn when the cloud answers and when it stops.
func TestSystemdIsTold(t *testing.T) {
	dir := t.TempDir()
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	t.Setenv("NOTIFY_SOCKET", filepath.Join(dir, "notify"))
	if code := Main(t.Context(), []string{
		"init",
		"--data", filepath.Join(dir, "data"),
		"--name", "Test",
	}, io.Discard, io.Discard); code != 0 {
		t.Fatal(code)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan int, 1)
	go func() {
		ended <- Main(ctx, []string{
			"run",
			"--data", filepath.Join(dir, "data"),
			"--listen", "127.0.0.1:0",
		}, io.Discard, io.Discard)
	}()
	for _, want := range []string{"READY=1\nSTATUS=http://127.0.0.1:", "STOPPING=1"} {
		if err := c.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 512)
		n, err := c.Read(b)
		if err != nil || !strings.HasPrefix(string(b[:n]), want) {
			t.Errorf("%q %v, want %q", b[:n], err, want)
		}
		stop()
	}
	if code := <-ended; code != 0 {
		t.Error(code)
	}
}
