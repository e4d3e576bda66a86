package installer_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestPackagesPassTheirLinters has what lintian and rpmlint find be nothing, but for
// what linux/lintian and linux/rpmlint.toml explain.
func TestPackagesPassTheirLinters(t *testing.T) {
	dir, err := first()
	if err != nil {
		t.Fatal(err)
	}
	files := func(pattern string) []string {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(found) != 2 {
			t.Fatalf("%s: %q %v", pattern, found, err)
		}
		return found
	}
	out, err := exec.Command(
		"lintian",
		append([]string{"--allow-root", "--fail-on", "error,warning"}, files("*.deb")...)...).CombinedOutput()
	if err != nil {
		t.Errorf("lintian: %v\n%s", err, out)
	}
	out, err = apart(
		t,
		append([]string{"rpmlint", "--config", "linux/rpmlint.toml"}, files("*.rpm")...)...).CombinedOutput()
	if err != nil || !strings.Contains(string(out), " 0 errors, 0 warnings") {
		t.Errorf("rpmlint: %v\n%s", err, out)
	}
}

// apart returns a command that sees this machine's files, and whose own are gone
// afterwards, with its processes: rpmlint unpacks a package to the paths that it names, and these are
// the machine's.
func apart(t *testing.T, command ...string) *exec.Cmd {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	const script = `mount -t tmpfs layers "$0"; mkdir "$0"/upper "$0"/work "$0"/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$0/upper,workdir=$0/work" "$0/root"
mount -t proc proc "$0/root/proc"; mount --rbind /dev "$0/root/dev"
exec chroot "$0/root" sh -euc 'cd "$0"; exec "$@"' "$@"`
	return exec.Command(
		"unshare",
		append(
			[]string{
				"--mount",
				"--pid",
				"--fork",
				"--kill-child",
				"--propagation",
				"private",
				"sh",
				"-euc",
				script,
				t.TempDir(),
				here,
			},
			command...)...)
}

// exposed is how systemd-analyze sums up what a service could do.
var exposed = regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`)

// TestUnitsAreConfined has systemd find no mistake in a unit, and give it 1.5 at most.
func TestUnitsAreConfined(t *testing.T) {
	for _, program := range []string{"ldap-gateway", "ldap-cloud"} {
		t.Run(program, func(t *testing.T) {
			b, err := os.ReadFile("linux/" + program + ".service")
			if err != nil {
				t.Fatal(err)
			}
			unit := filepath.Join(t.TempDir(), program+".service")
			// A program that there is on this machine, with its name or not.
			if err := os.WriteFile(unit, []byte(strings.ReplaceAll(string(b), "@PROGRAM@", "/bin/true")), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command("systemd-analyze", "verify", "--man=no", unit).CombinedOutput(); err != nil ||
				len(out) > 0 {
				t.Errorf("verify: %v\n%s", err, out)
			}
			out, err := exec.Command(
				"systemd-analyze",
				"security",
				"--offline=true",
				"--threshold=15",
				"--no-pager",
				unit,
			).CombinedOutput()
			if found := exposed.FindSubmatch(out); err != nil || found == nil {
				t.Errorf("security: %v\n%s", err, out)
			} else {
				t.Logf("exposure %s", found[1])
			}
		})
	}
}
