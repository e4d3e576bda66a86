package directory_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ldap-gateway/directory"
	"ldap-gateway/directory/directorytest"
	"ldap-gateway/directory/slapdtest"
)

func pair() string {
	return person(
		"alice",
	) + group("inner", aliceDN) + group("outer", "cn=inner,"+groups) + group("outermost", "cn=outer,"+groups)
}

// TestMeaningOfMemberOf tries what keeps memberOf in OpenLDAP, and what else stands in
// the directory. By itself none of it decides: the groups' own members do.
func TestMeaningOfMemberOf(t *testing.T) {
	const unique = "dn: cn=unique," + groups + "\nobjectClass: groupOfUniqueNames\ncn: unique\nuniqueMember: " + aliceDN + "\n\n"
	const posix = "dn: cn=posix," + groups + "\nobjectClass: posixGroup\ncn: posix\ngidNumber: 1\nmemberUid: alice\n\n"
	for name, tc := range map[string]struct {
		cfg    slapdtest.Config
		direct bool
		why    string
		groups string
	}{
		"neither":            {slapdtest.Config{LDIF: pair()}, false, "nothing proves", "inner"},
		"overlay":            {slapdtest.Config{LDIF: pair(), MemberOf: true}, true, "proven direct", "inner"},
		"overlay, flat":      {slapdtest.Config{LDIF: person("alice") + group("inner", aliceDN), MemberOf: true}, false, "nothing proves", "inner"},
		"overlay and unique": {slapdtest.Config{LDIF: pair() + unique, MemberOf: true}, false, "uniqueMember", "inner unique"},
		"overlay and posix":  {slapdtest.Config{LDIF: pair() + posix, MemberOf: true}, false, "posixGroup", "inner posix"},
		"dynlist":            {slapdtest.Config{LDIF: pair(), DynList: "groupOfURLs memberURL member+memberOf@groupOfNames"}, true, "proven direct", "inner"},
		"dynlist*":           {slapdtest.Config{LDIF: pair(), DynList: "groupOfURLs memberURL member+memberOf@groupOfNames*"}, false, "lists parent groups", "inner"},
	} {
		t.Run(name, func(t *testing.T) {
			s := slapdtest.Start(t, tc.cfg)
			c, ut := open(t, s.CA(), s.TLSURL()), compile(t, persons())
			direct, why, err := c.ProveMemberOf(t.Context())
			if err != nil || direct != tc.direct || !strings.Contains(why, tc.why) {
				t.Fatalf("%v %s %v", direct, why, err)
			}
			if method, why := c.GroupMethod(ut); method != "search" || strings.Contains(why, "cn=") {
				t.Errorf("groups by %s: %s", method, why)
			}
			for range 3 {
				wantMembership(t, membership(t, c, ut, "alice"), directory.Complete, tc.groups)
			}
		})
	}
}

