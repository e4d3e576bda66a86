package store

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ErrFilter says that a condition names a field that cannot be searched.
var ErrFilter = errors.New("no such field to search")

// Op is how a condition compares.
type Op uint8

// The comparisons. All of them disregard case where the field's own rule does, and
// respect it elsewhere.
const (
	Equal Op = iota + 1
	StartsWith
	Contains
)

// Condition narrows a list of users or groups. Field has the name that the API
// gives to the property: for users id, username, email, externalId, name.given,
// name.family and population.id; for groups id, name, displayName, externalId,
// sourceType, sourceId, directoryId and population.id.
type Condition struct {
	Field string
	Op    Op
	Value string
}

// Where is one condition, or several of which all or any must hold. The zero
// Where holds always.
type Where struct {
	Condition
	All, Any []Where
}

// field is a column to search, and the form in which it keeps its values.
type field struct {
	column string
	form   func(string) string // nil: as they are
}

// userField returns what a property of the API is here. The map is made at each call,
// which a filter of ten conditions does not notice, so that nothing here can be
// changed.
func userField(name string) (field, bool) {
	f, ok := map[string]field{
		"id":            {column: "u.id"},
		"username":      {"u.username_folded", Fold},
		"email":         {"u.email_folded", Fold},
		"externalId":    {column: "u.external_id"},
		"name.given":    {column: "u.given_name"},
		"name.family":   {column: "u.family_name"},
		"population.id": {column: "u.population_id"},
	}[name]
	return f, ok
}

// groupField is userField for groups. A name is looked up by its key, in which a DN has
// one spelling: see GroupKey.
func groupField(name string) (field, bool) {
	f, ok := map[string]field{
		"id":            {column: "g.id"},
		"name":          {"g.search_key", GroupKey},
		"displayName":   {"g.display_folded", Fold},
		"externalId":    {column: "g.external_id"},
		"sourceType":    {column: "g.source_type"},
		"sourceId":      {column: "g.source_id"},
		"directoryId":   {column: "g.directory_id"},
		"population.id": {column: "g.population_id"},
	}[name]
	return f, ok
}

// matching adds what must hold of the fields that of knows.
func (l *list) matching(w Where, of func(string) (field, bool)) error {
	text, args, err := w.sql(of)
	if err == nil && text != "" {
		l.where(text, args...)
	}
	return err
}

// sql returns a condition with a ? for each argument; empty when it holds always.
func (w Where) sql(of func(string) (field, bool)) (text string, args []any, err error) {
	switch {
	case len(w.All) > 0:
		return joinSQL(" AND ", w.All, of)
	case len(w.Any) > 0:
		return joinSQL(" OR ", w.Any, of)
	case w.Condition == Condition{}:
		return "", nil, nil
	}
	f, ok := of(w.Field)
	if !ok {
		return "", nil, fmt.Errorf("%w: %s", ErrFilter, w.Field)
	}
	v := w.Value
	if f.form != nil {
		v = f.form(v)
	}
	switch w.Op {
	case StartsWith:
		// No LIKE: SQLite would look up a prefix in another index than the list's own,
		// and sort all that begin so.
		return "substr(" + f.column + ", 1, ?) = ?", []any{utf8.RuneCountInString(v), v}, nil
	case Contains:
		return f.column + ` LIKE ? ESCAPE '\'`, []any{"%" + escapeLike(v) + "%"}, nil
	}
	return f.column + " = ?", []any{v}, nil
}

// joinSQL joins conditions by AND or OR in parentheses. Those that hold always are left
// out, as they are from an OR too: an empty Where is no condition, and is not meant to
// make all others worthless.
func joinSQL(word string, all []Where, of func(string) (field, bool)) (string, []any, error) {
	var texts []string
	var args []any
	for _, w := range all {
		text, more, err := w.sql(of)
		if err != nil {
			return "", nil, err
		}
		if text != "" {
			texts, args = append(texts, text), append(args, more...)
		}
	}
	if len(texts) == 0 {
		return "", nil, nil
	}
	return "(" + strings.Join(texts, word) + ")", args, nil
}

// escapeLike takes the meaning off the wildcards of LIKE.
func escapeLike(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}
