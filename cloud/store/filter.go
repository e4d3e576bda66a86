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
	EndsWith
	Present // there is a value at all; the condition has none
)

// Condition narrows a list. Field has the name that the API gives to the property; the
// value of one that is true or false is "true" or "false".
type Condition struct {
	Field string
	Op    Op
	Value string
}

// Where is one condition, or several of which all, any or none must hold. The zero
// Where holds always.
type Where struct {
	Condition
	All, Any, None []Where
}

// field is a column to search, and the form in which it keeps its values.
type field struct {
	column string
	form   func(string) string // nil: as they are
	is     bool                // it is true or false
	among  string              // what has several values: a condition with %s for the one of each
}

// ofMemberships is the condition that one of a user's groups is such a one.
const ofMemberships = `EXISTS (
	SELECT 1
	FROM memberships fm
	JOIN cloud_groups fg ON fg.environment_id = fm.environment_id AND fg.id = fm.group_id
	WHERE fm.environment_id = u.environment_id AND fm.user_id = u.id AND %s)`

// userField returns what a property of the API is here. The map is made at each call,
// which a filter of ten conditions does not notice, so that nothing here can be
// changed.
func userField(name string) (field, bool) {
	f, ok := map[string]field{
		"id":            {column: "u.id"},
		"username":      {column: "u.username_folded", form: Fold},
		"email":         {column: "u.email_folded", form: Fold},
		"externalId":    {column: "u.external_id"},
		"name.given":    {column: "u.given_name"},
		"name.family":   {column: "u.family_name"},
		"population.id": {column: "u.population_id"},
		"enabled":       {column: "u.enabled", is: true},

		"account.canAuthenticate": {column: "(u.enabled AND NOT u.locked)", is: true},

		"memberOfGroups.id":          {column: "fg.id", among: ofMemberships},
		"memberOfGroups.name":        {column: "fg.search_key", form: GroupKey, among: ofMemberships},
		"memberOfGroups.displayName": {column: "fg.display_folded", form: Fold, among: ofMemberships},
	}[name]
	return f, ok
}

// populationField is userField for populations.
func populationField(name string) (field, bool) {
	f, ok := map[string]field{
		"id":          {column: "p.id"},
		"name":        {column: "p.name_folded", form: Fold},
		"description": {column: "p.description"},
		"default":     {column: "p.is_default", is: true},
	}[name]
	return f, ok
}

// gatewayField is userField for gateways, which are all of one type.
func gatewayField(name string) (field, bool) {
	f, ok := map[string]field{
		"id":          {column: "id"},
		"name":        {column: "name_folded", form: Fold},
		"description": {column: "description"},
		"vendor":      {column: "vendor"},
		"type":        {column: "'LDAP'"},
		"enabled":     {column: "enabled", is: true},
	}[name]
	return f, ok
}

// applicationField is userField for applications, which speak the one protocol or the other.
func applicationField(name string) (field, bool) {
	f, ok := map[string]field{
		"id":          {column: "id"},
		"clientId":    {column: "id"},
		"name":        {column: "name_folded", form: Fold},
		"description": {column: "description"},
		"type":        {column: "type"},
		"protocol":    {column: "protocol"},
		"spEntityId":  {column: "entity_id"},
		"enabled":     {column: "enabled", is: true},
	}[name]
	return f, ok
}

// providerField is userField for identity providers.
func providerField(name string) (field, bool) {
	f, ok := map[string]field{
		"id":          {column: "id"},
		"name":        {column: "name_folded", form: Fold},
		"description": {column: "description"},
		"type":        {column: "type"},
		"enabled":     {column: "enabled", is: true},
	}[name]
	return f, ok
}

// groupField is userField for groups. A name is looked up by its key, in which a DN has
// one spelling: see GroupKey.
func groupField(name string) (field, bool) {
	f, ok := map[string]field{
		"id":            {column: "g.id"},
		"name":          {column: "g.search_key", form: GroupKey},
		"displayName":   {column: "g.display_folded", form: Fold},
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
	case len(w.None) > 0:
		text, args, err = joinSQL(" OR ", w.None, of)
		if text == "" {
			return "FALSE", nil, err
		}
		return text + " IS NOT TRUE", args, err // also where it is unknown, as of no value
	case w.Condition == Condition{}:
		return "", nil, nil
	}
	f, ok := of(w.Field)
	if !ok {
		return "", nil, fmt.Errorf("%w: %s", ErrFilter, w.Field)
	}
	text, args = f.sql(w.Op, w.Value)
	if f.among != "" {
		text = strings.ReplaceAll(f.among, "%s", text)
	}
	return text, args, nil
}

// sql is one comparison.
func (f field) sql(op Op, v string) (text string, args []any) {
	if f.form != nil {
		v = f.form(v)
	}
	switch {
	case f.is && op == Present:
		return f.column + " = " + f.column, nil
	case f.is:
		return f.column + " = ?", []any{v == "true"}
	}
	switch op {
	case StartsWith:
		// No LIKE: SQLite would look up a prefix in another index than the list's own,
		// and sort all that begin so.
		return "substr(" + f.column + ", 1, ?) = ?", []any{utf8.RuneCountInString(v), v}
	case Contains:
		return f.column + ` LIKE ? ESCAPE '\'`, []any{"%" + escapeLike(v) + "%"}
	case EndsWith:
		return f.column + ` LIKE ? ESCAPE '\'`, []any{"%" + escapeLike(v)}
	case Present:
		return "coalesce(" + f.column + ", '') <> ''", nil
	}
	return f.column + " = ?", []any{v}
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

// Holds tells whether the condition holds of a value, without regard to case: it is for
// short lists, which no statement narrows.
func (c Condition) Holds(of string) bool {
	of, v := Fold(of), Fold(c.Value)
	switch c.Op {
	case StartsWith:
		return strings.HasPrefix(of, v)
	case Contains:
		return strings.Contains(of, v)
	case EndsWith:
		return strings.HasSuffix(of, v)
	case Present:
		return of != ""
	}
	return of == v
}
