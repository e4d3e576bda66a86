package e2e

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ldap-gateway/configs"
)

// readmeCommands returns the lines with a "$ " in the README.
func readmeCommands(t *testing.T) (commands []string) {
	t.Helper()
	b, err := os.ReadFile("../../README.md")
	must(t, err)
	for line := range strings.Lines(string(b)) {
		if c, ok := strings.CutPrefix(line, "$ "); ok {
			commands = append(commands, strings.TrimSpace(c))
		}
	}
	if len(commands) < 8 {
		t.Fatalf("only %d commands: %q", len(commands), commands)
	}
	return commands
}

// TestREADMECommands runs every command of the README.
func TestREADMECommands(t *testing.T) {
	w := newWorld(t, plan{})
	w.mustSignOn("alice", "wonderland")
	makefile, err := os.ReadFile("../../Makefile")
	must(t, err)
	for _, c := range readmeCommands(t) {
		t.Run(strings.ReplaceAll(c, " ", "_"), func(t *testing.T) {
			args := strings.Fields(c)
			switch args[0] {
			case "make":
				if !regexp.MustCompile(`(?m)^` + args[1] + `:.* ## `).Match(makefile) {
					t.Error("no such target, or it says nothing of itself")
				}
			case "ldap-gateway":
				w.readmeGateway(t, args[1:])
			case "runuser":
				w.readmeCloud(t, args[slices.Index(args, "--")+2:])
			case "apt", "editor", "systemctl":
				inAPackage(t, args[len(args)-1])
			default:
				t.Error("nothing runs this command")
			}
		})
	}
}

func (w *world) readmeGateway(t *testing.T, args []string) {
	t.Helper()
	switch args[0] {
	case "setup":
		typed := []string{w.url, w.at.url, w.at.caFile, w.at.base, w.at.bindDN, w.at.password, w.code(), "yes"}
		out, code := w.command("setup", strings.Join(typed, "\n")+"\n", args...)
		if code != 0 || !strings.Contains(out, "Paired with") {
			t.Errorf("%d\n%s", code, out)
		}
		return
	}
	if out, code := w.command("agent1", "", args...); code != 0 {
		t.Errorf("%d\n%s", code, out)
	}
}

func (w *world) readmeCloud(t *testing.T, args []string) {
	t.Helper()
	args[slices.Index(args, "/var/lib/ldap-cloud")] = w.dir + "/readme-cloud"
	out, err := exec.Command(programs+"/ldap-cloud", args...).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "https://id.example.com/console/") {
		t.Errorf("%v\n%s", err, out)
	}
}

// inAPackage fails when what a command is about is in none of our packages. What
// these commands do is shown by the installer's tests, on a booted system.
func inAPackage(t *testing.T, what string) {
	t.Helper()
	what, _, _ = strings.Cut(strings.TrimPrefix(what, "./dist/"), "_") // of a package its name
	for _, name := range []string{"ldap-gateway", "ldap-cloud"} {
		b, err := os.ReadFile("../../installer/linux/" + name + ".nfpm.yaml")
		must(t, err)
		if what == name || strings.Contains(string(b), " dst: "+what+",") {
			return
		}
	}
	t.Errorf("no package is or has %s", what)
}

// TestREADMEFile has the file of the README be the sample, which a test loads.
func TestREADMEFile(t *testing.T) {
	b, err := os.ReadFile("../../README.md")
	must(t, err)
	if !strings.Contains(string(b), "```hcl\n"+configs.Minimal+"```") {
		t.Error("the file in the README is not configs/samples/gateway.hcl")
	}
}

// TestREADMELinks has every relative link lead somewhere.
func TestREADMELinks(t *testing.T) {
	b, err := os.ReadFile("../../README.md")
	must(t, err)
	for _, m := range regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllStringSubmatch(string(b), -1) {
		if _, err := os.Stat("../../" + m[1]); err != nil {
			t.Error(err)
		}
	}
}
