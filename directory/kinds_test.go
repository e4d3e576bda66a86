package directory_test

import (
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ldap-gateway/directory"
	"ldap-gateway/directory/directorytest"
	"ldap-gateway/directory/slapdtest"
)

// filters returns those of the searches for groups, without looks for kinds.
func filters(s *directorytest.Server) (all []string) {
	for _, op := range s.Operations() {
		if strings.Contains(op.Filter, "ember") && !strings.Contains(op.Filter, "=*)") {
			all = append(all, op.Filter)
		}
	}
	return all
}

// TestOnlyKindsThatAreThereAreSearchedFor leaves out what no group has.
func TestOnlyKindsThatAreThereAreSearchedFor(t *testing.T) {
	unique := "dn: cn=u," + groups + "\nobjectClass: groupOfUniqueNames\ncn: u\nuniqueMember: uid=x\n\n"
	posix := "dn: cn=p," + groups + "\nobjectClass: posixGroup\ncn: p\ngidNumber: 1\nmemberUid: x\n\n"
	for ldif, want := range map[string]string{
		"":             "(member=" + aliceDN + ")",
		unique:         "(|(member=" + aliceDN + ")(uniqueMember=" + aliceDN + "))",
		posix:          "(|(member=" + aliceDN + ")(memberUid=alice))",
		unique + posix: "(|(member=" + aliceDN + ")(uniqueMember=" + aliceDN + ")(memberUid=alice))",
	} {
		s := inProcess(t, person("alice")+group("g", aliceDN)+ldif)
		c, ut := open(t, s.CA(), s.TLSURL()), compile(t, persons())
		for range 2 {
			wantMembership(t, membership(t, c, ut, "alice"), directory.Complete, "g")
		}
		if all := filters(s); len(all) != 2 || all[0] != want || all[1] != want {
			t.Errorf("searched by %q, want %q", all, want)
		}
	}
}

// TestKindsThatCannotBeFoundOutAreSearchedFor: no answer is not "none".
func TestKindsThatCannotBeFoundOutAreSearchedFor(t *testing.T) {
	for name, fault := range map[string]directorytest.Fault{
		"refused":   {Result: &directorytest.Result{Code: 50}},
		"limit":     {Result: &directorytest.Result{Code: 4}},
		"reference": {References: []string{"ldap://192.0.2.1/" + suffix}},
		"closed":    {Close: true},
	} {
		s := inProcess(t, person("alice"))
		c, ut := open(t, s.CA(), s.TLSURL()), compile(t, persons())
		e := find(t, c, ut, "alice")
		s.SetSearchFault(suffix, fault)
		_ = c.DirectGroups(t.Context(), ut, e)
		s.ClearFaults()
		wantMembership(t, membership(t, c, ut, "alice"), directory.Complete, "")
		if all := filters(s); !strings.Contains(all[len(all)-1], "uniqueMember") ||
			!strings.Contains(all[len(all)-1], "memberUid") {
			t.Errorf("%s: searched by %q", name, all)
		}
	}
}

// TestKindThatCameLaterIsNotMissedForEver: what somebody is in already is seen at
// once, by the look at the group, and the kinds are looked for again.
func TestKindThatCameLaterIsNotMissedForEver(t *testing.T) {
	s := slapdtest.Start(t, slapdtest.Config{LDIF: person("alice")})
	c, ut := open(t, s.CA(), s.TLSURL()), compile(t, persons())
	wantMembership(t, membership(t, c, ut, "alice"), directory.Complete, "")
	s.Modify(posixGroup("late", "memberUid: alice"))
	wantSights(t, c, ut, "alice", "still late")
	wantMembership(t, membership(t, c, ut, "alice"), directory.Complete, "late")
	if p := c.Problems(); len(p) != 0 {
		t.Errorf("nothing is wrong with the directory: %+v", p)
	}
}

