package winetest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestMachine runs a program that Go made, and has its exit code and what it prints.
func TestMachine(t *testing.T) {
	m := Start(t)
	dir := t.TempDir()
	source := "package main\n\nimport (\n\t\"crypto/rand\"\n\t\"fmt\"\n\t\"os\"\n)\n\nfunc main() {\n\tfmt.Println(len(rand.Text()) > 0, os.Args[1])\n\tos.Exit(3)\n}\n"
	m.must(os.WriteFile(filepath.Join(dir, "main.go"), []byte(source), 0o600))
	build := exec.Command("go", "build", "-o", m.Path(`C:\p.exe`), filepath.Join(dir, "main.go"))
	build.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if out, code := m.Run(`C:\p.exe`, "hello"); code != 3 || out != "true hello" {
		t.Errorf("%d %q", code, out)
	}
}
