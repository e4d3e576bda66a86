package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

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
	conditions, depth int
}

// parseFilter reads the part of a SCIM filter (RFC 7644 section 3.4.2.2) that
// the API has: ATTRIBUTE eq|sw|co "VALUE", joined by and, or and parentheses,
// where and binds tighter. Words are read without regard to case. Fields lists
// the attributes that can be searched. An empty filter is the zero Where.
// What is quoted is read as JSON reads a text. Values become arguments of a statement
// and never part of one; a field that is not listed is refused here, before the store
// is asked.
func parseFilter(text string, fields ...string) (store.Where, error) {
	f := &filterText{rest: text, fields: fields}
	if f.skip(); f.rest == "" {
		return store.Where{}, nil
	}
	where, err := f.alternatives()
	if f.skip(); err == nil && f.rest != "" {
		return store.Where{}, badFilter("%q was not expected", f.rest)
	}
	return where, err
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

// operand reads a condition, or a filter in parentheses.
func (f *filterText) operand() (store.Where, error) {
	f.skip()
	if !strings.HasPrefix(f.rest, "(") {
		c, err := f.condition()
		return store.Where{Condition: c}, err
	}
	if f.depth++; f.depth > maxDepth {
		return store.Where{}, badFilter("parentheses are nested more than %d times", maxDepth)
	}
	f.rest = f.rest[1:]
	w, err := f.alternatives()
	if f.skip(); err == nil && !strings.HasPrefix(f.rest, ")") {
		return w, badFilter("a parenthesis is not closed")
	}
	f.rest = strings.TrimPrefix(f.rest, ")")
	f.depth--
	return w, err
}

// condition reads one comparison.
func (f *filterText) condition() (c store.Condition, err error) {
	if f.conditions++; f.conditions > maxConditions {
		return c, badFilter("there are more than %d conditions", maxConditions)
	}
	attribute := f.word()
	i := slices.IndexFunc(f.fields, func(name string) bool { return strings.EqualFold(name, attribute) })
	if i < 0 {
		return c, badFilter("%q cannot be searched, only %s", attribute, strings.Join(f.fields, ", "))
	}
	c.Field = f.fields[i]
	operator := f.word()
	if c.Op = operatorOf(operator); c.Op == 0 {
		return c, badFilter("%q is no operator, only eq, sw and co are", operator)
	}
	c.Value, f.rest, err = quoted(f.rest)
	return c, err
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
	end := strings.IndexAny(f.rest, " ()\"")
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
// this API has not, such as ne, gt and pr.
func operatorOf(word string) store.Op {
	switch strings.ToLower(word) {
	case "eq":
		return store.Equal
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
	if rest != "" && rest[0] != ' ' && rest[0] != ')' {
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
