package configs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// write writes a file into a folder, and returns its path.
func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// tells tells whether an error has words, wherever its lines end.
func tells(err error, words string) bool {
	return err != nil && strings.Contains(strings.Join(strings.Fields(err.Error()), " "), words)
}

// What is shown of a file has no literal secret in it, however it is written, and
// everything else as it stands.
func TestFilesWithoutSecrets(t *testing.T) {
	for name, c := range map[string]struct{ text, shown string }{
		"literal":           {"password = \"hunter2\"\n", "password = \"*******\"\n"},
		"proxy":             {"proxy = \"http://u:hunter2@p:1\"\n", "proxy = \"********************\"\n"},
		"without blanks":    {"password=\"hunter2\"\n", "password=\"*******\"\n"},
		"from a file":       {"password = file(\"bind.password\")\n", "password = file(\"bind.password\")\n"},
		"a credential":      {"password = credential(\"bind\")\n", "password = credential(\"bind\")\n"},
		"the environment":   {"password = env(\"BIND\")\n", "password = env(\"BIND\")\n"},
		"no quotation mark": {"password = hunter2\n", "password = *******\n"},
		"never closed":      {"password = \"hunter2\n", "password = ********\n"},
		"a comment":         {"# hunter2\naudit {\nkeep = 5 // hunter2\n}\n", "\naudit {\nkeep = 5 \n}\n"},
		"a longer comment":  {"audit {\nkeep = 1 /* hunter2\nhunter2 */\n}\n", "audit {\nkeep = 1 \n}\n"},
		"heredoc":           {"password = <<X\nhunter2\nX\n", "password = <<X\n*******\nX\n"},
		"another key":       {"directory {\nbase_dn = \"dc=x\"\n}\n", "directory {\nbase_dn = \"dc=x\"\n}\n"},
		"its name alone":    {"policy {\npassword_changes = true\n}\n", "policy {\npassword_changes = true\n}\n"},
		"line ends":         {"password = \"hunter2\"\r\nkeep = 5\r\n", "password = \"*******\"\r\nkeep = *\r\n"},
		"two on a line":     {"bind { password = \"hunter2\" }\n", "bind { password = \"*******\" }\n"},
		"a list":            {"password = [\"hunter2\", \"hunter2\"]\n", "password = [\"*******\", \"*******\"]\n"},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			got, err := WithoutSecrets(write(t, t.TempDir(), "gateway.hcl", c.text))
			if err != nil || strings.Contains(string(got), "hunter2") {
				t.Errorf("%q, %v", got, err)
			}
			if string(got) != c.shown {
				t.Errorf("got  %q\nwant %q", got, c.shown)
			}
		})
	}
	if _, err := WithoutSecrets(filepath.Join(t.TempDir(), "none.hcl")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// file reads what is beside gateway.hcl or at a whole path, without its last line ends.
func TestFilesThatAFileNames(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	write(t, dir, "beside", "one\n")
	whole := filepath.ToSlash(write(t, elsewhere, "whole", "two\r\n\n"))
	if err := os.Mkdir(filepath.Join(dir, "below"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "below"), "deep", " three ")
	for path, want := range map[string]string{"beside": "one", "below/deep": " three ", "./beside": "one", whole: "two"} {
		src := inDirectory("bind {\ndn = \"cn=x\"\npassword = file(\"" + path + "\")\n}")
		g, err := Parse(filepath.Join(dir, "gateway.hcl"), []byte(src))
		if err != nil || g.Directory.BindPassword.Reveal() != want {
			t.Errorf("%s: %v", path, err)
		}
	}
	for path, says := range map[string]string{"below": "not a regular file", "none": "no such file", "": "not a regular file"} {
		src := inDirectory("bind {\ndn = \"cn=x\"\npassword = file(\"" + path + "\")\n}")
		if _, err := Parse(filepath.Join(dir, "gateway.hcl"), []byte(src)); !tells(err, says) {
			t.Errorf("%q: %v", path, err)
		}
	}
}

// inDirectory is whole with more in the directory.
func inDirectory(more string) string { return whole("directory", more) }

// Functions stand in every value, and within texts; what they read is no HCL.
func TestFunctionsInValues(t *testing.T) {
	t.Setenv("SITE", "Berlin")
	t.Setenv("ODD", "${file(\"x\")} %{ if true }")
	for more, read := range map[string]struct {
		get  func(g *Gateway) string
		want string
	}{
		`vendor = env("SITE")`:                {func(g *Gateway) string { return g.Directory.Vendor }, "Berlin"},
		`vendor = "in ${env("SITE")}"`:        {func(g *Gateway) string { return g.Directory.Vendor }, "in Berlin"},
		`vendor = env("ODD")`:                 {func(g *Gateway) string { return g.Directory.Vendor }, "${file(\"x\")} %{ if true }"},
		`vendor = "$${env}"`:                  {func(g *Gateway) string { return g.Directory.Vendor }, "${env}"},
		`servers = ["ldap://${env("SITE")}"]`: {func(g *Gateway) string { return g.Directory.Servers[0] }, "ldap://Berlin"},
	} {
		g, err := Parse("gateway.hcl", []byte(inDirectory(more)))
		if err != nil || read.get(g) != read.want {
			t.Errorf("%s: %v", more, err)
		}
	}
	for more, says := range map[string]string{
		`vendor = env()`:             "Not enough function arguments",
		`vendor = env("A", "B")`:     "Too many function arguments",
		`vendor = env(["A"])`:        "string required",
		`vendor = env("NONE_OF_IT")`: "the environment variable NONE_OF_IT is not set",
		`vendor = upper("x")`:        "no function named",
		`vendor = other`:             "Variables not allowed",
	} {
		if _, err := Parse("gateway.hcl", []byte(inDirectory(more))); !tells(err, says) {
			t.Errorf("%s: %v", more, err)
		}
	}
}

// A draft is a file that has its answers, and nothing of what it was not asked.
func TestAnswersOfADraft(t *testing.T) {
	dir := beside(t)
	full := Draft{
		CloudURL:    "https://id.example.com",
		Proxy:       "http://proxy.example.com:3128",
		CloudCA:     "ca.pem",
		Servers:     []string{"ldaps://a", "ldaps://b"},
		BaseDN:      `OU=A\, ${B},DC=x`,
		BindDN:      "cn=${x}",
		Password:    "s3cret",
		DirectoryCA: "ca.pem",
		Pins:        []string{"sha256:" + pin},
	}
	for name, c := range map[string]struct {
		change func(d *Draft)
		says   string // of the mistake; empty: there is none
	}{
		"all":           {func(*Draft) {}, ""},
		"anonymous":     {func(d *Draft) { d.BindDN, d.Password = "", "" }, ""},
		"discovered":    {func(d *Draft) { d.Servers, d.Discover = nil, "corp.example.com" }, ""},
		"no proxy":      {func(d *Draft) { d.Proxy = "" }, ""},
		"no pins":       {func(d *Draft) { d.Pins = nil }, ""},
		"no cloud":      {func(d *Draft) { d.CloudURL = "" }, "Missing url"},
		"no servers":    {func(d *Draft) { d.Servers = nil }, "Missing servers"},
		"no base":       {func(d *Draft) { d.BaseDN = "" }, "Missing base_dn"},
		"no password":   {func(d *Draft) { d.Password = "" }, "Empty password"},
		"no such CA":    {func(d *Draft) { d.CloudCA = "none" }, "Cannot read the certificates"},
		"odd server":    {func(d *Draft) { d.Servers = []string{"a"} }, "Not the URL of a directory server"},
		"both of them":  {func(d *Draft) { d.Discover = "corp.example.com" }, "Two ways to find the servers"},
		"no pin at all": {func(d *Draft) { d.Pins = []string{"x"} }, "Not a pin"},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			d := full
			c.change(&d)
			g, err := d.Check(filepath.Join(dir, "gateway.hcl"))
			if c.says != "" {
				if !tells(err, c.says) {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatalf("%v\n%s", err, d.Text())
			}
			if g.Directory.BindDN != d.BindDN || g.Directory.BindPassword != d.Password || g.Directory.BaseDN != d.BaseDN {
				t.Errorf("%+v", g.Directory)
			}
			if (g.Cloud.Proxy != nil) != (d.Proxy != "") || len(g.Directory.TLS.Pins) != len(d.Pins) {
				t.Errorf("%+v", g.Cloud)
			}
			if strings.Contains(d.Text(), "s3cret") {
				t.Error("the password is in the file")
			}
		})
	}
}

