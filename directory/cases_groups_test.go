package directory_test

import (
	"fmt"
	"slices"
	"strings"

	"ldap-gateway/directory"
)

func groupCases() []conformanceCase {
	return []conformanceCase{
		{"direct groups only: child, not parent, not grand", directOnly},
		{"a group of groups is nobody's by itself", noGroupsAtAll},
		{"two groups of one name in two folders stay two", twoOfOneName},
		{caseGroupClasses, groupClasses},
		{"a group that was left is gone, a renamed one has its new name", leftAndRenamed},
		{"a group without its name attribute makes the answer partial", namelessGroup},
		{"510 groups of one user", manyGroups},
		{caseRanges, forcedRanges},
		{casePrimaryGroup, primaryGroup},
		{caseBuiltInGroup, builtInGroup},
		{"memberOf decides only where the server computes it", whereComputed},
		{caseSkipNested, skipNested},
		{"a group outside of the group search base does not count, and is reported where memberOf names it", groupOutside},
		{caseForeign, foreignMember},
		{"evidence: still a member, and a group that was left", leftIsSeen},
		{"evidence: the last group of a person that others are in still", lastIsSeen},
		{"evidence: a deleted and a renamed group are gone, others remaining", goneIsGone},
		{caseByID, followedByID},
	}
}

// nested makes child(user) < parent(child) < grand(parent).
func (s *scene) nested(user string) {
	s.Helper()
	s.group("grand", s.group("parent", s.group("child", s.user(user))))
}

func directOnly(s *scene) {
	s.nested("alice")
	s.wantGroups("alice", "child")
}

func noGroupsAtAll(s *scene) {
	s.user("bob")
	s.wantGroups("bob")
}

func twoOfOneName(s *scene) {
	dn := s.user("alice")
	var want []string
	for i, folder := range []string{s.folder("east"), s.folder("west")} {
		attributes := s.dialect.group(s.named("sales"), []string{dn})
		if s.domain != "" {
			attributes["sAMAccountName"] = []string{s.named("sales") + fmt.Sprint(i)}
		}
		s.must(s.add("cn="+s.named("sales")+","+folder, attributes))
		want = append(want, "cn="+s.named("sales")+","+folder)
	}
	m := s.membership("alice")
	if m.Verdict != directory.Complete || len(m.Groups) != 2 || !sameDN(m.Groups[0].DN, want[0]) ||
		!sameDN(m.Groups[1].DN, want[1]) {
		s.Errorf("%v %s: %+v, want %q", m.Verdict, m.Reason, m.Groups, want)
	}
}

func sameDN(a, b string) bool { return strings.EqualFold(a, b) }

func groupClasses(s *scene) {
	dn := s.user("alice")
	s.group("names", dn)
	s.must(
		s.add("cn="+s.named("unique")+","+s.dialect.groups,
			map[string][]string{"objectClass": {"groupOfUniqueNames"}, "cn": {s.named("unique")}, "uniqueMember": {dn}}),
	)
	s.must(
		s.add(
			"cn="+s.named("posix")+","+s.dialect.groups,
			map[string][]string{
				"objectClass": {"posixGroup"},
				"cn":          {s.named("posix")},
				"gidNumber":   {"4711"},
				"memberUid":   {s.named("alice")},
			},
		),
	)
	s.wantGroups("alice", "names", "posix", "unique")
}

func leftAndRenamed(s *scene) {
	dn, other := s.user("alice"), s.user("bob")
	left := s.group("left", dn, other)
	renamed := s.group("old", dn)
	s.wantGroups("alice", "left", "old")
	s.must(s.replace(left, "member", other))
	s.must(s.rename(renamed, "cn="+s.named("new")+","+s.dialect.groups))
	s.wantGroups("alice", "new")
}

func namelessGroup(s *scene) {
	dn := s.user("alice")
	named := s.group("named", dn)
	s.group("nameless", dn)
	s.must(s.replace(named, "description", "The named"))
	s.ut = s.userType(func(cfg *directory.UserTypeConfig) { cfg.Groups.NameAttribute = "description" })
	m := s.membership("alice")
	wantMembership(s, m, directory.Partial, "The named")
	if len(m.Skipped) != 1 || !strings.Contains(strings.ToLower(m.Skipped[0].DN), s.named("nameless")) {
		s.Errorf("skipped %+v", m.Skipped)
	}
}

