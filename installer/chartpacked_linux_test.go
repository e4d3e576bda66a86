package installer_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestChartOfARelease is signed with the rest, is of that version, and whole.
func TestChartOfARelease(t *testing.T) {
	dist := t.TempDir()
	cmd := exec.Command("./packages")
	cmd.Env = append(os.Environ(), "DIST="+dist, "VERSION=1.2.3", "PROGRAMS=ldap-cloud", "ARCHES=amd64", "FORMATS=chart")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	to := t.TempDir()
	if out, err := exec.Command("tar", "-xzf", dist+"/ldap-cloud-1.2.3.tgz", "-C", to).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	about, err := os.ReadFile(to + "/ldap-cloud/Chart.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\nversion: 1.2.3\n", "\nappVersion: \"1.2.3\"\n"} {
		if !strings.Contains(string(about), want) {
			t.Errorf("no %q in\n%s", want, about)
		}
	}
	if got, want := names(t, to+"/ldap-cloud"), names(t, "helm"); !slices.Equal(got, want) {
		t.Errorf("it has %q, not %q", got, want)
	}
	sums, err := os.ReadFile(dist + "/SHA256SUMS")
	if err != nil || !strings.Contains(string(sums), "  ldap-cloud-1.2.3.tgz\n") {
		t.Errorf("%v: it is not signed:\n%s", err, sums)
	}
}

// names are those of all files of a folder.
func names(t *testing.T, folder string) (all []string) {
	t.Helper()
	for _, pattern := range []string{"*", "templates/*"} {
		found, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil || len(found) == 0 {
			t.Fatal(found, err)
		}
		for _, path := range found {
			all = append(all, strings.TrimPrefix(path, folder+"/"))
		}
	}
	return all
}
