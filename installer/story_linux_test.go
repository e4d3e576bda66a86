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
	older:   []string{"dpkg", "--install"},
	change:  changeDebian,
	remove:  []string{"dpkg", "--remove"},
	purge:   []string{"dpkg", "--purge"},
	again:   []string{"dpkg", "--configure"},
}

// rpm is the tool on a Debian, which has no packages that ours could depend on.
var rpm = system{
	pattern: "%s-%s-1.x86_64.rpm",
	install: []string{"rpm", "--force-debian", "--nodeps", "-U", "--replacepkgs"},
	older:   []string{"rpm", "--force-debian", "--nodeps", "-U", "--oldpackage"},
	remove:  []string{"rpm", "--force-debian", "--nodeps", "-e"},
}

// pacman is the tool on a Debian, which has no packages that ours could depend on.
var pacman = system{
	pattern: "%s-%s-1-x86_64.pkg.tar.zst",
	install: []string{"pacman", "--upgrade", "--noconfirm"},
	older:   []string{"pacman", "--upgrade", "--noconfirm"},
	remove:  []string{"pacman", "--remove", "--noconfirm"},
	shell:   "/usr/bin/bash", gatewayAlone: true, goesOn: true,
	change: changePacman,
}

// TestDebianPackage goes through the whole life of the packages on a machine.
func TestDebianPackage(t *testing.T) { live(t, debian) }

// TestRPM goes through the same with the other package manager.
func TestRPM(t *testing.T) {
	has(t, "rpm", "rpm")
	live(t, rpm)
}

// has fails the test when a program is missing here.
func has(t *testing.T, program, pkg string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Fatalf(`%s is not installed: run "make tools" or apt-get install %s`, program, pkg)
	}
}

// TestPacman goes through the same with the package manager of Arch Linux.
func TestPacman(t *testing.T) {
	has(t, "pacman", "pacman-package-manager")
	live(t, pacman)
}

// live is the story: install, pair, sign on, crash, reboot, upgrade under load,
// removal, purge.
func live(t *testing.T, how system) {
	s := newSite(t, how)
	before := s.Changes()
	s.install(first, "ldap-gateway", "0.1.0")
	s.Run("sh", "-c", how.enabled())
	from := time.Now()
	s.install(first, "ldap-gateway", "0.1.0") // again: what never ran is not waited for
	if took := time.Since(from); took > 20*time.Second {
		t.Errorf("before it was set up an upgrade took %s", took)
	}
	s.setUp()
	s.awaitSignOn("after a restart")

	s.comesBack(func(pid string) { s.Run("kill", "-9", pid) }, "after a crash")
	s.Reboot()
	s.awaitSignOn("after a reboot")

	s.upgradeUnderLoad()
	s.refuseDowngrade()
	if how.change != nil {
		s.comeBackFrom("broken", "#!/bin/sh\nexit 1\n")
		s.comeBackFrom("never ready", "#!/bin/sh\nexec sleep 1000\n")
	}
	s.removeAndPurge(before)
}

// changePacman makes another version of a package, with another program.
func changePacman(s *site, file, version, program string) string {
	s.t.Helper()
	s.Write("/root/program", []byte(program), 0o755)
	s.Run(
		"sh",
		"-euc",
		`cd /root; rm -rf unpacked; mkdir unpacked; cd unpacked; tar -xf "$0"; cp ../program usr/bin/ldap-gateway
sed -i "s/0\\.2\\.0/$1/" .PKGINFO .INSTALL; tar --zstd -cf ../changed.pkg.tar.zst .PKGINFO .INSTALL .MTREE usr`,
		file,
		version,
	)
	return "/root/changed.pkg.tar.zst"
}

// changeDebian makes another version of a package, with another program.
func changeDebian(s *site, file, version, program string) string {
	s.t.Helper()
	s.Write("/root/program", []byte(program), 0o755)
	s.Run(
		"sh",
		"-euc",
		`cd /root; rm -rf unpacked; dpkg-deb --raw-extract "$0" unpacked; cp program unpacked/usr/bin/ldap-gateway
sed -i "s/0\\.2\\.0/$1/" unpacked/DEBIAN/control unpacked/DEBIAN/p*; dpkg-deb --build -Znone unpacked changed.deb`,
		file,
		version,
	)
	return "/root/changed.deb"
}

