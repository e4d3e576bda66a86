package command

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// disk is a folder on a disk of its own. It needs root, as the tests of real services do.
func disk(t *testing.T) (at string) {
	t.Helper()
	at = t.TempDir()
	mount(t, "-t", "tmpfs", "-o", "size=8m", "tmpfs", at)
	t.Cleanup(func() { _ = exec.Command("umount", "-l", at).Run() })
	return at
}

func mount(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("mount", args...).CombinedOutput(); err != nil {
		t.Fatalf("mount: %v\n%s(the test needs root)", err, out)
	}
}

// What the system refuses is told with what helps, whichever command meets it.
func TestRemedies(t *testing.T) {
	read, full, data := disk(t), disk(t), filepath.Join(t.TempDir(), "data")
	program := func(line string) (code int, said string) {
		var out bytes.Buffer
		code = Main(t.Context(), strings.Fields(line), &out, &out)
		return code, out.String()
	}
	for _, at := range []string{data, read + "/data"} {
		if code, said := program("init --data " + at); code != ExitOK {
			t.Fatal(said)
		}
	}
	mount(t, "-o", "remount,ro", read)
	var err error
	for f, b := must(os.Create(full+"/fill")), make([]byte, 512); err == nil; {
		_, err = f.Write(b)
	}
	taken := must(net.Listen("tcp", "127.0.0.1:0"))
	defer taken.Close()
	for line, help := range map[string]string{
		"run --data " + read + "/data":                                         "mount it for writing",
		"administrator reset admin --data " + read + "/data":                   "mount it for writing",
		"init --data " + read + "/new":                                         "mount it for writing",
		"backup --data " + data + " --to " + read + "/copy":                    "mount it for writing",
		"run --data " + data + " --backup-every 1h --backup-to " + read + "/b": "mount it for writing",
		"run --data " + data + " --archive-to " + read + "/b":                  "mount it for writing",
		"man " + read + "/man":                                                 "mount it for writing",
		"backup --data " + data + " --to " + full + "/copy":                    "make room",
		"init --data " + full + "/data":                                        "make room",
		"run --data " + data + " --listen " + taken.Addr().String():            "Another program listens",
		"status --url http://127.0.0.1:1":                                      "Nothing answers there",
		"administrator reset nobody --data " + data:                            "Name one of: admin",
	} {
		code, said := program(line)
		if code != ExitFailed || !strings.Contains(said, help) || strings.Count(said, "\n") != 1 {
			t.Errorf("%s: %d\n%s", line, code, said)
		}
	}
}

func must[T any](of T, err error) T {
	if err != nil {
		panic(err)
	}
	return of
}
