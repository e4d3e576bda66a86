package e2e

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ldap-gateway/cloud/handbook"
	"ldap-gateway/cloud/signon"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/configs"
)

var update = flag.Bool("update", false, "write the pages of the handbook that are made from the code")

// help returns what a command says of itself.
func help(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, err := exec.Command(programs+"/"+program, append(args, "--help")...).CombinedOutput()
	must(t, err)
	return string(out)
}

// available are the commands in a help text, without those of the command line library.
func available(text string) (names []string) {
	_, list, _ := strings.Cut(text, "Available Commands:\n")
	list, _, _ = strings.Cut(list, "\n\n")
	for line := range strings.Lines(list) {
		if name := strings.Fields(line); len(name) > 0 && name[0] != "completion" && name[0] != "help" {
			names = append(names, name[0])
		}
	}
	return names
}

// commandPage is the page of a program: each command's own words.
func commandPage(t *testing.T, program string) string {
	t.Helper()
	var b strings.Builder
	top := help(t, program)
	fmt.Fprintf(&b, "# Commands of %s\n\n```\n%s```\n", program, top)
	for _, name := range available(top) {
		text := help(t, program, name)
		fmt.Fprintf(&b, "\n## %s %s\n\n```\n%s```\n", program, name, text)
		for _, below := range available(text) {
			fmt.Fprintf(&b, "\n## %s %s %s\n\n```\n%s```\n", program, name, below, help(t, program, name, below))
		}
	}
	return b.String()
}

// TestHandbookIsOfThisVersion has the pages that are made from the code be what the code
// makes now; "go test ./cloud/e2e -run TestHandbookIsOfThisVersion -update" writes them.
func TestHandbookIsOfThisVersion(t *testing.T) {
	for name, want := range map[string]string{
		"ldap-gateway": commandPage(t, "ldap-gateway"),
		"ldap-cloud":   commandPage(t, "ldap-cloud"),
		"gateway-hcl": "# gateway.hcl: every key\n\nThe smallest file that works:\n\n```hcl\n" + configs.Minimal +
			"```\n\nEvery key, with its default:\n\n```hcl\n" + configs.Full + "```\n",
	} {
		if *update {
			must(t, os.WriteFile("../handbook/pages/"+name+".md", []byte(want), 0o644))
			continue
		}
		if got, _ := handbook.Source(name); got != want {
			t.Errorf("%s is not of this version: run this test with -update", name)
		}
	}
}

// TestHandbookIsWhole has every page be listed, begin with its title, and lead only to
// pages, and show pictures, that there are.
func TestHandbookIsWhole(t *testing.T) {
	files, err := filepath.Glob("../handbook/pages/*.md")
	must(t, err)
	if len(files) != len(handbook.Pages()) {
		t.Errorf("%d files, %d pages", len(files), len(handbook.Pages()))
	}
	for _, p := range handbook.Pages() {
		source, ok := handbook.Source(p.Name)
		if !ok || !strings.HasPrefix(source, "# ") || p.Title == "" {
			t.Errorf("%s has no title", p.Name)
		}
		for _, m := range regexp.MustCompile(`\]\(([^)]+)\)`).FindAllStringSubmatch(source, -1) {
			if picture, is := strings.CutPrefix(m[1], "pictures/"); is {
				if _, there := handbook.Picture(picture); !there {
					t.Errorf("%s shows %s, which is not there", p.Name, picture)
				}
				continue
			}
			name, is := strings.CutSuffix(m[1], ".md")
			if _, there := handbook.Source(name); !is || !there {
				t.Errorf("%s leads to %s, which is no page", p.Name, m[1])
			}
		}
		page, _ := handbook.HTML(p.Name, "/help/")
		if !strings.HasPrefix(string(page), "<h1") || strings.Contains(string(page), ".md\"") {
			t.Errorf("%s is not drawn as it should be", p.Name)
		}
	}
	if _, ok := handbook.HTML("../doc", "/help/"); ok {
		t.Error("a page that is none is shown")
	}
}

// mentions are the commands that a text names, between backticks or after a "$ ".
var mentions = regexp.MustCompile("(?m)(?:`|^ *\\$ (?:runuser -u [a-z-]+ -- )?)(ldap-(?:gateway|cloud)(?: [^`\n>]+)?)")

