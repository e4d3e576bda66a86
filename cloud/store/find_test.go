package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// usernames are the usernames of a list.
func usernames(users []store.User) string {
	var all []string
	for _, u := range users {
		all = append(all, u.Username)
	}
	return strings.Join(all, " ")
}

// findable puts people into an environment who are looked for in many ways.
func findable(t *testing.T, s *store.Store, w world) {
	t.Helper()
	for _, u := range []store.User{
		{Username: "aarcher", GivenName: "Alice", FamilyName: "Archer", Email: "alice@corp.example"},
		{Username: "bb", GivenName: "Bob", FamilyName: "O'Neil-Archibald", Email: "bob@corp.example", Enabled: true},
		{Username: "x_1%", GivenName: "Émile", FamilyName: "Zola", Email: "", Locked: true, Enabled: true},
		{Username: "jg", GivenName: "Jürgen", FamilyName: "Groß", Attributes: map[string]string{"displayName": "Der Chef"}, Enabled: true},
		{Username: "许", GivenName: "Li Wei", FamilyName: "许志强", Email: "x@例え.example", Enabled: true},
	} {
		u.EnvironmentID, u.PopulationID = w.env.ID, w.population.ID
		must(t, s.CreateUser(t.Context(), &u))
	}
}

// People are found by any part of whatever they are called, in whatever case, and by several
// parts in any order; by one letter or two when a word begins so; and only in their environment.
func TestPeopleAreFoundByAnyPart(t *testing.T) {
	s := openAt(t, empty(t))
	w, other := build(t, s, "one"), build(t, s, "two")
	findable(t, s, w)
	for search, want := range map[string]string{
		"rcher":        "aarcher",
		"RCH":          "aarcher bb",
		"alice archer": "aarcher",
		"archer ali":   "aarcher",
		"archer bob":   "",
		"corp.example": "aarcher bb",
		"'neil-":       "bb",
		"_1%":          "x_1%",
		"%":            "",
		"___":          "",
		"émi":          "x_1%",
		"e\u0301mi":    "x_1%",
		"ÜRG":          "jg",
		"roß":          "jg",
		"chef":         "jg",
		"b":            "bb",
		"ob":           "",
		"li we":        "许",
		"志强":           "",
		"许志":           "许",
		"许志强":          "许",
		"例え":           "",
		"x@例え":         "许",
		"nobody":       "",
		`rch" OR "zol`: "",
		"arc* zola":    "",
	} {
		users, next, err := s.Users(t.Context(), w.env.ID, store.UserFilter{Search: search}, store.Page{})
		if err != nil || usernames(users) != want || next != "" {
			t.Errorf("%q: %q, want %q, %v", search, usernames(users), want, err)
		}
		n, more, err := s.CountUsers(t.Context(), w.env.ID, store.UserFilter{Search: search})
		if err != nil || more || n != len(users) {
			t.Errorf("%q: %d are counted, %v", search, n, err)
		}
		if users, _, err := s.Users(t.Context(), other.env.ID, store.UserFilter{Search: search}, store.Page{}); err != nil || len(users) > 0 {
			t.Errorf("%q in another environment: %q, %v", search, usernames(users), err)
		}
	}
}

// What somebody is found by follows what they are called, and goes with them.
func TestWhatPeopleAreFoundByFollows(t *testing.T) {
	s := openAt(t, empty(t))
	w := build(t, s, "one")
	ctx := t.Context()
	finds := func(search, want string) {
		t.Helper()
		users, _, err := s.Users(ctx, w.env.ID, store.UserFilter{Search: search}, store.Page{})
		if err != nil || usernames(users) != want {
			t.Errorf("%q: %q, want %q, %v", search, usernames(users), want, err)
		}
	}
	u := store.User{EnvironmentID: w.env.ID, PopulationID: w.population.ID, Username: "miller", Email: "miller@old.example"}
	must(t, s.CreateUser(ctx, &u))
	finds("ille", "miller")
	u.Username, u.Email = "smith", "smith@new.example"
	must(t, s.UpdateUser(ctx, &u))
	finds("ille", "")
	finds("mith", "smith")
	finds("new.ex", "smith")
	u.Attributes = map[string]string{"displayName": "The Baker"}
	must(t, s.UpdateUser(ctx, &u))
	finds("baker", "smith")
	plan, err := s.Plan(func(tx *store.Tx) error {
		u.FamilyName = "Planned"
		return tx.UpdateUser(ctx, &u)
	})
	must(t, err)
	finds("lanne", "")
	must(t, s.Provision(ctx, func(tx *store.Tx) error { return tx.Carry(ctx, plan) }))
	finds("lanne", "smith")
	must(t, s.DeleteUser(ctx, w.env.ID, u.ID))
	finds("mith", "")
}

