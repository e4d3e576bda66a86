package configs

import (
	"fmt"
	"strings"
	"testing"
)

// TestNoPartOfASecretIsShown: what may be a secret is repeated in no mistake, not in part
// either, whatever the library makes of it, and in no file that is shown.
func TestNoPartOfASecretIsShown(t *testing.T) {
	for _, in := range []string{
		"password = \"%{Hunter2x\"",
		"password = file(\"Hunter2x\")",
		"password = file(\"Hunter2x.x!\")",
		"password = file(\"a-Hunter2x\")",
		"password = credential(\"Hunter2x-2026!\")",
		"password = credential(\"a_Hunter2x\")",
		"password = env(\"Hunter2x\")",
		"password = credential(\"Hunter2x\")",
		"password = \"${file(\"Hunter2x\")}\"",
		"password = env(\"env_Hunter2x\")",
		"password = \"Zx%{Hunter2x}9\"",
		"password = \"Zx${Hunter2x}9\"",
		"password = \"Zx${Hunter2x.foo}9\"",
		"password = \"Zx${Hunter2x(\"a\")}9\"",
		"password = \"Zx%{Hunter2x abc}9\"",
		"password = \"Zx%{if Hunter2x}9\"",
		"password = \"Zx%{for Hunter2x}9\"",
		"password = \"ab%{~Hunter2x}\"",
		"password = \"${Hunter2x?}\"",
		"password = \"${Hunter2x\"",
		"password = \"${1Hunter2x}\"",
		"password = \"${a.Hunter2x}\"",
		"password = \"%{else Hunter2x}\"",
		"password = \"%{if true}a%{Hunter2x}\"",
		"password = \"%{ endif }Hunter2x\"",
		"password = \"${null.Hunter2x}\"",
		"password = \"${base_dn.Hunter2x}\"",
		"password = \"${base_dn[\"Hunter2x\"]}\"",
		"password = \"\\\\Hunter2x\"",
		"password = \"\\u12Hunter2x\"",
		"password = \"\\NHunter2x\"",
		"password = \"\\UHunter2x\"",
		"password dn = \"Hunter2x\"",
		"password.dn = \"Hunter2x\"",
		"password dn.x = \"Hunter2x\"",
		"password, dn = \"a\", \"Hunter2x\"",
		"own_identity = \"Hunter2x\"",
		"dn = \"cn=x\"<<X\n\npassword \"\"= \"Hunter2x\"",
		"own_identity = [\"Hunter2x\"]",
		"password = Hunter2x(\"a\")",
		"pasword = \"a%{Hunter2x}b\"",
		"password \"a%{Hunter2x}b\"",
		"password = [\"a${Hunter2x(1)}\"]",
		"password = <<X\n%{Hunter2x}\nX",
		"gssapi { password = \"%{Hunter2x}\" }",
		"password = \"a\n%{Hunter2x}\"",
	} {
		for _, src := range []string{inDirectory("bind {\n" + in + "\n}"), "directory {\nbind {\n" + in + "\n"} {
			path := write(t, t.TempDir(), "gateway.hcl", src)
			shown, err := WithoutSecrets(path)
			if err != nil || strings.Contains(string(shown), "Hunter2x") {
				t.Errorf("%q is shown: %s, %v", in, shown, err)
			}
			_, err = Load(path)
			if strings.Contains(strings.Join(strings.Fields(fmt.Sprint(err)), ""), "Hunter2x") {
				t.Errorf("%q is told: %v", in, err)
			}
		}
	}
}

// TestMistakeOfASecretSaysItsPlace: the line and the key are told, and what functions of
// ours say; of a key that holds no secret the library says all.
func TestMistakeOfASecretSaysItsPlace(t *testing.T) {
	for in, says := range map[string]string{
		"password = \"Zx%{a}\"":            `Line 8, "password": it may be a secret`,
		"password = file(\"none\")":        "no such file",
		"password = \"a${env(\"NO_A\")}\"": "the environment variable",
		"dn = \"Zx%{a}\"":                  "is not a valid template control keyword",
		"pasword = \"a\"":                  `Did you mean "password"?`,
	} {
		if _, err := Load(write(t, t.TempDir(), "gateway.hcl", inDirectory("bind {\n"+in+"\n}"))); !tells(err, says) {
			t.Errorf("%s: %v", in, err)
		}
	}
}