// What cannot be saved leaves what there was.
func TestSaveThatFails(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "gateway.hcl", "# mine\n")
	d := Draft{CloudURL: "https://id.example.com", Servers: []string{"ldaps://a"}, BaseDN: "dc=x", CloudCA: filepath.Join(dir, "none", "ca.pem")}
	if err := d.Save(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "# mine\n" {
		t.Errorf("%q, %v", b, err)
	}
	d.CloudCA = ""
	if err := d.Save(filepath.Join(path, "gateway.hcl")); err == nil {
		t.Error("a file was written below a file")
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := d.Save(filepath.Join(dir, "folder")); err == nil {
		t.Error("a folder was replaced by a file")
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 2 {
		t.Errorf("%v, %v", files, err)
	}
}

// Where the files are, when nobody says otherwise, hangs on the system and, on Windows,
// on where that keeps what programs share.
func TestPlacesOfFiles(t *testing.T) {
	moved := func(name string) string { return map[string]string{"ProgramData": `D:\Shared`}[name] }
	none := func(string) string { return "" }
	for _, c := range []struct {
		system string
		getenv func(string) string
		path   string
		state  string
	}{
		{"linux", none, "/etc/ldap-gateway/gateway.hcl", "/var/lib/ldap-gateway"},
		{"linux", moved, "/etc/ldap-gateway/gateway.hcl", "/var/lib/ldap-gateway"},
		{"darwin", none, "/etc/ldap-gateway/gateway.hcl", "/var/lib/ldap-gateway"},
		{"windows", none, `C:\ProgramData/ldap-gateway/gateway.hcl`, `C:\ProgramData/ldap-gateway/state`},
		{"windows", moved, `D:\Shared/ldap-gateway/gateway.hcl`, `D:\Shared/ldap-gateway/state`},
	} {
		if got := filepath.ToSlash(DefaultPath(c.system, c.getenv)); got != filepath.ToSlash(c.path) {
			t.Errorf("%s: the file is at %s", c.system, got)
		}
		if got := filepath.ToSlash(DefaultState(c.system, c.getenv)); got != filepath.ToSlash(c.state) {
			t.Errorf("%s: the state is at %s", c.system, got)
		}
	}
	if got := LogPath("state"); filepath.Dir(got) != "state" {
		t.Error(got)
	}
}
