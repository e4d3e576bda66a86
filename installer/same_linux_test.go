package installer_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSameSourceGivesSameBytes builds from two folders, whose files have other times,
// with the same keys: all is the same but the MSI, in which wixl has random names. What is done is said as it begins.
func TestSameSourceGivesSameBytes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	do := func(in, script string, env ...string) string {
		t.Helper()
		cmd := exec.Command("bash", "-euc", script, dir)
		cmd.Dir, cmd.Env = in, append(os.Environ(), env...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	// What is worked on is not committed yet, and has to be in both.
	do(
		"..",
		`mkdir "$0/a"; git ls-files -z --cached --others --exclude-standard | xargs -0 sh -c 'for f; do [ ! -e "$f" ] || printf "%s\n" "$f"; done' - | tar -cf - -T - | tar -xf - -C "$0/a"
cd "$0/a"; git init -q; git add -A; git -c user.name=a -c user.email=a@b commit -qm x
cd "$0"; git clone -q a b; find b -path b/.git -prune -o -type f -exec touch -d 2001-01-01 {} +
openssl genpkey -algorithm ed25519 -out release.key
openssl req -x509 -newkey rsa:3072 -nodes -days 2 -subj /CN=x -addext extendedKeyUsage=codeSigning -keyout code.key -out code.crt`,
	)
	sums := func(folder string) map[string]string {
		said := do(
			filepath.Join(dir, folder),
			"umask "+map[string]string{"a": "022", "b": "077"}[folder]+"; installer/packages",
			"ARCHES=amd64",
			"PROGRAMS=ldap-gateway",
			"RELEASE_KEY="+dir+"/release.key",
			"CODE_KEY="+dir+"/code.key",
			"CODE_CERT="+dir+"/code.crt",
		)
		for _, step := range []string{"compile ldap-gateway for linux", "pack ldap-gateway, amd64: deb", "what is for Windows", "done"} {
			if !strings.Contains(said, "s  "+step) {
				t.Errorf("it did not say %q:\n%s", step, said)
			}
		}
		all := map[string]string{}
		for line := range strings.Lines(do(filepath.Join(dir, folder), "cat dist/SHA256SUMS")) {
			sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
			all[name] = sum
		}
		return all
	}
	from := time.Now()
	a, b := sums("a"), sums("b")
	t.Logf("both in %s: %v", time.Since(from).Round(time.Second), slices.Sorted(maps.Keys(a)))
	for _, kind := range []string{".deb", ".rpm", ".apk", ".pkg.tar.zst", ".tar.gz", ".zip"} {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(a)),
			func(name string) bool { return strings.HasSuffix(name, kind) }) {
			t.Errorf("no %s was built", kind)
		}
	}
	for name, sum := range a {
		if b[name] != sum && !strings.HasSuffix(name, ".msi") {
			t.Errorf("%s differs", name)
		}
	}
	const most = 14 << 20
	for _, name := range []string{"ldap-gateway-0.1.0-linux-amd64.tar.gz"} {
		do(filepath.Join(dir, "a/dist"), "tar -xf "+name)
		info, err := os.Stat(filepath.Join(dir, "a/dist", strings.TrimSuffix(name, ".tar.gz"), "ldap-gateway"))
		if err != nil || info.Size() > most {
			t.Errorf("the agent is %v, at most %d bytes: %v", info, most, err)
		} else {
			t.Logf("the agent has %d bytes", info.Size())
		}
	}
}
