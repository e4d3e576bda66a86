package e2e

import (
	"context"
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"ldap-gateway/cloud/api/client"
	"ldap-gateway/cloud/store/pgtest"
	"ldap-gateway/directory/slapdtest"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"
)

var (
	benchKnown  = flag.Int("known", 2000, "how many people BenchmarkWholePath knows; beside them it has 4000 whom nobody knows")
	benchRounds = flag.Int("rounds", 5, "how many rounds each row of BenchmarkWholePath has")
	benchRound  = flag.Duration("round", 500*time.Millisecond, "how long each round of BenchmarkWholePath takes")
)

const (
	benchNew  = 4000 // people whom nobody knows at first
	benchTeam = 200  // members of each group
	// perChange is how many people one change of the directory is about.
	perChange = 100
)

// BenchmarkWholePath measures a sign-on from the request at the API to its answer, with
// both programs as processes and a real slapd, beside what the directory alone takes for
// the same: a search and a bind as bare bytes on connections that are kept (raw), and with
// go-ldap (library). They take turns within each row. So compare ratios, and CPU of one
// sign-on, rather than rates.
//
// The agent searches for groups, as it does by itself before OpenLDAP; what the directory
// alone takes is the least that there is, with groups by memberOf.
//
//	off      the record is left alone
//	same     the record is held against the directory, and nothing has changed
//	changed  the person has come into one more group
//	new      nobody has seen the person before
//
// The server of PostgreSQL does not wait for its disk: see pgtest.
func BenchmarkWholePath(b *testing.B) {
	for name, start := range map[string]func() *pgtest.Server{
		"SQLite":     func() *pgtest.Server { return nil },
		"PostgreSQL": func() *pgtest.Server { return pgtest.Start(b) },
	} {
		b.Run(name, func(b *testing.B) {
			m := startMeasured(b, start())
			for _, row := range []struct {
				name   string
				update bool
				people func(atOnce int) func() string
			}{
				{"off", false, m.anyKnown},
				{"same", true, m.anyKnown},
				{"changed", true, m.changed},
				{"new", true, m.anyNew},
			} {
				m.setUpdate(row.update)
				for _, atOnce := range []int{1, 8, 64} {
					b.Run(fmt.Sprintf("%s/at-once-%d", row.name, atOnce), func(b *testing.B) {
						b.ReportMetric(0, "ns/op")
						for b.Loop() {
							m.measure(b, atOnce, row.people)
						}
					})
				}
			}
		})
	}
}

// measured is a world whose people can be drawn.
type measured struct {
	*world
	database *pgtest.Server // nil: the cloud is its own
	rows     *sql.DB
	http     *http.Client
	bare     map[string][]bareSignOn // kept connections, by kind
	fresh    atomic.Int64            // people of whom nobody knows, so far
	teams    int                     // groups made meanwhile
	profiles *profiles

	floor    map[string]*process       // of BenchmarkFloor, by name
	floorAPI map[string]*client.Client // by kind of the floor's agent
}

func startMeasured(b *testing.B, server *pgtest.Server) *measured {
	b.Helper()
	database := ""
	if server != nil {
		database = server.Database()
	}
	slapd := slapdtest.Start(b, slapdtest.Config{
		Quiet:   true,
		LDIF:    manyPeople(*benchKnown + benchNew),
		Indexes: "objectClass,uid,cn,mail,member,memberOf,uniqueMember,memberUid,entryUUID",
		Database: []string{"threads 16", "overlay memberof", "memberof-group-oc groupOfNames", "memberof-member-ad member",
			"memberof-memberof-ad memberOf"},
	})
	at := slapdDirectory(slapd)
	at.url = slapd.URL()
	m := &measured{
		database: server,
		profiles: profilesOf(b),

		bare: map[string][]bareSignOn{},
		http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
		world: newWorld(b, plan{
			at:       at,
			servers:  []string{slapd.URL()},
			logs:     "info",
			policy:   unlimited,
			database: database,
			update:   true,
		}),
	}
	m.slapd, m.api.HTTP = slapd, m.http
	m.openRows(database)
	from := time.Now()
	m.each(64, m.names(0, *benchKnown), m.mustSignOnAs)
	b.Logf("%d first sign-ons, 64 at once: %s", *benchKnown, time.Since(from).Round(time.Millisecond))
	return m
}

// manyPeople is LDIF of people in benchGroups groups each, as the overlay would have it.
func manyPeople(n int) string {
	var people, groups strings.Builder
	teams := n * benchGroups / benchTeam
	members := make([]strings.Builder, teams)
	for i := range n {
		dn := fmt.Sprintf("uid=p%05d,ou=people,%s", i, slapdtest.Suffix)
		fmt.Fprintf(&people, "dn: %s\nobjectClass: inetOrgPerson\nuid: p%05[2]d\ncn: P %[2]d\nsn: Person %[2]d\n"+
			"givenName: P\nmail: p%05[2]d@example.test\nuserPassword: password\n", dn, i)
		for k := range benchGroups {
			team := (i + k*(teams/benchGroups)) % teams
			fmt.Fprintf(&people, "memberOf: %s\n", teamDN(team))
			fmt.Fprintf(&members[team], "member: %s\n", dn)
		}
		people.WriteString("\n")
	}
	for team := range teams {
		fmt.Fprintf(&groups, "dn: %s\nobjectClass: groupOfNames\ncn: team-%04d\n%s\n", teamDN(team), team, members[team].String())
	}
	return people.String() + groups.String()
}

