package e2e

import (
	"path/filepath"

	"golang.org/x/sys/unix"
)

// shortages are the faults of machines that run out of something, or whose clock is set.
func (c *tortured) shortages(moment func()) map[string]func() {
	return map[string]func(){
		"agent without disk": func() {
			empty := fill(c.t, c.disks[c.random.IntN(len(c.disks))])
			moment()
			empty()
		},
		"agents' clock": func() {
			c.clock.set(c.t, c.random.IntN(7200)-3600)
			moment()
			c.clock.set(c.t, 0)
		},
		"node without descriptors":  func() { c.withoutDescriptors(c.anyNode().process, moment) },
		"agent without descriptors": func() { c.withoutDescriptors(c.anyAgent().process, moment) },
		"database without disk": func() { // it may end of it, and is started by whatever looks after it
			empty := fill(c.t, c.database.Data())
			moment()
			empty()
			c.database.Restart()
		},
	}
}

// onSmallDisks moves what database and agents keep to disks of their own, and gives the
// agents a clock that can be set.
func (c *tortured) onSmallDisks() {
	c.clock = buildWithClock(c.t)
	c.runWith = c.clock.command()
	c.database.Stop()
	c.toDisk(c.database.Data(), "256m")
	c.t.Cleanup(c.database.Stop)
	c.database.Restart()
	for _, m := range c.agents {
		m.stop()
		c.disks = append(c.disks, c.onDisk(filepath.Join(c.dir, m.name, "state"), "8m"))
		c.launchAgent(m)
	}
	c.awaitInstances(2)
}

// withoutDescriptors has a process open nothing more for a while.
func (c *tortured) withoutDescriptors(p *process, moment func()) {
	var was unix.Rlimit
	pid := p.cmd.Process.Pid
	must(c.t, unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &was))
	must(c.t, unix.Prlimit(pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 0, Max: was.Max}, nil))
	moment()
	must(c.t, unix.Prlimit(pid, unix.RLIMIT_NOFILE, &was, nil))
}
