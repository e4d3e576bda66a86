package store

import (
	"errors"
	"fmt"
	"strings"
)

// ErrFilter says that a condition names a field that cannot be searched.
var ErrFilter = errors.New("no such field to search")

// Op is how a condition compares.
type Op uint8

// The comparisons. All of them disregard case where the field's own rule does.
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

// field is a column to search, and the form in which it keeps its values.
type field struct {
	column string
	form   func(string) string // nil: as they are
}

func userField(name string) (field, bool) {
	f, ok := map[string]field{
		"id": {column: "u.id"}, "username": {"u.username_folded", Fold}, "email": {"u.email_folded", Fold},
		"externalId": {column: "u.external_id"}, "name.given": {column: "u.given_name"}, "name.family": {column: "u.family_name"},
		"population.id": {column: "u.population_id"},
	}[name]
	return f, ok
}

func groupField(name string) (field, bool) {
	f, ok := map[string]field{
		"id": {column: "g.id"}, "name": {"g.name_key", GroupKey}, "displayName": {"g.display_folded", Fold},
		"externalId": {column: "g.external_id"}, "sourceType": {column: "g.source_type"}, "sourceId": {column: "g.source_id"},
		"directoryId": {column: "g.directory_id"}, "population.id": {column: "g.population_id"},
	}[name]
	return f, ok
}

// matching adds conditions on the fields that of knows.
func (l *list) matching(conditions []Condition, of func(string) (field, bool)) error {
	for _, c := range conditions {
		f, ok := of(c.Field)
		if !ok {
			return fmt.Errorf("%w: %s", ErrFilter, c.Field)
		}
		v := c.Value
		if f.form != nil {
			v = f.form(v)
		}
		switch c.Op {
		case StartsWith:
			l.where(f.column+` LIKE ? ESCAPE '\'`, escapeLike(v)+"%")
		case Contains:
			l.where(f.column+` LIKE ? ESCAPE '\'`, "%"+escapeLike(v)+"%")
		default:
			l.where(f.column+" = ?", v)
		}
	}
	return nil
}

// escapeLike takes the meaning off the wildcards of LIKE.
func escapeLike(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}