// upgradeUnderLoad brings the next version in while people sign on, and nobody is
// turned away.
func (s *site) upgradeUnderLoad() {
	s.t.Helper()
	fingerprint := s.Run("sh", "-c", "ldap-gateway status | sed -n 's/^instance *//p'")
	next := s.file(second, "ldap-gateway", "0.2.0")
	end := s.load(4)
	s.Run(append(s.how.install, next)...)
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

// refuseDowngrade has the version before refused, with the reason, and all goes on.
func (s *site) refuseDowngrade() {
	s.t.Helper()
	out, err := s.Try(append(s.how.older, s.file(first, "ldap-gateway", "0.1.0"))...)
	if (err == nil) != s.how.goesOn || !strings.Contains(out, "0.2.0 is, which is newer") ||
		!strings.Contains(out, "remove the package first") {
		s.t.Errorf("downgrade: %v\n%s", err, out)
	}
	s.awaitSignOn("after a refused downgrade")
	if v := s.version(); v != "0.2.0" {
		s.t.Errorf("after a refused downgrade %s runs", v)
	}
}

// comeBackFrom installs a newer version with a program that is no good: the one
// before it runs again by itself, and the package manager says why.
func (s *site) comeBackFrom(what, program string) {
	s.t.Helper()
	file := s.how.change(s, s.file(second, "ldap-gateway", "0.2.0"), "0.3.0", program)
	out, err := s.Try(slices.Concat([]string{"env", "LDAP_GATEWAY_READY_WITHIN=3"}, s.how.install, []string{file})...)
	if (err == nil) != s.how.goesOn ||
		!strings.Contains(out, "0.3.0 was not ready within 3 seconds. The program before it is back") {
		s.t.Errorf("upgrade to one that is %s: %v\n%s", what, err, out)
	}
	s.awaitSignOn("after an upgrade to one that is " + what)
	if v := s.version(); v != "0.2.0" {
		s.t.Errorf("after an upgrade to one that is %s, %s runs", what, v)
	}
	if s.how.again != nil {
		if out, err := s.Try(append(s.how.again, "ldap-gateway")...); err == nil ||
			!strings.Contains(out, "install another version") {
			s.t.Errorf("configured again: %v\n%s", err, out)
		}
	}
	s.install(second, "ldap-gateway", "0.2.0")
	s.awaitSignOn("after the good version was installed again")
}

// removeAndPurge takes the package off, and then all that it ever made.
func (s *site) removeAndPurge(before map[string]string) {
	s.t.Helper()
	s.Run(append(s.how.remove, "ldap-gateway")...)
	for _, kept := range []string{"/etc/ldap-gateway/gateway.hcl", "/var/lib/ldap-gateway/instance.json"} {
		s.Run("test", "-e", kept)
	}
	if out, err := s.Try("sh", "-c", s.how.known()); err == nil {
		s.t.Errorf("after the removal there is still a service: %s", out)
	}
	if s.how.purge == nil {
		return
	}
	s.Run(append(s.how.purge, "ldap-gateway")...)
	s.nothingLeft(before)
}

// nothingLeft checks that the cloud has the instance revoked, and that the machine is
// as it was.
func (s *site) nothingLeft(before map[string]string) {
	s.t.Helper()
	if i := s.instance(); i.RevokedAt == nil || i.RevokedBy != "the machine itself" {
		s.t.Errorf("after the purge the cloud has %+v", i)
	}
	after := s.Changes()
	maps.DeleteFunc(after, func(path, kind string) bool { return before[path] == kind || others(path) })
	for _, path := range slices.Sorted(maps.Keys(after)) {
		s.t.Errorf("left behind: %s, %s", path, after[path])
	}
}

// others tells whether a path is written by the machine itself, by its package
// manager, by what makes accounts, or by the test.
func others(path string) bool {
	for _, of := range []string{"/var/lib/dpkg", "/var/log/", "/var/lib/systemd/", "/var/cache/", "/var/lib/ldap-cloud/", "/tmp", "/var/tmp/systemd-private-", "/root", "/etc/passwd-", "/etc/shadow-", "/etc/group-", "/etc/gshadow-"} {
		if strings.HasPrefix(path, of) {
			return true
		}
	}
	return false
}