// manyGroups is more than one page of the group search.
func manyGroups(s *scene) {
	dn := s.user("alice")
	for i := range 510 {
		s.group(fmt.Sprintf("g%03d-", i), dn)
	}
	m := s.membership("alice")
	if m.Verdict != directory.Complete || len(m.Groups) != 510 {
		s.Errorf("%v %s: %d groups", m.Verdict, m.Reason, len(m.Groups))
	}
}

func forcedRanges(s *scene) {
	for _, n := range []int{1499, 1500, 1501, 3200} {
		user := fmt.Sprintf("with%d-", n)
		dn := s.user(user)
		folder := s.folder(user)
		for i := range n {
			s.groupIn(folder, fmt.Sprintf("g%04d", i), dn)
		}
		m := s.membership(user)
		if m.Verdict != directory.Complete || len(m.Groups) != n {
			s.Errorf("%d groups: %v %s with %d", n, m.Verdict, m.Reason, len(m.Groups))
		}
		for _, g := range m.Groups {
			if g.Source != "memberOf" {
				s.Fatalf("%d groups: %+v was not read from a range", n, g)
			}
		}
	}
}

// token returns the last part of a group's SID.
func (s *scene) token(dn string) string {
	s.Helper()
	ut := s.userType(func(cfg *directory.UserTypeConfig) {
		cfg.SearchBase, cfg.Filter = s.dialect.suffix, "(&(objectClass=group)(cn=${identifier}))"
		cfg.Attributes, cfg.Groups = []string{"objectSid"}, nil
	})
	cn, _, _ := strings.Cut(strings.TrimPrefix(dn, "cn="), ",")
	sid := find(s, s.client, ut, cn).Attributes["objectSid"][0]
	return sid[strings.LastIndexByte(sid, '-')+1:]
}

func primaryGroup(s *scene) {
	dn := s.user("alice")
	own := s.group("own", dn)
	s.group("staff", dn)
	s.must(s.replace(dn, "primaryGroupID", s.token(own)))
	// The directory makes a user who leaves the primary group Domain Users a member of it.
	m := s.membership("alice")
	wantMembership(s, m, directory.Complete, "Domain Users "+s.named("own")+" "+s.named("staff"))
	if m.Groups[1].Source != "primaryGroup" || m.Groups[2].Source != "memberOf" {
		s.Errorf("sources %+v", m.Groups)
	}
}

func builtInGroup(s *scene) {
	s.group("staff", s.user("alice"))
	s.wantGroups("alice", "staff")
	s.client = s.open(func(cfg *directory.Config) { cfg.BuiltInPrimaryGroups = true })
	wantMembership(s, s.membership("alice"), directory.Complete, "Domain Users "+s.named("staff"))
}

// wantMethod proves in a folder of its own, where the pair of the case is all there is.
func (s *scene) wantMethod(folder, want, because string) {
	s.Helper()
	s.client = s.open(func(cfg *directory.Config) { cfg.BaseDN = folder })
	if _, why, err := s.client.ProveMemberOf(s.Context()); err != nil {
		s.Fatal(why, err)
	}
	if method, why := s.client.GroupMethod(s.ut); method != want || !strings.Contains(why, because) {
		s.Errorf("groups by %s: %s; want %s, %q", method, why, want, because)
	}
}

// pairIn makes outer(inner(alice)) in a folder of its own.
func (s *scene) pairIn(name string) string {
	folder := s.folder(name)
	s.groupIn(folder, s.named("outer"), s.groupIn(folder, s.named("inner"), s.userIn(folder, "alice")))
	return folder
}

func whereComputed(s *scene) {
	s.wantMethod(s.pairIn("nested"), s.memberOf, s.because)
	s.wantGroups("alice", "inner")
}

func skipNested(s *scene) {
	s.makeDirect(s.T)
	s.config.GroupsFrom = directory.GroupsMemberOf
	s.wantMethod(s.pairIn("skipping"), "memberOf", "groups_from says so")
	m := s.membership("alice")
	wantMembership(s, m, directory.Complete, s.named("inner"))
	if m.Groups[0].Source != "memberOf" || !m.Unconfirmed {
		s.Errorf("%+v", m)
	}
}

