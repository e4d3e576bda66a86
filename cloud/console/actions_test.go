package console

import (
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestEveryActivityIsSuggested: what management writes of its actions can be chosen in
// the filter.
func TestEveryActivityIsSuggested(t *testing.T) {
	noted := regexp.MustCompile(`(?m)action: +"([a-zA-Z]+\.[a-zA-Z-]+)"`)
	found := 0
	err := fs.WalkDir(os.DirFS("../management"), ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile("../management/" + path)
		for _, m := range noted.FindAllStringSubmatch(string(text), -1) {
			if found++; !slices.Contains(actions[:], m[1]) {
				t.Errorf("%s is not suggested", m[1])
			}
		}
		return err
	})
	if err != nil || found < 40 {
		t.Errorf("%d found, %v", found, err)
	}
}