// TestPapersNameWhatThereIs looks up every command and flag that the handbook and the
// README name.
func TestPapersNameWhatThereIs(t *testing.T) {
	b, err := os.ReadFile("../../README.md")
	must(t, err)
	papers := map[string]string{"README": string(b)}
	for _, p := range handbook.Pages() {
		papers[p.Name], _ = handbook.Source(p.Name)
	}
	delete(papers, "ldap-gateway")
	delete(papers, "ldap-cloud")
	n := 0
	for name, text := range papers {
		for _, m := range mentions.FindAllStringSubmatch(text, -1) {
			n++
			checkMention(t, name, strings.Fields(m[1]))
		}
	}
	if n < 40 {
		t.Errorf("only %d commands were found", n)
	}
	for name, text := range papers {
		checkFlags(t, name, text)
	}
}

// foreign are flags of other programs.
var foreign = []string{"--max-http-header-size", "--build", "--volumes", "--from-literal", "--values"}

// checkFlags looks up every flag that a text names, whatever stands around it.
func checkFlags(t *testing.T, paper, text string) {
	t.Helper()
	gateway, _ := handbook.Source("ldap-gateway")
	cloud, _ := handbook.Source("ldap-cloud")
	script, err := exec.Command("sh", "../../installer/install.sh", "--help").Output()
	must(t, err)
	known := strings.Fields(strings.ReplaceAll(gateway+" "+cloud+" "+string(script), ",", " "))
	for _, f := range regexp.MustCompile(`--[a-z][a-z-]+`).FindAllString(text, -1) {
		if !slices.Contains(known, f) && !slices.Contains(foreign, f) {
			t.Errorf("%s: no command has the flag %s", paper, f)
		}
	}
}

// checkMention looks a command up in what its program says of itself.
func checkMention(t *testing.T, paper string, words []string) {
	t.Helper()
	source, _ := handbook.Source(words[0])
	command := words[0]
	var flags []string
	for _, w := range words[1:] {
		switch {
		case strings.HasPrefix(w, "--"):
			name, _, _ := strings.Cut(strings.TrimRight(w, ",;:."), "=")
			flags = append(flags, name)
		case len(flags) == 0 && strings.Contains(source, "\n## "+command+" "+w+"\n"):
			command += " " + w
		}
	}
	_, section, ok := strings.Cut(source, "\n## "+command+"\n")
	section, _, _ = strings.Cut(section, "\n## ")
	if !ok && len(words) > 1 && !strings.HasPrefix(words[1], "-") {
		t.Errorf("%s: no command %q", paper, words)
	}
	for _, f := range flags {
		if !slices.Contains(strings.Fields(section), f) {
			t.Errorf("%s: %q has no flag %s", paper, command, f)
		}
	}
}

// others are names with an underscore that are no keys of gateway.hcl.
var others = []string{"large_client_header_buffers", "proxy_buffer_size", "proxy_http", "redirect_uri", "private_key_jwt", "jwks_uri", "introspection_mode", "username_attribute", "preferred_username", "id_token_signed_response_alg", "ui_locales", "max_payload", "digest_algorithm", "signature_algorithm", "acr_values", "openid_connect"}

// TestHandbookNamesKeysThatThereAre looks up each key of gateway.hcl that a page names.
func TestHandbookNamesKeysThatThereAre(t *testing.T) {
	keys, _ := handbook.Source("gateway-hcl")
	quoted, named := regexp.MustCompile("`[^`\n]+`"), regexp.MustCompile(`\b[a-z]+(?:_[a-z]+)+\b|policy \{ ([a-z_]+)`)
	n := 0
	for _, p := range handbook.Pages() {
		source, _ := handbook.Source(p.Name)
		for _, q := range quoted.FindAllString(source, -1) {
			for _, m := range named.FindAllStringSubmatch(q, -1) {
				key := cmp.Or(m[1], m[0])
				if n++; !slices.Contains(others, key) && !regexp.MustCompile(`\b`+key+`\b`).MatchString(keys) {
					t.Errorf("%s: gateway.hcl has no %s", p.Name, key)
				}
			}
		}
	}
	if n < 5 {
		t.Errorf("only %d keys were found", n)
	}
}

// TestHandbookExplainsWhatPeopleSee has each sentence of the sign-on page and each
// outcome.
func TestHandbookExplainsWhatPeopleSee(t *testing.T) {
	page, _ := handbook.Source("troubleshooting")
	for o := wire.OutcomeOK; o.Known(); o++ {
		if !strings.Contains(page, "`"+o.String()+"`") {
			t.Errorf("no row for %s", o)
		}
		if o != wire.OutcomeNewPasswordRefused && !strings.Contains(page, "| "+signon.Message(o)+" |") {
			t.Errorf("no row for %q", signon.Message(o))
		}
	}
}
