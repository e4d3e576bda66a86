package cloud

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/pgtest"
	"ldap-gateway/cloud/store/storetest"
)

// each is in how many groups each of the copied people is.
const each = 4

// crowd are copies of somebody of whom a running siege writes the rows, as many as people and teams say.
func (s *siege) crowd(people, teams int) copies {
	s.t.Helper()
	c := copies{
		database:  s.server.Database,
		person:    "thepattern",
		people:    people,
		teamCount: teams,
		told:      people,
		progress:  func(string, ...any) {},
	}
	for k := range each {
		c.groups = append(c.groups, fmt.Sprintf("kind%d", k))
	}
	s.teams(func(string) []string { return named(c.groups) })
	s.mustSignOn("thefirst") // whose groups are new
	s.mustSignOn(c.person)
	s.teams(c.teamsOf)
	return c
}

// named are groups by the word that tells them from others.
func named(words []string) (all []string) {
	for _, w := range words {
		all = append(all, "cn="+w+",ou=teams,dc=x")
	}
	return all
}

// teamsOf are the groups of a copy, by its name.
func (c copies) teamsOf(name string) []string {
	var i int
	if _, err := fmt.Sscanf(name, "person%d", &i); err != nil {
		return []string{}
	}
	var words []string
	for k := range c.groups {
		words = append(words, copyOf("team", c.teamOf(i, k)))
	}
	return named(words)
}

// teams has the good agent know the groups of whoever signs on.
func (s *siege) teams(of func(name string) []string) {
	s.good.mu.Lock()
	defer s.good.mu.Unlock()
	s.good.teams = of
}

func (s *siege) mustSignOn(name string) signedOn {
	s.t.Helper()
	r := s.signOn(name)
	if r.Outcome != "ok" || r.User.ID == "" {
		s.t.Fatalf("%s: %+v", name, r)
	}
	return r
}

// between ends the cloud, does something to its database, and starts it again at the same address, where the
// good agent finds it.
func (s *siege) between(do func()) {
	s.t.Helper()
	at, err := url.Parse(s.url)
	must(s.t, err)
	s.stop()
	do()
	s.server.Listen = net.JoinHostPort(at.Hostname(), at.Port())
	s.run()
	s.await(s.t, "the good agent is back", func() bool { return s.signOn("alice").Outcome == "ok" })
}

// What is copied is what a cloud writes when the same people sign on, in every column of every table, and in
// what they are found by.
func TestCopiesAreWhatIsWritten(t *testing.T) {
	const people, teams = 9, 5
	for name, database := range map[string]func() string{
		"SQLite":     func() string { return storetest.Folder(t) + "/copied.db" },
		"PostgreSQL": func() string { return pgtest.Start(t).Database() },
	} {
		t.Run(name, func(t *testing.T) {
			s := startSiegeAt(t, database(), func(*store.Store, string) {})
			c := s.crowd(people, teams)
			s.teams(func(string) []string { return c.allTeams() })
			s.mustSignOn("thesecond")
			s.teams(c.teamsOf)
			for i := range people {
				s.mustSignOn(copyOf("person", i))
			}
			var written, copied []string
			s.between(func() {
				written = c.dump(t)
				c.undo(t)
				if left := c.dump(t); len(left) > 0 {
					t.Fatalf("what was written is there still: %q", left[0])
				}
				c.add(t)
				copied = c.dump(t)
			})
			if !slices.Equal(written, copied) || len(written) < people*(each+5) {
				t.Errorf("%d rows were written, %d copied:\n%s", len(written), len(copied), differing(written, copied))
			}
			c.last(s)
		})
	}
}

// last has a copy sign on and be found.
func (c copies) last(s *siege) {
	s.t.Helper()
	name := copyOf("person", c.people-1)
	if r := s.mustSignOn(name); len(r.Groups) != each || r.Membership.Verdict != "complete" {
		s.t.Errorf("%+v", r)
	}
	var found struct{ Size int }
	s.must("GET", "/users?filter="+url.QueryEscape(`username co "`+name[3:]+`"`), nil, &found)
	if found.Size != 1 {
		s.t.Errorf("%d are found", found.Size)
	}
}

func (c copies) allTeams() []string {
	var words []string
	for i := range c.teamCount {
		words = append(words, copyOf("team", i))
	}
	return named(words)
}

// differing are some of the rows that only one of two lists has.
func differing(a, b []string) string {
	var out []string
	for row := range maps.Keys(counts(a, b)) {
		out = append(out, row)
	}
	slices.Sort(out)
	return strings.Join(out[:min(len(out), 20)], "\n")
}

func counts(a, b []string) map[string]int {
	n := map[string]int{}
	for _, row := range a {
		n["- "+row]++
	}
	for _, row := range b {
		if n["- "+row]--; n["- "+row] == 0 {
			delete(n, "- "+row)
		}
	}
	return n
}

// copiedRows are conditions by which the rows of copies are found in each table.
func (c copies) copiedRows() map[string]string {
	const people = `(SELECT id FROM users WHERE username LIKE 'person0%')`
	return map[string]string{
		"activities":      `sign_on_id IN (SELECT id FROM sign_ons WHERE username LIKE 'person0%')`,
		"sign_ons":        `username LIKE 'person0%'`,
		"membership_rows": `user_id IN ` + people,
		"correlations":    `user_id IN ` + people,
		"user_texts":      `user_id IN ` + people,
		"users":           `username LIKE 'person0%'`,
		"cloud_groups":    `name LIKE 'cn=team0%'`,
	}
}

// undo takes the rows away again, what hangs on others first.
func (c copies) undo(t *testing.T) {
	t.Helper()
	to := openCopied(t, c.database)
	defer to.close()
	rows := c.copiedRows()
	for _, table := range []string{
		"activities", "sign_ons", "membership_rows", "correlations", "user_texts", "users", "cloud_groups",
	} {
		must(t, to.remove(table, rows[table]))
	}
	must(t, to.remove("membership_rows", "group_id NOT IN (SELECT id FROM cloud_groups)"))
}

var longNumber = regexp.MustCompile(`\b[0-9]{16}\b`)

// dump has the rows of copies as texts, with names in the place of IDs, and without what time it was.
func (c copies) dump(t *testing.T) (all []string) {
	t.Helper()
	to := openCopied(t, c.database)
	defer to.close()
	var names []string
	for table, name := range map[string]string{"users": "username", "cloud_groups": "name", "sign_ons": "username"} {
		for _, row := range to.read(t, "SELECT id, "+name+" FROM "+table).rows {
			names = append(names, fmt.Sprint(row[0].fixed), fmt.Sprintf("<%s %v>", table, row[1].fixed))
		}
	}
	replace := strings.NewReplacer(names...)
	for table, which := range c.copiedRows() {
		got := to.read(t, "SELECT * FROM "+table+" WHERE "+which)
		for _, row := range got.rows {
			var b strings.Builder
			b.WriteString(table)
			for i, name := range got.columns {
				if name == "no" || name == "duration" || name == "id" && table == "activities" {
					continue
				}
				fmt.Fprintf(&b, "|%s=%v", name, row[i].fixed)
			}
			all = append(all, longNumber.ReplaceAllString(replace.Replace(b.String()), "<time>"))
		}
	}
	all = append(all, to.pieces(t)...)
	slices.Sort(all)
	return all
}
