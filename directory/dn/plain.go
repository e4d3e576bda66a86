package dn

import "strings"

// foldPlain is fold of a name as nearly all are written: of ASCII alone, with nothing
// escaped, quoted, encoded or beside another, and no blanks that do not count. It is false
// for all others, and for what is no name, which fold reads.
func foldPlain(text string) (folded string, ok bool) {
	var some [usualName]byte
	out, ok := appendPlain(some[:0], text)
	if !ok {
		return "", false
	}
	return string(out), true
}

// usualName is how many octets nearly all names have at most: what folds one finds room for it on the stack.
const usualName = 256

// appendPlain is foldPlain that appends to out.
func appendPlain(out []byte, text string) (folded []byte, ok bool) {
	for rest, more := text, true; more; {
		var part string
		part, rest, more = strings.Cut(rest, ",")
		name, value, is := strings.Cut(strings.TrimLeft(part, " "), "=")
		if !is {
			return out, false
		}
		if out, ok = appendType(out, name); !ok {
			return out, false
		}
		if out, ok = appendValue(append(out, equals), value); !ok {
			return out, false
		}
		if more {
			out = append(out, between)
		}
	}
	return out, true
}

// appendType appends an attribute type that is written by its name.
func appendType(out []byte, name string) ([]byte, bool) {
	from := len(out)
	for i := range len(name) {
		c := lower(name[i])
		letter := 'a' <= c && c <= 'z'
		if !letter && (i == 0 || c != '-' && (c < '0' || c > '9')) {
			return out, false
		}
		out = append(out, c)
	}
	if one, known := types[string(out[from:])]; known {
		out = append(out[:from], one...)
	}
	return out, len(name) > 0
}

// appendValue appends a value in which every octet stands for itself.
func appendValue(out []byte, value string) ([]byte, bool) {
	blank := true // a blank before would be one too many
	for i := range len(value) {
		c := value[i]
		switch {
		case c < ' ' || c > '~' || c == '\\' || c == '"' || c == ';' || c == '+' || c == '#' && i == 0:
			return out, false
		case c == ' ' && blank:
			return out, false
		}
		blank = c == ' '
		out = append(out, lower(c))
	}
	return out, !blank || value == ""
}

// lower is a letter of ASCII in lower case, and any other octet as it is.
func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