func teamDN(n int) string { return fmt.Sprintf("cn=team-%04d,ou=groups,%s", n, slapdtest.Suffix) }

// openRows opens what the cloud has written, beside it.
func (m *measured) openRows(database string) {
	m.t.Helper()
	driver := "pgx"
	if database == "" {
		driver, database = "sqlite", "file:"+m.dir+"/cloud/ldap-cloud.db?mode=ro"
	}
	var err error
	m.rows, err = sql.Open(driver, database)
	must(m.t, err)
	m.t.Cleanup(func() { _ = m.rows.Close() })
}

// written counts the rows that sign-ons write.
func (m *measured) written() (n float64) {
	m.t.Helper()
	must(m.t, m.rows.QueryRowContext(context.Background(), `
		SELECT (SELECT count(*) FROM sign_ons) + (SELECT count(*) FROM activities) + (SELECT count(*) FROM users)
			+ (SELECT count(*) FROM cloud_groups) + (SELECT count(*) FROM memberships)`).Scan(&n))
	return n
}

func (m *measured) names(from, n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("p%05d", from+i))
	}
	return all
}

// anyKnown draws people whom the cloud knows.
func (m *measured) anyKnown(int) func() string {
	var next atomic.Int64
	return func() string { return fmt.Sprintf("p%05d", int(next.Add(1)*37)%*benchKnown) }
}

// anyNew draws people whom it does not know, each once, as many as a round is about.
func (m *measured) anyNew(atOnce int) func() string {
	return m.few(atOnce, func() []string {
		from := int(m.fresh.Add(perRound(atOnce))) - int(perRound(atOnce))
		return m.names(*benchKnown+from, min(int(perRound(atOnce)), benchNew-from))
	})
}

// changed draws people who have just come into one more group, each once.
func (m *measured) changed(atOnce int) func() string {
	return m.few(atOnce, func() []string {
		m.teams++
		names := m.names(m.teams*perChange%(*benchKnown-perChange), int(perRound(atOnce)))
		ldif := fmt.Sprintf("dn: cn=more-%d,ou=groups,%s\nobjectClass: groupOfNames\ncn: more-%[1]d\n", m.teams, slapdtest.Suffix)
		for _, name := range names {
			ldif += "member: uid=" + name + ",ou=people," + slapdtest.Suffix + "\n"
		}
		m.slapd.Modify(ldif + "\n")
		return names
	})
}

// perRound is how many people a round is about whom it may draw once.
func perRound(atOnce int) int64 { return int64(min(perChange, 20*atOnce)) }

// few draws each of some names, and then "".
func (m *measured) few(_ int, all func() []string) func() string {
	names := all()
	var next atomic.Int64
	return func() string {
		if i := int(next.Add(1)) - 1; i < len(names) {
			return names[i]
		}
		return ""
	}
}

// mustSignOnAs signs a person on through the API, and wants all of their groups.
func (m *measured) mustSignOnAs(name string) error { return signOnBy(m.api, name) }

