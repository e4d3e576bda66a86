package machinetest

import (
	"maps"
	"os"
	"strings"
	"testing"
)

// TestMachine boots twice, and sees what was written between.
func TestMachine(t *testing.T) {
	m := Boot(t, Systemd())
	if pid := m.Run("systemctl", "show", "--property=Version"); !strings.HasPrefix(pid, "Version=") {
		t.Error(pid)
	}
	if out, err := m.Try("false"); err == nil {
		t.Error("false succeeds", out)
	}
	before := m.Changes()
	m.Write("/opt/new", []byte("new"), 0o644)
	m.Run("sh", "-c", "rm /etc/hostname; touch /etc/passwd; echo x >>/etc/group; mkdir /opt/folder")
	m.Reboot()
	after := m.Changes()
	for path, want := range map[string]string{"/opt/new": "added", "/opt/folder": "added", "/etc/group": "changed", "/etc/hostname": "removed"} {
		if after[path] != want || before[path] != "" {
			t.Errorf("%s: %q, then %q; want %q", path, before[path], after[path], want)
		}
	}
	if how, ok := after["/etc/passwd"]; ok {
		t.Errorf("/etc/passwd, which was only touched, is %s", how)
	}
	if _, err := os.Stat("/opt/new"); err == nil {
		t.Error("a file of the machine is a file of this one")
	}
	if t.Failed() {
		maps.DeleteFunc(after, func(path, _ string) bool { return before[path] != "" })
		t.Log(after)
	}
}

// TestInits has each init be process 1 of a machine, twice, and systemd on its own alone.
func TestInits(t *testing.T) {
	for name, how := range map[string]Init{"systemd": Systemd(), "openrc-init": OpenRC(), "sh": SystemV()} {
		t.Run(name, func(t *testing.T) {
			m := Boot(t, how)
			for range 2 {
				if first := m.Run("cat", "/proc/1/comm"); first != name {
					t.Errorf("process 1 is %s", first)
				}
				if _, err := m.Try("which", "systemctl"); (err == nil) != (name == "systemd") {
					t.Errorf("systemctl: %v", err)
				}
				m.Reboot()
			}
		})
	}
}
