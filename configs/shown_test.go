package configs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNoSecretIsShown has secrets stand where nobody looks for them, in files that are
// right and in files that are not: neither the file as it is shown nor the mistakes in it
// have one. What is no secret is shown.
func TestNoSecretIsShown(t *testing.T) {
	t.Setenv("HIDDEN", "hunter2-by-env")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "hidden"), []byte("hunter2-by-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const right = `cloud {
  url = "https://id.example.com"
}
directory {
  servers = ["ldaps://dc1.example.com"]
  base_dn = "DC=example,DC=com"
}
`
	in := func(old, fresh string) string {
		if !strings.Contains(right, old) {
			t.Fatal(old)
		}
		return strings.Replace(right, old, fresh, 1)
	}
	url, end := `  url = "https://id.example.com"`, "DC=com\"\n}"
	for name, src := range map[string]string{
		"misspelt":          in(end, end+"\nlog {\n  pasword = \"hunter2-x\"\n}"),
		"misspelt-in-bind":  in("}\n", "}\n")[:len(right)-2] + "  bind {\n    passwrd = \"hunter2-x\"\n  }\n}\n",
		"upper-case":        in(url, url+"\n  PASSWORD = \"hunter2-x\""),
		"dashes":            in(url, url+"\n  bind-password = \"hunter2-x\""),
		"list":              in(url, url+"\n  passwords = [\n    \"a\",\n    \"hunter2-x\",\n  ]"),
		"object":            in(url, url+"\n  bind = {\n    pass = \"hunter2-x\"\n  }"),
		"object-of-objects": in(url, url+"\n  x = { y = { \"z\" : \"hunter2-x\" } }"),
		"heredoc":           in(url, url+"\n  pasword = <<EOT\nhunter2-x\nEOT\n"),
		"indented-heredoc":  in(url, url+"\n  pasword = <<-EOT\n    hunter2-x\n  EOT\n"),
		"number":            in(url, url+"\n  pin_code = 48151623"),
		"no-equals":         in(url, url+"\n  password \"hunter2-x\""),
		"no-key":            in(url, url+"\n  \"hunter2-x\""),
		"bare":              in(url, url+"\n  password hunter2-x"),
		"colon":             in(url, url+"\n  password: hunter2-x"),
		"one-line-block":    in(url, url+"\n  auth { secret = \"hunter2-x\" }"),
		"unclosed":          in(url, "  pasword = \"hunter2-x\n"+url),
		"unclosed-before":   in(url, "  url = \"https://id\n  pasword = \"hunter2-x\""),
		"label":             in("cloud {", "cloud \"hunter2-x\" {"),
		"unknown-function":  in(url, url+"\n  pasword = evn(\"hunter2-x\")"),
		"userinfo":          in("https://id", "https://me:hunter2-x@id"),
		"userinfo-slash":    in("ldaps://dc1", "ldaps://me:hunter/2-x:hunter2-x@dc1"),
		"env-as-url":        in(`"https://id.example.com"`, `env("HIDDEN")`),
		"file-as-url":       in(`"https://id.example.com"`, `file("hidden")`),
		"env-as-base":       in(`"DC=example,DC=com"`, `env("HIDDEN")`),
		"file-as-server":    in(`"ldaps://dc1.example.com"`, `file("hidden")`),
		"file-in-text":      in(`"DC=example,DC=com"`, `"${file("hidden")}"`),
		"comment":           in(url, url+" # hunter2-x"),
		"no-scheme":         in("https://id.example.com", "me:hunter2-x@id"),
		"token":             in("example.com\"", "example.com/x?token=hunter2-x\""),
		"fragment":          in("ldaps://dc1", "ldaps://dc2#hunter2-x\", \"ldaps://dc1"),
		"userinfo-blanks":   in("ldaps://dc1", "ldaps://me: hunter2-x hunter2-y "+strings.Repeat("w ", 60)+"@dc1"),
		"as-a-port":         in("ldaps://dc1", "ldaps://me:hunter2-x\", \"ldaps://dc1"),
		"escaped":           in("ldaps://dc1", "ldaps://me:hunter2-x\\u0040dc2\", \"ldaps://dc1"),
		"bare-url":          in("\"https://id.example.com\"", "https://me:hunter2-x@id?token=hunter2-y"),
		"bare-word":         in("\"https://id.example.com\"", "hunter2"),
		"key-in-brackets":   in(url, url+"\n  (\"password\") = \"hunter2-x\""),
		"bare-in-brackets":  in(url, url+"\n  (password) = \"hunter2-x\""),
		"key-in-a-template": in(url, url+"\n  \"${pass}word\" = \"hunter2-x\""),
		"unknown-block":     in(end, end+"\nservice {\n  level = \"hunter2-x\"\n  tls {\n    key = \"hunter2-y\"\n  }\n}"),
		"elsewhere":         in(url, url+"\n  level = \"hunter2-x\"\n  key = \"hunter2-y\""),
		"outside":           in("cloud {", "key = \"hunter2-x\"\ncloud {"),
		"bare-label":        in(end, end+"\nservice hunter2 {\n  level = \"hunter2-x\"\n}"),
		"label-in-brackets": in(end, end+"\nx[\nservice hunter2 {\n}\x00"),
		"two-labels":        in(end, end+"\nlog x hunter2 {\n  level = \"hunter2-x\"\n}"),
		"as-an-object":      in(end, end+"\nlog = {\n  level = \"hunter2-x\"\n  \"hunter2\" = 1\n}"),
		"unclosed-unknown":  in(end, end+"\nservice {\n  path = \"x\n  level = \"hunter2-x\"\n}"),
		"unclosed-address":  in(url, url+"\n  ca_file = \"x\n  url = \"me:hunter2-x@id\""),
		"unclosed-bare":     in(url, url+"\n  ca_file = \"x\n  hunter2"),
		"heredoc-of-url":    in("\"https://id.example.com\"", "<<EOT\nme:hunter2-x@id\nEOT\n"),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, "gateway.hcl")
			if err := os.WriteFile(path, []byte(src), 0o600); err != nil {
				t.Fatal(err)
			}
			shown, err := WithoutSecrets(path)
			if err != nil {
				t.Fatal(err)
			}
			_, err = Load(path)
			if err == nil && name != "comment" {
				t.Errorf("the file is right:\n%s", src)
			}
			for what, text := range map[string]string{"file": string(shown), "mistakes": errorText(err)} {
				if name == "comment" && what == "mistakes" {
					continue
				}
				if strings.Contains(text, "hunter2") || strings.Contains(text, "48151623") {
					t.Errorf("the %s shows a secret:\n%s\nof\n%s", what, text, src)
				}
			}
			if !strings.Contains(string(shown), "dc1.example.com") && !strings.Contains(string(shown), "DC=example") {
				t.Errorf("nothing is left:\n%s", shown)
			}
		})
	}
	path := filepath.Join(dir, "gateway.hcl")
	if err := os.WriteFile(path, []byte(right), 0o600); err != nil {
		t.Fatal(err)
	}
	if shown, err := WithoutSecrets(path); err != nil || string(shown) != right {
		t.Errorf("%v\n%s", err, shown)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestSecretsAreWhatFunctionsRead whatever they are used for.
func TestSecretsAreWhatFunctionsRead(t *testing.T) {
	t.Setenv("BASE", "DC=example,DC=com")
	src := "cloud {\n  url = \"https://id.example.com\"\n}\ndirectory {\n  servers = [\"ldaps://dc1\"]\n  base_dn = env(\"BASE\")\n}\n"
	g, err := Parse("gateway.hcl", []byte(src))
	if err != nil || len(g.Secrets()) == 0 || g.Secrets()[0].Reveal() != "DC=example,DC=com" {
		t.Errorf("%v %v", err, g)
	}
}