func signOnBy(api *client.Client, name string) error {
	var r struct {
		Outcome, Reason string
		Groups          json.RawMessage
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	err := api.Do(ctx, "POST", "/signOns", map[string]string{"username": name, "password": "password"}, &r)
	if err == nil && (r.Outcome != "ok" || strings.Count(string(r.Groups), "displayName") < benchGroups) {
		err = fmt.Errorf("%s: %s, %s, groups %s", name, r.Outcome, r.Reason, r.Groups)
	}
	return err
}

// each does something for all names, so many at once.
func (m *measured) each(atOnce int, names []string, do func(string) error) {
	next := make(chan string)
	var wg sync.WaitGroup
	for range atOnce {
		wg.Go(func() {
			for name := range next {
				if err := do(name); err != nil {
					m.t.Error(err)
				}
			}
		})
	}
	for _, name := range names {
		next <- name
	}
	close(next)
	wg.Wait()
	if m.t.Failed() {
		m.t.FailNow()
	}
}

// round is what one round of one kind took.
type round struct {
	perSecond float64
	took      []time.Duration
	cpu       map[string]float64 // microseconds of one sign-on, by process
}

// spend has so many at once sign people on until the time is over or no name is left.
func (m *measured) spend(b *testing.B, draw func() string, signOns []bareSignOn) round {
	b.Helper()
	before, from := m.cpu(), time.Now()
	took := make([][]time.Duration, len(signOns))
	var wg sync.WaitGroup
	for i, signOn := range signOns {
		wg.Go(func() {
			for time.Since(from) < *benchRound {
				name, began := draw(), time.Now()
				if name == "" {
					return
				}
				if err := signOn(name, "password"); err != nil {
					b.Error(err)
					return
				}
				took[i] = append(took[i], time.Since(began))
			}
		})
	}
	wg.Wait()
	all := slices.Concat(took...)
	if b.Failed() || len(all) == 0 {
		b.Fatal("no sign-on ended")
	}
	r := round{perSecond: float64(len(all)) / time.Since(from).Seconds(), took: all, cpu: map[string]float64{}}
	for process, after := range m.cpu() {
		r.cpu[process] = float64((after - before[process]).Microseconds()) / float64(len(all))
	}
	return r
}

// cpu returns what each process has spent: this one, and those of the world.
func (m *measured) cpu() map[string]time.Duration {
	m.t.Helper()
	var own syscall.Rusage
	must(m.t, syscall.Getrusage(syscall.RUSAGE_SELF, &own))
	all := map[string]time.Duration{
		"client": time.Duration(own.Utime.Nano() + own.Stime.Nano()),
		"cloud":  ticks(m.t, m.cloud.cmd.Process.Pid),
		"agent":  ticks(m.t, m.agents[0].cmd.Process.Pid),
		"slapd":  ticks(m.t, m.slapd.PID()),
	}
	for name, p := range m.floor {
		all[name] = ticks(m.t, p.cmd.Process.Pid)
	}
	if m.database != nil {
		for _, pid := range m.database.PIDs() {
			all["database"] += ticks(m.t, pid)
		}
	}
	return all
}

// ticks returns what a process has spent, to a hundredth of a second (proc(5), stat).
func ticks(t testing.TB, pid int) time.Duration {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	must(t, err)
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	user, err := strconv.Atoi(fields[11])
	must(t, err)
	system, err := strconv.Atoi(fields[12])
	must(t, err)
	return time.Duration(user+system) * 10 * time.Millisecond
}

// bytesWritten is what a process has given the disk to write (proc(5), io).
func bytesWritten(t testing.TB, pid int) (n float64) {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	must(t, err)
	_, after, _ := strings.Cut(string(b), "\nwrite_bytes: ")
	_, err = fmt.Sscan(after, &n)
	must(t, err)
	return n
}

// workers returns so many that sign on in one way, on connections that are kept.
func (m *measured) workers(kind string, atOnce int) []bareSignOn {
	m.t.Helper()
	for len(m.bare[kind]) < atOnce {
		one, err := bareKinds[kind](m.slapdAddress(), benchGroups)
		must(m.t, err)
		m.bare[kind] = append(m.bare[kind], one)
	}
	return m.bare[kind][:atOnce]
}

func (m *measured) slapdAddress() string { return strings.TrimPrefix(m.slapd.URL(), "ldap://") }

// measure has all kinds take turns, and reports medians, with the least and the most of
// the ratio.
func (m *measured) measure(b *testing.B, atOnce int, people func(int) func() string) {
	b.Helper()
	raw := m.workers("raw", atOnce)
	library := m.workers("library", atOnce)
	whole := m.through(m.api, atOnce)
	values := map[string][]float64{}
	note := func(name string, v float64) { values[name] = append(values[name], v) }
	var took []time.Duration
	for range *benchRounds {
		draw := people(atOnce)
		rows, written := m.written(), bytesWritten(b, m.cloud.cmd.Process.Pid)
		runtime.GC() // so that no round pays for another's
		var w round
		allocated := m.profiles.during(m.world, func() { w = m.spend(b, draw, whole) })
		n := float64(len(w.took))
		for program, a := range allocated {
			note(program+"-allocs", float64(a.Objects)/n)
			note(program+"-KB-allocated", float64(a.Bytes)/n/1024)
		}
		note("rows", (m.written()-rows)/n)
		note("KB-written", (bytesWritten(b, m.cloud.cmd.Process.Pid)-written)/n/1024)
		l := m.spend(b, m.unchanged(), library)
		r := m.spend(b, m.unchanged(), raw)
		took = append(took, w.took...)
		note("per-s", w.perSecond)
		note("raw-per-s", r.perSecond)
		note("to-raw", w.perSecond/r.perSecond)
		note("to-library", w.perSecond/l.perSecond)
		note("cloud-µs", w.cpu["cloud"])
		note("agent-µs", w.cpu["agent"])
		note("slapd-µs", w.cpu["slapd"])
		note("database-µs", w.cpu["database"])
		note("client-µs", w.cpu["client"])
		note("raw-client-µs", r.cpu["client"])
		note("raw-slapd-µs", r.cpu["slapd"])
	}
	m.profiles.print(b.Name())
	for name, all := range values {
		slices.Sort(all)
		b.ReportMetric(all[len(all)/2], name)
	}
	b.ReportMetric(values["to-raw"][0], "to-raw-least")
	b.ReportMetric(values["to-raw"][len(values["to-raw"])-1], "to-raw-most")
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2].Seconds()*1000, "p50-ms")
	b.ReportMetric(took[len(took)*99/100].Seconds()*1000, "p99-ms")
}

// unchanged draws people whom no row changes.
func (m *measured) unchanged() func() string {
	var next atomic.Int64
	return func() string { return fmt.Sprintf("p%05d", *benchKnown+int(next.Add(1)*37)%benchNew) }
}
