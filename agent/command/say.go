package command

import (
	"fmt"
	"io"
	"strings"
	"unicode"
)

// lines is a text of ours whose line breaks are meant.
type lines string

// say is fmt.Fprintf for what a terminal shows: in texts that may come from a
// directory, a server or a cloud nothing is left that orders the terminal about.
func say(w io.Writer, format string, args ...any) {
	plain := make([]any, len(args))
	for i, a := range args {
		switch v := a.(type) {
		case lines:
			parts := strings.Split(string(v), "\n")
			for n := range parts {
				parts[n] = plainText(parts[n])
			}
			plain[i] = strings.Join(parts, "\n")
		case string:
			plain[i] = plainText(v)
		case error:
			plain[i] = plainText(v.Error())
		default:
			plain[i] = a
		}
	}
	fmt.Fprintf(w, format, plain...)
}

// plainText writes characters that move a terminal's cursor, colour it, or turn the
// direction of what is read, as numbers; line breaks are among them.
func plainText(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if !strings.ContainsFunc(s, orders) {
		return s
	}
	var out strings.Builder
	for _, r := range s {
		if orders(r) {
			fmt.Fprintf(&out, `\u%04x`, r)
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}

// orders tells whether a character is no sign but an order to who shows it.
func orders(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}
