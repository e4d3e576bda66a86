//go:build linux

package machinetest

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

//go:embed boot.sh
var bootScript string

// Machine is a booted machine.
type Machine struct {
	t       testing.TB
	how     Init
	dir     string // tmpfs with the overlay's layers
	cgroup  string
	network *os.File // its network namespace
	init    *exec.Cmd
	ended   chan struct{}
	release func() // ends the machine
}

// Boot boots a machine that runs until the test ends.
func Boot(t testing.TB, how Init) *Machine {
	t.Helper()
	need(t, how)
	m := &Machine{t: t, how: how}
	dir, err := os.MkdirTemp("", "machinetest")
	m.must(err)
	m.dir = dir
	t.Cleanup(func() { _ = os.Remove(dir) })
	m.mount()
	m.makeNetwork()
	m.makeCgroup()
	t.Cleanup(m.halt)
	m.boot()
	return m
}

// need fails the test when something is missing here.
func need(t testing.TB, how Init) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("booting a machine in namespaces needs root")
	}
	for _, pattern := range append([]string{"/usr/bin/nsenter", "/*bin/ip"}, how.needs...) {
		if found, err := filepath.Glob(pattern); err != nil || len(found) == 0 {
			t.Fatalf(`%s is missing: run "make tools" (%v)`, pattern, err)
		}
	}
}

func (m *Machine) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatalf("machinetest: %v", err)
	}
}

// Root is where the machine's files are, seen from here.
func (m *Machine) Root() string { return filepath.Join(m.dir, "root") }

// mount lays the overlay, with none of this machine's own services in it.
func (m *Machine) mount() {
	m.t.Helper()
	m.must(unix.Mount("machinetest", m.dir, "tmpfs", 0, "size=2g,mode=755"))
	m.t.Cleanup(func() { _ = unix.Unmount(m.dir, unix.MNT_DETACH) })
	for _, d := range []string{"upper", "work", "root"} {
		m.must(os.Mkdir(filepath.Join(m.dir, d), 0o755))
	}
	m.must(
		unix.Mount(
			"overlay",
			m.Root(),
			"overlay",
			0,
			fmt.Sprintf("lowerdir=/,upperdir=%[1]s/upper,workdir=%[1]s/work", m.dir),
		),
	)
	m.t.Cleanup(func() { _ = unix.Unmount(m.Root(), unix.MNT_DETACH) })
	for _, pattern := range []string{
		"etc/systemd/system/*.target.wants/*", "etc/rc?.d/*", "usr/sbin/policy-rc.d", "var/log/journal",
	} {
		found, err := filepath.Glob(filepath.Join(m.Root(), pattern))
		m.must(err)
		for _, path := range found {
			m.must(os.RemoveAll(path))
		}
	}
	m.must(os.WriteFile(filepath.Join(m.dir, "console"), nil, 0o600))
}

// makeNetwork makes a network namespace, whose loopback interface is up.
func (m *Machine) makeNetwork() {
	m.t.Helper()
	m.elsewhere(func() error { return unix.Unshare(unix.CLONE_NEWNET) }, func() {
		var err error
		m.network, err = os.Open("/proc/thread-self/ns/net")
		m.must(errors.Join(err, exec.Command("ip", "link", "set", "lo", "up").Run()))
	})
	m.t.Cleanup(func() { _ = m.network.Close() })
}

// Inside calls f on a thread that is in the machine's network: a socket that f
// opens itself and a process that it starts are there.
func (m *Machine) Inside(f func()) {
	m.t.Helper()
	m.elsewhere(func() error { return unix.Setns(int(m.network.Fd()), unix.CLONE_NEWNET) }, f)
}

// elsewhere has a thread enter another network, calls f there, and brings it back.
func (m *Machine) elsewhere(enter func() error, f func()) {
	m.t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	here, err := os.Open("/proc/thread-self/ns/net")
	m.must(err)
	defer here.Close()
	m.must(enter())
	defer func() { m.must(unix.Setns(int(here.Fd()), unix.CLONE_NEWNET)) }()
	f()
}

