package cloud

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/pgtest"
)

var (
	scale = flag.Int("scale", 2000,
		"how many people BenchmarkScale has at most, in a tenth as many groups; it begins with a thousand")
	rounds = flag.Int("scale.rounds", 9, "how many rounds each row of BenchmarkScale has")
)

// BenchmarkScale has clouds of few people and of many side by side, on either engine, and has them do the same in
// turns: known people sign on, every list and page of the console and the API is read, and the group that everybody is
// in is deleted while others sign on. It prints what each takes
// and how much more that is among many. What a sign-on costs is processor's time: of this process, the client and
// the agent in it included, and of PostgreSQL. "make scale" has it go up to a million people and 100,000 groups.
//
// The server of PostgreSQL does not wait for its disk: see pgtest.
func BenchmarkScale(b *testing.B) {
	for _, name := range []string{"SQLite", "PostgreSQL"} {
		b.Run(name, func(b *testing.B) {
			s := startScales(b, name)
			for b.Loop() {
				s.signOns()
				s.lists()
				s.deletes()
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// scales are clouds of different sizes on one engine.
type scales struct {
	b      *testing.B
	server *pgtest.Server // nil: SQLite
	of     []*scaled      // the smallest first
}

// scaled is one of them.
type scaled struct {
	*siege
	copies
	drawn   int // sign-ons so far
	changes bool
	visited string // name of somebody
	mu      sync.Mutex
	came    map[string]int // by name: how often they have come into one more group
}

func startScales(b *testing.B, engine string) *scales {
	b.Helper()
	s := &scales{b: b}
	database := s.databases(engine)
	for _, people := range slices.Compact([]int{1000, max(1000, *scale/10), max(1000, *scale)}) {
		c := &scaled{siege: startSiegeAt(b, database(), func(*store.Store, string) {}), came: map[string]int{}}
		c.copies = c.crowd(people, max(2*each, people/10))
		c.told = min(people, 100_000)
		c.progress = func(format string, args ...any) {
			fmt.Fprintf(os.Stderr, "%s: "+format+"\n", append([]any{engine}, args...)...)
		}
		c.between(func() { c.add(b) })
		c.teams(c.groupsNow)
		c.signIn()
		s.of = append(s.of, c)
	}
	return s
}

// databases makes empty ones.
func (s *scales) databases(engine string) (another func() string) {
	s.b.Helper()
	if engine == "PostgreSQL" {
		s.server = pgtest.Start(s.b)
		return s.server.Database
	}
	return func() string { return filepath.Join(s.b.TempDir(), "cloud.db") }
}

// groupsNow are somebody's groups: when they change, one more at each sign-on.
func (c *scaled) groupsNow(name string) []string {
	all := c.teamsOf(name)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changes {
		c.came[name]++
	}
	for n := range c.came[name] {
		all = append(all, named([]string{copyOf("team", (len(name)*31+c.drawn+7*n)%c.teamCount)})...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// next is somebody whom the cloud knows.
func (c *scaled) next() string {
	c.drawn++
	return copyOf("person", c.drawn*7919%c.people)
}

// setUpdates says whether the records of people are held against the directory.
func (c *scaled) setUpdates(on bool) {
	c.t.Helper()
	var g map[string]any
	c.must("GET", "/gateways/"+c.honest.Gateway, nil, &g)
	g["userTypes"].([]any)[0].(map[string]any)["updateUserOnSuccessfulAuthentication"] = on
	c.must("PUT", "/gateways/"+c.honest.Gateway, g, nil)
}

// perRound is how many sign-ons a round has.
const perRound = 50

// signOns measures those of people who are known.
func (s *scales) signOns() {
	s.b.Helper()
	for _, row := range []struct {
		name             string
		updates, changes bool
	}{{"sign-on, record left alone", false, false}, {"sign-on, nothing changed", true, false}, {"sign-on, one change", true, true}} {
		for _, c := range s.of {
			c.setUpdates(row.updates)
			c.mu.Lock()
			c.changes = row.changes
			c.mu.Unlock()
			c.mustSignOn(c.next())
		}
		took := make([][]float64, len(s.of))
		for range *rounds {
			for i, c := range s.of {
				from := s.spent()
				for range perRound {
					c.mustSignOn(c.next())
				}
				took[i] = append(took[i], float64((s.spent()-from).Microseconds())/1000/perRound)
			}
		}
		s.print(row.name+", processor's ms", took)
	}
}

// spent is the processor's time that this process and PostgreSQL have had.
func (s *scales) spent() time.Duration {
	all := spent(s.b)
	if s.server == nil {
		return all
	}
	pid, err := os.ReadFile(s.server.Data() + "/postmaster.pid")
	must(s.b, err)
	server, _, _ := strings.Cut(string(pid), "\n")
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	must(s.b, err)
	for _, file := range stats {
		b, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:])) // proc(5), from the state on
		if fields[1] == server {
			user, _ := strconv.Atoi(fields[11])
			system, _ := strconv.Atoi(fields[12])
			all += time.Duration(user+system) * 10 * time.Millisecond
		}
	}
	return all
}

// print prints the medians of each size, and how much more those of the largest are.
func (s *scales) print(name string, took [][]float64) {
	line := fmt.Sprintf("%-48s", name)
	var medians []float64
	for i, all := range took {
		slices.Sort(all)
		medians = append(medians, all[len(all)/2])
		line += fmt.Sprintf("  %9d: %8.2f (%.2f-%.2f)", s.of[i].people, medians[i], all[0], all[len(all)-1])
	}
	fmt.Printf("%s  ratio %.2f\n", line, medians[len(medians)-1]/medians[0])
}

// lists measures lists and pages.
func (s *scales) lists() {
	s.b.Helper()
	paths := make([]map[string]string, len(s.of))
	for i, c := range s.of {
		paths[i] = c.paths()
	}
	for _, name := range slices.Sorted(maps.Keys(paths[0])) {
		took := make([][]float64, len(s.of))
		for range *rounds {
			for i, c := range s.of {
				from := time.Now()
				c.mustRead(paths[i][name])
				took[i] = append(took[i], float64(time.Since(from).Microseconds())/1000)
			}
		}
		s.print(name+", ms", took)
	}
}

// paths are what is read, by name.
func (c *scaled) paths() map[string]string {
	c.t.Helper()
	user, small, large := c.someone()
	many := c.inMany()
	all := map[string]string{
		"console: user":                "/console/users/" + user,
		"console: user in many groups": "/console/users/" + many,
		"console: groups":              "/console/groups",
		"console: groups found":        "/console/groups?q=team%20000&type=jit",
		"console: group":               "/console/groups/" + small,
		"console: group of all":        "/console/groups/" + large,
		"console: populations":         "/console/populations",
		"console: activity":            "/console/activity",
		"console: activity of one":     "/console/activity?subject=user:" + user,
		"console: gateways":            "/console/gateways",
		"console: gateway":             "/console/gateways/" + c.honest.Gateway,
		"console: overview":            "/console/",
		"api: users":                   "/users",
		"api: users with groups":       "/users?include=memberOfGroupNames",
		"api: users of a group":        "/users?filter=" + url.QueryEscape(`memberOfGroups[id eq "`+small+`"]`),
		"api: user":                    "/users/" + user,
		"api: groups":                  "/groups",
		"api: groups found nowhere":    "/groups?filter=" + url.QueryEscape(`name co "nobody"`),
		"api: groups of a user":        "/users/" + user + "/memberOfGroups",
		"api: one of many groups":      "/users/" + many + "/memberOfGroups?limit=1",
		"api: group":                   "/groups/" + small,
		"api: group of all":            "/groups/" + large,
		"api: populations":             "/populations",
		"api: gateways":                "/gateways",
		"api: signOns":                 "/signOns",
		"api: activities":              "/activities",
	}
	for name, query := range map[string]string{
		"": "", " by part": "q=rson00005", " by common part": "q=person", " by word": "q=pe", " found nowhere": "q=nobody",
		" disabled": "state=disabled", " enabled": "state=enabled", " by last sign-on": "sort=last", " seen lately": "last=7",
		" not seen lately": "last=not-30", " never seen": "last=never", " of gateway": "source=gateway:" + c.honest.Gateway,
	} {
		all["console: users"+name] = "/console/users?" + query
	}
	for name, filter := range map[string]string{
		" by name": `username sw "person00005"`, " found nowhere": `username co "nobody"`,
		" by mail": `email eq "person0000099@example.com"`, " by common part": `username co "person"`,
	} {
		all["api: users"+name] = "/users?filter=" + url.QueryEscape(filter)
	}
	return all
}

// someone returns the ID of somebody, of a group of theirs, and of the one that everybody is in.
func (c *scaled) someone() (user, small, large string) {
	c.t.Helper()
	someone := c.mustSignOn(copyOf("person", c.people/2))
	for _, g := range someone.Groups {
		if strings.Contains(g.Name, copyOf("team", 0)) {
			large = g.ID
		} else {
			small = g.ID
		}
	}
	return someone.User.ID, small, large
}

// deletes deletes the group of everybody, and prints how long others wait meanwhile.
func (s *scales) deletes() {
	s.b.Helper()
	for _, c := range s.of {
		_, _, large := c.someone()
		c.setUpdates(false) // or they come back
		quiet := c.atOnce(1, 200, c.next)
		over := make(chan time.Duration, 1)
		go func() {
			from := time.Now()
			if err := c.do("DELETE", "/groups/"+large, nil, nil); err != nil {
				s.b.Error(err)
			}
			over <- time.Since(from)
		}()
		var beside []time.Duration
		for took := time.Duration(0); took == 0; {
			beside = append(beside, c.atOnce(1, 1, c.next)...)
			select {
			case took = <-over:
				fmt.Printf("a group of %d is deleted in %s; others p50 %.1f, p99 %.1f, at most %.1f ms (%d); quiet %.1f, %.1f, %.1f ms\n",
					c.people, took.Round(time.Millisecond), percentile(beside, 50), percentile(beside, 99), percentile(beside, 100),
					len(beside), percentile(quiet, 50), percentile(quiet, 99), percentile(quiet, 100))
			default:
			}
		}
	}
}

// manyGroups is how many somebody is in.
const manyGroups = 10_000

// inMany is the ID of somebody who is in many groups.
func (c *scaled) inMany() string {
	c.t.Helper()
	if c.visited == "" {
		c.teams(func(string) []string {
			words := make([]string, manyGroups)
			for i := range words {
				words[i] = copyOf("many", i)
			}
			return named(words)
		})
		c.setUpdates(true)
		c.visited = c.mustSignOn("inmany").User.ID
		c.teams(c.groupsNow)
	}
	return c.visited
}

// mustRead reads a page of the console to its end, or a resource of the API.
func (s *siege) mustRead(path string) {
	s.t.Helper()
	if !strings.HasPrefix(path, "/console/") {
		var all json.RawMessage
		s.must("GET", path, nil, &all)
		return
	}
	answer, err := s.browser.Get(s.url + path)
	must(s.t, err)
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	must(s.t, err)
	if answer.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %s", path, answer.Status)
	}
}
