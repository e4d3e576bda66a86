package api

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Clients read, change what they mean, and write all of it back: so whatever reading tells,
// the body of a change of the same resource may have.
func TestWhatIsToldMayBeSentBack(t *testing.T) {
	for _, pattern := range slices.Sorted(maps.Keys(operations)) {
		change := operations[pattern]
		method, path, _ := strings.Cut(pattern, " ")
		if change.in == nil || method != "PUT" && method != "PATCH" {
			continue
		}
		read, there := operations["GET "+path]
		if !there {
			continue
		}
		for _, in := range []any{change.in, change.orIn} {
			if in == nil || in == (any)(passwordForm{}) { // is of the document alone
				continue
			}
			form := reflect.New(reflect.TypeOf(in)).Interface()
			taken := namesOf(reflect.TypeOf(in))
			maps.Copy(taken, namesOf(answerOf(form)))
			told := namesOf(reflect.TypeOf(read.out))
			if answer := answerOf(form); answer != nil {
				told = namesOf(answer) // of its own protocol, where there are two
			}
			for name := range told {
				if _, may := taken[name]; !may && !strings.HasPrefix(name, "_") {
					t.Errorf("%s: what is read has %s, and %T refuses it", pattern, name, in)
				}
			}
		}
	}
}
