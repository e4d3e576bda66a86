package installer_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// makeRelease runs the script that makes a release, of one package.
func makeRelease(t *testing.T, dist string, env []string, args ...string) (out string, code int) {
	t.Helper()
	cmd := exec.Command("../.ci/release", args...)
	cmd.Env = append(os.Environ(), append(env, "DIST="+dist, "PROGRAMS=ldap-gateway", "ARCHES=amd64", "FORMATS=deb")...)
	b, _ := cmd.CombinedOutput()
	return string(b), cmd.ProcessState.ExitCode()
}

// TestReleaseIsRefused before anything is built, and what was built stays.
func TestReleaseIsRefused(t *testing.T) {
	dist := t.TempDir()
	kept := filepath.Join(dist, "kept")
	if err := os.WriteFile(kept, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	rows := map[string]struct {
		args []string
		want string
	}{
		"no tag":               {nil, "a tag looks like"},
		"no v":                 {[]string{"0.1.0"}, "a tag looks like"},
		"a part of a version":  {[]string{"v0.1"}, "a tag looks like"},
		"more than a version":  {[]string{"v0.1.0-rc1"}, "a tag looks like"},
		"a tag with a command": {[]string{"v0.1.0;id"}, "a tag looks like"},
		"another version":      {[]string{"v9.9.9"}, "is of another version"},
		"no key":               {[]string{"v0.1.0"}, "RELEASE_KEY is missing"},
	}
	for name, r := range rows {
		if out, code := makeRelease(t, dist, nil, r.args...); code == 0 || !strings.Contains(out, r.want) {
			t.Errorf("%s: %d, want %q: %s", name, code, r.want, out)
		}
	}
	if _, err := os.Stat(kept); err != nil {
		t.Error(err)
	}
}

// TestRelease is had by the script that installs it, with the key that was given, and tells
// of that version alone.
func TestRelease(t *testing.T) {
	dist, key := filepath.Join(t.TempDir(), "dist"), filepath.Join(t.TempDir(), "release.key")
	if out, err := exec.Command("openssl", "genpkey", "-algorithm", "ed25519", "-out", key).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	public, err := exec.Command("openssl", "pkey", "-in", key, "-pubout").Output()
	if err != nil {
		t.Fatal(err)
	}
	if out, code := makeRelease(t, dist, []string{"RELEASE_KEY=" + key}, "v0.1.0"); code != 0 {
		t.Fatal(out)
	}
	known := filepath.Join(t.TempDir(), "known.pub")
	if err := os.WriteFile(known, public, 0o600); err != nil {
		t.Fatal(err)
	}
	to := t.TempDir()
	script := exec.Command("sh", filepath.Join(dist, "install.sh"), "ldap-gateway", "--from", dist, "--key", known,
		"--version", "0.1.0", "--kind", "deb", "--download", to)
	if out, err := script.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	if all, err := os.ReadDir(to); err != nil || len(all) != 1 {
		t.Errorf("%v, %v", all, err)
	}
	notes, err := os.ReadFile(filepath.Join(dist, "NOTES.md"))
	if err != nil || !strings.Contains(string(notes), "The first version.") || strings.Contains(string(notes), "## ") {
		t.Errorf("%v: %s", err, notes)
	}
}

// TestReleaseWorkflow is as its runner reads it: after all tests, by the script that was
// tried, with no more rights than each job needs.
func TestReleaseWorkflow(t *testing.T) {
	type job struct {
		Uses        string
		Needs       string
		Permissions map[string]string
		Steps       []struct {
			Run string
			Env map[string]string
		}
	}
	var release struct {
		On struct {
			Push struct{ Tags, Branches []string }
		}
		Permissions map[string]string
		Jobs        map[string]job
	}
	var ci struct{ On map[string]any }
	for path, into := range map[string]any{"release": &release, "ci": &ci} {
		b, err := os.ReadFile("../.github/workflows/" + path + ".yml")
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(b, into); err != nil {
			t.Fatal(err)
		}
	}
	if _, called := ci.On["workflow_call"]; !called || release.Jobs["test"].Uses != "./.github/workflows/ci.yml" {
		t.Error("nothing is tested before")
	}
	if len(release.On.Push.Tags) != 1 || len(release.On.Push.Branches) != 0 || release.Permissions["contents"] != "read" {
		t.Errorf("%+v %v", release.On, release.Permissions)
	}
	for name, rights := range map[string]int{"packages": 1, "images": 2} {
		j := release.Jobs[name]
		if j.Needs == "" || len(j.Permissions) != rights {
			t.Errorf("%s: %+v", name, j)
		}
		for _, s := range j.Steps {
			// What a tag is called is a value of the shell's, and never a part of a script.
			if rest := strings.ReplaceAll(s.Run, "${{ matrix.program }}", ""); strings.Contains(rest, "${{") {
				t.Errorf("%s: %s", name, s.Run)
			}
		}
	}
	runs := false
	for _, s := range release.Jobs["packages"].Steps {
		runs = runs || s.Run == `.ci/release "$GITHUB_REF_NAME"`
	}
	if !runs {
		t.Error("the packages are made in another way")
	}
}
