package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ldap-gateway/directory/slapdtest"
)

// TestCheck has everything right, then one thing after another wrong, and wants
// the row and the remedy.
func TestCheck(t *testing.T) {
	w := newWorld(t, plan{slapd: slapdtest.Config{ShowConfig: true}})
	w.await("the user types are kept", func() bool {
		_, err := os.Stat(filepath.Join(w.dir, "agent1", "state", "usertypes.cbor"))
		return err == nil
	})
	out, code := w.command("agent1", "", "check")
	t.Logf("\n%s", out)
	if code != 0 || strings.Contains(out, "FAIL") || !strings.Contains(out, "0 failed") {
		t.Errorf("%d\n%s", code, out)
	}
	for _, row := range []string{"DNS", "TCP", "TLS", "service bind", "base", "cloud", "clock", "paired", "user type", "indexes Staff for uid"} {
		if !strings.Contains(single(out), "ok "+row) {
			t.Errorf("no row %q", row)
		}
	}
	file := filepath.Join(w.dir, "agent1", "gateway.hcl")
	good, err := os.ReadFile(file)
	must(t, err)
	for name, c := range map[string]struct{ from, to, row, remedy string }{
		"wrong-host":     {"ldaps://127.0.0.1", "ldaps://not-there.invalid", "FAIL DNS", "DNS"},
		"wrong-port":     {w.slapd.TLSURL(), "ldaps://127.0.0.1:1", "FAIL TCP", "firewall"},
		"untrusted":      {"ca_file", "server_name = \"127.0.0.1\" #", "FAIL TLS", "ca_file"},
		"wrong-account":  {"cn=reader", "cn=reeder", "FAIL service bind", "bind"},
		"wrong-base":     {`base_dn          = "dc=example,dc=test"`, `base_dn = "ou=nowhere,dc=example,dc=test"`, "FAIL base", "base_dn"},
		"wrong-cloud":    {w.url, "http://127.0.0.1:1", "FAIL cloud", "outbound"},
		"other-cloud":    {w.url, strings.Replace(w.url, "127.0.0.1", "localhost", 1), "FAIL paired", "--replace"},
		"refused-policy": {"\nlog {", "\npolicy {\n  search_bases = [\"ou=others,dc=example,dc=test\"]\n}\n\nlog {", "WARN user type", "policy"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := strings.Replace(string(good), c.from, c.to, 1)
			if bad == string(good) {
				t.Fatal("nothing replaced")
			}
			must(t, os.WriteFile(file, []byte(bad), 0o600))
			out, code := w.command("agent1", "", "check")
			if strings.HasPrefix(c.row, "FAIL") != (code == 1) || !strings.Contains(single(out), c.row) || !strings.Contains(out, c.remedy) {
				t.Errorf("%d, want %q and %q\n%s", code, c.row, c.remedy, out)
			}
		})
	}
}

// TestExplain shows entry, groups, their source, and what is left out and why.
func TestExplain(t *testing.T) {
	w := newWorld(t, plan{policy: "policy {\n  groups {\n    exclude = [\"cn=unix,*\"]\n  }\n}\n"})
	r := w.mustSignOn("alice", "wonderland")
	out, code := w.command("agent1", "", "explain", "alice")
	t.Logf("\n%s", out)
	if code != 0 {
		t.Error(code)
	}
	for _, want := range []string{aliceDN, "entryUUID=", "mail: alice@example.test", "complete",
		"+ B", "by member", "+ staff", "by uniqueMember", "cn=unix", "policy.groups.exclude", "cn=A" + groupDN, "not direct"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q", want)
		}
	}
	if got := names(r.Groups); got != "cn=B cn=staff" {
		t.Errorf("the sign-on brought %s, and explain says otherwise", got)
	}
	w.explainsAsJSON(t)
	if out, code := w.command("agent1", "", "explain", "nobody"); code != 1 || !strings.Contains(out, "none") {
		t.Errorf("%d %s", code, out)
	}
	if out, code := w.command("agent1", "", "explain", "twin"); code != 1 || !strings.Contains(out, "more than one") {
		t.Errorf("%d %s", code, out)
	}
	if out, code := w.command("agent1", "", "explain"); code != 2 || !strings.Contains(out, "--help") {
		t.Errorf("%d %s", code, out)
	}
}

// explainsAsJSON wants the same for programs.
func (w *world) explainsAsJSON(t *testing.T) {
	t.Helper()
	out, code := w.command("agent1", "", "explain", "--json", "alice")
	var told struct {
		UserTypes []struct {
			Outcome string
			Entry   struct {
				DN     string
				Leaves map[string][]string
			}
			Groups struct {
				Verdict         string
				Pushed, LeftOut []struct{ DN, Source, Reason string }
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &told); err != nil || code != 0 || len(told.UserTypes) != 1 {
		t.Fatalf("%d, %v: %s", code, err, out)
	}
	one := told.UserTypes[0]
	if one.Outcome != "found" || one.Entry.DN != aliceDN || one.Entry.Leaves["mail"][0] != "alice@example.test" ||
		one.Groups.Verdict != "complete" || len(one.Groups.Pushed) != 2 || len(one.Groups.LeftOut) != 2 {
		t.Errorf("%+v", one)
	}
	if out, code := w.command("agent1", "", "explain", "--json", "twin"); code != 1 || !strings.Contains(out, `"several": [`) {
		t.Errorf("%d %s", code, out)
	}
}

// TestBadFileIsRefusedByEveryCommand prints all mistakes with their lines.
func TestBadFileIsRefusedByEveryCommand(t *testing.T) {
	w := newWorld(t, plan{})
	file := filepath.Join(w.dir, "agent1", "gateway.hcl")
	must(t, os.WriteFile(file, []byte("cloud {\n  ulr = \"x\"\n}\n"), 0o600))
	for _, command := range [][]string{{"run"}, {"check"}, {"pair", "--replace"}, {"explain", "alice"}} {
		out, code := w.command("agent1", "", command...)
		if code != 1 || !strings.Contains(out, "gateway.hcl line 2") || !strings.Contains(out, "Missing directory") || !strings.Contains(out, "3 mistakes") {
			t.Errorf("%v: %d\n%s", command, code, out)
		}
	}
}

// single makes every run of blanks one blank.
func single(s string) string { return strings.Join(strings.Fields(s), " ") }
