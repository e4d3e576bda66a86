package command

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
)

// TestInitUnattended runs init before each start: it fails never, and what its output is
// kept in learns no secret. Then an administrator is let in.
func TestInitUnattended(t *testing.T) {
	data := t.TempDir() + "/cloud"
	run := func(args ...string) string {
		t.Helper()
		var out, problems bytes.Buffer
		if code := Main(t.Context(), append(args, "--data", data), &out, &problems); code != ExitOK {
			t.Fatalf("%q: %d: %s", args, code, &problems)
		}
		return out.String()
	}
	first := run("init", "--unattended", "--url", "https://id.example.com")
	again := run("init", "--unattended", "--url", "https://id.example.com")
	if strings.Contains(first, "secret") || strings.Contains(first, "#") || again != "There is a cloud already.\n" {
		t.Errorf("%s\n%s", first, again)
	}
	how := regexp.MustCompile(`(?m)^  ldap-cloud (administrator reset admin) --data \S+ (--url) (\S+)$`)
	said := how.FindStringSubmatch(first)
	if said == nil {
		t.Fatalf("how somebody is let in is not said:\n%s", first)
	}
	link := run(append(strings.Fields(said[1]), said[2:]...)...)
	if !strings.Contains(link, "  https://id.example.com/console/setup?name=admin#") {
		t.Error(link)
	}
	if link := run("init"); !strings.Contains(link, "/console/setup?name=admin#") {
		t.Errorf("nobody has set a password, and there is no new link: %s", link)
	}
}
