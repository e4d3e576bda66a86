package api_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"ldap-gateway/cloud/api"
	"ldap-gateway/cloud/store"
)

// written returns a filter as text, with all parentheses.
func written(w store.Where) string {
	words := map[store.Op]string{
		store.Equal:      "eq",
		store.StartsWith: "sw",
		store.Contains:   "co",
		store.EndsWith:   "ew",
		store.Present:    "pr",
	}
	join := func(word string, all []store.Where) string {
		var parts []string
		for _, p := range all {
			parts = append(parts, written(p))
		}
		return "(" + strings.Join(parts, " "+word+" ") + ")"
	}
	switch {
	case len(w.All) > 0:
		return join("and", w.All)
	case len(w.Any) > 0:
		return join("or", w.Any)
	case len(w.None) > 0:
		return "not (" + written(w.None[0]) + ")"
	case w.Condition == store.Condition{}:
		return ""
	case w.Op == store.Present:
		return w.Field + " pr"
	case w.Field == "enabled":
		return w.Field + " " + words[w.Op] + " " + w.Value
	}
	value, err := json.Marshal(w.Value)
	if err != nil {
		return err.Error()
	}
	return w.Field + " " + words[w.Op] + " " + string(value)
}

func TestFilter(t *testing.T) {
	for text, want := range map[string]string{
		``:                                   ``,
		`username eq "ada"`:                  `username eq "ada"`,
		`  USERNAME   EQ   "ada"  `:          `username eq "ada"`,
		`username sw "a" and email co "\"x"`: `(username sw "a" and email co "\"x")`,
		`username eq "a and b" AND email eq "\\"`:                `(username eq "a and b" and email eq "\\")`,
		`username eq "\u00e9"`:                                   `username eq "é"`,
		`username eq ""`:                                         `username eq ""`,
		`((username eq "a"))`:                                    `username eq "a"`,
		`username eq "a" or username eq "b" and email eq "c"`:    `(username eq "a" or (username eq "b" and email eq "c"))`,
		`(username eq "a" OR username eq "b")and email eq "c"`:   `((username eq "a" or username eq "b") and email eq "c")`,
		`username ne "ada"`:                                      `not (username eq "ada")`,
		`not (username eq "a" or email pr)`:                      `not ((username eq "a" or email pr))`,
		`enabled eq TRUE and email ew "x"`:                       `(enabled eq true and email ew "x")`,
		`groups[name eq "a" or name eq "b"]`:                     `(groups.name eq "a" or groups.name eq "b")`,
		`username eq "a" and (email eq "b" or email eq "(or)" )`: `(username eq "a" and (email eq "b" or email eq "(or)"))`,
	} {
		got, err := api.ParseFilter(text, "username", "email", "enabled?", "groups.name")
		if err != nil || written(got) != want {
			t.Errorf("%s: %s, want %s, %v", text, written(got), want, err)
		}
	}
	for _, text := range []string{
		`username`,
		`username eq`,
		`username eq ada`,
		`username eq "ada`,
		`username gt "ada"`,
		`not username eq "a"`,
		`not (username eq "a"`,
		`username pr "a"`,
		`username[eq "a"]`,
		`enabled eq "true"`,
		`username eq "a" and`,
		`username eq "a" or`,
		`username eq "a" email eq "b"`,
		`username eq "a"and email eq "b"`,
		`(username eq "a"`,
		`username eq "a")`,
		`()`,
		`password eq "x"`,
		`username eq "\x"`,
		`username eq "a" or 1=1`,
		strings.Repeat("(", 11) + `username eq "a"` + strings.Repeat(")", 11),
		strings.Repeat(`username eq "a" or `, 10) + `username eq "a"`,
	} {
		if got, err := api.ParseFilter(text, "username", "email", "enabled?", "groups.name"); err == nil {
			t.Errorf("%s: %v", text, got)
		} else if said := api.Details(err); !strings.Contains(said, fmt.Sprintf(" of %d.", utf8.RuneCountInString(text))) {
			t.Errorf("%s: %s", text, said)
		}
	}
}

// A filter that cannot be read is said to have been read up to where the mistake is, in characters.
func TestFilterSaysWhere(t *testing.T) {
	for text, at := range map[string]int{
		`username gt "ada"`:                  11,
		`username eq "é" and nobody eq "b"`:  26,
		`username eq "a" email eq "b"`:       16,
		`(username eq "a"`:                   16,
		`username eq "a" or`:                 18,
		`   password eq "x"`:                 11,
		`username eq "a" and (email xx "é")`: 30,
	} {
		_, err := api.ParseFilter(text, "username", "email", "enabled?", "groups.name")
		if want := fmt.Sprintf("up to character %d of ", at); !strings.Contains(api.Details(err), want) {
			t.Errorf("%s: %s, want %s", text, api.Details(err), want)
		}
	}
}

// Whatever is read means the same when it is written out and read again.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{
		`username eq "ada"`,
		`email sw "a\"b" and username co "\u0000"`,
		`not (email pr) or groups[name ne "x"]`,
		`x`,
		`username eq "`,
		`username eq "\`,
		`(username eq "a" or email eq "b") and email eq "c"`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := api.ParseFilter(text, "username", "email", "enabled?", "groups.name")
		if err != nil {
			return
		}
		again, err := api.ParseFilter(written(got), "username", "email", "enabled?", "groups.name")
		if err != nil || !reflect.DeepEqual(got, again) {
			t.Errorf("%q is %v, written out %v, %v", text, got, again, err)
		}
	})
}
