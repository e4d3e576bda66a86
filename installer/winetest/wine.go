package winetest

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Machine is a Windows, as wine makes one.
type Machine struct {
	t      testing.TB
	prefix string
}

// Start makes a machine that runs until the test ends.
func Start(t testing.TB) *Machine {
	t.Helper()
	for program, pkg := range map[string]string{"wine": "wine", "wineserver": "wine64"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf(`%s is not installed: run "make tools" or apt-get install wine wine64`, pkg)
		}
	}
	m := &Machine{t: t}
	m.make(3)
	m.server("--wait") // or the service manager of this start would be a second one beside the next
	m.must(
		os.WriteFile(m.Path(`C:\windows\system32\bcryptprimitives.dll`),
			forwarder("bcryptprimitives.dll", "ProcessPrng", "advapi32.SystemFunction036"), 0o644),
	)
	m.hold()
	return m
}

// make makes the machine's files. Once in several hundred times wine's loader finds
// no kernel32.dll in a folder that it has just begun (status c0000135, also where
// nothing else runs); then it is done anew, in another folder.
func (m *Machine) make(tries int) {
	m.t.Helper()
	for try := 1; ; try++ {
		m.prefix = filepath.Join(m.t.TempDir(), "prefix")
		out, code := m.Run("wineboot", "--init")
		if code == 0 {
			return
		}
		if m.t.Logf("wineboot, try %d: %d %s", try, code, out); try == tries {
			m.t.Fatal("wine makes no machine here")
		}
		m.server("--kill")
	}
}

// hold keeps the machine on: without a program that runs, its services end.
func (m *Machine) hold() {
	m.t.Helper()
	holder := m.command(context.Background(), "cmd")
	in, err := holder.StdinPipe()
	m.must(err)
	m.must(holder.Start())
	m.t.Cleanup(func() {
		_ = in.Close()
		m.server("--kill")
		_ = holder.Wait()
	})
	end := time.Now().Add(30 * time.Second)
	for tick := time.NewTicker(100 * time.Millisecond); ; <-tick.C {
		out, _ := m.Run("sc", "query", "PlugPlay")
		if strings.Contains(out, "STATE") {
			return
		}
		if time.Now().After(end) {
			m.t.Fatalf("the service manager does not answer: %s", out)
		}
	}
}

// server tells the process that all of the machine's programs hang on to wait for
// their end, or to end them.
func (m *Machine) server(what string) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "wineserver", what)
	cmd.Env = m.env()
	_ = cmd.Run() // no server is no program
}

func (m *Machine) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatalf("winetest: %v", err)
	}
}

// Path returns where a file of the machine's drive C is, seen from here.
func (m *Machine) Path(windows string) string {
	return filepath.Join(m.prefix, "drive_c", strings.ReplaceAll(strings.TrimPrefix(windows, `C:\`), `\`, "/"))
}

// Run runs a program to its end, which it has a minute for, and returns all that it
// prints and its exit code, of which only the last eight bits come through.
func (m *Machine) Run(program string, args ...string) (output string, code int) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := m.command(ctx, program, args...)
	// A file and not a pipe: what the program starts would keep a pipe open.
	file, err := os.CreateTemp(m.t.TempDir(), "output")
	m.must(err)
	defer file.Close()
	cmd.Stdout, cmd.Stderr = file, file
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		m.t.Fatalf("%s: %v", program, err)
	}
	_, err = file.Seek(0, io.SeekStart)
	m.must(err)
	b, err := io.ReadAll(file)
	m.must(err)
	return strings.TrimSpace(strings.ReplaceAll(string(b), "\r", "")), cmd.ProcessState.ExitCode()
}

func (m *Machine) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "wine", append([]string{program}, args...)...)
	cmd.Env = m.env()
	return cmd
}

func (m *Machine) env() []string {
	return append(
		os.Environ(),
		"WINEPREFIX="+m.prefix,
		"WINEARCH=win64",
		"WINEDEBUG=-all",
		"WINEDLLOVERRIDES=mscoree,mshtml=",
		"DISPLAY=",
	)
}
