package configs

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// plainMistakes are summaries of the parser's that have nothing of the file in their
// details. They are told where the tokens of a file cannot be trusted.
var plainMistakes = []string{
	"Invalid multi-line string", "Unterminated template string", "Unclosed configuration block",
}

// quiet puts words of ours in the place of the library's where these are about what may
// be a secret: a library is free to repeat any part of that.
func quiet(diags hcl.Diagnostics, src []byte) hcl.Diagnostics {
	out := make(hcl.Diagnostics, 0, len(diags))
	for _, d := range diags {
		if d.Subject != nil && !fromFunction(d) {
			if key, hidden := hiddenAt(src, d); hidden {
				d = unsaid(d, key)
			}
		}
		out = append(out, d)
	}
	return out
}

// fromFunction tells whether a function of ours says what is wrong.
func fromFunction(d *hcl.Diagnostic) bool {
	failed, is := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](d)
	return is && failed.FunctionCallError() != nil
}

// unsaid is a mistake without what it is.
func unsaid(d *hcl.Diagnostic, key string) *hcl.Diagnostic {
	where := fmt.Sprintf("Line %d", d.Subject.Start.Line)
	if key != "" {
		where += fmt.Sprintf(", %q", key)
	}
	return &hcl.Diagnostic{
		Severity: d.Severity,
		Summary:  "What stands here cannot be read",
		Detail: where + ": it may be a secret, so nothing of it is repeated. " +
			"Write a value as one text between quotation marks, and in it $${ for ${, %%{ for %{, " +
			"\\\\ for \\ and \\\" for a quotation mark; or have it read by file() or credential().",
		Subject: d.Subject,
	}
}

// hiddenAt tells whether a mistake is at what is not shown, and which key that belongs to;
// empty when that is none of the schema.
func hiddenAt(src []byte, d *hcl.Diagnostic) (key string, hidden bool) {
	h := hidingIn(src)
	if h.broken() {
		return "", !slices.Contains(plainMistakes, d.Summary)
	}
	for i, t := range h.tokens {
		hides := h.hides(i)
		name := t.Type == hclsyntax.TokenIdent || t.Type == hclsyntax.TokenQuotedLit
		switch isKey := name && h.key(i); {
		case isKey && wholeFile.knows(string(t.Bytes)):
			key = string(t.Bytes)
		case isKey || h.lost:
			key = ""
		}
		shown := !hides && name && (h.key(i) || h.lost)
		if h.hidden && !shown && overlap(t.Range, *d.Subject) {
			return key, true
		}
	}
	return "", false
}

// overlap takes an empty range for the octet that it is before.
func overlap(a, b hcl.Range) bool {
	return a.Start.Byte < max(b.End.Byte, b.Start.Byte+1) && b.Start.Byte < a.End.Byte
}
