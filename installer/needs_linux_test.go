package installer_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDefaultsDecideTheDatabase reads the unit of the cloud and its file of defaults as
// systemd does: without a word the data folder, else what the file says.
func TestDefaultsDecideTheDatabase(t *testing.T) {
	unit, err := os.ReadFile("linux/ldap-cloud.service")
	if err != nil {
		t.Fatal(err)
	}
	defaults, err := os.ReadFile("linux/ldap-cloud.default")
	if err != nil {
		t.Fatal(err)
	}
	many := regexp.MustCompile(`(?m)^#(DATABASE=.*)$`).ReplaceAllString(string(defaults), "$1")
	many = strings.Replace(many, "OPTIONS=", `OPTIONS="--nats tls://n:4222"`, 1)
	for text, want := range map[string]string{
		string(defaults): "run --data /var/lib/ldap-cloud",
		"":               "run --data /var/lib/ldap-cloud",
		many: "run --database-file /etc/ldap-cloud/database-url --master-key /etc/ldap-cloud/master.key" +
			" --nats tls://n:4222",
	} {
		said := map[string]string{}
		set := regexp.MustCompile(`(?m)^(?:Environment=")?([A-Z]+)=(.*)$`)
		for _, m := range set.FindAllStringSubmatch(string(unit)+"\n"+text, -1) {
			said[m[1]] = strings.Trim(m[2], `"`)
		}
		start := regexp.MustCompile(`(?m)^ExecStart=@PROGRAM@ (.*)$`).FindStringSubmatch(string(unit))[1]
		words := strings.Fields(os.Expand(start, func(name string) string { return said[name] }))
		if got := strings.Join(words, " "); got != want {
			t.Errorf("it runs %q, not %q", got, want)
		}
	}
}

// TestPackagesTellWhatIsMissing runs the build where one program is not there that
// everything needs, and others that Windows needs: each is in the table, and nothing was
// touched.
func TestPackagesTellWhatIsMissing(t *testing.T) {
	bin, dist := t.TempDir(), t.TempDir()
	kept := filepath.Join(dist, "kept")
	if err := os.WriteFile(kept, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tool := range []string{"bash", "env", "dirname", "realpath", "sed", "go", "git", "mkdir", "mktemp", "rm"} {
		path, err := exec.LookPath(tool)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(bin, tool)); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.Command("./packages")
	c.Env = append(os.Environ(), "PATH="+bin, "DIST="+dist)
	out, err := c.CombinedOutput()
	if err == nil {
		t.Error("it went on")
	}
	for _, tool := range []string{"openssl", "wixl", "zip", "osslsigncode"} {
		if !regexp.MustCompile(`(?m)^` + tool + ` +\S.* ` + tool + `$`).Match(out) {
			t.Errorf("%s is not in the table:\n%s", tool, out)
		}
	}
	if _, err := os.Stat(kept); err != nil {
		t.Error(err)
	}
}
