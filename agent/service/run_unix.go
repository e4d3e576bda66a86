//go:build unix

package service

import (
	"context"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// Run calls serve with the service manager that started this program, and returns
// its error. SIGHUP is a wish to reload. The other arguments are for Windows; serve
// gets out back.
func Run(
	ctx context.Context, _ bool, out io.Writer, _ string, serve func(context.Context, *Manager, io.Writer) error,
) error {
	m := newManager(systemd(os.Getenv("NOTIFY_SOCKET")))
	defer context.AfterFunc(ctx, func() { m.send("STOPPING=1") })()
	hangUps := make(chan os.Signal, 1)
	signal.Notify(hangUps, syscall.SIGHUP)
	defer signal.Stop(hangUps)
	over, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	go func() {
		for {
			select {
			case <-hangUps:
				m.wished()
			case <-over.Done():
				return
			}
		}
	}()
	return serve(ctx, m, out)
}

// systemd returns what sends to the socket, nil when there is none.
func systemd(socket string) func(string) {
	if socket == "" {
		return nil
	}
	return func(state string) {
		c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"})
		if err != nil {
			return // see the promises
		}
		_, _ = c.Write([]byte(strings.ReplaceAll(state, "\r", " ")))
		_ = c.Close()
	}
}
