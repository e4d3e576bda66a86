package pgtest

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// environment names the server to a test process that is to use it.
const environment = "PGTEST_SERVER"

// Again runs all tests of the caller's package once more, with [Database] giving
// out databases of a server of their own. It leaves out those whose names begin
// with the caller's, or with one that is given: they ask the database little.
func Again(t *testing.T, without ...string) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := Start(t)
	cmd := exec.CommandContext(t.Context(), exe, "-test.count=1",
		"-test.skip=^("+strings.Join(append(without, t.Name()), "|")+")", "-test.timeout=20m")
	cmd.Env = append(os.Environ(), environment+"="+s.url("postgres"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("on PostgreSQL: %v\n%s", err, out)
	}
}

// Database returns the URL of an empty schema in a run of [Again], which takes a
// tenth of the time that a database takes, and otherwise "".
func Database(t testing.TB) string {
	t.Helper()
	admin := os.Getenv(environment)
	if admin == "" {
		return ""
	}
	name, err := create(t.Context(), admin, "SCHEMA")
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	return admin + "&search_path=" + name
}