// users lists by what a filter says, page by page, onward and back.
func TestUsersAreListedByAnyFilter(t *testing.T) {
	s := openAt(t, empty(t))
	w := build(t, s, "one")
	ctx := t.Context()
	findable(t, s, w)
	hour := time.Now().UTC().Truncate(time.Hour)
	signs := func(username string, at time.Time, outcome string) {
		u, err := s.UserByUsername(ctx, w.env.ID, username)
		must(t, err)
		must(t, s.RecordSignOn(ctx, &store.SignOn{EnvironmentID: w.env.ID, UserID: u.ID, At: at, Outcome: outcome}))
	}
	signs("bb", hour.Add(-48*time.Hour), "ok")
	signs("jg", hour.Add(-24*time.Hour), "ok")
	signs("bb", hour.Add(-time.Hour), "ok")
	signs("jg", hour, "invalidCredentials")
	signs("许", hour.Add(-24*time.Hour), "ok")
	providers := []store.IdentityProvider{w.provider(t, s, "first"), w.provider(t, s, "second")}
	for i, username := range []string{"jg", "bb"} {
		u, err := s.UserByUsername(ctx, w.env.ID, username)
		must(t, err)
		must(t, s.LinkAccount(ctx, &store.LinkedAccount{
			EnvironmentID: w.env.ID, ProviderID: providers[i].ID, UserID: u.ID, Subject: store.Subject{ID: "s"},
		}))
	}
	for name, c := range map[string]struct {
		f    store.UserFilter
		want string
	}{
		"disabled":           {store.UserFilter{State: store.UserDisabled}, "aarcher"},
		"locked":             {store.UserFilter{State: store.UserLocked}, "x_1%"},
		"lately":             {store.UserFilter{Since: hour.Add(-2 * time.Hour)}, "bb"},
		"silent":             {store.UserFilter{Silent: hour.Add(-2 * time.Hour), State: store.UserEnabled, Search: "g"}, "jg"},
		"never":              {store.UserFilter{Never: true, Search: "archer"}, "aarcher"},
		"latest":             {store.UserFilter{Order: store.ByLastSignOn}, "bb 许 jg aarcher José x_1%"},
		"latest of a search": {store.UserFilter{Order: store.ByLastSignOn, Search: "corp"}, "bb aarcher"},
		"population":         {store.UserFilter{PopulationID: "none", Search: "archer"}, ""},
		"provider":           {store.UserFilter{ProviderID: providers[0].ID}, "jg"},
		"searched provider":  {store.UserFilter{ProviderID: providers[1].ID, Search: "g"}, ""},
		"provider lately":    {store.UserFilter{ProviderID: providers[1].ID, Since: hour.Add(-2 * time.Hour)}, "bb"},
		"condition": {store.UserFilter{Where: store.Where{
			Condition: store.Condition{Field: "email", Op: store.Contains, Value: "corp"},
		}}, "aarcher bb"},
		"ends": {store.UserFilter{Where: store.Where{
			Condition: store.Condition{Field: "name.family", Op: store.EndsWith, Value: "cher"},
		}}, "aarcher"},
		"case of a given name": {store.UserFilter{Where: store.Where{
			Condition: store.Condition{Field: "name.given", Op: store.Contains, Value: "ALI"},
		}}, ""},
		"none of": {store.UserFilter{State: store.UserDisabled, Where: store.Where{None: []store.Where{{
			Condition: store.Condition{Field: "email", Op: store.Contains, Value: "corp"},
		}}}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			users, _, err := s.Users(ctx, w.env.ID, c.f, store.Page{})
			if err != nil || usernames(users) != c.want {
				// Of two at one moment either may come first.
				if c.f.Order == store.ByLastSignOn && usernames(users) == strings.ReplaceAll(c.want, "许 jg", "jg 许") {
					return
				}
				t.Errorf("%q, want %q, %v", usernames(users), c.want, err)
			}
		})
	}
}

