package provisioner

import (
	"fmt"
	"strings"

	"ldap-gateway/cloud/store"
)

// reason puts into words what was done and what was not.
func (s *step) reason() string {
	words := s.notes
	switch {
	case s.change.Created:
		words = append([]string{"created"}, words...)
	case s.change.Updated:
		words = append([]string{s.done()}, words...)
	case len(words) == 0:
		return "nothing changed"
	}
	return strings.Join(words, "; ")
}

// done lists what changed of a known record.
func (s *step) done() string {
	var words []string
	for _, f := range s.change.Fields {
		words = append(words, f.Name)
	}
	if n := len(s.change.Added); n > 0 {
		words = append(words, "joined "+groupCount(n))
	}
	if n := len(s.change.Removed); n > 0 {
		words = append(words, "left "+groupCount(n))
	}
	if n := len(s.change.GroupsRenamed); n > 0 {
		words = append(words, groupCount(n)+" renamed")
	}
	return "changed: " + strings.Join(words, ", ")
}

// groupCount counts groups in words.
func groupCount(n int) string {
	if n == 1 {
		return "1 group"
	}
	return fmt.Sprintf("%d groups", n)
}

// idsOf is nil for no groups, as a sign-on without any has it.
func idsOf(groups []store.Group) []string {
	var ids []string
	for _, g := range groups {
		ids = append(ids, g.ID)
	}
	return ids
}
