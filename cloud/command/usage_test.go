package command

import (
	"bytes"
	"strings"
	"testing"
)

// TestWrongUsage ends with the same code, whatever is wrong and whoever finds it, and names
// the help.
func TestWrongUsage(t *testing.T) {
	for line, says := range map[string]string{
		"frobnicate":                   "ldap-cloud --help",
		"bakcup":                       "did you mean backup?",
		"run --nope":                   "ldap-cloud run --help",
		"run":                          "ldap-cloud run --help",
		"restore":                      "as in --data /var/lib/ldap-cloud",
		"administrator reset admin":    "as in --data /var/lib/ldap-cloud",
		"init --client-file x --json":  "ldap-cloud init --help",
		"run --data x --tls-cert y":    "ldap-cloud run --help",
		"run --data x --grace soon":    "ldap-cloud run --help",
		"list":                         "RESOURCE is missing; see \"ldap-cloud list --help\"",
		"list users more":              "\"more\" is one argument too many",
		"get users":                    "ID is missing; see \"ldap-cloud get --help\"",
		"create":                       "RESOURCE is missing",
		"replace users":                "ID is missing",
		"delete users":                 "ID is missing",
		"man":                          "DIR is missing",
		"completion tcsh":              "ldap-cloud completion --help",
		"export terrafrom":             "did you mean terraform?",
		"get":                          "ldap-cloud get --help",
		"init extra":                   "ldap-cloud init --help",
		"backup":                       "ldap-cloud backup --help",
		"administrator resett":         "did you mean reset?",
		"administrator reset":          "NAME is missing; see \"ldap-cloud administrator reset --help\"",
		"help rum":                     "did you mean run?",
		"help nothing-like-it":         "has no command \"nothing-like-it\"; see \"ldap-cloud --help\"",
		"help administrator resett":    "did you mean reset?",
		"help run extra":               "see \"ldap-cloud run --help\"",
		"list users --limit -1":        "--limit is a number of 1 or more",
		"run --data x --grace -5s":     "--grace is a time of 0 or more",
		"run --data x --metrics foo":   "127.0.0.1:9390",
		"run --data x --metrics :nine": "127.0.0.1:9390",
		"run --data x --nats foo":      "tls://HOST:4222",
		"run --data x --smtp foo --mail-from a@b.example": "mail.example.com:25",
		"run --data x --smtp :25 --mail-from a@b.example": "mail.example.com:25",
		"export":                         "",
		"help":                           "",
		"help run":                       "",
		"help administrator reset":       "",
		"version extra":                  "ldap-cloud version --help",
		"run --data x --backup-every 1h": "ldap-cloud run --help",
	} {
		var out, problems bytes.Buffer
		code := Main(t.Context(), strings.Fields(line), &out, &problems)
		if says == "" { // a command that only has others shows them
			if code != ExitOK || out.Len() == 0 {
				t.Errorf("%s: %d %s", line, code, &problems)
			}
			continue
		}
		if code != ExitUsage || !strings.Contains(problems.String(), says) || out.Len() > 0 {
			t.Errorf("%s: %d\n%s%s", line, code, &problems, &out)
		}
	}
}
