package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"ldap-gateway/cloud/store"
)

// maxConditions bounds the parts of one filter.
const maxConditions = 10

// parseFilter reads the part of a SCIM filter (RFC 7644 section 3.4.2.2) that
// the API has: ATTRIBUTE eq|sw|co "VALUE", joined by and. Words are read
// without regard to case. Fields lists the attributes that can be searched.
func parseFilter(text string, fields ...string) ([]store.Condition, error) {
	var all []store.Condition
	for rest := strings.TrimLeft(text, " "); rest != ""; {
		if len(all) == maxConditions {
			return nil, badFilter("it has more than %d conditions", maxConditions)
		}
		condition, after, err := parseCondition(rest, fields)
		if err != nil {
			return nil, err
		}
		all = append(all, condition)
		if rest = strings.TrimLeft(after, " "); rest == "" {
			break
		}
		word, after := nextWord(rest)
		if !strings.EqualFold(word, "and") || strings.TrimLeft(after, " ") == "" {
			return nil, badFilter("another condition must follow %q with and", text[:len(text)-len(rest)])
		}
		rest = after
	}
	return all, nil
}

// parseCondition reads one condition and returns what follows it.
func parseCondition(text string, fields []string) (c store.Condition, rest string, err error) {
	attribute, rest := nextWord(text)
	i := slices.IndexFunc(fields, func(f string) bool { return strings.EqualFold(f, attribute) })
	if i < 0 {
		return c, "", badFilter("%q cannot be searched, only %s", attribute, strings.Join(fields, ", "))
	}
	c.Field = fields[i]
	operator, rest := nextWord(rest)
	if c.Op = operatorOf(operator); c.Op == 0 {
		return c, "", badFilter("%q is no operator, only eq, sw and co are", operator)
	}
	c.Value, rest, err = quoted(rest)
	return c, rest, err
}

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

// nextWord returns the next word and what follows it.
func nextWord(text string) (word, rest string) {
	word, rest, _ = strings.Cut(strings.TrimLeft(text, " "), " ")
	return word, rest
}

// quoted reads a JSON string and returns what follows it.
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
	if rest != "" && rest[0] != ' ' {
		return "", "", badFilter("a blank must follow %s", text[:end+1])
	}
	return value, rest, nil
}

func badFilter(format string, args ...any) error {
	return &problem{status: http.StatusBadRequest, Code: invalidRequest, Message: "The filter cannot be read.",
		Details: []detail{{invalidValue, "filter", "In the filter, " + fmt.Sprintf(format, args...) + "."}}}
}
