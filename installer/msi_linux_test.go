package installer_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ldap-gateway/directory/slapdtest"
	"ldap-gateway/installer/winetest"
)

// windowsSite is a Windows in the network of a site.
type windowsSite struct {
	*winetest.Machine
	site *site
}

// TestMSI installs without a question asked, upgrades, refuses to go back, and
// leaves only file and keys.
func TestMSI(t *testing.T) {
	s := newSite(t, debian)
	w := &windowsSite{site: s}
	s.Inside(func() { w.Machine = winetest.Start(t) })
	ca, err := os.ReadFile(s.slapd.CAFile())
	s.must(err)
	w.write(`C:\ca.pem`, string(ca))
	before := w.files()
	w.setUp()
	s.awaitSignOn("after the install")
	w.registered()
	paired := w.read(`C:\ProgramData\ldap-gateway\state\instance.json`)

	if out, code := w.msi("/i", secondWindows, "0.2.0"); code != 0 {
		t.Fatalf("upgrade: %d %s", code, out)
	}
	w.runs("0.2.0")
	s.awaitSignOn("after the upgrade")
	w.registered()
	if w.read(`C:\ProgramData\ldap-gateway\state\instance.json`) != paired {
		t.Error("the upgrade changed who the machine is")
	}

	const failed = 1603 & 0xff // ERROR_INSTALL_FAILURE, as far as it comes through
	if out, code := w.msi("/i", firstWindows, "0.1.0"); code != failed {
		t.Errorf("downgrade: %d %s", code, out)
	}
	w.runs("0.2.0")
	s.awaitSignOn("after a refused downgrade")

	if out, code := w.msi("/x", secondWindows, "0.2.0"); code != 0 {
		t.Fatalf("removal: %d %s", code, out)
	}
	s.await("the service is gone", func() bool { _, code := w.run("reg", "query", service); return code != 0 })
	for _, path := range w.files() {
		if !slices.Contains(before, path) && !strings.Contains(path, `/ProgramData/ldap-gateway`) {
			t.Errorf("left behind: %s", path)
		}
	}
}

// setUp installs the first version with its properties, as a software
// distribution does.
func (w *windowsSite) setUp() {
	t := w.site.t
	t.Helper()
	w.write(`C:\password`, slapdtest.Password)
	w.write(`C:\code`, w.site.code())
	out, code := w.msi(
		"/i",
		firstWindows,
		"0.1.0",
		"CLOUDURL="+w.site.api.URL,
		`CODEFILE=C:\code`,
		"SETUPFLAGS=--server "+w.site.slapd.TLSURL()+` --directory-ca C:\ca.pem --base-dn `+slapdtest.Suffix+" --bind-dn "+slapdtest.ReaderDN+` --bind-password-file C:\password`,
	)
	if code != 0 {
		t.Fatalf("install: %d %s", code, out)
	}
	w.runs("0.1.0")
	for _, path := range []string{`C:\password`, `C:\code`} {
		w.site.must(os.Remove(w.Path(path)))
	}
}

func (w *windowsSite) run(program string, args ...string) (out string, code int) {
	w.site.t.Helper()
	w.site.Inside(func() { out, code = w.Run(program, args...) })
	return out, code
}

// msi calls Windows Installer, which asks nothing.
func (w *windowsSite) msi(how string, from func() (string, error), version string, properties ...string) (string, int) {
	w.site.t.Helper()
	dir, err := from()
	w.site.must(err)
	name := "ldap-gateway-" + version + "-windows-amd64.msi"
	content, err := os.ReadFile(filepath.Join(dir, name))
	w.site.must(err)
	w.write(`C:\packages\`+name, string(content))
	out, code := w.run("msiexec", append([]string{how, `C:\packages\` + name, "/qn"}, properties...)...)
	w.site.must(os.RemoveAll(w.Path(`C:\packages`)))
	return out, code
}

func (w *windowsSite) write(path, content string) {
	w.site.t.Helper()
	w.site.must(os.MkdirAll(filepath.Dir(w.Path(path)), 0o755))
	w.site.must(os.WriteFile(w.Path(path), []byte(content), 0o600))
}

func (w *windowsSite) read(path string) string {
	w.site.t.Helper()
	b, err := os.ReadFile(w.Path(path))
	w.site.must(err)
	return string(b)
}

// runs wants the installed program to be of a version.
func (w *windowsSite) runs(version string) {
	w.site.t.Helper()
	out, code := w.run(`C:\Program Files\ldap-gateway\ldap-gateway.exe`, "version")
	if code != 0 || !strings.HasPrefix(out, "ldap-gateway "+version) {
		w.site.t.Errorf("%s is to be installed: %d %s", version, code, out)
	}
}

const service = `HKLM\System\CurrentControlSet\Services\ldap-gateway`

// registered wants the service as Windows keeps it.
func (w *windowsSite) registered() {
	w.site.t.Helper()
	out, _ := w.run("reg", "query", service)
	has := strings.Join(strings.Fields(out), " ")
	for _, want := range []string{`ObjectName REG_SZ NT SERVICE\ldap-gateway`, "Start REG_DWORD 0x2", "Type REG_DWORD 0x10",
		`"C:\Program Files\ldap-gateway\ldap-gateway.exe" run --service`, "DisplayName REG_SZ LDAP gateway", "Description REG_SZ Joins the directory to the cloud"} {
		if !strings.Contains(has, want) {
			w.site.t.Errorf("the service has no %s:\n%s", want, out)
		}
	}
}

// files lists drive C without the folders that Windows itself uses for this.
func (w *windowsSite) files() (all []string) {
	w.site.t.Helper()
	root := w.Path(`C:\`)
	w.site.must(filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if !strings.Contains(path, "/windows/temp/") && !strings.HasSuffix(path, "/windows/Installer") &&
			!strings.Contains(path, "/Temp/") {
			all = append(all, path[len(root):])
		}
		return err
	}))
	return all
}

// TestWindowsFilesAreSigned wants a signature on what Windows would ask for one, and
// that it is seen when a byte has changed.
func TestWindowsFilesAreSigned(t *testing.T) {
	dir, err := firstWindows()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "ldap-gateway-0.1.0-windows-amd64.msi")
	verify := func(file string) ([]byte, error) {
		return exec.Command("osslsigncode", "verify", "-CAfile", filepath.Join(dir, "code.crt"), "-in", file).CombinedOutput()
	}
	if out, err := verify(file); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	bad := filepath.Join(t.TempDir(), "bad.msi")
	if err := os.WriteFile(bad, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := verify(bad); err == nil {
		t.Errorf("a changed byte goes unseen: %s", out)
	}
	sums := exec.Command(
		"sh",
		"-euc",
		`cd "$0"; openssl pkeyutl -verify -pubin -inkey release.pub -rawin -in SHA256SUMS -sigfile SHA256SUMS.sig; sha256sum --quiet -c SHA256SUMS`,
		dir,
	)
	if out, err := sums.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
