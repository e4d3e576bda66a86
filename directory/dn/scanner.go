package dn

import (
	"encoding/hex"
	"errors"
	"slices"
	"strings"
)

// scanner reads a name from its beginning to its end.
type scanner struct {
	text string
	at   int
	wild bool // a '*' is that of a pattern
}

func (s *scanner) done() bool { return s.at >= len(s.text) }

func (s *scanner) blanks() {
	for !s.done() && s.text[s.at] == ' ' {
		s.at++
	}
}

// typeName returns what stands before "=", or, when there is none, the whole RDN;
// wild when there is a '*' in it.
func (s *scanner) typeName() (name string, wild bool) {
	from := s.at
	for !s.done() && !strings.ContainsRune("=,;+", rune(s.text[s.at])) {
		wild = wild || s.wild && s.text[s.at] == '*'
		s.at++
	}
	name = strings.TrimRight(s.text[from:s.at], " ")
	if wild {
		name = strings.ReplaceAll(name, "*", string(star))
	}
	return name, wild
}

// value returns a value, folded; the scanner is then behind it and its blanks.
func (s *scanner) value() (string, error) {
	s.blanks()
	if s.done() {
		return "", nil
	}
	switch s.text[s.at] {
	case '#':
		return s.encoded()
	case '"':
		return s.quoted()
	}
	return s.plain()
}

// plain reads a value that is not quoted.
func (s *scanner) plain() (string, error) {
	from, simple := s.at, true
	for ; !s.done() && !s.separator(); s.at++ {
		switch c := s.text[s.at]; {
		case c == '\\' || c == '"' || c < ' ' || s.wild && c == '*':
			simple = false
			if c == '\\' {
				s.at++ // whatever it is, it separates nothing
			}
		}
	}
	raw := s.text[from:min(s.at, len(s.text))]
	if simple {
		return foldValue(raw), nil
	}
	value, err := s.unescape(raw)
	return foldValue(value), err
}

func (s *scanner) separator() bool {
	c := s.text[s.at]
	return c == ',' || c == ';' || c == '+'
}

// unescape undoes the escapes of RFC 4514, and makes marks of the '*' of a pattern.
func (s *scanner) unescape(raw string) (string, error) {
	var out strings.Builder
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case s.wild && c == '*':
			out.WriteByte(star)
		case c != '\\':
			out.WriteByte(hidden(c))
		case i+1 >= len(raw):
			return "", errors.New("it ends in a backslash")
		default:
			b, width := escaped(raw[i+1:])
			out.WriteByte(hidden(b))
			i += width
		}
	}
	return out.String(), nil
}

// escaped returns the octet that follows a backslash, and how many it is written with.
func escaped(rest string) (b byte, width int) {
	if len(rest) >= 2 {
		if octet, err := hex.DecodeString(rest[:2]); err == nil {
			return octet[0], 2
		}
	}
	return rest[0], 1
}

// hidden keeps an octet of a value from being a mark: no name that is in use has
// one of these four, and they stay four.
func hidden(b byte) byte {
	if b <= star {
		return b + 0x1c // the four separators of ASCII, which are no less rare
	}
	return b
}

// quoted reads a value between quotation marks (RFC 2253, section 4).
func (s *scanner) quoted() (string, error) {
	s.at++
	from := s.at
	for ; !s.done() && s.text[s.at] != '"'; s.at++ {
		if s.text[s.at] == '\\' {
			s.at++
		}
	}
	if s.done() {
		return "", errors.New("a quotation mark is not closed")
	}
	value, err := s.unescape(s.text[from:s.at])
	s.at++
	s.blanks()
	if err == nil && !s.done() && !s.separator() {
		err = errors.New("there is text behind a quotation mark")
	}
	return foldValue(value), err
}

// readable are the tags of OCTET, UTF8, Printable and IA5 strings, whose octets are the
// text; those of others, as of a BMPString, are not.
var readable = []byte{0x04, 0x0c, 0x13, 0x16}

// encoded reads a value that is written as the octets of its BER encoding: a string
// of short or long form.
func (s *scanner) encoded() (string, error) {
	from := s.at + 1
	for ; !s.done() && !s.separator(); s.at++ {
	}
	b, err := hex.DecodeString(strings.TrimRight(s.text[from:s.at], " "))
	if err != nil || len(b) < 2 {
		return "", errors.New("\"#\" begins an encoded value, and this is none")
	}
	if !slices.Contains(readable, b[0]) {
		return "", errors.New("an encoded value is of a type that is not compared")
	}
	content := b[2:]
	size := int(b[1])
	if n := size & 0x7f; size > 0x7f { // n octets of length
		if n > 3 || len(content) < n {
			return "", errors.New("an encoded value is cut off")
		}
		size = 0
		for _, octet := range content[:n] {
			size = size<<8 | int(octet)
		}
		content = content[n:]
	}
	if size != len(content) {
		return "", errors.New("an encoded value has another length than it says")
	}
	return foldValue(strings.Map(hiddenRune, string(content))), nil
}

func hiddenRune(r rune) rune {
	if r <= star {
		return rune(hidden(byte(r)))
	}
	return r
}
