package store_test

import (
	"strings"
	"testing"

	"ldap-gateway/cloud/store"
)

func TestUsernamesThatAreClaimed(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"*@example.com", "ada@example.com", true},
		{"*@example.com", "ADA@EXAMPLE.com", true},
		{"*@Example.com", " ada@example.com ", true}, // blanks around are no part of what was typed
		{"*@example.com", "ada@example.com.evil.test", false},
		{"*@example.com", "ada@sub.example.com", false},
		{"*@example.com", "ada", false},
		{"*@example.com", "@example.com", true},
		{`CORP\*`, `corp\ada`, true},
		{`CORP\*`, `xcorp\ada`, false},
		{"*@b.test", "ada\uff20b.test", true},
		{"*@b.test", "ada@b.test\u200b", true},
		{"*@b.test", "ada\u00ad@b.test\u00a0", true},
		{"ada", "\uff41da", true},
		{"ada", "ada", true},
		{"ada", "adam", false},
		{"a*a", "a", false}, // its two ends are two characters
		{"a*a", "aa", true},
		{"*a*b*", "xbxaxb", true},
		{"*a*b*", "xbxa", false},
		{"ext-*-*@*", "ext-a-b@c", true},
		{"ext-*-*@*", "ext-a@c", false},
		{"**x", "x", true},
		{"*@STRASSE.de", "ada@straße.de", false},
		{"*@jose\u0301.es", "ada@JOSÉ.es", true},
		{"?da", "ada", false}, // the star alone stands for something
		{"[a-z]*", "ada", false},
		{strings.Repeat("*a", 128), strings.Repeat("a", 256), true},
		{strings.Repeat("*a", 128) + "b", strings.Repeat("a", 256), false},
	} {
		u := store.UserType{Usernames: []string{"somebody-else", c.pattern}}
		if got := u.Claims(c.name); got != c.want {
			t.Errorf("%q like %q: %t", c.name, c.pattern, got)
		}
	}
	if (store.UserType{}).Claims("ada") {
		t.Error("a user type without patterns claims a name")
	}
}