// TestParentsAreNeverDirectWhateverTheFileSays has the file demand a memberOf that
// lists parents.
func TestParentsAreNeverDirectWhateverTheFileSays(t *testing.T) {
	s := slapdtest.Start(t, slapdtest.Config{LDIF: pair(), DynList: "groupOfURLs memberURL member+memberOf@groupOfNames*"})
	c, ut := open(t, s.CA(), s.TLSURL(),
		func(cfg *directory.Config) { cfg.GroupsFrom = directory.GroupsMemberOf }), compile(
		t,
		persons(),
	)
	if _, _, err := c.ProveMemberOf(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantMembership(t, membership(t, c, ut, "alice"), directory.Complete, "inner")
	if method, why := c.GroupMethod(ut); method != "search" || !strings.Contains(why, "lists parent groups") {
		t.Errorf("groups by %s: %s", method, why)
	}
	wantProblem(t, c, "memberOf")
}

// A group older than the overlay is in nobody's memberOf.
func TestGroupsOlderThanTheOverlayForbidMemberOf(t *testing.T) {
	s := inProcess(t, person("alice", "memberOf: cn=inner,"+groups)+group("old", aliceDN)+
		strings.TrimSuffix(group("inner", aliceDN),
			"\n")+"memberOf: cn=outer,"+groups+"\n\n"+group("outer", "cn=inner,"+groups))
	c := open(t, s.CA(), s.TLSURL())
	direct, why, err := c.ProveMemberOf(t.Context())
	if direct || err != nil || !strings.Contains(why, "cn=old,") {
		t.Errorf("%v %s %v", direct, why, err)
	}
}

// contradicted is a directory whose memberOf is direct by every proof, and lacks one
// value of alice's.
func contradicted() string {
	return person("alice", "memberOf: cn=inner,"+groups) + person("bob", "memberOf: cn=old,"+groups) +
		group("old", aliceDN, "uid=bob,"+people) + strings.TrimSuffix(group("inner", aliceDN), "\n") +
		"memberOf: cn=outer," + groups + "\n\n" + group("outer", "cn=inner,"+groups)
}

// TestContradictedMemberOfIsNotUsedAgain has a group seen from its own side that memberOf
// lacks, after every proof was for memberOf.
func TestContradictedMemberOfIsNotUsedAgain(t *testing.T) {
	s := inProcess(t, contradicted())
	c, ut := open(t, s.CA(), s.TLSURL(), fromMemberOf), compile(t, persons())
	if direct, why, err := c.ProveMemberOf(t.Context()); !direct || err != nil {
		t.Fatal(direct, why, err)
	}
	e := find(t, c, ut, "alice")
	m := c.DirectGroups(t.Context(), ut, e)
	wantMembership(t, m, directory.Complete, "inner")
	if !m.Unconfirmed {
		t.Error("what memberOf would add counts as confirmed")
	}
	if got := c.Evidence(t.Context(), ut, e, m, []directory.Asked{{DN: "cn=old," + groups}, {DN: "cn=inner," + groups}}); inWords(
		got[0],
	) != "still" ||
		inWords(got[1]) != "still" {
		t.Errorf("%+v", got)
	}
	for range 2 {
		wantMembership(t, membership(t, c, ut, "alice"), directory.Complete, "inner old")
	}
	if method, why := c.GroupMethod(ut); method != "search" || !strings.Contains(why, "differ in 1 memberships") {
		t.Errorf("%s: %s", method, why)
	}
	if _, _, err := c.ProveMemberOf(t.Context()); err != nil {
		t.Fatal(err)
	}
	if method, _ := c.GroupMethod(ut); method != "search" {
		t.Error("a new proof was believed over what a sign-on saw")
	}
	wantProblem(t, c, "memberOf")
}

func fromMemberOf(cfg *directory.Config) { cfg.GroupsFrom = directory.GroupsMemberOf }

// wantProblem wants exactly one, which names no entry: it leaves the machine.
func wantProblem(t *testing.T, c *directory.Client, code string) {
	t.Helper()
	p := c.Problems()
	if len(p) != 1 || p[0].Code != code || strings.Contains(p[0].Text+p[0].Remedy, "cn=") ||
		strings.Contains(p[0].Text, "uid=") {
		t.Errorf("problems %+v, want one %s without a name", p, code)
	}
}

// TestMemberOfThatListsTooMuch: what memberOf would add and the group does not have is
// refused, and one search confirms many at once.
func TestMemberOfThatListsTooMuch(t *testing.T) {
	for _, many := range []int{1, 20} {
		ldif, values, asked := "", []string{"memberOf: cn=parent," + groups}, []directory.Asked{{DN: "cn=parent," + groups}}
		for n := range many {
			cn := fmt.Sprintf("g%02d", n)
			ldif += group(cn, aliceDN)
			values = append(values, "memberOf: cn="+cn+","+groups)
			asked = append(asked, directory.Asked{DN: "cn=" + cn + "," + groups})
		}
		s := inProcess(t, person("alice", values...)+ldif+group("parent", "cn=g00,"+groups))
		c, ut := open(t, s.CA(), s.TLSURL(), fromMemberOf), compile(t, persons())
		e := find(t, c, ut, "alice")
		m := c.DirectGroups(t.Context(), ut, e)
		before := s.Searches()
		for i, one := range c.Evidence(t.Context(), ut, e, m, asked) {
			if want := map[bool]string{true: "seen", false: "still"}[i == 0]; inWords(one) != want {
				t.Errorf("%s: %s, want %s", asked[i].DN, inWords(one), want)
			}
		}
		if n := s.Searches() - before; many == 20 && n > 10 {
			t.Errorf("%d searches for %d groups", n, many)
		}
		wantProblem(t, c, "memberOf")
	}
}

func TestProofIsMadeInTheBackgroundAndFollowsTheDirectory(t *testing.T) {
	s := inProcess(t, pair(), func(s *directorytest.Server) { s.MemberOf = directorytest.MemberOfDirect })
	c := open(t, s.CA(), s.TLSURL(), fromMemberOf, func(cfg *directory.Config) { cfg.ProveEvery = 20 * time.Millisecond })
	ut := compile(t, persons())
	find(t, c, ut, "alice")
	by := func(want string) func() bool {
		return func() bool { method, _ := c.GroupMethod(ut); return method == want }
	}
	eventually(t, "memberOf is proven", by("memberOf"))
	s.SetMemberOf(directorytest.MemberOfTransitive)
	eventually(t, "the proof fails", by("search"))
	wantMembership(t, membership(t, c, ut, "alice"), directory.Complete, "inner")
}

// TestOverlayTakenOutAndPutBack is a memberOf that was right by every proof until its
// keeper was away for one change: the groups' own members decide.
func TestOverlayTakenOutAndPutBack(t *testing.T) {
	s := slapdtest.Start(t,
		slapdtest.Config{LDIF: pair() + group("left", aliceDN, witDN) + group("joined", witDN), MemberOf: true})
	c, ut := open(t, s.CA(), s.TLSURL()), compile(t, persons())
	if _, _, err := c.ProveMemberOf(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantMembership(t, membership(t, c, ut, "alice"), directory.Complete, "inner left")
	s.Reconfigure(func(cfg *slapdtest.Config) { cfg.MemberOf = false })
	change := func(cn, how string) string {
		return "dn: cn=" + cn + "," + groups + "\nchangetype: modify\n" + how + ": member\nmember: " + aliceDN + "\n-\n"
	}
	s.Modify(change("left", "delete"))
	s.Modify(change("joined", "add"))
	s.Reconfigure(func(cfg *slapdtest.Config) { cfg.MemberOf = true })
	for range 40 {
		wantMembership(t, membership(t, c, ut, "alice"), directory.Complete, "inner joined")
	}
}
