package configs

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is just within a limit is read, and what is one beyond is not.
func TestJustWithinTheLimits(t *testing.T) {
	deep := func(n int) string {
		return inDirectory("vendor = " + strings.Repeat("(", n) + `"x"` + strings.Repeat(")", n))
	}
	padded := func(n int) string {
		src := inDirectory("")
		return src + "#" + strings.Repeat("x", n-len(src)-2) + "\n"
	}
	list := func(n int) string {
		return whole("policy", "attributes = ["+strings.Repeat(`"a",`, n)+"]")
	}
	for name, c := range map[string]struct {
		src  string
		says string // empty: it is read
	}{
		"deep enough": {deep(mostDepth - 1), ""}, // the block is one more
		"too deep":    {deep(mostDepth), "deep"},
		"long enough": {padded(mostFile), ""},
		"too long":    {padded(mostFile + 1), "bytes"},
		"many words":  {list(mostTokens/5 - 100), ""}, // an item is four tokens
		"too many":    {list(mostTokens/4 + 1), "words and signs"},
	} {
		g, err := Parse("gateway.hcl", []byte(c.src))
		if c.says == "" && (err != nil || g.Cloud.URL == nil) || c.says != "" && !tells(err, c.says) {
			t.Errorf("%s: %.300v", name, err)
		}
	}
}

// A file that another names may be as large as gateway.hcl itself, and no larger.
func TestLargeFilesThatAFileNames(t *testing.T) {
	dir := t.TempDir()
	for size, says := range map[int]string{mostFile: "", mostFile + 1: "larger than"} {
		path := filepath.Join(dir, "secret")
		if err := os.WriteFile(path, bytes.Repeat([]byte("x"), size), 0o600); err != nil {
			t.Fatal(err)
		}
		src := inDirectory("bind {\ndn = \"cn=x\"\npassword = file(\"secret\")\n}")
		g, err := Parse(filepath.Join(dir, "gateway.hcl"), []byte(src))
		if says == "" && (err != nil || len(g.Directory.BindPassword.Reveal()) != size) || says != "" && !tells(err, says) {
			t.Errorf("of %d bytes: %.300v", size, err)
		}
	}
}

// Brackets that are closed again, and operators of other values, do not add up.
func TestDepthIsOfOneValue(t *testing.T) {
	flat := strings.Repeat("(1),", 500)
	minus := strings.Repeat("-1,", 500)
	for name, value := range map[string]string{"brackets": flat, "operators": minus} {
		src := whole("policy", "attributes = ["+value+"]")
		if d := shape([]byte(src), "gateway.hcl"); d.HasErrors() {
			t.Errorf("%s: %v", name, d)
		}
	}
	lines := strings.Repeat("# -\nx = -1\n", 500)
	if d := shape([]byte(lines), "gateway.hcl"); d.HasErrors() {
		t.Errorf("%v", d)
	}
}
