package evidence

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Verdict says how far a list may be trusted.
type Verdict int

// The verdicts, in the order of how little they may do. The zero value is none.
const (
	Complete Verdict = iota + 1 // may add and remove
	Partial                     // may only add
	Unknown                     // changes nothing
)

// The bounds of a list.
const (
	MostGroups = 10000
	mostRunes  = 1024 // characters of a name
)

// Reading says how a claim of groups is read.
type Reading struct {
	Path         Path
	Delimiter    string // splits each text; empty: none is split
	AbsentIsNone bool   // no claim says that there are no groups
	Objects      bool   // an object counts by its "name"
	Include      []*regexp.Regexp
	Exclude      []*regexp.Regexp // each is of whole names
}

// List is what was read.
type List struct {
	Names   []string // each once, in their order
	Verdict Verdict
	Reason  string // in words: why not complete
	Absent  bool   // there was no claim
	Cut     bool   // the provider left groups out for their number
}

// reader gathers one list.
type reader struct {
	Reading
	names   []string
	seen    map[string]bool
	reasons map[string]bool
	found   bool
	cut     bool
}

// Groups reads the groups of a person.
// What every source names counts, each name once.
func (e Evidence) Groups(how Reading) List {
	r := &reader{Reading: how, seen: map[string]bool{}, reasons: map[string]bool{}}
	for _, claims := range e.Claims {
		v, ok := how.Path.find(claims)
		if ok {
			r.found = true
			r.take(v)
		}
		if r.cutShort(claims) || says(claims[overflow]) && !r.found {
			r.cut = true
			r.reasons["the provider has more groups than fit"] = true
		}
		if !ok && how.Path.blocked(claims) {
			r.reasons["what the claim is in is no object"] = true
		}
	}
	if e.Failed {
		r.reasons["UserInfo did not answer"] = true
	}
	l := List{Names: r.filtered(), Absent: !r.found && !r.cut, Cut: r.cut}
	l.Verdict, l.Reason = r.judge(e)
	return l
}

// judge weighs what was gathered.
// With any reason against it nobody is taken out of a group.
func (r *reader) judge(e Evidence) (Verdict, string) {
	why := strings.Join(sorted(r.reasons), "; ")
	switch {
	case !r.found && !r.cut && why != "":
		return Unknown, why
	case !r.found && !r.cut && r.AbsentIsNone:
		return Complete, ""
	case !r.found && !r.cut:
		return Unknown, fmt.Sprintf("%s said nothing about groups: there was no %q", e.Name, r.Path)
	case why != "":
		return Partial, why
	}
	return Complete, ""
}

// take gathers a value, which may be one name or a list of them.
func (r *reader) take(v any) {
	list, many := v.([]any)
	if !many {
		r.element(v)
	}
	for _, element := range list {
		r.element(element)
	}
}

// element gathers one element of a list.
func (r *reader) element(v any) {
	switch v := v.(type) {
	case string:
		r.text(v)
		return
	case json.Number:
		r.name(v.String())
		return
	case map[string]any:
		if name, ok := v["name"].(string); ok && r.Objects {
			r.text(name)
			return
		}
	}
	r.reasons["an element is not a name"] = true
}

// text gathers the names in one text: by the delimiter, which may stand at its end, too.
func (r *reader) text(text string) {
	if r.Delimiter == "" {
		r.name(text)
		return
	}
	// A text is a list here, and one without anything an empty list.
	if strings.TrimSpace(text) == "" {
		return
	}
	parts := strings.Split(text, r.Delimiter)
	if last := len(parts) - 1; last > 0 && strings.TrimSpace(parts[last]) == "" {
		parts = parts[:last]
	}
	for _, part := range parts {
		r.name(part)
	}
}

// name gathers one name.
func (r *reader) name(text string) {
	text = clean(text)
	switch {
	case text == "":
		r.reasons["an element is not a name"] = true
	case len(text) > mostRunes && utf8.RuneCountInString(text) > mostRunes:
		r.reasons[fmt.Sprintf("a name is longer than %d characters", mostRunes)] = true
	case strings.ContainsFunc(text, unreadable):
		r.reasons["a name has control characters"] = true
	case r.seen[text]:
	case len(r.names) == MostGroups:
		r.reasons[fmt.Sprintf("there are more than %d", MostGroups)] = true
	default:
		r.seen[text] = true
		r.names = append(r.names, text)
	}
}

// unreadable tells whether a character has no place in a name.
func unreadable(c rune) bool { return unicode.IsControl(c) || c == utf8.RuneError }

// clean is how names and values are kept.
func clean(text string) string { return norm.NFC.String(strings.TrimSpace(text)) }

// filtered leaves out what the provider's settings do. That is no cut: whoever set
// them wants it so.
func (r *reader) filtered() []string {
	return slices.DeleteFunc(r.names, func(name string) bool {
		return len(r.Include) > 0 && !matches(r.Include, name) || matches(r.Exclude, name)
	})
}

func matches(patterns []*regexp.Regexp, name string) bool {
	return slices.ContainsFunc(patterns, func(p *regexp.Regexp) bool { return p.MatchString(name) })
}

func sorted(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }
