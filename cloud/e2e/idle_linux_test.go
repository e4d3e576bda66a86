package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// spell is how long a program may be at work after it was woken up, to count as woken once:
// what it does then makes its threads, and the monitor of Go's runtime, wake each other.
const spell = 50 * time.Millisecond

// BenchmarkIdle measures what both programs take while nobody signs on: memory, and how
// often they are woken up a second, which is what keeps a machine from rest. People have
// signed on before; a minute is enough for what that left behind. Of the memory, anonymous
// is what the program has for itself; the rest is its file, as far as it was looked at.
func BenchmarkIdle(b *testing.B) {
	w := newWorld(b, plan{logs: "info", policy: unlimited})
	for range 50 {
		w.mustSignOn("alice", "wonderland")
	}
	b.ReportMetric(0, "ns/op")
	for b.Loop() {
		<-time.After(time.Minute)
		for name, p := range map[string]*process{"agent": w.agents[0].process, "cloud": w.cloud} {
			pid := p.cmd.Process.Pid
			woken, spells, spent := 0, 0, ticks(b, pid)
			from, before := time.Now(), switches(b, pid)
			for ; time.Since(from) < 20*time.Second; spells++ {
				<-time.After(spell)
				now := switches(b, pid)
				if now != before {
					woken++
				}
				before = now
			}
			long := time.Since(from).Seconds()
			b.ReportMetric(float64(woken)/long, name+"-wake-ups/s")
			b.ReportMetric(100*(ticks(b, pid)-spent).Seconds()/long, name+"-CPU-%")
			b.ReportMetric(float64(p.memory(b, "VmRSS")), name+"-kB")
			b.ReportMetric(float64(p.memory(b, "RssAnon")), name+"-anonymous-kB")
		}
	}
}

// switches counts how often the threads of a process have given the processor up by
// themselves (proc(5), status).
func switches(t testing.TB, pid int) (n float64) {
	t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	must(t, err)
	for _, thread := range threads {
		b, err := os.ReadFile(thread)
		must(t, err)
		var of float64
		_, after, _ := strings.Cut(string(b), "\nvoluntary_ctxt_switches:")
		_, err = fmt.Sscan(after, &of)
		must(t, err)
		n += of
	}
	return n
}
