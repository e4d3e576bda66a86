package e2e

import (
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestWorkflowRunsWhatEveryChangeMustPass reads the workflow as its runner does: it runs
// .ci/run, and with the version of Go that the module wants.
func TestWorkflowRunsWhatEveryChangeMustPass(t *testing.T) {
	b, err := os.ReadFile("../../.github/workflows/ci.yml")
	must(t, err)
	var w struct {
		Permissions map[string]string
		Jobs        map[string]struct {
			Container struct{ Image string }
			Steps     []struct{ Uses, Run string }
		}
	}
	must(t, yaml.Unmarshal(b, &w))
	module, err := os.ReadFile("../../go.mod")
	must(t, err)
	_, version, _ := strings.Cut(string(module), "\ngo ")
	version = strings.Join(strings.Split(version[:strings.Index(version, "\n")], ".")[:2], ".")
	runs := false
	for _, j := range w.Jobs {
		if !strings.HasPrefix(j.Container.Image, "golang:"+version+"-") {
			t.Errorf("%s is not of Go %s", j.Container.Image, version)
		}
		for _, s := range j.Steps {
			if runs = runs || s.Run == ".ci/run"; s.Run != "" && strings.HasPrefix(s.Run, ".") {
				info, err := os.Stat("../../" + s.Run)
				if err != nil || info.Mode().Perm()&0o111 == 0 {
					t.Errorf("%s cannot be run: %v", s.Run, err)
				}
			}
		}
	}
	if !runs || w.Permissions["contents"] != "read" || len(w.Permissions) != 1 {
		t.Errorf("%+v", w)
	}
}
