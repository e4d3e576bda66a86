package cloud

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestResourceCommands works on a running cloud by the command line.
func TestResourceCommands(t *testing.T) {
	s := startSiege(t)
	file := filepath.Join(t.TempDir(), "client.json")
	b, err := json.Marshal(Setup{EnvironmentID: s.api.Environment, ClientID: s.api.ID, ClientSecret: s.api.Secret, ConsoleURL: s.url + "/console/"})
	must(t, err)
	must(t, os.WriteFile(file, b, 0o600))
	run := func(want int, args ...string) string {
		t.Helper()
		var out, problems bytes.Buffer
		if code := Main(t.Context(), append(args, "--client", file), &out, &problems); code != want {
			t.Fatalf("%q: %d, want %d\n%s%s", args, code, want, &out, &problems)
		}
		return out.String() + problems.String()
	}
	group := filepath.Join(t.TempDir(), "group.json")
	must(t, os.WriteFile(group, []byte(`{"name":"Cooks \u001b[31m"}`), 0o600))
	var made struct{ ID, Name string }
	must(t, json.Unmarshal([]byte(run(ExitOK, "create", "groups", "-f", group)), &made))
	table := run(ExitOK, "list", "groups", "--filter", `displayName sw "cook" or name eq "x"`)
	if !strings.HasPrefix(table, "ID ") || !strings.Contains(table, made.ID) || strings.Contains(table, "\x1b") || strings.Count(table, "\n") != 2 {
		t.Errorf("%q", table)
	}
	must(t, os.WriteFile(group, []byte(`{"description":"They cook"}`), 0o600))
	if said := run(ExitOK, "update", "groups", made.ID, "-f", group); !strings.Contains(said, "They cook") {
		t.Error(said)
	}
	if said := run(ExitOK, "get", "groups", made.ID); !strings.Contains(said, "They cook") {
		t.Error(said)
	}
	lines := run(ExitOK, "list", "gateways/"+s.honest.Gateway+"/instances", "--json")
	var instance struct{ Hostname string }
	if err := json.Unmarshal([]byte(lines), &instance); err != nil || instance.Hostname != "good" {
		t.Errorf("%s: %v", lines, err)
	}
	if said := run(ExitFailed, "delete", "gateways", s.honest.Gateway); !strings.Contains(said, "409") || !strings.Contains(said, "alice") {
		t.Error(said)
	}
	run(ExitOK, "delete", "groups", made.ID)
	if said := run(ExitFailed, "get", "groups", made.ID); !strings.Contains(said, "404 NOT_FOUND") {
		t.Error(said)
	}
	run(ExitFailed, "list", "groups/"+made.ID+"/nothing/at/all")
	run(ExitUsage, "list", "gateways/"+s.honest.Gateway)
	must(t, os.WriteFile(group, []byte(`{`), 0o600))
	run(ExitUsage, "create", "groups", "-f", group)
	must(t, os.Chmod(file, 0o644))
	if said := run(ExitFailed, "list", "users"); !strings.Contains(said, "chmod") && !strings.Contains(said, "others") {
		t.Error(said)
	}
}
