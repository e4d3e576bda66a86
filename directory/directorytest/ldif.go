package directorytest

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
)

// Line is one line of a record: an attribute with a value, or Name "-" in a change.
type Line struct{ Name, Value string }

// Record is one LDIF record (RFC 2849), unfolded and decoded.
type Record struct {
	DN         string
	ChangeType string // empty for a content record
	Lines      []Line // without dn and changetype
}

// ParseLDIF reads content and change records. URLs as values (":<") are refused.
func ParseLDIF(r io.Reader) ([]Record, error) {
	lines, err := unfold(r)
	if err != nil {
		return nil, err
	}
	var records []Record
	open := false
	for i, text := range lines {
		if text == "" {
			open = false
			continue
		}
		line, err := parseLine(text)
		if err != nil {
			return nil, fmt.Errorf("LDIF, unfolded line %d: %w", i+1, err)
		}
		name := strings.ToLower(line.Name)
		switch {
		case !open && name == "version":
		case !open && name == "dn":
			records, open = append(records, Record{DN: line.Value}), true
		case !open:
			return nil, fmt.Errorf("LDIF, unfolded line %d: a record must begin with its dn", i+1)
		case name == "changetype":
			records[len(records)-1].ChangeType = strings.ToLower(line.Value)
		default:
			last := &records[len(records)-1]
			last.Lines = append(last.Lines, line)
		}
	}
	return records, nil
}

// unfold joins continuation lines, which begin with one blank, and drops comments.
func unfold(r io.Reader) ([]string, error) {
	var out []string
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, 16<<20)
	for scanner.Scan() {
		text := strings.TrimSuffix(scanner.Text(), "\r")
		if strings.HasPrefix(text, " ") {
			if len(out) == 0 {
				return nil, fmt.Errorf("LDIF begins with a continuation line")
			}
			out[len(out)-1] += text[1:]
			continue
		}
		out = append(out, text)
	}
	kept := out[:0]
	for _, text := range out {
		if !strings.HasPrefix(text, "#") {
			kept = append(kept, text)
		}
	}
	return kept, scanner.Err()
}

func parseLine(text string) (Line, error) {
	if text == "-" {
		return Line{Name: "-"}, nil
	}
	name, value, found := strings.Cut(text, ":")
	switch {
	case !found || name == "":
		return Line{}, fmt.Errorf("%q has no name before a colon", text)
	case strings.HasPrefix(value, "<"):
		return Line{}, fmt.Errorf("%q: values from URLs are not read", text)
	case strings.HasPrefix(value, ":"):
		decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(value[1:]))
		if err != nil {
			return Line{}, fmt.Errorf("%s: %w", name, err)
		}
		return Line{name, string(decoded)}, nil
	}
	return Line{name, strings.TrimLeft(value, " ")}, nil
}
