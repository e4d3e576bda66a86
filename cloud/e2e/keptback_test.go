package e2e

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestGroupKeptBackIsNoPerson: the file keeps cn=staff back, and the cloud asks for it as a person, of a real slapd.
func TestGroupKeptBackIsNoPerson(t *testing.T) {
	w := newWorld(t, plan{
		policy: "policy {\n  explain = true\n  groups {\n    exclude = [\"cn=staff,*\"]\n  }\n}\n",
		change: func(u map[string]any) {
			u["searchBaseDn"] = "dc=example,dc=test"
			l := u["newUserLookup"].(map[string]any)
			l["ldapFilterPattern"] = "(cn=${identifier})"
			l["attributeMappings"] = append(l["attributeMappings"].([]any),
				map[string]string{"name": "nickname", "value": "${ldapAttributes.description}"})
		},
	})
	w.awaitInstances(1)
	for _, name := range []string{"staff", "nosuchgroup"} {
		var out json.RawMessage
		err := w.do("POST", "/signOns", map[string]string{"username": name, "password": "x"}, &out)
		if !strings.Contains(string(out), "noSuchUser") {
			t.Errorf("that there is a group %q, which gateway.hcl keeps back, is told to the cloud: %s, %v", name, out, err)
		}
	}
}
