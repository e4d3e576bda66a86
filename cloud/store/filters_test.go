package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"ldap-gateway/cloud/store"
)

// person adds a user of whom every searchable value is made of a word.
func person(t testing.TB, s *store.Store, w world, word string) store.User {
	t.Helper()
	u := store.User{
		EnvironmentID: w.env.ID,
		PopulationID:  w.population.ID,
		Username:      "User " + word,
		GivenName:     "Given " + word,
		FamilyName:    "Family " + word,
		Email:         "Mail " + word,
		ExternalID:    "Id " + word,
	}
	must(t, s.CreateUser(t.Context(), &u))
	return u
}

// searched are the conditions that each field is searched by, and whom they find: of
// users whose values are the field's own word and "Ann", "ann%", "a_n" or "Änne".
var searched = []struct {
	op           store.Op
	value        string // behind the field's own word
	folded, asIs string // whom a field finds that disregards case, and one that does not
}{
	{store.Equal, "Ann", "Ann", "Ann"},
	{store.Equal, "ann", "Ann", ""},
	{store.Equal, "ÄNNE", "Änne", ""},
	{store.Equal, "Änne", "Änne", "Änne"},
	{store.Equal, "A\u0308nne", "Änne", ""}, // decomposed
	{store.Equal, "an", "", ""},
	{store.StartsWith, "an", "Ann ann%", "ann%"},
	{store.StartsWith, "AN", "Ann ann%", ""},
	{store.StartsWith, "ann%", "ann%", "ann%"},
	{store.StartsWith, "a_", "a_n", "a_n"},
	{store.StartsWith, `a\`, "", ""},
	{store.StartsWith, "", "Ann a_n ann% Änne", "Ann a_n ann% Änne"},
}

// Each field of users is searched by each comparison, on both engines with one result:
// usernames and mail addresses without regard to case, all else as it is.
func TestUserFilters(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	for _, word := range []string{"Ann", "ann%", "a_n", "Änne"} {
		person(t, s, w, word)
	}
	other := build(t, s, "two")
	person(t, s, other, "Ann")
	for field, c := range map[string]struct {
		front  string
		folded bool
	}{
		"username":    {"User ", true},
		"email":       {"Mail ", true},
		"externalId":  {"Id ", false},
		"name.given":  {"Given ", false},
		"name.family": {"Family ", false},
	} {
		for _, search := range searched {
			wanted := search.asIs
			if c.folded {
				wanted = search.folded
			}
			where := store.Where{Condition: store.Condition{Field: field, Op: search.op, Value: c.front + search.value}}
			all, _, err := s.Users(t.Context(), w.env.ID, store.UserFilter{Where: where}, store.Page{})
			must(t, err)
			var found []string
			for _, u := range all {
				found = append(found, strings.TrimPrefix(u.Username, "User "))
			}
			slices.Sort(found)
			if got := strings.Join(found, " "); got != wanted {
				t.Errorf("%s, comparison %d with %q: found %q, want %q", field, search.op, search.value, got, wanted)
			}
		}
	}
}

// A text within another is found wherever it is, wildcards as what they are.
func TestUsersThatContain(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	for _, word := range []string{"50%", "500", "a_b", "axb", `a\b`} {
		person(t, s, w, word)
	}
	for value, n := range map[string]int{
		"0%":   1,
		"50":   2,
		"_":    1,
		`\`:    1,
		"user": 5,
		"USER": 5,
		"jos":  1, // the world's own
		"x%":   0,
		"":     6,
	} {
		where := store.Where{Condition: store.Condition{Field: "username", Op: store.Contains, Value: value}}
		all, _, err := s.Users(t.Context(), w.env.ID, store.UserFilter{Where: where}, store.Page{})
		if err != nil || len(all) != n {
			t.Errorf("%q: found %d, want %d, %v", value, len(all), n, err)
		}
	}
}

// Conditions hold all or any, one within the other; a field that cannot be searched is
// told wherever it stands.
func TestConditionsOfConditions(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	for _, word := range []string{"a", "b", "c"} {
		person(t, s, w, word)
	}
	is := func(field, value string) store.Where {
		return store.Where{Condition: store.Condition{Field: field, Op: store.Equal, Value: value}}
	}
	a, b, c := is("username", "user a"), is("externalId", "Id b"), is("name.given", "Given c")
	for name, search := range map[string]struct {
		where store.Where
		n     int
	}{
		"nothing":                {store.Where{}, 4},
		"all of nothing":         {store.Where{All: []store.Where{{}, {}}}, 4},
		"any of nothing":         {store.Where{Any: []store.Where{{All: []store.Where{{}}}}}, 4},
		"one":                    {a, 1},
		"any":                    {store.Where{Any: []store.Where{a, b, c}}, 3},
		"all":                    {store.Where{All: []store.Where{a, b}}, 0},
		"all of any":             {store.Where{All: []store.Where{{Any: []store.Where{a, b}}, {Any: []store.Where{b, c}}}}, 1},
		"any of all":             {store.Where{Any: []store.Where{{All: []store.Where{a, b}}, c}}, 1},
		"of a population":        {store.Where{All: []store.Where{a, is("population.id", w.population.ID)}}, 1},
		"of no population":       {is("population.id", "none"), 0},
		"by ID":                  {is("id", w.user.ID), 1},
		"what is no column name": {is("username", "user a' OR '1'='1"), 0},
	} {
		all, _, err := s.Users(t.Context(), w.env.ID, store.UserFilter{Where: search.where}, store.Page{})
		if err != nil || len(all) != search.n {
			t.Errorf("%s: found %d, want %d, %v", name, len(all), search.n, err)
		}
	}
	for _, where := range []store.Where{
		is("displayName", "x"),
		is("u.id", "x"),
		{All: []store.Where{a, is("none", "x")}},
		{Any: []store.Where{{All: []store.Where{a, is("none", "x")}}, b}},
	} {
		_, _, err := s.Users(t.Context(), w.env.ID, store.UserFilter{Where: where}, store.Page{})
		want(t, err, store.ErrFilter)
		if where.Field != "displayName" {
			_, _, err = s.Groups(t.Context(), w.env.ID, store.GroupFilter{Where: where}, store.Page{})
			want(t, err, store.ErrFilter)
		}
	}
}

// Users are narrowed by what they hang on, with or without conditions.
func TestUsersOfThings(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	more := store.Population{EnvironmentID: w.env.ID, Name: "More"}
	must(t, s.CreatePopulation(t.Context(), &more))
	free := person(t, s, w, "free")
	free.PopulationID = more.ID
	must(t, s.UpdateUser(t.Context(), &free))
	kind := w.gateway.UserTypes[0].ID
	for name, c := range map[string]struct {
		filter store.UserFilter
		found  []string
	}{
		"all":           {store.UserFilter{}, []string{"José", "User free"}},
		"population":    {store.UserFilter{PopulationID: more.ID}, []string{"User free"}},
		"gateway":       {store.UserFilter{GatewayID: w.gateway.ID}, []string{"José"}},
		"user type":     {store.UserFilter{GatewayID: w.gateway.ID, UserTypeID: kind}, []string{"José"}},
		"no user type":  {store.UserFilter{GatewayID: w.gateway.ID, UserTypeID: "none"}, nil},
		"no population": {store.UserFilter{PopulationID: "none"}, nil},
	} {
		all, _, err := s.Users(t.Context(), w.env.ID, c.filter, store.Page{})
		must(t, err)
		var found []string
		for _, u := range all {
			found = append(found, u.Username)
		}
		if !slices.Equal(found, c.found) {
			t.Errorf("%s: %q", name, found)
		}
	}
}

// Activities are narrowed by each of their fields, by time and by a part of their text.
func TestActivityFilters(t *testing.T) {
	s := open(t)
	w, other := build(t, s, "one"), build(t, s, "two")
	for i, who := range []string{"ada", "bob"} {
		must(t, s.AddActivity(t.Context(), store.Activity{
			EnvironmentID: w.env.ID,
			At:            moment(i + 1),
			Action:        "done." + who,
			Actor:         "user:" + who,
			Subject:       "group:" + who,
			SignOnID:      "sign-on of " + who,
			Text:          "100% of it was done by " + strings.ToUpper(who),
			Detail:        map[string]any{"n": float64(i), "list": []any{"x"}},
		}))
	}
	must(t, s.AddActivity(t.Context(), store.Activity{EnvironmentID: other.env.ID, At: moment(1), Text: "theirs"}))
	for name, c := range map[string]struct {
		filter store.ActivityFilter
		found  string
	}{
		"all":           {store.ActivityFilter{}, "bob ada"},
		"action":        {store.ActivityFilter{Action: "done.ada"}, "ada"},
		"actor":         {store.ActivityFilter{Actor: "user:bob"}, "bob"},
		"subject":       {store.ActivityFilter{Subject: "group:ada"}, "ada"},
		"sign-on":       {store.ActivityFilter{SignOnID: "sign-on of bob"}, "bob"},
		"text":          {store.ActivityFilter{Text: "by ada"}, "ada"},
		"text as it is": {store.ActivityFilter{Text: "100% OF"}, "bob ada"},
		"no wildcard":   {store.ActivityFilter{Text: "1%of"}, ""},
		"from":          {store.ActivityFilter{From: moment(2)}, "bob"},
		"until":         {store.ActivityFilter{Until: moment(2)}, "ada"},
		"both":          {store.ActivityFilter{From: moment(1), Until: moment(3)}, "bob ada"},
		"at no time":    {store.ActivityFilter{From: moment(3)}, ""},
		"all together":  {store.ActivityFilter{Action: "done.ada", Actor: "user:bob"}, ""},
	} {
		all, _, err := s.Activities(t.Context(), w.env.ID, c.filter, store.Page{})
		must(t, err)
		var found []string
		for _, a := range all {
			found = append(found, strings.TrimPrefix(a.Actor, "user:"))
			if fmt.Sprint(a.Detail["list"]) != "[x]" || a.ID == "" {
				t.Errorf("%+v", a)
			}
		}
		if got := strings.Join(found, " "); got != c.found {
			t.Errorf("%s: found %q", name, got)
		}
	}
}

// Whoever's name begins so is found, and nobody else, wherever that is in the order of names, in parts of any size.
func TestNamesThatBeginSo(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	names := []string{"\U0010FFFF", "\U0010FFFF\U0010FFFFx", "\uD7FF", "\uD7FFa", "\uE000", "~", "~~"}
	for _, first := range []string{"a", "ab", "z", "é", "ß", "ÿ", "中", "\U0001F600"} {
		for _, rest := range []string{"", "0", "00001", "a", "z", "é", "\U0010FFFF", " b", "%"} {
			names = append(names, first+rest)
		}
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		must(t, s.CreateUser(t.Context(), &store.User{EnvironmentID: w.env.ID, PopulationID: w.population.ID, Username: name}))
	}
	names = append(names, w.user.Username)
	for _, name := range slices.Clone(names) {
		runes := []rune(name)
		for n := 1; n <= len(runes); n++ {
			beginSo(t, s, w, names, string(runes[:n]))
		}
	}
}

func beginSo(t *testing.T, s *store.Store, w world, names []string, prefix string) {
	t.Helper()
	want := map[string]bool{}
	for _, name := range names {
		if strings.HasPrefix(store.Fold(name), store.Fold(prefix)) {
			want[name] = true
		}
	}
	f := store.UserFilter{Where: store.Where{Condition: store.Condition{Field: "username", Op: store.StartsWith, Value: prefix}}}
	for _, limit := range []int{3, 100} {
		n := 0
		for page := (store.Page{Limit: limit}); ; {
			users, next, err := s.Users(t.Context(), w.env.ID, f, page)
			must(t, err)
			for _, u := range users {
				if n++; !want[u.Username] {
					t.Errorf("%q begins with %q", u.Username, prefix)
				}
			}
			if page.Cursor = next; next == "" {
				break
			}
		}
		if n != len(want) {
			t.Errorf("%d begin with %q, want %d", n, prefix, len(want))
		}
	}
}
