package installer_test

import (
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

var debian = system{
	pattern: "%s_%s_amd64.deb",
	install: []string{"dpkg", "--install"},
	remove:  []string{"dpkg", "--remove"},
	purge:   []string{"dpkg", "--purge"},
}

// rpm is the tool on a Debian, which has no packages that ours could depend on.
var rpm = system{
	pattern: "%s-%s-1.x86_64.rpm",
	install: []string{"rpm", "--force-debian", "--nodeps", "-U"},
	remove:  []string{"rpm", "--force-debian", "--nodeps", "-e"},
}

// TestDebianPackage goes through the whole life of the packages on a machine.
func TestDebianPackage(t *testing.T) { live(t, debian) }

// TestRPM goes through the same with the other package manager.
func TestRPM(t *testing.T) {
	if _, err := exec.LookPath("rpm"); err != nil {
		t.Fatal(`rpm is not installed: run "make tools" or apt-get install rpm`)
	}
	live(t, rpm)
}

// live is the story: install, pair, sign on, crash, reboot, upgrade under load,
// removal, purge.
func live(t *testing.T, how system) {
	s := newSite(t, how)
	before := s.Changes()
	s.install(first, "ldap-gateway", "0.1.0")
	if state := s.property("UnitFileState"); state != "enabled" {
		t.Errorf("after the install the service is %s", state)
	}
	s.pair()
	s.awaitSignOn("after the pairing")

	pid := s.property("MainPID")
	s.Run("kill", "-9", pid)
	from := time.Now()
	s.await("another process serves", func() bool { now := s.property("MainPID"); return now != pid && now != "0" })
	s.awaitSignOn("after a crash")
	if took := time.Since(from); took > 10*time.Second {
		t.Errorf("back after %s", took)
	}

	s.Reboot()
	s.awaitSignOn("after a reboot")

	s.upgradeUnderLoad()
	s.removeAndPurge(before)
}

// upgradeUnderLoad brings the next version in while people sign on, and nobody is
// turned away.
func (s *site) upgradeUnderLoad() {
	s.t.Helper()
	fingerprint := s.Run("sh", "-c", "ldap-gateway status | sed -n 's/^instance *//p'")
	end := s.load(4)
	s.install(second, "ldap-gateway", "0.2.0")
	s.awaitSignOn("after the upgrade")
	outcomes := end()
	s.t.Log("sign-ons during the upgrade:", outcomes)
	if outcomes["ok"] < 20 || len(outcomes) != 1 {
		s.t.Errorf("sign-ons during the upgrade: %v, want ok alone", outcomes)
	}
	if v := s.version(); v != "0.2.0" {
		s.t.Errorf("after the upgrade %s runs", v)
	}
	if now := s.Run("sh", "-c", "ldap-gateway status | sed -n 's/^instance *//p'"); now != fingerprint {
		s.t.Errorf("instance %s, after the upgrade %s", fingerprint, now)
	}
}

// removeAndPurge takes the package off, and then all that it ever made.
func (s *site) removeAndPurge(before map[string]string) {
	s.t.Helper()
	s.Run(append(s.how.remove, "ldap-gateway")...)
	for _, kept := range []string{"/etc/ldap-gateway/gateway.hcl", "/var/lib/ldap-gateway/instance.json"} {
		s.Run("test", "-e", kept)
	}
	if out, err := s.Try("systemctl", "cat", "ldap-gateway"); err == nil {
		s.t.Errorf("after the removal there is still a service: %s", out)
	}
	if s.how.purge == nil {
		return
	}
	s.Run(append(s.how.purge, "ldap-gateway")...)
	after := s.Changes()
	maps.DeleteFunc(after, func(path, kind string) bool { return before[path] == kind || others(path) })
	for _, path := range slices.Sorted(maps.Keys(after)) {
		s.t.Errorf("left behind: %s, %s", path, after[path])
	}
}

// others tells whether a path is written by the machine itself, by its package
// manager, or by the test.
func others(path string) bool {
	for _, of := range []string{"/var/lib/dpkg", "/var/log/", "/var/lib/systemd/", "/var/cache/", "/var/lib/ldap-cloud/", "/tmp", "/var/tmp/systemd-private-", "/root"} {
		if strings.HasPrefix(path, of) {
			return true
		}
	}
	return false
}
