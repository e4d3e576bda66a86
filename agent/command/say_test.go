package command

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"text/tabwriter"

	"ldap-gateway/directory"
)

// TestNothingOrdersTheTerminalAbout: what a directory holds is shown and not obeyed.
func TestNothingOrdersTheTerminalAbout(t *testing.T) {
	for _, evil := range []string{"a\x1b[2Jb", "a\rb", "a\nb", "a\tb", "a\x00b", "a\u009bb", "a\u202eb", "a\u2066b", "a\u2028b", "a\xffb", "a\x07b", "a\vb"} {
		var out bytes.Buffer
		table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
		say(table, "%s\t%v\t%s\n", evil, errors.New(evil), lines(evil))
		_ = table.Flush()
		got := strings.TrimSuffix(out.String(), "\n")
		if evil == "a\nb" {
			got = strings.Replace(got, "\n", "", 1) // the one that is meant
		}
		if strings.ContainsFunc(got, orders) || !strings.Contains(got, "a") || !strings.Contains(got, "b") {
			t.Errorf("%q is shown as %q", evil, got)
		}
	}
	var out bytes.Buffer
	rows := []directory.Check{
		{Name: "groups", Target: "dc=x", State: directory.Warning, Detail: "a\x1b]0;x\x07", Remedy: "one\ntwo\x1b"},
	}
	if err := printRows(&out, rows); err != nil || strings.Contains(out.String(), "\x1b") ||
		!strings.Contains(out.String(), "one\n  two") {
		t.Errorf("%q %v", out.String(), err)
	}
	if plainText("Jörg, “Ünïcode” 你好") != "Jörg, “Ünïcode” 你好" {
		t.Error("what is no order was changed")
	}
}