// Whoever is in a list is there as they are by themselves, in whichever order and by whichever way it is made: with
// the last sign-on, and the provider that they are known through.
func TestListsShowWhatThereIs(t *testing.T) {
	s := openAt(t, empty(t))
	w := build(t, s, "one")
	ctx := t.Context()
	provider := w.provider(t, s, "first")
	for i := range 3 {
		u := store.User{EnvironmentID: w.env.ID, PopulationID: w.population.ID, Username: fmt.Sprintf("member%02d", i)}
		must(t, s.CreateUser(ctx, &u))
		must(t, s.LinkAccount(ctx, &store.LinkedAccount{
			EnvironmentID: w.env.ID, ProviderID: provider.ID, UserID: u.ID, Subject: store.Subject{ID: u.Username},
		}))
		must(t, s.RecordSignOn(ctx, &store.SignOn{EnvironmentID: w.env.ID, UserID: u.ID, At: time.Now(), Outcome: "ok"}))
	}
	for name, f := range map[string]store.UserFilter{
		"username":      {},
		"searched":      {Search: "member"},
		"latest":        {Order: store.ByLastSignOn},
		"latest of few": {Order: store.ByLastSignOn, Search: "member"},
	} {
		users, _, err := s.Users(ctx, w.env.ID, f, store.Page{})
		must(t, err)
		seen := 0
		for _, u := range users {
			alone, err := s.User(ctx, w.env.ID, u.ID)
			must(t, err)
			if u.ProviderID != alone.ProviderID || u.ProviderType != alone.ProviderType || !u.LastSignOnAt.Equal(alone.LastSignOnAt) {
				t.Errorf("%s: %+v, want %+v", name, u, alone)
			}
			if u.ProviderID == provider.ID {
				seen++
			}
		}
		if seen != 3 {
			t.Errorf("%s: %d of a provider", name, seen)
		}
	}
}

// Pages lead onward to the end and back to the beginning, over the same users in the same order, by each
// way in which a list is made.
func TestPagesLeadBackAndForth(t *testing.T) {
	s := openAt(t, empty(t))
	w := build(t, s, "one")
	ctx := t.Context()
	for i := range 23 {
		u := store.User{EnvironmentID: w.env.ID, PopulationID: w.population.ID, Username: fmt.Sprintf("member%02d", i)}
		must(t, s.CreateUser(ctx, &u))
		at := time.Now().Add(-time.Duration(i%5) * time.Hour)
		must(t, s.RecordSignOn(ctx, &store.SignOn{EnvironmentID: w.env.ID, UserID: u.ID, At: at, Outcome: "ok"}))
	}
	for name, f := range map[string]store.UserFilter{
		"all":           {PopulationID: w.population.ID},
		"few":           {Search: "member"},
		"latest":        {Order: store.ByLastSignOn},
		"latest of few": {Order: store.ByLastSignOn, Search: "member"},
	} {
		t.Run(name, func(t *testing.T) {
			whole, _, err := s.Users(ctx, w.env.ID, f, store.Page{})
			must(t, err)
			onward, previous := walk(t, func(p store.Page) ([]store.User, string, error) { return s.Users(ctx, w.env.ID, f, p) }, 4)
			if usernames(onward) != usernames(whole) || len(whole) < 23 {
				t.Errorf("%q, want %q", usernames(onward), usernames(whole))
			}
			if back := walkBack(t, ctx, s, w, f, previous, 4); usernames(back) != usernames(whole[:len(back)]) || len(back) < 19 {
				t.Errorf("back: %q, want the beginning of %q", usernames(back), usernames(whole))
			}
		})
	}
}

// walk goes onward to the end, and returns the cursor by which the last page leads back.
func walk(t *testing.T, list func(store.Page) ([]store.User, string, error), limit int) (all []store.User, previous string) {
	t.Helper()
	for cursor := ""; ; {
		previous = ""
		part, next, err := list(store.Page{Cursor: cursor, Limit: limit, Previous: &previous})
		must(t, err)
		if len(part) > limit {
			t.Fatalf("%d in a page of %d", len(part), limit)
		}
		if (cursor == "") != (previous == "") {
			t.Errorf("page after %q leads back to %q", cursor, previous)
		}
		if all = append(all, part...); next == "" {
			return all, previous
		}
		cursor = next
	}
}

func walkBack(
	t *testing.T, ctx context.Context, s *store.Store, w world, f store.UserFilter, from string, limit int,
) (all []store.User) {
	t.Helper()
	for from != "" {
		before := from
		from = ""
		part, next, err := s.Users(ctx, w.env.ID, f, store.Page{Before: before, Limit: limit, Previous: &from})
		must(t, err)
		if next == "" || len(part) == 0 || len(part) > limit {
			t.Fatal("a page that was come back to leads nowhere")
		}
		all = append(slices.Clone(part), all...)
	}
	return all
}
