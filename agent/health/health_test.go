package health

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ldap-gateway/agent/agenttest"
	"ldap-gateway/agent/audit"
	"ldap-gateway/agent/state"
	"ldap-gateway/directory"
)

// unasked is a directory of which nothing is known yet.
type unasked struct{}

func (unasked) Servers() []directory.ServerState {
	return []directory.ServerState{{URL: "ldaps://dc", State: "unused"}}
}
func (unasked) Undiscovered() error           { return nil }
func (unasked) Problems() []directory.Problem { return nil }

func has(s Status, code string) bool {
	return slices.ContainsFunc(s.Problems,
		func(p Problem) bool { return p.Code == code && p.Text != "" && p.Remedy != "" })
}

// TestProblems has each problem be there, with its severity, and the gateway be
// ready in spite of those that are no error.
func TestProblems(t *testing.T) {
	unwritable := &audit.Log{Path: filepath.Join(os.DevNull, "audit.jsonl")}
	unwritable.Write(audit.Record{Link: &audit.Link{What: "opened"}})
	m := New(Serving{Observe: true, Directory: unasked{}}, unwritable,
		func() []Problem { return []Problem{{Code: "another", Text: "t", Remedy: "r"}} })
	why := "address in use"
	m.metrics.Store(&why)
	s := m.Status()
	for _, code := range []string{"notPaired", "auditNotWritten", "metricsNotServed", "observing", "another"} {
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

func TestSocketIsTakenOverFromTheDeadOnly(t *testing.T) {
	folder := state.At(t.TempDir())
	first, _, err := listenControl(t.Context(), folder)
	agenttest.Must(t, err)
	if _, _, err := listenControl(t.Context(), folder); err == nil {
		t.Error("two gateways have one socket")
	}
	first.(*net.UnixListener).SetUnlinkOnClose(false) // as kill -9 would
	agenttest.Must(t, first.Close())
	if _, err := Ask(t.Context(), folder); !errors.Is(err, ErrNotRunning) {
		t.Error(err)
	}
	second, _, err := listenControl(t.Context(), folder)
	if err != nil {
		t.Fatal(fmt.Errorf("a dead gateway keeps its socket: %w", err))
	}
	agenttest.Must(t, second.Close())
}
