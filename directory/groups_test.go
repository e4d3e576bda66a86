package directory_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ldap-gateway/directory"
	"ldap-gateway/directory/directorytest"
	"ldap-gateway/directory/slapdtest"
)

func membership(t testing.TB, c *directory.Client, ut *directory.UserType, uid string) directory.Membership {
	t.Helper()
	return c.DirectGroups(t.Context(), ut, find(t, c, ut, uid))
}

func nested() string {
	return person(
		"alice",
	) + group("child", aliceDN) + group("parent", "cn=child,"+groups) + group("grand", "cn=parent,"+groups)
}

func TestNestedGroupsGiveTheDirectOneOnly(t *testing.T) {
	onBoth(t, slapdtest.Config{LDIF: nested(), MemberOf: true}, func(t *testing.T, b bed) {
		c, ut := open(t, b.ca, b.url), compile(t, persons())
		wantMembership(t, membership(t, c, ut, "alice"), directory.Complete, "child")
	})
}

// 389 lists parents in memberOf by default, so it must not be used there.
func TestTransitiveMemberOfIsNotBelieved(t *testing.T) {
	s := inProcess(t, nested(), func(s *directorytest.Server) {
		s.MemberOf = directorytest.MemberOfTransitive
		s.RootDSE = map[string][]string{"vendorName": {"389 Project"}}
	})
	c, ut := open(t, s.CA(), s.TLSURL()), compile(t, persons())
	wantMembership(t, membership(t, c, ut, "alice"), directory.Complete, "child")
	if method, why := c.GroupMethod(ut); method != "search" || !strings.Contains(why, "parent") {
		t.Errorf("method %s because %s", method, why)
	}
}

func TestMemberOfOfTheOverlayIsUsedWhenTheFileSaysSo(t *testing.T) {
	s := slapdtest.Start(t, slapdtest.Config{LDIF: nested(), MemberOf: true})
	c := open(t, s.CA(), s.TLSURL(), func(cfg *directory.Config) { cfg.GroupsFrom = directory.GroupsMemberOf })
	ut := compile(t, persons())
	m := membership(t, c, ut, "alice")
	wantMembership(t, m, directory.Complete, "child")
	if m.Groups[0].Source != "memberOf" {
		t.Errorf("source %s", m.Groups[0].Source)
	}
	if method, _ := c.GroupMethod(ut); method != "memberOf" {
		t.Errorf("method %s", method)
	}
	s.Stop()
	if n := s.Searches(suffix); n != 0 {
		t.Errorf("%d group searches for a membership that the user's entry tells", n)
	}
}

func TestKindsOfGroups(t *testing.T) {
	ldif := person("alice") + group("names", aliceDN) +
		"dn: cn=unique," + groups + "\nobjectClass: groupOfUniqueNames\ncn: unique\nuniqueMember: " + aliceDN + "\n\n" +
		"dn: cn=posix," + groups + "\nobjectClass: posixGroup\ncn: posix\ngidNumber: 5\nmemberUid: alice\n\n" +
		"dn: cn=other," + groups + "\nobjectClass: posixGroup\ncn: other\ngidNumber: 6\nmemberUid: ALICE\n\n"
	onBoth(t, slapdtest.Config{LDIF: ldif}, func(t *testing.T, b bed) {
		c, ut := open(t, b.ca, b.url), compile(t, persons())
		m := membership(t, c, ut, "alice")
		wantMembership(t, m, directory.Complete, "names posix unique")
		var sources []string
		for _, g := range m.Groups {
			sources = append(sources, g.Source)
		}
		if !slices.Equal(sources, []string{"member", "memberUid", "uniqueMember"}) {
			t.Errorf("sources %q", sources)
		}
	})
}

func TestSameNameInTwoPlacesStaysTwoGroups(t *testing.T) {
	other := "ou=other," + suffix
	ldif := person("alice") + group("staff", aliceDN) +
		"dn: " + other + "\nobjectClass: organizationalUnit\nou: other\n\n" +
		"dn: cn=staff," + other + "\nobjectClass: groupOfNames\ncn: staff\nmember: " + aliceDN + "\n\n"
	onBoth(t, slapdtest.Config{LDIF: ldif}, func(t *testing.T, b bed) {
		c, cfg := open(t, b.ca, b.url), persons()
		wantMembership(t, membership(t, c, compile(t, cfg), "alice"), directory.Complete, "staff staff")
		cfg.Groups = &directory.GroupRule{Exclude: []string{"*, OU=Other,*"}}
		m := membership(t, c, compile(t, cfg), "alice")
		wantMembership(t, m, directory.Complete, "staff")
		if len(m.Skipped) != 1 || !strings.Contains(m.Skipped[0].DN, "ou=other") {
			t.Errorf("skipped %v", m.Skipped)
		}
		cfg.Groups = &directory.GroupRule{SearchBase: other, Include: []string{"cn=staff,*"}}
		m = membership(t, c, compile(t, cfg), "alice")
		wantMembership(t, m, directory.Complete, "staff")
	})
}

