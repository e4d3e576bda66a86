package directory_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Names of the cases that a site may list as not for it.
const (
	caseNamesAD       = "user principal name, also with another suffix, and DOMAIN\\user"
	caseUmlaut        = "a name with an umlaut, in upper and lower case"
	caseGroupClasses  = "groupOfNames, groupOfUniqueNames and posixGroup"
	caseSkipNested    = "memberOf that was made direct by configuration is used"
	casePrimaryGroup  = "a primary group of one's own is there exactly once"
	caseBuiltInGroup  = "Domain Users is there only when wanted"
	caseRanges        = "1,499, 1,500, 1,501 and 3,200 groups of one user"
	caseByID          = "evidence: groups that go by their ID are followed to another name"
	caseForeign       = "a member from a trusted domain is reported"
	caseExpired       = "account expired"
	caseLogonHours    = "outside the permitted hours"
	caseHistory       = "a password that one had before is refused in words"
	caseYoung         = "a change too soon after the last one is refused in words"
	caseForbidden     = "whoever may not change the password is told so"
	caseShowsDisabled = "explain: disabled"
	caseShowsLocked   = "explain: locked"
	caseShowsPassword = "explain: password expired"
	caseShowsChange   = "explain: password must be changed"
	caseShowsExpired  = "explain: account expired"
	caseShowsHours    = "explain: permitted hours"
	caseShowsPlaces   = "explain: permitted workstations"
	caseWorkstation   = "not permitted from this workstation"
)

type conformanceCase struct {
	name string
	run  func(*scene)
}

// conformance is every case, in the order of the table. Those that change the server's
// certificate restart it and come last.
func conformance() []conformanceCase {
	return slices.Concat(
		signOnCases(),
		groupCases(),
		identityCases(),
		outcomeCases(),
		passwordCases(),
		accountCases(),
		certificateCases(),
	)
}

// TestConformance runs one set of cases against every directory, and writes what came
// of it. Real servers are started once for all cases.
func TestConformance(t *testing.T) {
	table := &conformanceTable{cells: map[string]map[string]string{}}
	starts := []struct {
		name  string
		start func(*testing.T) site
	}{
		{"OpenLDAP", openLDAP}, {"389", ds389}, {"Samba", sambaAD},
		{"as-OpenLDAP", inOpenLDAPCharacter}, {"as-389", in389Character}, {"as-AD", inADCharacter},
	}
	table.sites = make([]string, len(starts))
	t.Run("sites", func(t *testing.T) {
		for i, s := range starts {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				at := s.start(t)
				table.sites[i] = at.name
				runCases(t, at, table)
			})
		}
	})
	if run := flag.Lookup("test.run").Value.String(); strings.Contains(run, "/") {
		return // only some of the cases were asked for
	}
	table.compare(t)
}

func runCases(t *testing.T, at site, table *conformanceTable) {
	for i, c := range conformance() {
		if why := at.cannot[c.name]; why != "" {
			table.note(at.name, c.name, why)
			continue
		}
		passed := t.Run(c.name, func(t *testing.T) {
			s := &scene{T: t, site: at, tag: fmt.Sprintf("%02d", i)}
			s.ut, s.client = s.userType(), s.open()
			c.run(s)
		})
		table.note(at.name, c.name, map[bool]string{true: "yes", false: "FAILED"}[passed])
	}
}

var update = flag.Bool("update", false, "write testdata/conformance.md")

// conformanceTable collects what each case came to on each site.
type conformanceTable struct {
	mu    sync.Mutex
	sites []string
	cells map[string]map[string]string // case, site
}

func (c *conformanceTable) note(site, name, outcome string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cells[name] == nil {
		c.cells[name] = map[string]string{}
	}
	c.cells[name][site] = outcome
}

const tableHead = `# Directories: what was tried on which

Written by TestConformance in the room directory (go test ./directory -run Conformance -update),
which fails when this file says anything else than the run. Each case is the same
code on every directory. A number stands for a reason why a case is not for it.

`

func (c *conformanceTable) text() []byte {
	var out bytes.Buffer
	out.WriteString(tableHead)
	row := func(cells ...string) { fmt.Fprintf(&out, "| %s |\n", strings.Join(cells, " | ")) }
	row(append([]string{"case"}, c.sites...)...)
	row(slices.Repeat([]string{"---"}, 1+len(c.sites))...)
	var notes []string
	for _, one := range conformance() {
		cells := []string{one.name}
		for _, site := range c.sites {
			outcome := c.cells[one.name][site]
			if outcome != "yes" && outcome != "FAILED" {
				at := slices.Index(notes, outcome)
				if at < 0 {
					at, notes = len(notes), append(notes, outcome)
				}
				outcome = fmt.Sprintf("(%d)", at+1)
			}
			cells = append(cells, outcome)
		}
		row(cells...)
	}
	out.WriteString("\n")
	for i, why := range notes {
		fmt.Fprintf(&out, "%d. %s\n", i+1, why)
	}
	return out.Bytes()
}

const tableFile = "testdata/conformance.md"

func (c *conformanceTable) compare(t *testing.T) {
	t.Helper()
	if *update {
		if err := os.WriteFile(tableFile, c.text(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	committed, err := os.ReadFile(tableFile)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.text(); !t.Failed() && !bytes.Equal(got, committed) {
		t.Errorf("%s is not what this run found; write it anew with -update:\n%s", tableFile, got)
	}
}
