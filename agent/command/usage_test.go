package command

import (
	"bytes"
	"strings"
	"testing"
)

// TestWrongUsage ends with the same code, whoever finds it and however late, and says what to give.
func TestWrongUsage(t *testing.T) {
	folder := t.TempDir()
	files := []string{"--config", folder + "/gateway.hcl", "--state", folder + "/state"}
	for line, says := range map[string]string{
		"frobnicate":  "ldap-gateway --help",
		"stauts":      "or status?",
		"run --nope":  "ldap-gateway run --help",
		"setup --yes": "give --cloud",
		"setup --code-file - --bind-password-file -": "standard input",
		"setup --code-file -":                        "needs --yes",
		"explain":                                    "is missing",
		"help rum":                                   "did you mean run?",
		"help nothing-like-it":                       "ldap-gateway --help",
		"help run extra":                             "ldap-gateway run --help",
	} {
		var out, problems bytes.Buffer
		code := Main(t.Context(), append(strings.Fields(line), files...), strings.NewReader(""), &out, &problems)
		if code != ExitUsage || !strings.Contains(problems.String(), says) {
			t.Errorf("%s: %d\n%s%s", line, code, &problems, &out)
		}
	}
}