// TestBurstOnAServerWithoutIndexes signs many on at once, on a slapd with an index on
// member alone in which the other kinds of groups exist: nobody is lost, and the only
// server stays in service.
func TestBurstOnAServerWithoutIndexes(t *testing.T) {
	ldif := "dn: cn=u," + groups + "\nobjectClass: groupOfUniqueNames\ncn: u\nuniqueMember: " + slapdtest.UserDN(
		1,
	) + "\n\n" +
		posixGroup("p", "memberUid: user00001")
	s := slapdtest.Start(t,
		slapdtest.Config{LDIF: ldif, Users: 20000, Groups: 20, Indexes: "objectClass,uid,cn,mail,member"})
	c, ut := open(t, s.CA(), s.TLSURL()), compile(t, persons())
	var wg sync.WaitGroup
	start := time.Now()
	for n := range 64 {
		wg.Go(func() {
			e, err := c.FindUser(t.Context(), ut, strings.TrimPrefix(strings.Split(slapdtest.UserDN(n), ",")[0], "uid="))
			if err != nil {
				t.Errorf("%d: %v", n, err)
				return
			}
			if m := c.DirectGroups(t.Context(), ut, e); m.Verdict != directory.Complete || len(m.Groups) < 2 {
				t.Errorf("%d: %v (%s) with %d groups", n, m.Verdict, m.Reason, len(m.Groups))
			}
		})
	}
	wg.Wait()
	t.Logf("64 first sign-ons took %s", time.Since(start))
	if state := c.Servers()[0]; state.State != "up" {
		t.Errorf("%+v", state)
	}
}

// TestMissingIndexIsToldWithItsLine by time alone, and by what the server says.
func TestMissingIndexIsToldWithItsLine(t *testing.T) {
	ldif := "dn: cn=u," + groups + "\nobjectClass: groupOfUniqueNames\ncn: u\nuniqueMember: " + slapdtest.UserDN(
		1,
	) + "\n\n"
	for name, tc := range map[string]struct {
		cfg  slapdtest.Config
		want string
	}{
		"by its time":      {slapdtest.Config{LDIF: ldif, Users: 30000, Groups: 2, Indexes: "objectClass,uid,cn,mail,member"}, "olcDbIndex: uniqueMember eq"},
		"by what is shown": {slapdtest.Config{LDIF: ldif, Indexes: "objectClass,uid,cn,mail,member", ShowConfig: true}, "olcDbIndex: uniqueMember eq"},
		"none is missing":  {slapdtest.Config{LDIF: ldif, Users: 30000, Groups: 2}, ""},
	} {
		s := slapdtest.Start(t, tc.cfg)
		for _, row := range open(t, s.CA(), s.TLSURL()).Check(t.Context()) {
			if row.Name == "groups" &&
				(tc.want == "" && row.State != directory.OK || !strings.Contains(row.Remedy, tc.want) || strings.Contains(row.Detail, "memberUid")) {
				t.Errorf("%s: %+v", name, row)
			}
		}
	}
}

// TestMirroredTreesAreTold, and two folders that happen to share a name are not.
func TestMirroredTreesAreTold(t *testing.T) {
	folder := func(ou string, names ...string) (ldif string) {
		ldif = unit(ou)
		for i, n := range names {
			ldif += "dn: cn=" + n + ",ou=" + ou + "," + suffix + "\nobjectClass: posixGroup\ncn: " + n + "\ngidNumber: " + strconv.Itoa(
				i+1,
			) + "\nmemberUid: alice\n\n"
		}
		return ldif
	}
	for name, tc := range map[string]struct {
		ldif string
		told bool
	}{
		"mirrored":    {folder("real", "a", "b", "c", "d", "e") + folder("compat", "a", "b", "c", "d"), true},
		"by the way":  {folder("north", "a", "b", "c", "staff") + folder("south", "d", "e", "f", "staff"), false},
		"only a few":  {folder("one", "staff", "admins") + folder("two", "staff", "admins"), false},
		"one of many": {folder("one", "a", "b", "c", "x", "y", "z") + folder("two", "a", "b", "c", "u", "v", "w"), false},
	} {
		s := slapdtest.Start(t, slapdtest.Config{LDIF: person("alice") + tc.ldif})
		for _, row := range open(t, s.CA(), s.TLSURL()).Check(t.Context()) {
			counted := "found 0 by member in "
			names := ", " + strconv.Itoa(strings.Count(tc.ldif, "memberUid")) + " by memberUid in "
			if row.Name == "groups" && !(strings.Contains(row.Detail, counted) && strings.Contains(row.Detail, names)) {
				t.Errorf("%s: not counted: %s", name, row.Detail)
			}
			if row.Name == "groups" && strings.Contains(row.Detail, "ou=compat") != tc.told ||
				row.Name == "groups" && (row.State == directory.Warning) != tc.told {
				t.Errorf("%s: %+v", name, row)
			}
		}
	}
}
