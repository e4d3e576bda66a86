package installer

import (
	"os"
	"path/filepath"
	"testing"
)

// Only the folder that systemd makes when it has started the machine says so.
func TestRunsSystemd(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if !runsSystemd(dir) || runsSystemd(file) || runsSystemd(filepath.Join(dir, "none")) {
		t.Error("it is told by something else")
	}
}
