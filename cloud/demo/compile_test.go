package demo

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestCompile: compiling says how far it is, what is wrong and that it is wrong, and nothing when there
// is nothing to do.
func TestCompile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there make is started by a shell of another system")
	}
	many := ""
	for i := range 60 {
		many += fmt.Sprintf("echo example.com/package%d >&2\n", i)
	}
	for name, row := range map[string]struct {
		build       string // what "go build" does
		says, never []string
		fails       bool
	}{
		"first time": {many, []string{"of 3 packages", "  25 packages, after ", "  50 packages, after ", "Compiled 60 packages in "}, nil, false},
		"again":      {"", nil, []string{"Compil", "packages"}, false},
		"modules": {"echo 'go: downloading example.com/a v1.0.0' >&2\n" + many,
			[]string{"go: downloading example.com/a v1.0.0\n", "Compiled 60"}, nil, false},
		"broken": {many + "echo '# example.com/b' >&2\necho './b.go:1:2: undefined: x' >&2\nexit 1\n",
			[]string{"# example.com/b\n", "./b.go:1:2: undefined: x\n"}, []string{"Compiled"}, true},
		"killed": {many + "kill -9 $$\n", nil, []string{"Compiled"}, true},
	} {
		compiler := filepath.Join(t.TempDir(), "go")
		text := "#!/bin/sh\nif [ \"$1\" = list ]; then echo a; echo b; echo c; exit; fi\n" + row.build
		if err := os.WriteFile(compiler, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		cmd := exec.CommandContext(t.Context(), "./compile.sh", compiler, t.TempDir(), "./cloud/demo/ldap-demo")
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Run(); (err != nil) != row.fails {
			t.Errorf("%s: %v\n%s", name, err, &out)
		}
		for _, s := range row.says {
			if !strings.Contains(out.String(), s) {
				t.Errorf("%s: does not say %q:\n%s", name, s, &out)
			}
		}
		for _, s := range row.never {
			if strings.Contains(out.String(), s) {
				t.Errorf("%s: says %q:\n%s", name, s, &out)
			}
		}
	}
}
