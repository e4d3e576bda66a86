package e2e

import (
	"archive/zip"
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"

	"ldap-gateway/directory/slapdtest"
	"ldap-gateway/installer/winetest"
)

const gatewayExe = `C:\download\ldap-gateway.exe`

// TestWindowsService has the program for Windows, under wine, be set up by flags,
// run as a service, sign people on, read its file again, and be taken off.
func TestWindowsService(t *testing.T) {
	w := newWorld(t, plan{})
	w.agents[0].stop() // of this machine: only Windows is left
	m := winetest.Start(t)
	w.putOnWindows(t, m)
	run := func(want string, args ...string) {
		t.Helper()
		if out, code := m.Run(gatewayExe, args...); code != 0 || !strings.Contains(out, want) {
			t.Fatalf("%v: %d\n%s", args, code, out)
		}
	}
	run("\nready", "setup", "--yes", "--cloud", w.url, "--server", w.slapd.TLSURL(), "--directory-ca", `C:\download\ca.pem`,
		"--bind-dn", slapdtest.ReaderDN, "--bind-password-file", `C:\download\password`, "--code-file", `C:\download\code`)
	r := w.mustSignOn("alice", "wonderland")
	if got := names(r.Groups); got != "cn=B cn=staff cn=unix" {
		t.Errorf("groups: %s", got)
	}
	run("is in use", "reload")
	w.mustSignOn("alice", "wonderland")
	if r := w.signOn("alice", "wrong"); r.Outcome != "invalidCredentials" {
		t.Errorf("%+v", r)
	}
	run("was so  register", "install") // of the same program: started anew
	w.awaitSignOn()
	run("password, key or code", "diagnose", "--output", `C:\out.zip`)
	w.hasServiceLog(t, m.Path(`C:\out.zip`))
	run("ok  stop", "stop")
	w.await("the cloud sees it stopped", func() bool {
		for _, i := range w.instances() {
			if i.Connected {
				return false
			}
		}
		return true
	})
	run("ok  start", "start")
	w.awaitSignOn()
	run("ok  unregister", "uninstall", "--purge")
	for _, path := range []string{`C:\Program Files\ldap-gateway`, `C:\ProgramData\ldap-gateway`} {
		if _, err := os.Stat(m.Path(path)); !os.IsNotExist(err) {
			t.Errorf("%s is left: %v", path, err)
		}
	}
}

// putOnWindows brings the program, and what its setup needs.
func (w *world) putOnWindows(t *testing.T, m *winetest.Machine) {
	t.Helper()
	build := exec.Command("go", "build", "-o", m.Path(gatewayExe), "ldap-gateway/agent/ldap-gateway")
	build.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	ca, err := os.ReadFile(w.slapd.CAFile())
	must(t, err)
	for name, text := range map[string]string{
		"ca.pem":   string(ca),
		"password": slapdtest.Password + "\r\n",
		"code":     w.code() + "\r\n",
	} {
		must(t, os.WriteFile(m.Path(`C:\download\`+name), []byte(text), 0o600))
	}
}

// hasServiceLog wants what the service wrote to its file in the zip.
func (w *world) hasServiceLog(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	if _, err := zip.NewReader(bytes.NewReader(b), int64(len(b))); err != nil {
		t.Fatal(err)
	}
	files := unzipped(t, path)
	for name, has := range map[string]string{
		"log.txt":        "link is up",
		"goroutines.txt": "service.(*handler)",
		"versions.txt":   "windows/amd64",
	} {
		if !strings.Contains(files[name], has) {
			t.Errorf("%s has no %q: %.300s", name, has, files[name])
		}
	}
}
