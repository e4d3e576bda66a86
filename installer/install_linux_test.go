package installer_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// release is a folder as "make packages" leaves it, with files that stand for packages.
type release struct {
	t     *testing.T
	dir   string
	key   string // file with the public key
	files map[string]string
}

const gatewayPackage = "ldap-gateway_0.1.0_amd64.deb"

func newRelease(t *testing.T) *release {
	r := &release{t: t, dir: t.TempDir(), key: filepath.Join(t.TempDir(), "release.pub"), files: map[string]string{
		gatewayPackage:                            "a package",
		"ldap-gateway_0.1.0_arm64.deb":            "of another machine",
		"ldap-gateway-0.1.0-1.x86_64.rpm":         "an rpm",
		"ldap-gateway-0.1.0-linux-amd64.tar.gz":   "an archive",
		"ldap-cloud_0.1.0_amd64.deb":              "the cloud",
		"ldap-gateway_0.1.0_x86_64.apk":           "an apk",
		"ldap-gateway-0.1.0-1-x86_64.pkg.tar.zst": "of arch",
	}}
	r.sign(r.sums())
	return r
}

func (r *release) write(name, text string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// sums writes the files, and returns their list.
func (r *release) sums() (list string) {
	for name, text := range maps.All(r.files) {
		r.write(name, text)
		sum := sha256.Sum256([]byte(text))
		list += hex.EncodeToString(sum[:]) + "  " + name + "\n"
	}
	return list
}

// sign signs a list with a new key.
func (r *release) sign(list string) {
	r.t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		r.t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		r.t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	if err := os.WriteFile(r.key, text, 0o600); err != nil {
		r.t.Fatal(err)
	}
	r.write("SHA256SUMS", list)
	r.write("SHA256SUMS.sig", string(ed25519.Sign(private, []byte(list))))
}

// download runs the script, and returns what it said, and whether it left the package.
func (r *release) download(args ...string) (out string, code int, file string) {
	r.t.Helper()
	to := r.t.TempDir()
	line := append([]string{"./install.sh"}, args...)
	cmd := exec.Command("sh", append(line, "--download", to)...)
	b, _ := cmd.CombinedOutput()
	if all, err := os.ReadDir(to); err == nil && len(all) == 1 {
		file = all[0].Name()
	}
	return string(b), cmd.ProcessState.ExitCode(), file
}

func (r *release) usual() []string {
	return []string{"ldap-gateway", "--from", r.dir, "--key", r.key, "--kind", "deb"}
}

// TestInstallScript gets what was released, of each kind, from a folder and over the net.
func TestInstallScript(t *testing.T) {
	r := newRelease(t)
	files := http.FileServer(http.Dir(r.dir))
	server := httptest.NewServer(files)
	t.Cleanup(server.Close)
	kinds := map[string]string{
		"deb": gatewayPackage, "rpm": "ldap-gateway-0.1.0-1.x86_64.rpm", "apk": "ldap-gateway_0.1.0_x86_64.apk",
		"archlinux": "ldap-gateway-0.1.0-1-x86_64.pkg.tar.zst", "tar": "ldap-gateway-0.1.0-linux-amd64.tar.gz",
	}
	for kind, want := range kinds {
		for _, from := range []string{r.dir, r.dir + "/", server.URL} {
			out, code, file := r.download("ldap-gateway", "--from", from, "--key", r.key, "--kind", kind)
			if code != 0 || file != want {
				t.Errorf("%s from %s: %d, %q: %s", kind, from, code, file, out)
			}
		}
	}
	if out, code, file := r.download("ldap-cloud", "--from", r.dir, "--key", r.key, "--version", "0.1.0", "--kind", "deb"); code != 0 ||
		file != "ldap-cloud_0.1.0_amd64.deb" {
		t.Errorf("%d, %q: %s", code, file, out)
	}
}

// TestInstallScriptRefuses has everything be changed that somebody in between could change:
// nothing is left, and it says why.
func TestInstallScriptRefuses(t *testing.T) {
	rows := map[string]struct {
		change func(r *release)
		args   []string // more
		want   string
	}{
		"a package that was changed": {func(r *release) { r.write(gatewayPackage, "another") }, nil, "not what was released"},
		"a package that was cut off": {func(r *release) { r.write(gatewayPackage, "a pack") }, nil, "not what was released"},
		"no package":                 {func(r *release) { r.remove(gatewayPackage) }, nil, "there is no " + gatewayPackage},
		"a list that was changed": {func(r *release) {
			r.files[gatewayPackage] = "another"
			r.write("SHA256SUMS", r.sums())
		}, nil, "is not signed by the key"},
		"a list with one line more": {func(r *release) {
			b, _ := os.ReadFile(filepath.Join(r.dir, "SHA256SUMS"))
			r.write("SHA256SUMS", string(b)+"\n")
		}, nil, "is not signed by the key"},
		"another key": {func(r *release) {
			other := newRelease(r.t)
			r.key = other.key
		}, nil, "is not signed by the key"},
		"no signature":             {func(r *release) { r.remove("SHA256SUMS.sig") }, nil, "there is no SHA256SUMS.sig"},
		"an empty signature":       {func(r *release) { r.write("SHA256SUMS.sig", "") }, nil, "is not signed by the key"},
		"no list":                  {func(r *release) { r.remove("SHA256SUMS") }, nil, "there is no SHA256SUMS"},
		"an empty list":            {func(r *release) { r.sign("\n") }, nil, "there is no ldap-gateway_"},
		"no key":                   {func(r *release) { r.key += ".none" }, nil, "cannot be read"},
		"a key that is none":       {func(r *release) { r.key = filepath.Join(r.dir, gatewayPackage) }, nil, "is not signed by the key"},
		"another version":          {func(*release) {}, []string{"--version", "0.2.0"}, "there is no ldap-gateway_0.2.0"},
		"a version that is a path": {func(*release) {}, []string{"--version", "../0.1.0"}, "is no version"},
		"a version with a blank":   {func(*release) {}, []string{"--version", "0.1.0 x"}, "is no version"},
		"a kind that is none":      {func(*release) {}, []string{"--kind", "exe"}, "none of deb"},
		"two versions": {func(r *release) {
			r.files["ldap-gateway_0.0.9_amd64.deb"] = "an old one"
			r.sign(r.sums())
		}, nil, "say which by --version"},
		"a path in the list": {func(r *release) {
			delete(r.files, gatewayPackage)
			sum := sha256.Sum256([]byte("x"))
			r.sign(hex.EncodeToString(sum[:]) + "  ../ldap-gateway_0.1.0_amd64.deb\n")
		}, nil, "there is no ldap-gateway_"},
		"a name with more before it": {func(r *release) {
			sum := sha256.Sum256([]byte("x"))
			r.sign(hex.EncodeToString(sum[:]) + "  x" + gatewayPackage + "\n")
		}, nil, "there is no ldap-gateway_"},
		"a folder that is none": {func(r *release) { r.dir += "/none" }, nil, "there is no SHA256SUMS"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			r := newRelease(t)
			row.change(r)
			out, code, file := r.download(append(r.usual(), row.args...)...)
			if code == 0 || file != "" || !strings.Contains(out, row.want) {
				t.Errorf("%d, %q, want %q:\n%s", code, file, row.want, out)
			}
		})
	}
	for _, args := range [][]string{{}, {"ldap-gatewai"}, {"ldap-gateway", "--from"}, {"ldap-gateway", "--key", "x"}, {"--from", "x", "--key", "x"}} {
		cmd := exec.Command("sh", append([]string{"./install.sh"}, args...)...)
		if out, _ := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != 2 || !strings.Contains(string(out), "--help") {
			t.Errorf("%q: %s", args, out)
		}
	}
}

func (r *release) remove(name string) {
	r.t.Helper()
	if err := os.Remove(filepath.Join(r.dir, name)); err != nil {
		r.t.Fatal(err)
	}
}
