package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// wallClock is the clock on the wall of an agent, which a test sets. The program
// is the real one, built with a change to package time: Now adds what a file says,
// to the wall clock only. Timers and durations run on, as they do when an
// administrator or NTP sets a machine's clock.
type wallClock struct {
	program string
	file    string
}

const jumpSource = `package time

import "syscall"

// Now is realNow on a wall clock that may be wrong.
func Now() Time {
	t := realNow()
	t.wall += uint64(jump()) << nsecShift
	return t
}

// jump returns the seconds that a file named in the environment has.
func jump() (n int64) {
	path, _ := syscall.Getenv("E2E_CLOCK")
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return 0
	}
	defer syscall.Close(fd)
	var b [16]byte
	size, _ := syscall.Read(fd, b[:])
	for _, c := range b[:max(0, size)] {
		if '0' <= c && c <= '9' {
			n = n*10 + int64(c-'0')
		}
	}
	if b[0] == '-' {
		return -n
	}
	return n
}
`

// buildWithClock builds the agent with a wall clock that can be set.
func buildWithClock(t testing.TB) *wallClock {
	t.Helper()
	dir := t.TempDir()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	must(t, err)
	folder := filepath.Join(strings.TrimSpace(string(root)), "src", "time")
	replaced := map[string]string{filepath.Join(folder, "jump.go"): dir + "/jump.go"}
	must(t, os.WriteFile(dir+"/jump.go", []byte(jumpSource), 0o600))
	// The runtime calls sendTime where no file can be read.
	for name, change := range map[string][2]string{
		"time.go":  {"func Now() Time {", "func realNow() Time {"},
		"sleep.go": {"<- Now()", "<- realNow()"},
	} {
		source, err := os.ReadFile(filepath.Join(folder, name))
		must(t, err)
		if strings.Count(string(source), change[0]) != 1 {
			t.Fatal("package time has changed: look at its Now and sendTime, and at this test")
		}
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(strings.Replace(string(source), change[0], change[1], 1)), 0o600))
		replaced[filepath.Join(folder, name)] = filepath.Join(dir, name)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replaced})
	must(t, err)
	must(t, os.WriteFile(dir+"/overlay.json", overlay, 0o600))
	c := &wallClock{program: dir + "/ldap-gateway", file: dir + "/clock"}
	out, err := exec.Command("go", "build", "-overlay", dir+"/overlay.json", "-o", c.program, "ldap-gateway/agent/ldap-gateway").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return c
}

// set makes the clock wrong by so many seconds.
func (c *wallClock) set(t testing.TB, seconds int) {
	t.Helper()
	next := c.file + ".next"
	must(t, os.WriteFile(next, []byte(fmt.Sprint(seconds)), 0o600))
	must(t, os.Rename(next, c.file))
}

// command is what to run the agent with.
func (c *wallClock) command() []string { return []string{"env", "E2E_CLOCK=" + c.file, c.program} }
