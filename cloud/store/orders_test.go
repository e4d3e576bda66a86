package store_test

import (
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// orders are all of users, onward and back.
func orders() map[string]store.UserFilter {
	all := map[string]store.UserFilter{"last": {Order: store.ByLastSignOn}}
	for _, order := range []store.UserOrder{store.ByUsername, store.ByName, store.ByEmail} {
		all["by-"+string(order)] = store.UserFilter{Order: order}
		all["down-"+string(order)] = store.UserFilter{Order: order, Descending: true}
	}
	return all
}

// oddTexts are in names and e-mail addresses: of other scripts and cases, with accents in either spelling, in
// pieces, with what SQL, JSON and patterns mean something by, and none.
var oddTexts = []string{
	"", "Émile", "E\u0301mile", "emil", "ZOLA", "İstanbul", "ıssız", "Straße", "ΣΊΣΥΦΟΣ", "σίσυφος", "Łódź", "许", "한국어", "हिन्दी",
	"'; --", "%_\\", `["name","x"]`, "\x00nul", "\uFFFD", "😀 grin", " blank ", "never", "name", strings.Repeat("long", 60),
}

// somePeople makes users whose names, e-mail addresses and sign-ons are in different orders; many share them, and
// some have none.
func somePeople(t *testing.T, s *store.Store, w world, n int) {
	t.Helper()
	must(t, s.Provision(t.Context(), func(tx *store.Tx) error {
		for i := range n {
			u := store.User{
				EnvironmentID: w.env.ID,
				PopulationID:  w.population.ID,
				Username:      fmt.Sprintf("member%02d%s", i, oddTexts[(i*5)%len(oddTexts)]),
				GivenName:     oddTexts[(i*7)%len(oddTexts)],
				FamilyName:    oddTexts[i%len(oddTexts)],
				Email:         []string{"", "x@corp.example", fmt.Sprintf("M%02d%s@corp.example", n-i, oddTexts[i%len(oddTexts)])}[i%3],
				Enabled:       i%4 > 0,
				Locked:        i%8 == 1,
			}
			if i%5 < 4 {
				u.GatewayID, u.UserTypeID = w.gateway.ID, w.gateway.UserTypes[0].ID
			}
			if err := tx.CreateUser(t.Context(), &u); err != nil {
				return err
			}
			for range i % 3 {
				at := time.Now().Add(-time.Duration(i%5) * time.Hour).Truncate(time.Minute)
				if err := tx.Store().RecordSignOn(t.Context(), &store.SignOn{
					EnvironmentID: w.env.ID, UserID: u.ID, At: at, Outcome: "ok",
				}); err != nil {
					return err
				}
			}
		}
		return nil
	}))
}

// narrowed are filters of each kind.
func narrowed(w world) map[string]func(*store.UserFilter) {
	return map[string]func(*store.UserFilter){
		"all":        func(*store.UserFilter) {},
		"population": func(f *store.UserFilter) { f.PopulationID = w.population.ID },
		"gateway":    func(f *store.UserFilter) { f.GatewayID = w.gateway.ID },
		"userType":   func(f *store.UserFilter) { f.GatewayID, f.UserTypeID = w.gateway.ID, w.gateway.UserTypes[0].ID },
		"enabled":    func(f *store.UserFilter) { f.State = store.UserEnabled },
		"disabled":   func(f *store.UserFilter) { f.State = store.UserDisabled },
		"locked":     func(f *store.UserFilter) { f.State = store.UserLocked },
		"searched":   func(f *store.UserFilter) { f.Search = "member" },
		"begins":     func(f *store.UserFilter) { f.Search = "x" },
		"accent":     func(f *store.UserFilter) { f.Search = "émi" },
		"never":      func(f *store.UserFilter) { f.Never = true },
		"since":      func(f *store.UserFilter) { f.Since = time.Now().Add(-150 * time.Minute) },
		"silent":     func(f *store.UserFilter) { f.Silent = time.Now().Add(-150 * time.Minute) },
		"condition":  func(f *store.UserFilter) { f.Where = isX("name.given", store.Present) },
		"two":        func(f *store.UserFilter) { f.GatewayID, f.State, f.Never = w.gateway.ID, store.UserEnabled, true },
	}
}

// Every order has all users exactly once, in pages of any length, onward and back, with whatever else a filter says:
// of a few, who are put in order here, and of more, whom an index has in order.
func TestNobodyIsLeftOutOfAnOrder(t *testing.T) {
	for many, limits := range map[int][]int{23: {1, 2, 5, 7}, 1100: {400}} {
		t.Run(strconv.Itoa(many), func(t *testing.T) {
			s := openAt(t, empty(t))
			w := build(t, s, "one")
			somePeople(t, s, w, many)
			for name, f := range orders() {
				for what, narrow := range narrowed(w) {
					if many > 1000 && !slices.Contains([]string{"all", "population", "searched", "never", "silent"}, what) {
						continue // few again
					}
					t.Run(name+"/"+what, func(t *testing.T) {
						f := f
						narrow(&f)
						isWalked(t, s, w, f, limits)
					})
				}
			}
		})
	}
}

// isWalked goes through all pages of a list.
func isWalked(t *testing.T, s *store.Store, w world, f store.UserFilter, limits []int) {
	t.Helper()
	list := func(f store.UserFilter) func(store.Page) ([]store.User, string, error) {
		return func(p store.Page) ([]store.User, string, error) { return s.Users(t.Context(), w.env.ID, f, p) }
	}
	plain := f
	plain.Order, plain.Descending = store.ByUsername, false
	everybody, _ := walk(t, list(plain), store.MaxLimit)
	whole, _ := walk(t, list(f), store.MaxLimit)
	if !slices.Equal(slices.Sorted(slices.Values(ids(whole))), slices.Sorted(slices.Values(ids(everybody)))) {
		t.Errorf("%d of them, want the same %d", len(whole), len(everybody))
	}
	if len(whole) <= 50 {
		limits = append(limits, max(1, len(whole)))
	}
	if f.Descending {
		up := f
		up.Descending = false
		upward, _ := walk(t, list(up), store.MaxLimit)
		if slices.Reverse(upward); !slices.Equal(ids(upward), ids(whole)) {
			t.Errorf("backward: %q, want the reverse of %q", usernames(whole), usernames(upward))
		}
	}
	for _, limit := range limits {
		onward, previous := walk(t, list(f), limit)
		if !slices.Equal(ids(onward), ids(whole)) {
			t.Errorf("by %d: %q, want %q", limit, usernames(onward), usernames(whole))
		}
		back := walkBack(t, t.Context(), s, w, f, previous, limit)
		if last := len(whole) - len(back); last < 0 || !slices.Equal(ids(back), ids(whole)[:len(back)]) || last > limit {
			t.Errorf("back by %d: %q, want the beginning of %q", limit, usernames(back), usernames(whole))
		}
	}
}

func ids(users []store.User) (all []string) {
	for _, u := range users {
		all = append(all, u.ID)
	}
	return all
}

// Users are in the order that is asked for, whoever is looked for.
func TestUsersAreInOrder(t *testing.T) {
	s := openAt(t, empty(t))
	w := build(t, s, "one")
	findable(t, s, w)
	for i, username := range []string{"bb", "jg", "aarcher", "bb"} {
		u, err := s.UserByUsername(t.Context(), w.env.ID, username)
		must(t, err)
		at := time.Now().Add(time.Duration(i) * time.Minute)
		must(t, s.RecordSignOn(t.Context(), &store.SignOn{EnvironmentID: w.env.ID, UserID: u.ID, At: at, Outcome: "ok"}))
	}
	must(t, s.DeleteUser(t.Context(), w.env.ID, w.user.ID))
	for name, want := range map[string]string{
		"by-":        "aarcher bb jg x_1% 许",
		"down-":      "许 x_1% jg bb aarcher",
		"by-name":    "aarcher jg bb x_1% 许",
		"down-name":  "许 x_1% bb jg aarcher",
		"by-email":   "jg x_1% aarcher bb 许",
		"down-email": "许 bb aarcher x_1% jg",
		"last":       "bb aarcher jg x_1% 许",
	} {
		for _, search := range []string{"", "a", "e"} {
			f := orders()[name]
			f.Search = search
			users, _, err := s.Users(t.Context(), w.env.ID, f, store.Page{})
			must(t, err)
			if got := usernames(users); search == "" && got != want || !within(users, want) {
				t.Errorf("%s of %q: %q, want %q", name, search, got, want)
			}
		}
	}
}

// within tells whether users are in the order of usernames.
func within(users []store.User, order string) bool {
	return slices.IsSortedFunc(users, func(a, b store.User) int {
		return strings.Index(order, a.Username) - strings.Index(order, b.Username)
	})
}

// Groups are in the order that is asked for, onward and back, and every page is there.
func TestGroupsAreInOrder(t *testing.T) {
	s := openAt(t, empty(t))
	w := build(t, s, "one")
	ctx, page := t.Context(), store.Page{}
	must(t, s.DeleteGroup(ctx, w.env.ID, w.group.ID))
	must(t, s.DeleteGroup(ctx, w.env.ID, w.jit.ID))
	for i := range 17 {
		g := store.Group{EnvironmentID: w.env.ID, Name: fmt.Sprintf("g%02d", i), DisplayName: fmt.Sprintf("d%02d", (i*5)%17)}
		if i%3 > 0 {
			g.SourceType, g.SourceID = store.SourceGateway, w.gateway.ID
		}
		must(t, s.Provision(ctx, func(tx *store.Tx) error { return tx.CreateGroups(ctx, []*store.Group{&g}) }))
		if i%5 == 0 {
			must(t, s.UpdateGroup(ctx, &g))
		}
	}
	keys := map[store.GroupOrder]func(g store.Group) string{
		store.ByDisplayName: func(g store.Group) string { return g.DisplayName },
		store.BySource:      func(g store.Group) string { return string(g.SourceType) + g.DisplayName[1:] },
		store.ByChange:      func(g store.Group) string { return g.UpdatedAt.Format("2006-01-02T15:04:05.000000") },
	}
	for order, key := range keys {
		for _, down := range []bool{false, true} {
			for _, f := range []store.GroupFilter{
				{}, {Search: "D"}, {JustInTime: new(true)}, {SourceType: store.SourceGateway, SourceID: w.gateway.ID},
			} {
				f.Order, f.Descending = order, down
				whole, _, err := s.Groups(ctx, w.env.ID, f, page)
				must(t, err)
				sorted := slices.IsSortedFunc(whole, func(a, b store.Group) int {
					if down {
						a, b = b, a
					}
					return strings.Compare(key(a), key(b))
				})
				if !sorted || len(whole) < 11 {
					t.Errorf("%q, down %v: %q", order, down, groupIDs(whole))
				}
				onward, back := groupPages(t, s, w, f)
				if !slices.Equal(onward, groupIDs(whole)) || !slices.Equal(back, onward[:len(back)]) || len(onward)-len(back) > 4 {
					t.Errorf("%q, down %v: %d onward and %d back, want %d", order, down, len(onward), len(back), len(whole))
				}
			}
		}
	}
}

func groupIDs(groups []store.Group) (all []string) {
	for _, g := range groups {
		all = append(all, g.ID)
	}
	return all
}

// groupPages goes through pages of four, onward and back.
func groupPages(t *testing.T, s *store.Store, w world, f store.GroupFilter) (onward, back []string) {
	t.Helper()
	previous := ""
	for cursor, first := "", true; cursor != "" || first; first = false {
		previous = ""
		groups, next, err := s.Groups(t.Context(), w.env.ID, f, store.Page{Cursor: cursor, Limit: 4, Previous: &previous})
		must(t, err)
		onward, cursor = append(onward, groupIDs(groups)...), next
	}
	for before := previous; before != ""; before = previous {
		previous = ""
		groups, _, err := s.Groups(t.Context(), w.env.ID, f, store.Page{Before: before, Limit: 4, Previous: &previous})
		must(t, err)
		back = append(groupIDs(groups), back...)
	}
	return onward, back
}

// A cursor is a place in the order that it came from: in either direction of that, and refused by every other
// order, by whichever way the list is made.
func TestCursorsAreOfTheirOrder(t *testing.T) {
	s := openAt(t, empty(t))
	w := build(t, s, "one")
	somePeople(t, s, w, 23)
	for _, search := range []string{"", "member"} {
		for name, f := range orders() {
			f.Search = search
			for _, limit := range []int{1, 12, 16, 22} { // of the last order some are among who never has signed on
				_, next, err := s.Users(t.Context(), w.env.ID, f, store.Page{Limit: limit})
				must(t, err)
				for other, g := range orders() {
					g.Search = search
					for _, page := range []store.Page{{Cursor: next}, {Before: next}} {
						_, _, err := s.Users(t.Context(), w.env.ID, g, page)
						if same := f.Order == g.Order; same && err != nil || !same && !errors.Is(err, store.ErrCursor) {
							t.Fatalf("%q after %d of %s: %s says %v", search, limit, name, other, err)
						}
					}
				}
			}
		}
	}
}

// The same of groups.
func TestCursorsOfGroupsAreOfTheirOrder(t *testing.T) {
	s := openAt(t, empty(t))
	w := build(t, s, "one")
	for _, order := range groupOrders {
		_, next, err := s.Groups(t.Context(), w.env.ID, store.GroupFilter{Order: order}, store.Page{Limit: 1})
		must(t, err)
		for _, other := range groupOrders {
			for _, page := range []store.Page{{Cursor: next}, {Before: next}} {
				_, _, err := s.Groups(t.Context(), w.env.ID, store.GroupFilter{Order: other}, page)
				if same := order == other; same && err != nil || !same && !errors.Is(err, store.ErrCursor) {
					t.Errorf("%q: %q says %v", order, other, err)
				}
			}
		}
	}
}

var groupOrders = []store.GroupOrder{store.ByDisplayName, store.BySource, store.ByChange}

// What is no cursor of a list is refused, whatever it is.
func TestWhatIsNoCursorIsRefused(t *testing.T) {
	s := openAt(t, empty(t))
	w := build(t, s, "one")
	for _, made := range []string{
		``, `null`, `[]`, `{}`, `7`, `"name"`, `["name"]`, `["last","now","x"]`, `["never"]`, `["never","a","b","c"]`, `["email","a","b"]`, `[1,2]`,
		`["a","b","c","d","e"]`, `["changed","soon","x"]`, `["source","a","b"]`,
	} {
		for _, cursor := range []string{base64.RawURLEncoding.EncodeToString([]byte(made)), "%" + made, "!"} {
			if cursor == "" {
				continue
			}
			for name, f := range orders() {
				for _, page := range []store.Page{{Cursor: cursor}, {Before: cursor}} {
					if _, _, err := s.Users(t.Context(), w.env.ID, f, page); !errors.Is(err, store.ErrCursor) {
						t.Errorf("%s of %q: %v", name, made, err)
					}
				}
			}
			for _, order := range groupOrders {
				_, _, err := s.Groups(t.Context(), w.env.ID, store.GroupFilter{Order: order}, store.Page{Cursor: cursor})
				if !errors.Is(err, store.ErrCursor) {
					t.Errorf("groups by %q of %q: %v", order, made, err)
				}
			}
		}
	}
}

// People and groups are found without regard to accents, with or without them in what is looked for; marks that
// are no accents count.
func TestAccentsAreFolded(t *testing.T) {
	s := openAt(t, empty(t))
	w := build(t, s, "one")
	names := map[string][]string{
		"Émilie Brontë":      {"emilie", "ÉMILIE", "bronte", "brontë", "mil", "é b"},
		"Jürgen Groß":        {"jurgen", "jürgen", "gross", "groß", "ros"},
		"Łukasz Śląski":      {"lukasz", "łukasz", "slaski", "ŚLĄSKI"},
		"Søren Ærø":          {"soren", "sören", "aero", "ærø"},
		"Đặng Thị Hồng":      {"dang", "thi hong", "đặng", "hồng"},
		"Ólafur Þórðarson":   {"olafur", "thordarson", "þórð"},
		"Nguye\u0302\u0303n": {"nguyen", "nguyễn"},
		"Алёна":              {"алена", "алёна"},
		"हिन्दी":             {"हिन्दी"},
		"한국어":                {"한국어"},
	}
	for name := range names {
		must(t, s.CreateUser(t.Context(), &store.User{
			EnvironmentID: w.env.ID, PopulationID: w.population.ID, Username: "u" + name, FamilyName: name,
		}))
		must(t, s.CreateGroup(t.Context(), &store.Group{EnvironmentID: w.env.ID, Name: "cn=" + name, DisplayName: name}))
	}
	for name, searches := range names {
		for _, search := range searches {
			if found := searchFinds(t, s, w, search); !slices.Contains(found, "u"+name) || len(found) > 2 {
				t.Errorf("%q finds the users %q, want %q", search, found, name)
			}
			groups, _, err := s.Groups(t.Context(), w.env.ID, store.GroupFilter{Search: search}, store.Page{})
			must(t, err)
			if !slices.ContainsFunc(groups, func(g store.Group) bool { return g.DisplayName == name }) || len(groups) > 2 {
				t.Errorf("%q finds the groups %+v, want %q", search, groups, name)
			}
		}
	}
}

// searchFinds are the usernames that a search finds.
func searchFinds(t *testing.T, s *store.Store, w world, search string) (all []string) {
	t.Helper()
	users, _, err := s.Users(t.Context(), w.env.ID, store.UserFilter{Search: search}, store.Page{})
	must(t, err)
	for _, u := range users {
		all = append(all, u.Username)
	}
	return all
}

// foundBy is what all users and groups are found by and in what order, as it is kept.
func foundBy(t *testing.T, db *sql.DB) (all []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `
		SELECT id, found_by, name_folded FROM users UNION ALL SELECT id, found_by, '' FROM cloud_groups ORDER BY 1`)
	must(t, err)
	defer rows.Close()
	for rows.Next() {
		var id, found, name string
		must(t, rows.Scan(&id, &found, &name))
		all = append(all, id+"|"+found+"|"+name)
	}
	must(t, rows.Err())
	return all
}

