package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// mostIdle is what the agent may take of a machine's memory while nobody signs on.
const mostIdle = 25 << 10 // kB

// TestIdleMemory looks at what the agent's process has in memory with a link and a
// directory, before and after people signed on and the file was read again.
func TestIdleMemory(t *testing.T) {
	w := newWorld(t, plan{policy: unlimited})
	fresh := w.agents[0].resident(t)
	for range 50 {
		w.mustSignOn("alice", "wonderland")
	}
	if out, code := w.command("agent1", "", "reload"); code != 0 {
		t.Fatal(out)
	}
	w.mustSignOn("alice", "wonderland")
	after := w.agents[0].resident(t)
	t.Logf("resident: %d kB fresh, %d kB after 50 sign-ons and a reload", fresh, after)
	if fresh > mostIdle || after > mostIdle {
		t.Errorf("more than %d kB", mostIdle)
	}
}

// resident returns what the process has in memory, in kB.
func (p *process) resident(t *testing.T) (kB int) {
	t.Helper()
	return p.memory(t, "VmRSS")
}

// memory returns one of the lines about memory, in kB (proc(5), status).
func (p *process) memory(t testing.TB, line string) (kB int) {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	must(t, err)
	_, after, found := strings.Cut(string(b), line+":")
	if _, err := fmt.Sscan(after, &kB); !found || err != nil {
		t.Fatal("no "+line, err)
	}
	return kB
}