// Dial connects to an address of numbers in the machine's network.
func (m *Machine) Dial(ctx context.Context, network, address string) (c net.Conn, err error) {
	m.Inside(func() { c, err = (&net.Dialer{}).DialContext(ctx, network, address) })
	return c, err
}

// makeCgroup makes a subtree of the control groups for the machine.
func (m *Machine) makeCgroup() {
	m.t.Helper()
	at := "/sys/fs/cgroup"
	if _, err := os.Stat(at + "/unified"); err == nil {
		at += "/unified"
	}
	m.cgroup = filepath.Join(at, filepath.Base(m.dir))
	m.must(os.Mkdir(m.cgroup, 0o755))
	m.t.Cleanup(func() { removeGroups(m.cgroup) })
}

// removeGroups removes control groups, the inner ones first: only a folder can be
// removed there.
func removeGroups(path string) {
	inner, _ := os.ReadDir(path)
	for _, d := range inner {
		if d.IsDir() {
			removeGroups(filepath.Join(path, d.Name()))
		}
	}
	_ = os.Remove(path)
}

// boot starts process 1 and waits until the machine is up.
func (m *Machine) boot() {
	m.t.Helper()
	cmd := exec.Command("/bin/bash", "-euc", bootScript, m.Root(), m.cgroup, filepath.Join(m.dir, "console"), m.how.start)
	cmd.SysProcAttr = &unix.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC,
	}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	var err error
	m.Inside(func() { err = cmd.Start() })
	m.must(err)
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // it is killed in the end
		close(ended)
	}()
	m.init, m.ended = cmd, ended
	m.leash()
	limit := time.Now().Add(30 * time.Second)
	for {
		// Before its mounts are there, a command would be run on this machine.
		out, err := m.Try("sh", "-c", "test -d /run/machinetest && "+m.how.isUp)
		if err == nil {
			return
		}
		select {
		case <-ended:
			m.t.Fatalf("the machine does not boot: %s\n%s", &said, m.console())
		case <-time.After(100 * time.Millisecond):
		}
		if time.Now().After(limit) {
			m.t.Fatalf("the machine is not up after 30 seconds: %s\n%s", out, m.console())
		}
	}
}

// leash has the machine end with the test, also when the test is killed: another
// process, which hears of it by the end of its standard input, ends the machine.
func (m *Machine) leash() {
	m.t.Helper()
	holder := exec.Command("/bin/sh", "-c", `read -r _; kill -9 "$0"`, strconv.Itoa(m.init.Process.Pid))
	holder.SysProcAttr = &unix.SysProcAttr{Setpgid: true} // Ctrl-C is for the test
	in, err := holder.StdinPipe()
	m.must(err)
	m.must(holder.Start())
	m.release = func() {
		_ = in.Close()
		_ = holder.Wait()
	}
}

func (m *Machine) console() string {
	b, err := os.ReadFile(filepath.Join(m.dir, "console"))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// halt ends every process of the machine at once.
func (m *Machine) halt() {
	if m.init == nil {
		return
	}
	m.release()
	<-m.ended
	m.init = nil
}

// Reboot is a power cut and a new start.
func (m *Machine) Reboot() {
	m.t.Helper()
	m.halt()
	m.boot()
}

// Try runs a command as root on the machine and returns all that it prints. The
// error is of its start or its exit code.
func (m *Machine) Try(command ...string) (string, error) {
	enter := []string{"-t", strconv.Itoa(m.init.Process.Pid), "-m", "-p", "-u", "-i", "-n", "-C", "env", "-i",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8", "TERM=dumb",
		"DEBIAN_FRONTEND=noninteractive"}
	cmd := exec.Command("nsenter", append(enter, command...)...)
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// Run is Try for what has to succeed.
func (m *Machine) Run(command ...string) string {
	m.t.Helper()
	out, err := m.Try(command...)
	if err != nil {
		m.t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, out)
	}
	return out
}

// Write puts a file on the machine.
func (m *Machine) Write(path string, content []byte, mode fs.FileMode) {
	m.t.Helper()
	path = filepath.Join(m.Root(), path)
	m.must(os.MkdirAll(filepath.Dir(path), 0o755))
	m.must(os.WriteFile(path, content, mode))
}
