package installer

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/windows/svc/mgr"

	"ldap-gateway/configs"
)

// TestServiceSID has the identity that Windows documents for a service of its own.
func TestServiceSID(t *testing.T) {
	const want = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
	if got := serviceSID("TrustedInstaller"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// run carries a plan out and returns what it says.
func run(t *testing.T, p Plan) string {
	t.Helper()
	var out bytes.Buffer
	if err := p.Apply(t.Context(), &out); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	return out.String()
}

// TestServiceIsInstalledAndGone goes through install, again, uninstall, again, at
// the real service manager.
func TestServiceIsInstalledAndGone(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	install, uninstall, err := Service(self, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { run(t, uninstall) })
	var shown bytes.Buffer
	if err := install.Show(t.Context(), &shown); err != nil || strings.Contains(shown.String(), "done ") {
		t.Fatalf("%v\n%s", err, &shown)
	}
	t.Log(run(t, install))
	again := run(t, install)
	for _, once := range []string{"copy this program", "register the service", "make it a source", "write a sample"} {
		if !strings.Contains(again, "ok, was so  "+once) {
			t.Errorf("%q is done a second time:\n%s", once, again)
		}
	}
	isRegistered(t)
	if text, err := os.ReadFile(configs.SystemPath()); string(text) != configs.Minimal {
		t.Errorf("%q %v", text, err)
	}
	run(t, uninstall)
	run(t, uninstall)
	for _, path := range []string{filepath.Dir(programPath()), filepath.Dir(configs.SystemPath())} {
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s is left: %v", path, err)
		}
	}
}

// isRegistered asks the service manager for what it was told.
func isRegistered(t *testing.T) {
	t.Helper()
	m, err := mgr.Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.Disconnect() }()
	s, err := m.OpenService(name)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if line, err := startsNow(s); line != commandLine() ||
		!strings.HasPrefix(line, `"C:\Program Files\ldap-gateway\ldap-gateway.exe" run --service --config`) {
		t.Errorf("starts %s %v", line, err)
	}
	if got, err := s.RecoveryActions(); err == nil && (len(got) != 3 || got[0] != recovery[0] || got[2] != recovery[2]) {
		t.Errorf("%+v", got)
	}
}

// TestFailedInstallPutsTheProgramBack has an upgrade that fails later leave the
// program that was there.
func TestFailedInstallPutsTheProgramBack(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "new.exe"), filepath.Join(dir, "p", "gateway.exe")
	write := func(path, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(from, "new")
	write(to, "old")
	for range 2 {
		if err := copying(from, to)(t.Context()); err != nil {
			t.Fatal(err)
		}
		if text, _ := os.ReadFile(to); string(text) != "new" {
			t.Errorf("%q", text)
		}
		if err := uncopying(to)(t.Context()); err != nil {
			t.Fatal(err)
		}
		if text, _ := os.ReadFile(to); string(text) != "old" {
			t.Errorf("%q", text)
		}
	}
	if err := removeAll(dir); err != nil { // wine cannot do what t.TempDir does
		t.Fatal(err)
	}
}
