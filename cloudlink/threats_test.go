package cloudlink_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// testsOf returns the names of the tests in a room, without those below it.
func testsOf(t *testing.T, room string) map[string]bool {
	t.Helper()
	files, err := fs.Glob(os.DirFS(filepath.Join("..", filepath.FromSlash(room))), "*_test.go")
	ok(t, err)
	found := map[string]bool{}
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(room), f))
		ok(t, err)
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`).FindAllStringSubmatch(string(b), -1) {
			found[m[1]] = true
		}
	}
	return found
}

// TestThreats has each test that the threat models name exist, in the room that
// they name.
func TestThreats(t *testing.T) {
	b, err := os.ReadFile("../.github/SECURITY.md")
	ok(t, err)
	_, table, there := strings.Cut(string(b), "## Threats")
	rows := regexp.MustCompile(`(?m)^\| ([A-Z][^|]+) \| ([^|]+) \| ([^|]+) \|$`).FindAllStringSubmatch(table, -1)
	if !there || len(rows) < 15 {
		t.Fatalf("%d threats", len(rows))
	}
	for _, row := range rows {
		found := map[string]bool{}
		for room := range strings.SplitSeq(row[2], ", ") {
			for name := range testsOf(t, room) {
				found[name] = true
			}
		}
		for name := range strings.SplitSeq(row[3], ", ") {
			if !found[name] {
				t.Errorf("%s: there is no %s in %s", row[1], name, row[2])
			}
		}
	}
}

// TestThreatsOfTheLink does the same for doc.go.
func TestThreatsOfTheLink(t *testing.T) {
	b, err := os.ReadFile("doc.go")
	ok(t, err)
	names := regexp.MustCompile(`(Test\w+)( \(wire\))?`).FindAllStringSubmatch(string(b), -1)
	if len(names) < 8 {
		t.Fatalf("%d tests", len(names))
	}
	for _, n := range names {
		room := map[bool]string{false: "cloudlink", true: "cloudlink/wire"}[n[2] != ""]
		if !testsOf(t, room)[n[1]] {
			t.Errorf("there is no %s in %s", n[1], room)
		}
	}
}
