package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"ldap-gateway/cloud/store"
)

// The limits of one filter.
const (
	maxConditions = 10
	maxDepth      = 10 // of parentheses
)

// filterText is what is left of a filter, and how much was read.
// Its limits bound the statement that comes of it: ten conditions, ten deep.
type filterText struct {
	rest              string
	fields            []string
	front             string // of attributes, between the brackets behind one
	conditions, depth int
}

// parseFilter reads a SCIM filter (RFC 7644 section 3.4.2.2) with what the API has of it:
// ATTRIBUTE eq|ne|sw|co|ew VALUE, ATTRIBUTE pr, ATTRIBUTE[FILTER], joined by and, or, not
// and parentheses, where and binds tighter. Words are read without regard to case. Fields
// lists the attributes that can be searched; one that ends with "?" is true or false. An
// empty filter is the zero Where. What it does not read is refused, and nothing of a
// filter is passed over.
// What is quoted is read as JSON reads a text. Values become arguments of a statement
// and never part of one; a field that is not listed is refused here, before the store
// is asked.
func parseFilter(text string, fields ...string) (store.Where, error) {
	f := &filterText{rest: text, fields: fields}
	if f.skip(); f.rest == "" {
		return store.Where{}, nil
	}
	where, err := f.alternatives()
	if err != nil {
		return where, f.placed(text, err)
	}
	if f.skip(); f.rest != "" {
		return store.Where{}, f.placed(text, badFilter("%q was not expected", f.rest))
	}
	return where, nil
}

// placed says of what was not understood how far the filter was read.
func (f *filterText) placed(text string, err error) error {
	var p *problem
	if errors.As(err, &p) && len(p.Details) == 1 {
		read := utf8.RuneCountInString(text) - utf8.RuneCountInString(f.rest)
		at := fmt.Sprintf(" It was read up to character %d of %d.", read, utf8.RuneCountInString(text))
		p.Details[0].Message += at
	}
	return err
}

// alternatives reads what is joined by or.
func (f *filterText) alternatives() (store.Where, error) {
	var all []store.Where
	for {
		w, err := f.conjunction()
		if err != nil {
			return w, err
		}
		if all = append(all, w); !f.takes("or") {
			return joined(store.Where{Any: all}, all), nil
		}
	}
}

// conjunction reads what is joined by and.
func (f *filterText) conjunction() (store.Where, error) {
	var all []store.Where
	for {
		w, err := f.operand()
		if err != nil {
			return w, err
		}
		if all = append(all, w); !f.takes("and") {
			return joined(store.Where{All: all}, all), nil
		}
	}
}

// joined returns several as one, and one as it is.
func joined(several store.Where, all []store.Where) store.Where {
	if len(all) == 1 {
		return all[0]
	}
	return several
}

// operand reads a condition, a filter in parentheses, or what is not to hold.
func (f *filterText) operand() (store.Where, error) {
	f.skip()
	if f.takesNot() {
		w, err := f.enclosed("(", ")")
		return store.Where{None: []store.Where{w}}, err
	}
	if strings.HasPrefix(f.rest, "(") {
		return f.enclosed("(", ")")
	}
	return f.condition()
}

// takesNot reads the word not, which stands in front of parentheses alone.
func (f *filterText) takesNot() bool {
	before := f.rest
	if f.takes("not") {
		if f.skip(); strings.HasPrefix(f.rest, "(") {
			return true
		}
	}
	f.rest = before
	return false
}

// enclosed reads a filter between two signs, of which the first comes next.
func (f *filterText) enclosed(opening, closing string) (store.Where, error) {
	if f.depth++; f.depth > maxDepth {
		return store.Where{}, badFilter("parentheses are nested more than %d times", maxDepth)
	}
	f.rest = strings.TrimPrefix(f.rest, opening)
	w, err := f.alternatives()
	if f.skip(); err == nil && !strings.HasPrefix(f.rest, closing) {
		return w, badFilter("%q is missing", closing)
	}
	f.rest = strings.TrimPrefix(f.rest, closing)
	f.depth--
	return w, err
}

