package configs

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestFilesThatTakeTooMuch has each way in which a file could take time, memory or
// the stack be refused, with the line to look at.
func TestFilesThatTakeTooMuch(t *testing.T) {
	nested := "[for a in [1,2,3] : a]"
	for range 7 {
		nested = "[for a in [1,2,3,4,5,6,7,8,9,10] : " + nested + "]"
	}
	many := func(n int, s string) string { return strings.Repeat(s, n) }
	for name, c := range map[string]struct{ src, says string }{
		"for":          {"a = " + nested, "no \"for\""},
		"for-map":      {"a = {for k, v in {a = 1} : k => v}", "no \"for\""},
		"for-lines":    {"a = [\n# why\n for a in [1] : a]", "no \"for\""},
		"for-template": {"a = \"%{ for x in [1] }x%{ endfor }\"", "no \"for\""},
		"parentheses":  {"a = " + many(90_000, "("), "deep"},
		"brackets":     {"a = " + many(1000, "["), "deep"},
		"braces":       {many(1000, "a {\n"), "deep"},
		"templates":    {"a = " + many(1000, "\"${"), "deep"},
		"minus":        {"a = " + many(90_000, "-") + "1", "deep"},
		"not":          {"a = " + many(90_000, "!") + "true", "deep"},
		"choices":      {"a = " + many(20_000, "true ? 1 : ") + "1", "deep"},
		"words":        {"a = [" + many(60_000, "1,") + "]", "words and signs"},
		"exponent":     {"a = 1e1000000000", "no exponent"},
		"exponent-":    {"a = -1E-9", "no exponent"},
		"in-a-text":    {"a = \"${1e900000000}\"", "no exponent"},
		"digits":       {"a = " + many(1000, "9"), "digits"},
		"fraction":     {"a = 0." + many(1000, "9"), "digits"},
		"compared":     {"a = 1e300000000 == 1e300000001 ? 1 : 2", "no exponent"},
		"bytes":        {"# " + many(mostFile, "x"), "bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("gateway.hcl", []byte(c.src))
			var mistakes *Mistakes
			if !errors.As(err, &mistakes) || !strings.Contains(err.Error(), c.says) || len(err.Error()) > 2000 {
				t.Errorf("%.300v", err)
			}
		})
	}
	for name, src := range map[string]string{"minimal": Minimal, "full": Full, "named-for": strings.Replace(Full, "cloud {", "cloud { # for {", 1)} {
		if d := shape([]byte(src), name); d.HasErrors() {
			t.Errorf("%s: %v", name, d)
		}
	}
}

// TestSecretsComeFromFiles has a secret be everything that a path can lead to.
func TestSecretsComeFromFiles(t *testing.T) {
	dir := t.TempDir()
	big := filepath.Join(dir, "big")
	if err := os.WriteFile(big, make([]byte, mostFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	paths := map[string]string{dir: "not a regular file", big: "larger than"}
	if runtime.GOOS != "windows" {
		paths[makePipe(t, dir)] = "not a regular file"
		paths["/dev/zero"] = "not a regular file"
	}
	for path, says := range paths {
		started := time.Now()
		if _, err := readFile(path); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", path, err)
		}
		if took := time.Since(started); took > fileTime/2 {
			t.Errorf("%s was waited for", path)
		}
		if _, err := Load(path); err == nil {
			t.Errorf("%s is a gateway.hcl", path)
		}
	}
}