func TestGroupIDSurvivesARename(t *testing.T) {
	s := slapdtest.Start(t, slapdtest.Config{LDIF: person("alice") + group("old", aliceDN)})
	cfg := persons()
	cfg.Groups.WithID = true
	c, ut := open(t, s.CA(), s.TLSURL()), compile(t, cfg)
	before := membership(t, c, ut, "alice")
	s.Modify("dn: cn=old," + groups + "\nchangetype: modrdn\nnewrdn: cn=new\ndeleteoldrdn: 1\n")
	after := membership(t, c, ut, "alice")
	wantMembership(t, after, directory.Complete, "new")
	if len(before.Groups) != 1 || before.Groups[0].ID != after.Groups[0].ID || len(after.Groups[0].ID) != 36 {
		t.Errorf("before %+v, after %+v", before.Groups, after.Groups)
	}
}

func TestGroupWithoutANameIsLeftOutAndNotTakenAway(t *testing.T) {
	s := inProcess(t, person("alice")+group("named", aliceDN)+
		"dn: ou=nameless,"+groups+"\nobjectClass: groupOfNames\nou: nameless\nmember: "+aliceDN+"\n\n")
	c, ut := open(t, s.CA(), s.TLSURL()), compile(t, persons())
	m := membership(t, c, ut, "alice")
	wantMembership(t, m, directory.Partial, "named")
	if len(m.Skipped) != 1 {
		t.Errorf("skipped %v", m.Skipped)
	}
}

func TestNoGroupsIsCompleteAndNoRuleIsUnknown(t *testing.T) {
	onBoth(t, slapdtest.Config{LDIF: person("alice")}, func(t *testing.T, b bed) {
		c, cfg := open(t, b.ca, b.url), persons()
		wantMembership(t, membership(t, c, compile(t, cfg), "alice"), directory.Complete, "")
		cfg.Groups = nil
		wantMembership(t, membership(t, c, compile(t, cfg), "alice"), directory.Unknown, "")
	})
}

func TestSizeLimitMakesItPartial(t *testing.T) {
	ldif := person("alice") + group("a", aliceDN) + group("b", aliceDN) + group("c", aliceDN)
	onBoth(t, slapdtest.Config{LDIF: ldif, SizeLimit: 2}, func(t *testing.T, b bed) {
		c, ut := open(t, b.ca, b.url), compile(t, persons())
		m := membership(t, c, ut, "alice")
		if m.Verdict != directory.Partial || len(m.Groups) != 2 || m.Reason == "" {
			t.Errorf("got %v (%s) with %q", m.Verdict, m.Reason, names(m))
		}
	})
}

func TestMissingGroupBaseIsUnknown(t *testing.T) {
	onBoth(t, slapdtest.Config{LDIF: person("alice")}, func(t *testing.T, b bed) {
		cfg := persons()
		cfg.Groups.SearchBase = "ou=gone," + suffix
		c := open(t, b.ca, b.url)
		wantMembership(t, membership(t, c, compile(t, cfg), "alice"), directory.Unknown, "")
	})
}

func TestSearchReferenceMakesItPartial(t *testing.T) {
	ldif := person("alice") + group("a", aliceDN) +
		"dn: ou=elsewhere," + groups + "\nobjectClass: referral\nobjectClass: extensibleObject\nou: elsewhere\nref: ldap://192.0.2.1/ou=elsewhere," + groups + "\n\n"
	check := func(t *testing.T, c *directory.Client) {
		m := membership(t, c, compile(t, persons()), "alice")
		wantMembership(t, m, directory.Partial, "a")
		if !strings.Contains(m.Reason, "192.0.2.1") {
			t.Errorf("reason %q does not name the reference", m.Reason)
		}
		wantProblem(t, c, "membershipPartial")
		at := slices.IndexFunc(c.Check(t.Context()), func(row directory.Check) bool {
			return row.Name == "groups" && row.State == directory.Warning && strings.Contains(row.Detail, "192.0.2.1") &&
				row.Remedy != ""
		})
		if at < 0 {
			t.Errorf("check does not tell of it: %+v", c.Check(t.Context()))
		}
	}
	t.Run("slapd", func(t *testing.T) {
		s := slapdtest.Start(t, slapdtest.Config{LDIF: ldif})
		check(t, open(t, s.CA(), s.TLSURL()))
	})
	t.Run("directorytest", func(t *testing.T) {
		s := inProcess(t, person("alice")+group("a", aliceDN))
		s.SetSearchFault(suffix, directorytest.Fault{References: []string{"ldap://192.0.2.1/ou=elsewhere"}})
		check(t, open(t, s.CA(), s.TLSURL()))
	})
}

