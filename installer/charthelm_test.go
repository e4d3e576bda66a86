package installer_test

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var helm = flag.String("helm", "", `command that is Helm; "make long" builds it, which takes minutes`)

// TestChartByHelm has Helm itself render and refuse what the tests above render and refuse,
// and wants the same.
func TestChartByHelm(t *testing.T) {
	if *helm == "" {
		t.Skip(`"make long" names one`)
	}
	c := readChart(t)
	for name, row := range charts() {
		out, err := byHelm(t, row.values, "template", "ldap-cloud", "--namespace", "identity")
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		objects := decoded(t, out)
		slices.SortFunc(objects, byKind)
		ours, _ := c.mustRender("ldap-cloud", row.values)
		if got, want := asJSON(t, objects), asJSON(t, ours); got != want {
			t.Errorf("%s: Helm makes\n%s\nand the test\n%s", name, got, want)
		}
		if out, err := byHelm(t, row.values, "lint", "--strict"); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	for values, want := range refusals() {
		if out, err := byHelm(t, values, "template", "ldap-cloud"); err == nil || !strings.Contains(string(out), want) {
			t.Errorf("want %q, not %v, of\n%s\n%s", want, err, values, out)
		}
	}
}

// byHelm runs Helm on the chart; what it prints includes why it fails.
func byHelm(t *testing.T, values string, args ...string) ([]byte, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(file, []byte(values), 0o600); err != nil {
		t.Fatal(err)
	}
	args = append(append(strings.Fields(*helm), args...), "helm", "--kube-version", "1.30.0", "--values", file)
	return exec.Command(args[0], args[1:]...).CombinedOutput()
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
