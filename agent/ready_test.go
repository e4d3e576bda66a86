//go:build unix

package agent_test

import (
	"context"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/agent"
	"ldap-gateway/agent/agenttest"
	"ldap-gateway/agent/service"
	"ldap-gateway/agent/state"
	"ldap-gateway/configs"
)

// TestReadyWithoutACloud has the start be over, with the reason, when there is no
// link: systemd would end a start that waits for one.
func TestReadyWithoutACloud(t *testing.T) {
	for name, c := range map[string]struct {
		paired bool
		how    string
	}{"unpaired": {false, "this machine is not paired"}, "no-cloud": {true, "there is no link to the cloud"}} {
		t.Run(name, func(t *testing.T) {
			folder, u := state.At(t.TempDir()), &url.URL{Scheme: "http", Host: "127.0.0.1:1"}
			if c.paired {
				agenttest.Pair(t, folder, u.String())
			}
			told := notifySocket(t)
			ctx, stop := context.WithCancel(t.Context())
			i := &agent.Instance{
				State:  folder,
				Logger: hclog.NewNullLogger(),
				File: &configs.Gateway{Cloud: configs.Cloud{URL: u}, Policy: agenttest.Policy(), Audit: configs.Audit{Off: true},
					Directory: configs.Directory{Servers: []string{"ldaps://127.0.0.1:1"}, BaseDN: "dc=x"}},
			}
			ended := make(chan error, 1)
			go func() {
				ended <- service.Run(ctx, false, nil, "", func(ctx context.Context, m *service.Manager, _ io.Writer) error { i.Manager = m; return i.Run(ctx) })
			}()
			for _, want := range []string{"READY=1\nSTATUS=" + c.how, "WATCHDOG=1"} {
				if got := told(); !strings.HasPrefix(got, want) {
					t.Errorf("told %q, want %q", got, want)
				}
			}
			stop()
			agenttest.Must(t, <-ended)
			for got := told(); got != "STOPPING=1"; got = told() {
				if got != "WATCHDOG=1" {
					t.Error(got)
				}
			}
		})
	}
}

// notifySocket is where systemd listens; the function returns what it was told
// next, within ten seconds.
func notifySocket(t *testing.T) func() string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	agenttest.Must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	return func() string {
		t.Helper()
		agenttest.Must(t, c.SetReadDeadline(time.Now().Add(10*time.Second)))
		b := make([]byte, 4096)
		n, err := c.Read(b)
		agenttest.Must(t, err)
		return string(b[:n])
	}
}
