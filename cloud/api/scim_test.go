package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"ldap-gateway/cloud/api"
	"ldap-gateway/cloud/store"
)

func TestFilter(t *testing.T) {
	for text, want := range map[string]string{
		``:                                   `[]`,
		`username eq "ada"`:                  `[{username 1 ada}]`,
		`  USERNAME   EQ   "ada"  `:          `[{username 1 ada}]`,
		`username sw "a" and email co "\"x"`: `[{username 2 a} {email 3 "x}]`,
		`username eq "a and b" AND email eq "\\"`: `[{username 1 a and b} {email 1 \}]`,
		`username eq "\u00e9"`:                    `[{username 1 é}]`,
		`username eq ""`:                          `[{username 1 }]`,
	} {
		got, err := api.ParseFilter(text, "username", "email")
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("%s: %v, want %s, %v", text, got, want, err)
		}
	}
	for _, text := range []string{`username`, `username eq`, `username eq ada`, `username eq "ada`, `username ne "ada"`, `username eq "a" or email eq "b"`,
		`username eq "a" and`, `username eq "a" email eq "b"`, `username eq "a"and email eq "b"`, `(username eq "a")`, `password eq "x"`, `username eq "\x"`,
		strings.Repeat(`username eq "a" and `, 10) + `username eq "a"`} {
		if got, err := api.ParseFilter(text, "username", "email"); err == nil {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// Whatever is read means the same when it is written out and read again.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{`username eq "ada"`, `email sw "a\"b" and username co "\u0000"`, `x`, `username eq "`, `username eq "\`} {
		f.Add(seed)
	}
	words := map[store.Op]string{store.Equal: "eq", store.StartsWith: "sw", store.Contains: "co"}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := api.ParseFilter(text, "username", "email")
		if err != nil {
			return
		}
		var parts []string
		for _, c := range got {
			value, err := json.Marshal(c.Value)
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, c.Field+" "+words[c.Op]+" "+string(value))
		}
		again, err := api.ParseFilter(strings.Join(parts, " and "), "username", "email")
		if err != nil || !slices.Equal(got, again) {
			t.Errorf("%q is %v, written out %v, %v", text, got, again, err)
		}
	})
}
