package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"ldap-gateway/cloud/e2e/profiled"
)

// profiles are those of both programs of a world, of the row that is measured. Nil: none
// are wanted.
type profiles struct {
	t      testing.TB
	folder string
	rounds int // that were profiled so far
	from   int // the first round of the row
}

// profilesOf is to be called before the programs start, which get the folder.
func profilesOf(t testing.TB) *profiles {
	t.Helper()
	if !*profilesWanted {
		return nil
	}
	folder := t.TempDir()
	must(t, os.Setenv(profiled.Folder, folder))
	return &profiles{t: t, folder: folder}
}

// during profiles what do does, and returns what each program has allocated meanwhile.
func (p *profiles) during(w *world, do func()) map[string]profiled.Allocated {
	w.t.Helper()
	if p == nil {
		do()
		return nil
	}
	pids := map[string]int{"ldap-gateway": w.agents[0].cmd.Process.Pid, "ldap-cloud": w.cloud.cmd.Process.Pid}
	for _, pid := range pids {
		must(p.t, syscall.Kill(pid, profiled.Begin))
	}
	do()
	for _, pid := range pids {
		must(p.t, syscall.Kill(pid, profiled.End))
	}
	all := map[string]profiled.Allocated{}
	for program := range pids {
		name := profiled.File(p.folder, program, p.rounds)
		w.await(name+" is written", func() bool { _, err := os.Stat(name); return err == nil })
		b, err := os.ReadFile(name + ".json")
		must(p.t, err)
		var a profiled.Allocated
		must(p.t, json.Unmarshal(b, &a))
		all[program] = a
	}
	p.rounds++
	return all
}

// print writes the top of the row's profiles, and begins another row.
func (p *profiles) print(row string) {
	if p == nil {
		return
	}
	for _, program := range []string{"ldap-cloud", "ldap-gateway"} {
		var rounds []string
		for round := p.from; round < p.rounds; round++ {
			rounds = append(rounds, profiled.File(p.folder, program, round))
		}
		for _, by := range []string{"-flat", "-cum"} {
			p.top(row+", "+program+", processor, "+by, append([]string{by, programs + "/" + program}, rounds...))
		}
		p.top(row+", "+program+", objects allocated", []string{"-sample_index=alloc_objects", "-base",
			rounds[0] + profiled.Before, programs + "/" + program, rounds[len(rounds)-1] + profiled.After})
	}
	p.from = p.rounds
}

// top writes what go tool pprof says. Not to the log: of that of a benchmark go test shows
// ten lines.
func (p *profiles) top(title string, args []string) {
	out, err := exec.Command("go", append([]string{"tool", "pprof", "-top", "-nodecount", "40"}, args...)...).Output()
	must(p.t, err)
	fmt.Fprintf(os.Stderr, "\n%s:\n%s", title, out)
}