// Who was there before accents were folded is found without them, and in the order of names, once the database is
// opened by this program.
func TestAccentsOfBefore(t *testing.T) {
	where := empty(t)
	s := openAt(t, where)
	w := build(t, s, "one")
	findable(t, s, w)
	must(t, s.CreateGroup(t.Context(), &store.Group{EnvironmentID: w.env.ID, Name: "cn=Bücher", DisplayName: "Bücher"}))
	engine, file := "pgx", where
	if !store.IsPostgres(where) {
		engine, file = "sqlite", "file:"+strings.ReplaceAll(where, "?", "%3f")
	}
	db, err := sql.Open(engine, file)
	must(t, err)
	defer db.Close()
	for i, name := range []string{"", " ", "A  B", "kelvin K", "İzmir", "ﬁsh", "O'Neil", "a\tb", "Zoë \u00a0x", "ẞ", "Ǆ", "x\nb", "\x00"} {
		must(t, s.CreateUser(t.Context(), &store.User{EnvironmentID: w.env.ID, PopulationID: w.population.ID,
			Username: fmt.Sprint("odd", i), FamilyName: name, GivenName: strings.ToLower(name)}))
		must(t, s.CreateGroup(t.Context(), &store.Group{EnvironmentID: w.env.ID, Name: fmt.Sprint("odd", i), DisplayName: name + "."}))
	}
	fresh := foundBy(t, db)
	for _, before := range []string{
		"DELETE FROM user_texts WHERE user_id IN (SELECT id FROM users WHERE username IN ('jg', 'x_1%'))",
		"UPDATE users SET found_by = '\njürgen\ngroß\n' WHERE username = 'jg'",
		"UPDATE users SET found_by = '\némile\nzola\n' WHERE username = 'x_1%'",
		"DROP INDEX users_name",
		"DROP INDEX groups_changed",
		"ALTER TABLE users DROP COLUMN name_folded",
		"ALTER TABLE cloud_groups DROP COLUMN found_by",
		"DELETE FROM goose_db_version WHERE version_id >= 39",
	} {
		_, err := db.ExecContext(t.Context(), before)
		must(t, err)
	}
	s = openAt(t, where)
	if now := foundBy(t, db); !slices.Equal(now, fresh) {
		t.Errorf("who was there is kept as\n%q\nand as they come\n%q", now, fresh)
	}
	for search, want := range map[string]string{"emile": "x_1%", "émi": "x_1%", "jurgen": "jg", "gross": "jg", "rcher": "aarcher"} {
		if got := strings.Join(searchFinds(t, s, w, search), " "); got != want {
			t.Errorf("%q finds %q, want %q", search, got, want)
		}
	}
	groups, _, err := s.Groups(t.Context(), w.env.ID, store.GroupFilter{Search: "bucher"}, store.Page{})
	if err != nil || len(groups) != 1 {
		t.Errorf("%+v, %v", groups, err)
	}
	users, _, err := s.Users(t.Context(), w.env.ID, store.UserFilter{Order: store.ByName}, store.Page{})
	users = slices.DeleteFunc(users, func(u store.User) bool { return strings.HasPrefix(u.Username, "odd") })
	if got := usernames(users); err != nil || !strings.Contains(got, "aarcher jg bb x_1% 许") {
		t.Errorf("%q, %v", got, err)
	}
}
