package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"ldap-gateway/agent/health"
	"ldap-gateway/directory"
)

// hostileText is what a directory or a cloud could say to steer a terminal, or to end a value.
const hostileText = "\x1b]0;x\x07 \u009b31m \u202e\"},{\u2028\r\n\x7f"

// TestJSONIsForPrograms: it can be read, has the text as it came, orders no terminal about,
// and the exit code is that of the same command for people.
func TestJSONIsForPrograms(t *testing.T) {
	print := map[string]func(out *bytes.Buffer, well bool) error{
		"status": func(out *bytes.Buffer, well bool) error {
			return printStatusAsJSON(out, health.Status{
				Ready: well, Took: 1500 * time.Millisecond,
				Servers:  []directory.ServerState{{URL: "ldaps://dc1", State: "up", Vendor: hostileText}},
				Problems: []health.Problem{{Code: "x", Text: hostileText}},
			})
		},
		"check": func(out *bytes.Buffer, well bool) error {
			row := directory.Check{Name: "TLS", State: directory.OK, Detail: hostileText}
			if !well {
				row.State = directory.Failed
			}
			return printChecksAsJSON(out, []directory.Check{row})
		},
		"explain": func(out *bytes.Buffer, well bool) error {
			e := explanation{UserTypes: []explainedType{{Outcome: "none", Filter: hostileText}}}
			if well {
				e.UserTypes[0].Outcome = "found"
			}
			return e.print(out, true)
		},
	}
	for name, do := range print {
		for _, well := range []bool{true, false} {
			var out bytes.Buffer
			if err := do(&out, well); errors.Is(err, errTold) == well || err != nil && !errors.Is(err, errTold) {
				t.Errorf("%s, well %t: %v", name, well, err)
			}
			var read any
			if err := json.Unmarshal(out.Bytes(), &read); err != nil || !contains(read, hostileText) {
				t.Errorf("%s: %v\n%s", name, err, &out)
			}
			if strings.ContainsFunc(strings.ReplaceAll(out.String(), "\n", ""), orders) {
				t.Errorf("%s steers a terminal: %q", name, &out)
			}
		}
	}
	var out bytes.Buffer
	_ = print["status"](&out, true)
	for _, want := range []string{`"tookMilliseconds": 1500`, `"url": "ldaps://dc1"`, `"ready": true`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is not in it:\n%s", want, &out)
		}
	}
	if strings.Contains(out.String(), `"took":`) || strings.Contains(out.String(), `"URL"`) {
		t.Errorf("a value is there twice:\n%s", &out)
	}
}

// contains looks for a text anywhere in a value of JSON.
func contains(v any, text string) bool {
	switch v := v.(type) {
	case string:
		return v == text
	case []any:
		for _, e := range v {
			if contains(e, text) {
				return true
			}
		}
	case map[string]any:
		for _, e := range v {
			if contains(e, text) {
				return true
			}
		}
	}
	return false
}
