package directory_test

import (
	"fmt"
	"strings"
	"testing"

	"ldap-gateway/directory"
	"ldap-gateway/directory/directorytest"
	"ldap-gateway/directory/slapdtest"
)

func inMany(n int) string {
	var ldif strings.Builder
	ldif.WriteString(person("alice"))
	for i := range n {
		ldif.WriteString(group(fmt.Sprintf("g%04d", i), aliceDN))
	}
	return ldif.String()
}

// TestPagesAreAskedForOnlyWhereTheyHelp: a server that pages badly answers a plain
// search as well as one that does not page at all.
func TestPagesAreAskedForOnlyWhereTheyHelp(t *testing.T) {
	for pages, want := range map[directorytest.Pages]struct {
		verdict directory.Verdict
		groups  int
	}{
		directorytest.PagesGiven:   {directory.Complete, 1203},
		directorytest.PagesRefused: {directory.Partial, 1000},
		directorytest.PagesHalved:  {directory.Partial, 1000},
		directorytest.PagesEndless: {directory.Partial, 1000},
	} {
		for _, limit := range []int{0, 1000} {
			s := inProcess(t, inMany(1203), func(s *directorytest.Server) { s.Pages, s.MaxPage = pages, limit })
			if limit == 0 {
				want.verdict, want.groups = directory.Complete, 1203
			} else if pages != directorytest.PagesGiven {
				want.verdict, want.groups = directory.Partial, 1000
			}
			c, ut := open(t, s.CA(), s.TLSURL()), compile(t, persons())
			var searches [2]int
			for i := range searches {
				e, before := find(t, c, ut, "alice"), s.Searches()
				m := c.DirectGroups(t.Context(), ut, e)
				searches[i] = s.Searches() - before
				if m.Verdict != want.verdict || len(m.Groups) != want.groups ||
					m.Verdict == directory.Partial && !strings.Contains(m.Reason, "raise the server's limit") {
					t.Errorf(
						"pages %d, limit %d: %v (%s) with %d groups, want %+v",
						pages,
						limit,
						m.Verdict,
						m.Reason,
						len(m.Groups),
						want,
					)
				}
			}
			if bad := pages != directorytest.PagesGiven; searches[1] != 1 && (bad || limit == 0) {
				t.Errorf("pages %d, limit %d: %d searches, then %d", pages, limit, searches[0], searches[1])
			}
		}
	}
}

// TestLimitsOfPagesOnOpenLDAP has slapd limit one kind of search and not the other.
func TestLimitsOfPagesOnOpenLDAP(t *testing.T) {
	for name, tc := range map[string]struct {
		size    int
		limits  string
		verdict directory.Verdict
		groups  int
	}{
		"pages would be cut":       {0, "size.prtotal=2", directory.Complete, 5},
		"pages are refused":        {0, "size.pr=noEstimate size.prtotal=disabled", directory.Complete, 5},
		"only pages bring all":     {2, "size.prtotal=unlimited", directory.Complete, 5},
		"neither brings all":       {2, "size.prtotal=2", directory.Partial, 2},
		"cut, and pages are not":   {2, "size.prtotal=disabled", directory.Partial, 2},
		"pages bring more of them": {2, "size.prtotal=4", directory.Partial, 4},
	} {
		t.Run(name, func(t *testing.T) {
			s := slapdtest.Start(t, slapdtest.Config{LDIF: inMany(5), SizeLimit: tc.size, Limits: tc.limits})
			c, ut := open(t, s.CA(), s.TLSURL()), compile(t, persons())
			for range 2 {
				if m := membership(t, c, ut, "alice"); m.Verdict != tc.verdict || len(m.Groups) != tc.groups {
					t.Errorf("%v (%s) with %d groups", m.Verdict, m.Reason, len(m.Groups))
				}
			}
		})
	}
}