func groupOutside(s *scene) {
	dn := s.user("alice")
	s.group("outside", dn)
	folder := s.folder("inside")
	s.groupIn(folder, s.named("in"), dn)
	s.ut = s.userType(func(cfg *directory.UserTypeConfig) { cfg.Groups.SearchBase = folder })
	s.wantGroups("alice", "in")
	if m := s.membership("alice"); s.memberOf == "memberOf" && len(m.Skipped) != 1 {
		s.Errorf("skipped %+v", m.Skipped)
	}
}

func foreignMember(s *scene) {
	group := s.group("open to others", s.user("alice"))
	s.foreign(s.T, group, "S-1-5-21-9-8-7-1234")
	at := slices.IndexFunc(s.client.Check(s.Context()), func(row directory.Check) bool {
		return row.Name == "foreign members" && row.State == directory.Warning &&
			strings.Contains(row.Detail, "S-1-5-21-9-8-7-1234")
	})
	if at < 0 {
		s.Errorf("not reported: %+v", s.client.Check(s.Context()))
	}
	s.wantGroups("alice", "open to others")
}

// wantSight asks about one group as it was, with the ID that it had.
func (s *scene) wantSight(user string, g directory.Group, want string) {
	s.Helper()
	e := s.find(user)
	m := s.client.DirectGroups(s.Context(), s.ut, e)
	got := s.client.Evidence(s.Context(), s.ut, e, m, []directory.Asked{{DN: g.DN, ID: g.ID, Stamp: g.Stamp}})
	if inWords(got[0]) != want {
		s.Errorf("%s: %s (obstacle %d), want %s", g.DN, inWords(got[0]), got[0].Obstacle, want)
	}
}

// before returns somebody's groups by the name that they have in the scene.
func (s *scene) before(user string) map[string]directory.Group {
	s.Helper()
	out := map[string]directory.Group{}
	for _, g := range s.membership(user).Groups {
		out[strings.TrimSuffix(g.Name, s.tag)] = g
	}
	return out
}

func leftIsSeen(s *scene) {
	alice, bob := s.user("alice"), s.user("bob")
	s.group("stays", alice, bob)
	left, empty := s.group("left", alice, bob), s.group("other", bob)
	had := s.before("alice")
	s.must(s.replace(left, "member", bob))
	s.wantSight("alice", had["stays"], "still")
	s.wantSight("alice", had["left"], "seen")
	s.wantSight("alice", directory.Group{DN: empty}, "seen")
}

func lastIsSeen(s *scene) {
	alice, bob := s.user("alice"), s.user("bob")
	last := s.group("last", alice, bob)
	had := s.before("alice")
	s.must(s.replace(last, "member", bob))
	s.wantSight("alice", had["last"], "seen")
}

func goneIsGone(s *scene) {
	alice, bob := s.user("alice"), s.user("bob")
	s.group("stays", alice)
	deleted, renamed := s.group("deleted", alice, bob), s.group("before", alice, bob)
	had := s.before("alice")
	s.must(s.remove(deleted))
	s.must(s.rename(renamed, "cn="+s.named("after")+","+s.dialect.groups))
	s.wantSight("alice", had["deleted"], "gone")
	s.wantSight("alice", had["before"], "gone")
	s.wantGroups("alice", "after", "stays")
}

func followedByID(s *scene) {
	alice, bob := s.user("alice"), s.user("bob")
	s.ut = s.userType(func(cfg *directory.UserTypeConfig) { cfg.Groups.WithID = true })
	s.group("stays", alice)
	in, out, deleted, again := s.group("in", alice), s.group("out", alice, bob), s.group("deleted", alice), s.group(
		"again",
		alice,
		bob,
	)
	had := s.before("alice")
	s.must(s.rename(in, "cn="+s.named("in now")+","+s.dialect.groups))
	s.must(s.replace(out, "member", bob))
	s.must(s.rename(out, "cn="+s.named("out now")+","+s.dialect.groups))
	s.must(s.remove(deleted))
	s.must(s.remove(again))
	s.group("again", bob) // has the name, and another ID
	s.wantSight("alice", had["stays"], "still")
	s.wantSight("alice", had["in"], "still")
	s.wantSight("alice", had["out"], "renamed")
	s.wantSight("alice", had["deleted"], "gone")
	s.wantSight("alice", had["again"], "gone")
}
