package directory_test

import (
	"strings"
	"testing"
	"time"

	"ldap-gateway/directory"
	"ldap-gateway/directory/directorytest"
	"ldap-gateway/directory/slapdtest"
)

func pair() string {
	return person("alice") + group("inner", aliceDN) + group("outer", "cn=inner,"+groups) + group("outermost", "cn=outer,"+groups)
}

// TestMeaningOfMemberOf tries what keeps memberOf in OpenLDAP, and what else stands in
// the directory.
func TestMeaningOfMemberOf(t *testing.T) {
	const unique = "dn: cn=unique," + groups + "\nobjectClass: groupOfUniqueNames\ncn: unique\nuniqueMember: " + aliceDN + "\n\n"
	const posix = "dn: cn=posix," + groups + "\nobjectClass: posixGroup\ncn: posix\ngidNumber: 1\nmemberUid: alice\n\n"
	for name, tc := range map[string]struct {
		cfg         slapdtest.Config
		method, why string
		groups      string
	}{
		"neither":            {slapdtest.Config{LDIF: pair()}, "search", "nothing proves", "inner"},
		"overlay":            {slapdtest.Config{LDIF: pair(), MemberOf: true}, "memberOf", "proven direct", "inner"},
		"overlay, flat":      {slapdtest.Config{LDIF: person("alice") + group("inner", aliceDN), MemberOf: true}, "search", "nothing proves", "inner"},
		"overlay and unique": {slapdtest.Config{LDIF: pair() + unique, MemberOf: true}, "search", "uniqueMember", "inner unique"},
		"overlay and posix":  {slapdtest.Config{LDIF: pair() + posix, MemberOf: true}, "search", "posixGroup", "inner posix"},
		"dynlist":            {slapdtest.Config{LDIF: pair(), DynList: "groupOfURLs memberURL member+memberOf@groupOfNames"}, "memberOf", "proven direct", "inner"},
		"dynlist*":           {slapdtest.Config{LDIF: pair(), DynList: "groupOfURLs memberURL member+memberOf@groupOfNames*"}, "search", "lists parent groups", "inner"},
	} {
		t.Run(name, func(t *testing.T) {
			s := slapdtest.Start(t, tc.cfg)
			c, ut := open(t, s.CA(), s.TLSURL()), compile(t, persons())
			if _, _, err := c.ProveMemberOf(t.Context()); err != nil {
				t.Fatal(err)
			}
			if method, why := c.GroupMethod(ut); method != tc.method || !strings.Contains(why, tc.why) {
				t.Errorf("groups by %s: %s; want %s, %q", method, why, tc.method, tc.why)
			}
			for range 3 {
				wantMembership(t, membership(t, c, ut, "alice"), directory.Complete, tc.groups)
			}
			if m := membership(t, c, ut, "alice"); (m.Groups[0].Source == "memberOf") != (tc.method == "memberOf") {
				t.Errorf("%+v", m.Groups)
			}
		})
	}
}

// TestParentsAreNeverDirectWhateverTheFileSays has the file demand a memberOf that
// lists parents.
func TestParentsAreNeverDirectWhateverTheFileSays(t *testing.T) {
	s := slapdtest.Start(t, slapdtest.Config{LDIF: pair(), DynList: "groupOfURLs memberURL member+memberOf@groupOfNames*"})
	c, ut := open(t, s.CA(), s.TLSURL(), func(cfg *directory.Config) { cfg.GroupsFrom = directory.GroupsMemberOf }), compile(t, persons())
	if _, _, err := c.ProveMemberOf(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantMembership(t, membership(t, c, ut, "alice"), directory.Complete, "inner")
	if method, why := c.GroupMethod(ut); method != "search" || !strings.Contains(why, "lists parent groups") {
		t.Errorf("groups by %s: %s", method, why)
	}
	if p := c.Problems(); len(p) != 1 || p[0].Code != "memberOf" {
		t.Errorf("%+v", p)
	}
}

// A group older than the overlay is in nobody's memberOf.
func TestGroupsOlderThanTheOverlayForbidMemberOf(t *testing.T) {
	s := inProcess(t, person("alice", "memberOf: cn=inner,"+groups)+group("old", aliceDN)+
		strings.TrimSuffix(group("inner", aliceDN), "\n")+"memberOf: cn=outer,"+groups+"\n\n"+group("outer", "cn=inner,"+groups))
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

func TestContradictedProofIsNotUsedAgain(t *testing.T) {
	s := inProcess(t, contradicted())
	c, ut := open(t, s.CA(), s.TLSURL()), compile(t, persons())
	if direct, why, err := c.ProveMemberOf(t.Context()); !direct || err != nil {
		t.Fatal(direct, why, err)
	}
	for range 2 {
		wantMembership(t, membership(t, c, ut, "alice"), directory.Complete, "inner old")
	}
	if method, why := c.GroupMethod(ut); method != "search" || !strings.Contains(why, "cn=old") {
		t.Errorf("%s: %s", method, why)
	}
	if _, _, err := c.ProveMemberOf(t.Context()); err != nil {
		t.Fatal(err)
	}
	if method, _ := c.GroupMethod(ut); method != "search" {
		t.Error("a new proof was believed over what a sign-on saw")
	}
}

func TestProofIsMadeInTheBackgroundAndFollowsTheDirectory(t *testing.T) {
	s := inProcess(t, pair(), func(s *directorytest.Server) { s.MemberOf = directorytest.MemberOfDirect })
	c := open(t, s.CA(), s.TLSURL(), func(cfg *directory.Config) { cfg.ProveEvery = 20 * time.Millisecond })
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
