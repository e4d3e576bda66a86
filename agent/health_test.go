package agent_test

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ldap-gateway/agent/agenttest"
	"ldap-gateway/agent/command"
	"ldap-gateway/agent/health"
	"ldap-gateway/cloudlink/cloudlinktest"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/configs"
)

// freePort returns a loopback address that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	agenttest.Must(t, err)
	defer l.Close()
	return l.Addr().String()
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	agenttest.Must(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	agenttest.Must(t, err)
	return resp.StatusCode, string(b)
}

// await polls until what says true.
func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	limit, tick := time.Now().Add(20*time.Second), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for !is() {
		if time.Now().After(limit) {
			t.Fatal("never: " + what)
		}
		<-tick.C
	}
}

// TestHealth asks a whole agent, while all is well, without a directory, and
// without a cloud.
func TestHealth(t *testing.T) {
	at := freePort(t)
	h := startHostile(t, func(g *configs.Gateway) { g.Metrics.Listen = at; g.Directory.Timeout = 200 * time.Millisecond },
		nil)
	h.link()
	ready := func() bool { code, _ := get(t, "http://"+at+"/ready"); return code == http.StatusOK }
	await(t, "ready", ready)
	if code, body := get(t, "http://"+at+"/live"); code != 200 || body != "live\n" {
		t.Error(code, body)
	}
	_, metrics := get(t, "http://"+at+"/metrics")
	for _, line := range []string{"ldap_gateway_ready 1", "ldap_gateway_link_up 1", `ldap_gateway_directory_servers{state="up"} 1`,
		`ldap_gateway_sign_ons_total{outcome="ok"} 1`, `ldap_gateway_sign_ons_total{outcome="busy"} 0`, "# TYPE ldap_gateway_sign_ons_total counter"} {
		if !strings.Contains(metrics, line+"\n") {
			t.Errorf("no line %q in\n%s", line, metrics)
		}
	}
	if strings.Contains(metrics, "alice") || strings.Contains(metrics, "staff") {
		t.Error("something of a person is in the metrics")
	}
	h.server.Close()
	await(t, "not ready without a directory", func() bool {
		h.signOn(func(m *wire.SignOn) { m.Revision = 20 }) // that a server is down shows when it is wanted
		return !ready()
	})
	if _, body := get(t, "http://"+at+"/ready"); !strings.Contains(body, "error: directoryDown") {
		t.Error(body)
	}
	s, err := health.Ask(t.Context(), h.state)
	agenttest.Must(t, err)
	if s.Ready || !s.Connected || !has(s, "directoryDown") || s.SignOns["directoryUnavailable"] == 0 ||
		s.Instance != agenttest.Instance {
		t.Errorf("%+v", s)
	}
}

func has(s health.Status, code string) bool {
	return slices.ContainsFunc(s.Problems,
		func(p health.Problem) bool { return p.Code == code && p.Text != "" && p.Remedy != "" })
}

func TestStatus(t *testing.T) {
	var revoked atomic.Bool
	h := newHostile(t, func(c *cloudlinktest.Cloud) {
		c.Refuse = func() *wire.Refusal {
			if revoked.Load() {
				return &wire.Refusal{Code: wire.RefusedRevoked, Message: "this instance was revoked: pair again"}
			}
			return nil
		}
	})
	h.link()
	status := func() (int, string) {
		var out bytes.Buffer
		code := command.Main(t.Context(), []string{"status", "--state", h.state.String()}, strings.NewReader(""), &out, &out)
		return code, out.String()
	}
	await(t, "ready", func() bool { code, _ := status(); return code == command.ExitOK })
	if _, out := status(); !strings.Contains(out, "link") || !strings.Contains(out, "up since") ||
		!strings.Contains(out, "1 ok") ||
		!strings.Contains(out, "\nready\n") {
		t.Error(out)
	}
	info, err := os.Stat(filepath.Join(h.state.String(), "status.sock"))
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Error(err, info)
	}
	revoked.Store(true)
	h.conn.Cut()
	await(t, "not ready without a link", func() bool {
		code, out := status()
		return code == command.ExitFailed && strings.Contains(out, "error linkDown") && strings.Contains(out, "pair again") &&
			strings.Contains(out, "not ready")
	})
}

// TestHeartbeatTellsProblems has observe mode reach the console.
func TestHeartbeatTellsProblems(t *testing.T) {
	h := startHostile(t, func(g *configs.Gateway) { g.Policy.Observe = true },
		func(c *cloudlinktest.Cloud) { c.Heartbeat = time.Second })
	h.conn = h.cloud.AwaitLink(t)
	if b := <-h.conn.Heartbeats; len(b.Problems) != 1 || b.Problems[0].Code != "observing" {
		t.Errorf("%+v", b.Problems)
	}
}