// condition reads one comparison, or several of one attribute's parts in brackets. Of
// these any may hold: that two hold of one and the same cannot be asked.
func (f *filterText) condition() (w store.Where, err error) {
	if f.conditions++; f.conditions > maxConditions {
		return w, badFilter("there are more than %d conditions", maxConditions)
	}
	attribute := f.front + f.word()
	if strings.HasPrefix(f.rest, "[") && f.front == "" {
		f.front = attribute + "."
		w, err = f.enclosed("[", "]")
		f.front = ""
		if err == nil && len(w.All) > 0 {
			err = badFilter("between brackets, there may be one condition, or several joined by or")
		}
		return w, err
	}
	name, truth, err := f.field(attribute)
	if err != nil {
		return w, err
	}
	return f.comparison(store.Condition{Field: name}, truth)
}

// field finds an attribute among those that can be searched, and tells whether it is true
// or false.
func (f *filterText) field(attribute string) (name string, truth bool, err error) {
	var names []string
	for _, known := range f.fields {
		name, truth := strings.CutSuffix(known, "?")
		if strings.EqualFold(name, attribute) {
			return name, truth, nil
		}
		names = append(names, name)
	}
	return "", false, badFilter("%q cannot be searched, only %s", attribute, strings.Join(names, ", "))
}

// comparison reads what follows an attribute.
func (f *filterText) comparison(c store.Condition, truth bool) (w store.Where, err error) {
	word := f.word()
	not := strings.EqualFold(word, "ne")
	switch c.Op = operatorOf(word); {
	case c.Op == 0:
		return w, badFilter("%q is no operator, only eq, ne, sw, co, ew and pr are", word)
	case c.Op == store.Present:
		return store.Where{Condition: c}, nil
	case truth && c.Op != store.Equal:
		return w, badFilter("%s is true or false: ask by eq or ne", c.Field)
	case truth:
		if c.Value = strings.ToLower(f.word()); c.Value != "true" && c.Value != "false" {
			return w, badFilter("%s is true or false", c.Field)
		}
	default:
		if c.Value, f.rest, err = quoted(f.rest); err != nil {
			return w, err
		}
	}
	w = store.Where{Condition: c}
	if not {
		w = store.Where{None: []store.Where{w}}
	}
	return w, nil
}

// takes reads a word when it is the next.
// Otherwise nothing was read.
func (f *filterText) takes(word string) bool {
	before := f.rest
	if strings.EqualFold(f.word(), word) {
		return true
	}
	f.rest = before
	return false
}

// word reads the next word.
// It may be empty: what comes next is none then.
func (f *filterText) word() (word string) {
	f.skip()
	end := strings.IndexAny(f.rest, " ()[]\"")
	if end < 0 {
		end = len(f.rest)
	}
	word, f.rest = f.rest[:end], f.rest[end:]
	return word
}

// skip passes over blanks.
// Tabs and line breaks are none here.
func (f *filterText) skip() { f.rest = strings.TrimLeft(f.rest, " ") }

// operatorOf returns the comparison of a word; 0 for those that RFC 7644 has and
// this API has not, such as gt. That ne is the contrary of eq is seen by the caller.
func operatorOf(word string) store.Op {
	switch strings.ToLower(word) {
	case "eq", "ne":
		return store.Equal
	case "ew":
		return store.EndsWith
	case "pr":
		return store.Present
	case "sw":
		return store.StartsWith
	case "co":
		return store.Contains
	}
	return 0
}

// quoted reads a JSON string and returns what follows it.
// An escaped quotation mark does not end it. What is wrong in it the JSON decoder
// finds.
func quoted(text string) (value, rest string, err error) {
	text = strings.TrimLeft(text, " ")
	if !strings.HasPrefix(text, `"`) {
		return "", "", badFilter("a value must be in quotation marks")
	}
	end, escaped := 1, false
	for end < len(text) && (escaped || text[end] != '"') {
		escaped = text[end] == '\\' && !escaped
		end++
	}
	if end == len(text) {
		return "", "", badFilter("a quotation mark is not closed")
	}
	if err := json.Unmarshal([]byte(text[:end+1]), &value); err != nil {
		return "", "", badFilter("%s is not a JSON string", text[:end+1])
	}
	rest = text[end+1:]
	if rest != "" && !strings.ContainsRune(" )]", rune(rest[0])) {
		return "", "", badFilter("a blank must follow %s", text[:end+1])
	}
	return value, rest, nil
}

// badFilter is 400 with what was not understood, in a sentence.
func badFilter(format string, args ...any) error {
	return &problem{
		status:  http.StatusBadRequest,
		Code:    invalidRequest,
		Message: "The filter cannot be read.",
		Details: []detail{{invalidValue, "filter", "In the filter, " + fmt.Sprintf(format, args...) + "."}},
	}
}
