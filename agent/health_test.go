package agent

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ldap-gateway/agent/audit"
	"ldap-gateway/agent/state"
	"ldap-gateway/cloudlink/cloudlinktest"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/configs"
	"ldap-gateway/directory"
)

// freePort returns a loopback address that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().String()
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	must(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	must(t, err)
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
	h := startHostile(t, func(g *configs.Gateway) { g.Metrics.Listen = at; g.Directory.Timeout = 200 * time.Millisecond }, nil)
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
	s, err := askStatus(t.Context(), h.state)
	must(t, err)
	if s.Ready || !s.Connected || !has(s, "directoryDown") || s.SignOns["directoryUnavailable"] == 0 || s.Instance != hostileInstance {
		t.Errorf("%+v", s)
	}
}

func has(s Status, code string) bool {
	return slices.ContainsFunc(s.Problems, func(p Problem) bool { return p.Code == code && p.Text != "" && p.Remedy != "" })
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
	command := func() (int, string) {
		var out bytes.Buffer
		code := Main(t.Context(), []string{"status", "--state", h.state.String()}, strings.NewReader(""), &out, &out)
		return code, out.String()
	}
	await(t, "ready", func() bool { code, _ := command(); return code == ExitOK })
	if _, out := command(); !strings.Contains(out, "link") || !strings.Contains(out, "up since") || !strings.Contains(out, "1 ok") || !strings.Contains(out, "\nready\n") {
		t.Error(out)
	}
	info, err := os.Stat(filepath.Join(h.state.String(), "status.sock"))
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Error(err, info)
	}
	revoked.Store(true)
	h.conn.Cut()
	await(t, "not ready without a link", func() bool {
		code, out := command()
		return code == ExitFailed && strings.Contains(out, "error linkDown") && strings.Contains(out, "pair again") && strings.Contains(out, "not ready")
	})
}

// TestProblems has each problem be there, with its severity, and the gateway be
// ready in spite of those that are no error.
func TestProblems(t *testing.T) {
	file := filePolicy()
	file.Observe = true
	d := newDesk(t, file)
	unwritable := &audit.Log{Path: filepath.Join(os.DevNull, "audit.jsonl")}
	unwritable.Write(audit.Record{Link: &audit.Link{What: "opened"}})
	h := newHealth(&serving{file: &configs.Gateway{Cloud: configs.Cloud{URL: &url.URL{}}}, people: d.People.(*directory.Client), policy: d.Policy}, unwritable)
	why := "address in use"
	h.metrics.Store(&why)
	s := h.status()
	for _, code := range []string{"notPaired", "auditNotWritten", "metricsNotServed", "observing"} {
		if !has(s, code) {
			t.Errorf("%s is not told: %+v", code, s.Problems)
		}
	}
	if s.Ready || has(s, "directoryDown") {
		t.Errorf("%+v", s)
	}
	var text strings.Builder
	s.writeMetrics(&text)
	if !strings.Contains(text.String(), `ldap_gateway_problem{code="observing",severity="info"} 1`) {
		t.Error(text.String())
	}
}

// TestHeartbeatTellsProblems has observe mode reach the console.
func TestHeartbeatTellsProblems(t *testing.T) {
	h := startHostile(t, func(g *configs.Gateway) { g.Policy.Observe = true }, func(c *cloudlinktest.Cloud) { c.Heartbeat = time.Second })
	h.conn = h.cloud.AwaitLink(t)
	if b := <-h.conn.Heartbeats; len(b.Problems) != 1 || b.Problems[0].Code != "observing" {
		t.Errorf("%+v", b.Problems)
	}
}

func TestSocketIsTakenOverFromTheDeadOnly(t *testing.T) {
	folder := state.At(t.TempDir())
	first, _, err := openDoor(t.Context(), folder)
	must(t, err)
	if _, _, err := openDoor(t.Context(), folder); err == nil {
		t.Error("two gateways have one socket")
	}
	first.(*net.UnixListener).SetUnlinkOnClose(false) // as kill -9 would
	must(t, first.Close())
	if _, err := askStatus(t.Context(), folder); !errors.Is(err, ErrNotRunning) {
		t.Error(err)
	}
	second, _, err := openDoor(t.Context(), folder)
	if err != nil {
		t.Fatal(fmt.Errorf("a dead gateway keeps its socket: %w", err))
	}
	must(t, second.Close())
}
