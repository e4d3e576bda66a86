package providertest

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// installing has one test at a time install packages.
var installing sync.Mutex

// Modules links npm packages into a folder. They are installed once into the user's cache,
// under the name of the first.
func Modules(t testing.TB, dir string, packages ...string) {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(cache, "ldap-gateway-tests", "npm-"+packages[0])
	installing.Lock()
	defer installing.Unlock()
	if _, err := os.Stat(filepath.Join(folder, "whole")); err != nil {
		install(t, folder, packages)
	}
	if err := os.Symlink(filepath.Join(folder, "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
}

// install has npm install packages into a folder of their own, and marks it when all are there.
func install(t testing.TB, folder string, packages []string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.RemoveAll(folder))
	must(os.MkdirAll(folder, 0o755))
	must(os.WriteFile(filepath.Join(folder, "package.json"), []byte(`{"private":true}`), 0o600))
	args := append([]string{"install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"}, packages...)
	c := exec.CommandContext(t.Context(), "npm", args...)
	c.Dir = folder
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("npm %v: %v: run \"make tools\"\n%s", packages, err, out)
	}
	must(os.WriteFile(filepath.Join(folder, "whole"), nil, 0o600))
}
