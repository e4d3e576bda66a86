package command

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"ldap-gateway/cloud"
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
	if link := run("init", "--url", "https://id.example.com"); !strings.Contains(link, "/console/setup?name=admin#") {
		t.Errorf("nobody has set a password, and there is no new link: %s", link)
	}
}

// TestInitNamesTheURL: where there is a cloud already, a new link leads where people reach it, or there is none, and
// the one before stays good.
func TestInitNamesTheURL(t *testing.T) {
	data := t.TempDir() + "/cloud"
	run := func(args ...string) (code int, out, problems bytes.Buffer) {
		return Main(t.Context(), append(args, "--data", data), &out, &problems), out, problems
	}
	code, out, problems := run("init", "--url", "https://id.example.com")
	if code != ExitOK || !strings.Contains(out.String(), "behind a proxy that ends TLS") {
		t.Fatalf("%d %s%s", code, &out, &problems)
	}
	code, out, problems = run("init")
	if code != ExitUsage || out.Len() > 0 || !strings.Contains(problems.String(), "--url") {
		t.Errorf("%d %s%s", code, &out, &problems)
	}
	code, out, problems = run("init", "--url", "http://127.0.0.1:8085")
	if code != ExitOK || !strings.Contains(out.String(), "  http://127.0.0.1:8085/console/setup?name=admin#") {
		t.Errorf("%d %s%s", code, &out, &problems)
	}
}

// TestInitMakesAFileOfTheClient, which its owner alone can read, and from which a command takes it; none is made, and
// no other written over, where init makes nothing.
func TestInitMakesAFileOfTheClient(t *testing.T) {
	folder := t.TempDir()
	file, data := folder+"/client.json", folder+"/cloud"
	run := func(args ...string) (code int, out, problems bytes.Buffer) {
		return Main(t.Context(), args, &out, &problems), out, problems
	}
	if code, _, _ := run("init", "--data", data, "--url", "nonsense", "--client-file", file); code != ExitUsage {
		t.Errorf("a wrong URL: %d", code)
	}
	if code, _, _ := run("init", "--data", data, "--client-file", folder+"/none/x"); code != ExitFailed {
		t.Errorf("nowhere: %d", code)
	}
	if left, _ := os.ReadDir(folder); len(left) > 0 {
		t.Fatalf("something was made: %v", left)
	}
	code, out, problems := run("init", "--data", data, "--client-file", file)
	if code != ExitOK || !strings.Contains(out.String(), "in "+file) {
		t.Fatalf("%d %s%s", code, &out, &problems)
	}
	text, err := os.ReadFile(file)
	var kept cloud.Setup
	if err != nil || json.Unmarshal(text, &kept) != nil || kept.ClientSecret == "" || kept.AdminSetup+kept.SetupURL != "" ||
		strings.Contains(out.String(), kept.ClientSecret) {
		t.Errorf("%v %s\n%s", err, text, &out)
	}
	if at, err := os.Stat(file); err != nil || runtime.GOOS != "windows" && at.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", at.Mode(), err)
	}
	code, _, problems = run("list", "users", "--client", file, "--url", "http://127.0.0.1:1")
	if code != ExitFailed || !strings.Contains(problems.String(), "refused") {
		t.Errorf("the file is no client's: %d %s", code, &problems)
	}
	if code, _, problems = run("init", "--data", folder+"/other", "--client-file", file); code != ExitUsage {
		t.Errorf("written over: %d %s", code, &problems)
	}
	if again, _ := os.ReadFile(file); !bytes.Equal(again, text) {
		t.Error("the file is another")
	}
	if code, _, _ = run("init", "--data", data, "--client-file", folder+"/second"); code != ExitUsage {
		t.Errorf("there is a cloud: %d", code)
	}
	if _, err := os.Stat(folder + "/second"); err == nil {
		t.Error("a file was made for nothing")
	}
}
