package installer_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ldap-gateway/installer/winetest"
)

// TestWindowsTestsUnderWine runs the tests that are for Windows only, those of this
// room and of the service's life.
func TestWindowsTestsUnderWine(t *testing.T) {
	m := winetest.Start(t)
	for _, room := range []string{"../agent/service", "../installer"} {
		t.Run(filepath.Base(room), func(t *testing.T) {
			program := m.Path(`C:\` + filepath.Base(room) + `.test.exe`)
			build := exec.Command("go", "test", "-c", "-o", program, room)
			build.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			out, code := m.Run(`C:\`+filepath.Base(program), "-test.v")
			if code != 0 || !strings.Contains(out, "--- PASS: Test") {
				t.Errorf("%d\n%s", code, out)
			}
		})
	}
}
