package installer_test

import (
	"archive/zip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ldap-gateway/installer/machinetest"
)

// scripts is an init system that starts services by scripts.
type scripts struct {
	init             machinetest.Init
	platform         string   // as the plan names it
	service          []string // a command; an action is added
	started, stopped string   // what it says of the service
	enabled          string   // a command that says that it starts with the machine
	supervised       bool     // it starts a service that died
}

// TestSystemV has the program be a service of a machine with scripts alone.
func TestSystemV(t *testing.T) {
	t.Parallel()
	liveByScript(t, scripts{
		init: machinetest.SystemV(), platform: "unix-systemv", service: []string{"service", "ldap-gateway"},
		started: "Running", stopped: "Stopped", enabled: "test -L /etc/rc2.d/S50ldap-gateway",
	})
}

// TestOpenRC has it be one of a machine that OpenRC boots.
func TestOpenRC(t *testing.T) {
	t.Parallel()
	liveByScript(t, scripts{
		init: machinetest.OpenRC(), platform: "linux-openrc", service: []string{"rc-service", "ldap-gateway"},
		started: "status: started", stopped: "status: stopped", enabled: "rc-update show default | grep -q ldap-gateway", supervised: true,
	})
}

// liveByScript is the story: install, pair, sign on, reload, crash, restart, stop,
// reboot, uninstall.
func liveByScript(t *testing.T, how scripts) {
	s := newScriptedSite(t, how.init)
	before := s.Changes()
	if plan := s.Run("/opt/ldap-gateway", "install", "--dry-run"); !strings.HasSuffix(plan,
		"would  make it a service of "+how.platform) {
		t.Error(plan)
	}
	s.Run("sh", "-c", "! getent passwd ldap-gateway && test ! -e /etc/init.d/ldap-gateway")
	s.Run("/opt/ldap-gateway", "install")
	s.Run("sh", "-c", "echo '# of an earlier version' >>/etc/init.d/ldap-gateway")
	s.Run("/opt/ldap-gateway", "install")
	if again := s.Run("/opt/ldap-gateway", "install"); strings.Contains(again, "ok  ") {
		t.Errorf("installed again, and something was left to do:\n%s", again)
	}
	s.Run("sh", "-c", how.enabled)
	s.setUp()
	s.awaitSignOn("after a restart")
	s.says(how, how.started)
	s.ownsLittle()

	s.logs(how)
	if how.supervised {
		s.comesBack(func(pid string) { s.Run("kill", "-9", pid) }, "after a crash")
		s.says(how, how.started)
	}
	s.comesBack(func(string) { s.Run("ldap-gateway", "restart") }, "after another restart")
	s.Run("ldap-gateway", "stop")
	s.says(how, how.stopped)
	if pid := s.pid(); pid != "" {
		t.Error("stopped, and still there is", pid)
	}
	s.Run("ldap-gateway", "start")
	s.awaitSignOn("after a stop and a start")
	s.Reboot()
	s.awaitSignOn("after a reboot")

	s.Run("ldap-gateway", "uninstall", "--purge")
	if pid := s.pid(); pid != "" {
		t.Error("uninstalled, and still there is", pid)
	}
	s.Run("sh", "-c", "! ls /var/log/ldap-gateway.log*")
	s.nothingLeft(before)
}

// newScriptedSite boots a machine beside a cloud and a directory that it reaches, and
// puts the program there.
func newScriptedSite(t *testing.T, how machinetest.Init) *site {
	t.Helper()
	s := &site{Machine: machinetest.Boot(t, how), t: t}
	dir := t.TempDir()
	build := exec.Command("go", "build", "-o", dir, "./agent/ldap-gateway", "./cloud/ldap-cloud")
	build.Dir = ".."
	out, err := build.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	program, err := os.ReadFile(filepath.Join(dir, "ldap-gateway"))
	s.must(err)
	s.Write("/opt/ldap-gateway", program, 0o755)
	made, err := exec.Command(filepath.Join(dir, "ldap-cloud"), "init", "--data", dir+"/cloud", "--json").Output()
	s.must(err)
	cloud := exec.Command(filepath.Join(dir, "ldap-cloud"), "run", "--data", dir+"/cloud", "--listen", "127.0.0.1:443")
	s.Inside(func() { err = cloud.Start() })
	s.must(err)
	t.Cleanup(func() {
		_ = cloud.Process.Kill()
		_ = cloud.Wait()
	})
	s.join(string(made))
	return s
}

