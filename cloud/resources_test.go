package cloud_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ldap-gateway/cloud"
	"ldap-gateway/cloud/command"
)

// TestResourceCommands works on a running cloud by the command line.
func TestResourceCommands(t *testing.T) {
	s := cloud.StartSiege(t)
	file := filepath.Join(t.TempDir(), "client.json")
	b, err := json.Marshal(cloud.Setup{
		EnvironmentID: s.API.Environment,
		ClientID:      s.API.ID,
		ClientSecret:  s.API.Secret,
		ConsoleURL:    s.URL + "/console/",
	})
	must(t, err)
	must(t, os.WriteFile(file, b, 0o600))
	run := func(want int, args ...string) string {
		t.Helper()
		var out, problems bytes.Buffer
		if code := command.Main(t.Context(), append(args, "--client", file), &out, &problems); code != want {
			t.Fatalf("%q: %d, want %d\n%s%s", args, code, want, &out, &problems)
		}
		return out.String() + problems.String()
	}
	group := filepath.Join(t.TempDir(), "group.json")
	must(t, os.WriteFile(group, []byte(`{"name":"Cooks \u001b[31m"}`), 0o600))
	var made struct{ ID, Name string }
	must(t, json.Unmarshal([]byte(run(command.ExitOK, "create", "groups", "-f", group)), &made))
	table := run(command.ExitOK, "list", "groups", "--filter", `displayName sw "cook" or name eq "x"`)
	if !strings.HasPrefix(table, "ID ") || !strings.Contains(table, made.ID) || strings.Contains(table, "\x1b") ||
		strings.Count(table, "\n") != 2 {
		t.Errorf("%q", table)
	}
	must(t, os.WriteFile(group, []byte(`{"description":"They cook"}`), 0o600))
	if said := run(command.ExitOK, "update", "groups", made.ID, "-f", group); !strings.Contains(said, "They cook") {
		t.Error(said)
	}
	if said := run(command.ExitOK, "get", "groups", made.ID); !strings.Contains(said, "They cook") {
		t.Error(said)
	}
	lines := run(command.ExitOK, "list", "gateways/"+s.Gateway+"/instances", "--json")
	var instance struct{ Hostname string }
	if err := json.Unmarshal([]byte(lines), &instance); err != nil || instance.Hostname != "good" {
		t.Errorf("%s: %v", lines, err)
	}
	if said := run(command.ExitFailed, "delete", "gateways", s.Gateway); !strings.Contains(said, "409") ||
		!strings.Contains(said, "alice") {
		t.Error(said)
	}
	run(command.ExitOK, "delete", "groups", made.ID)
	if said := run(command.ExitFailed, "get", "groups", made.ID); !strings.Contains(said, "404 NOT_FOUND") {
		t.Error(said)
	}
	run(command.ExitFailed, "list", "groups/"+made.ID+"/nothing/at/all")
	run(command.ExitUsage, "list", "gateways/"+s.Gateway)
	must(t, os.WriteFile(group, []byte(`{`), 0o600))
	run(command.ExitUsage, "create", "groups", "-f", group)
	must(t, os.Chmod(file, 0o644))
	if said := run(command.ExitFailed, "list", "users"); !strings.Contains(said, "chmod") &&
		!strings.Contains(said, "others") {
		t.Error(said)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