func TestFailuresNeverEmptyAMembership(t *testing.T) {
	for name, tc := range map[string]struct {
		fault   directorytest.Fault
		verdict directory.Verdict
		names   string
	}{
		"reset-in-the-middle":  {directorytest.Fault{ResetAfter: 1}, directory.Partial, "a"},
		"closed-at-once":       {directorytest.Fault{Close: true}, directory.Unknown, ""},
		"size-limit":           {directorytest.Fault{Result: &directorytest.Result{Code: 4}}, directory.Partial, "a b"},
		"time-limit":           {directorytest.Fault{Result: &directorytest.Result{Code: 3}}, directory.Partial, "a b"},
		"admin-limit":          {directorytest.Fault{Result: &directorytest.Result{Code: 11}}, directory.Partial, "a b"},
		"busy":                 {directorytest.Fault{Result: &directorytest.Result{Code: 51}}, directory.Partial, "a b"},
		"insufficient-rights":  {directorytest.Fault{Result: &directorytest.Result{Code: 50}}, directory.Partial, "a b"},
		"referral":             {directorytest.Fault{Result: &directorytest.Result{Code: 10}}, directory.Partial, "a b"},
		"domain-zones-at-root": {directorytest.Fault{References: []string{"ldap://x/DC=DomainDnsZones,dc=example,dc=test"}}, directory.Partial, "a b"},
	} {
		t.Run(name, func(t *testing.T) {
			s := inProcess(t, person("alice")+group("a", aliceDN)+group("b", aliceDN))
			c, ut := open(t, s.CA(), s.TLSURL()), compile(t, persons())
			e := find(t, c, ut, "alice")
			s.SetSearchFault(suffix, tc.fault)
			wantMembership(t, c.DirectGroups(t.Context(), ut, e), tc.verdict, tc.names)
		})
	}
}

// More than one page, many at once: OpenLDAP remembers one paged search for each
// connection, so pages of two people must not mix.
func TestManyGroupsComeInPages(t *testing.T) {
	var ldif strings.Builder
	users := []string{"alice", "bob", "carol", "dave"}
	for _, uid := range users {
		ldif.WriteString(person(uid))
	}
	for i := range 1203 {
		ldif.WriteString(group(fmt.Sprintf("g%04d", i), aliceDN, "uid=bob,"+people, "uid=carol,"+people, "uid=dave,"+people))
	}
	onBoth(t, slapdtest.Config{LDIF: ldif.String()}, func(t *testing.T, b bed) {
		c, ut := open(t, b.ca, b.url), compile(t, persons())
		var wg sync.WaitGroup
		for _, uid := range users {
			wg.Go(func() {
				e, err := c.FindUser(t.Context(), ut, uid)
				if err != nil {
					t.Error(err)
					return
				}
				if m := c.DirectGroups(t.Context(), ut, e); m.Verdict != directory.Complete || len(m.Groups) != 1203 {
					t.Errorf("%s: %v (%s) with %d groups", uid, m.Verdict, m.Reason, len(m.Groups))
				}
			})
		}
		wg.Wait()
	})
}

// TestNameDoesNotDependOnHowTheGroupWasFound: of two names the one in the DN counts.
func TestNameDoesNotDependOnHowTheGroupWasFound(t *testing.T) {
	ldif := person("alice", "memberOf: cn=second,"+groups) + strings.Replace(group("second", aliceDN), "cn: second\n",
		"cn: first\ncn: second\n", 1)
	s := inProcess(t, ldif)
	for _, from := range []string{directory.GroupsSearch, directory.GroupsMemberOf} {
		c := open(t, s.CA(), s.TLSURL(), func(cfg *directory.Config) { cfg.GroupsFrom = from })
		wantMembership(t, membership(t, c, compile(t, persons()), "alice"), directory.Complete, "second")
	}
}

// TestManyGroupsAreLookedAt asks about 200 of thousands that would go, in the time there is.
func TestManyGroupsAreLookedAt(t *testing.T) {
	ldif, asked := person("alice")+person("wit"), make([]directory.Asked, 0, 200)
	for i := range 5000 {
		ldif += group(fmt.Sprintf("g%04d", i), witDN)
	}
	for i := range 200 {
		asked = append(asked, directory.Asked{DN: fmt.Sprintf("cn=g%04d,%s", 20*i, groups)})
	}
	s := slapdtest.Start(t, slapdtest.Config{LDIF: ldif})
	c, ut := open(t, s.CA(), s.TLSURL()), compile(t, persons())
	e := find(t, c, ut, "alice")
	m := c.DirectGroups(t.Context(), ut, e)
	start := time.Now()
	for i, one := range c.Evidence(t.Context(), ut, e, m, asked) {
		if one.Finding != directory.Seen || one.Stamp == "" {
			t.Errorf("%s: %+v", asked[i].DN, one)
		}
	}
	t.Logf("200 of 5,000 groups took %s", time.Since(start))
}