// says checks what the init system says of the service.
func (s *site) says(how scripts, want string) {
	s.t.Helper()
	if out, _ := s.Try(append(slices.Clone(how.service), "status")...); !strings.Contains(out, want) {
		s.t.Errorf("status %q, want %q", out, want)
	}
}

// logs checks that what the program says at a reload is in its log, also after that was
// put aside, and in what is mailed when asking for help.
func (s *site) logs(how scripts) {
	s.t.Helper()
	s.Run("logrotate", "--state", "/root/rotated", "--force", "/etc/logrotate.d/ldap-gateway")
	s.Run("test", "-s", "/var/log/ldap-gateway.log.1.gz")
	s.Run(append(slices.Clone(how.service), "reload")...)
	s.await("it reads its file again", func() bool {
		_, err := s.Try("grep", "-q", "read again", "/var/log/ldap-gateway.log")
		return err == nil
	})
	s.Run("sh", "-c", `test -n "$(head -c 1 /var/log/ldap-gateway.log | tr -d '\0')"`) // it begins anew, without a hole
	s.Run("ldap-gateway", "diagnose", "--output", "/root/diagnosed.zip")
	if log := s.zipped("/root/diagnosed.zip", "log.txt"); !strings.Contains(log, "read again") {
		s.t.Errorf("diagnosed with this log: %s", log)
	}
}

// zipped returns a file of a zip that is on the machine.
func (s *site) zipped(path, name string) string {
	s.t.Helper()
	z, err := zip.OpenReader(filepath.Join(s.Root(), path))
	s.must(err)
	defer z.Close()
	for _, f := range z.File {
		if filepath.Base(f.Name) == name {
			r, err := f.Open()
			s.must(err)
			text, err := io.ReadAll(r)
			s.must(err)
			return string(text)
		}
	}
	s.t.Fatalf("%s is not in %s", name, path)
	return ""
}

// pid is that of the gateway, empty when none runs.
func (s *site) pid() string {
	out, _ := s.Try("pgrep", "-x", "-f", "/usr/(local/)?bin/ldap-gateway run")
	return out
}

// comesBack does something to the gateway, which has another process serve soon.
func (s *site) comesBack(from func(pid string), when string) {
	s.t.Helper()
	pid, began := s.pid(), time.Now()
	from(pid)
	s.await("another process serves "+when, func() bool { now := s.pid(); return now != pid && now != "" })
	s.awaitSignOn(when)
	took := time.Since(began)
	s.t.Logf("back %s after %s", when, took.Round(time.Millisecond))
	if took > 10*time.Second {
		s.t.Errorf("back %s after %s", when, took)
	}
}

// ownsLittle checks that the program runs under an account of its own, and has to
// itself what it keeps.
func (s *site) ownsLittle() {
	s.t.Helper()
	pid := s.pid()
	for path, want := range map[string]string{
		"/proc/" + pid:                    "ldap-gateway:ldap-gateway 555",
		"/var/lib/ldap-gateway":           "ldap-gateway:ldap-gateway 700",
		"/var/log/ldap-gateway.log":       "ldap-gateway:ldap-gateway 640",
		"/etc/ldap-gateway":               "root:ldap-gateway 750",
		"/etc/ldap-gateway/gateway.hcl":   "root:ldap-gateway 640",
		"/etc/ldap-gateway/bind.password": "root:ldap-gateway 640",
	} {
		if is := s.Run("stat", "-c", "%U:%G %a", path); is != want {
			s.t.Errorf("%s is %s, want %s", path, is, want)
		}
	}
	if groups := s.Run("grep", "^Groups:", "/proc/"+pid+"/status"); len(strings.Fields(groups)) > 2 {
		s.t.Error(groups)
	}
}
