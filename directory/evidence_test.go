package directory_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"ldap-gateway/directory"
	"ldap-gateway/directory/slapdtest"
)

const witDN = "uid=wit," + people

// wantSights looks at groups, each told as "finding name" or "finding DN", for alice.
func wantSights(t *testing.T, c *directory.Client, ut *directory.UserType, uid string, want ...string) {
	t.Helper()
	e := find(t, c, ut, uid)
	m := c.DirectGroups(t.Context(), ut, e)
	var asked []directory.Asked
	for _, w := range want {
		_, dn, _ := strings.Cut(w, " ")
		if !strings.Contains(dn, "=") {
			dn = "cn=" + dn + "," + groups
		}
		asked = append(asked, directory.Asked{DN: dn})
	}
	for i, s := range c.Evidence(t.Context(), ut, e, m, asked) {
		if finding, _, _ := strings.Cut(want[i], " "); finding != inWords(s) {
			t.Errorf("%s: %s (obstacle %d), want %s", asked[i].DN, inWords(s), s.Obstacle, finding)
		}
		if (s.Finding == directory.Untellable) != (s.Obstacle != 0) {
			t.Errorf("%s: %+v", asked[i].DN, s)
		}
	}
}

func inWords(s directory.Sight) string {
	return map[directory.Finding]string{directory.Still: "still", directory.Seen: "seen", directory.Renamed: "renamed",
		directory.Gone: "gone", directory.Untellable: "untellable", directory.Outside: "outside"}[s.Finding]
}

// inAndOut makes a group of the witness and alice, and one of the witness alone.
func inAndOut(at string, names ...string) (ldif string) {
	for _, n := range names {
		for _, kind := range []string{"in", "out"} {
			ldif += fmt.Sprintf(
				"dn: cn=%s-%s,%s\nobjectClass: groupOfNames\ncn: %s-%s\nmember: %s\n",
				n,
				kind,
				at,
				n,
				kind,
				witDN,
			)
			if kind == "in" {
				ldif += "member: " + aliceDN + "\n"
			}
			ldif += "\n"
		}
	}
	return ldif
}

func unit(ou string) string {
	return "dn: ou=" + ou + "," + suffix + "\nobjectClass: organizationalUnit\nou: " + ou + "\n\n"
}

const byReader = ` by dn.exact="` + slapdtest.ReaderDN + `" `

// hiding has one access rule for each way to hide something from the service account.
var hiding = []string{
	`access to dn.regex="^cn=none-(in|out)," attrs=member` + byReader + `none by * read`,
	`access to dn.regex="^cn=disclose-(in|out)," attrs=member` + byReader + `disclose by * read`,
	`access to dn.regex="^cn=search-(in|out)," attrs=member` + byReader + `search by * read`,
	`access to dn.regex="^cn=compare-(in|out)," attrs=member` + byReader + `compare by * read`,
	`access to dn.regex="^cn=value-(in|out)," attrs=member val.exact="` + aliceDN + `"` + byReader + `none by * read`,
	`access to dn.regex="^cn=entry-(in|out),"` + byReader + `none by * read`,
	`access to dn.regex="^cn=entrydisclose-(in|out),"` + byReader + `disclose by * read`,
	`access to dn.regex="^cn=filter-(in|out)," filter="(member=` + aliceDN + `)"` + byReader + `none by * read`,
	`access to dn.subtree="ou=hid,` + suffix + `"` + byReader + `none by * read`,
	`access to dn.one="ou=kids,` + suffix + `"` + byReader + `none by * read`,
	`access to dn.subtree="ou=hidm,` + suffix + `" attrs=member` + byReader + `none by * read`,
}

func hidden() string {
	at := func(ou string) string { return "ou=" + ou + "," + suffix }
	return person("alice") + person("wit") +
		unit("hid") + unit("kids") + unit("hidm") + unit("moved") +
		inAndOut(groups, "ok", "none", "disclose", "search", "compare", "value", "entry", "entrydisclose", "filter") +
		inAndOut(at("hid"), "hid") + inAndOut(at("kids"), "kid") + inAndOut(at("hidm"), "hidm") +
		posixGroup("posix-in", "memberUid: alice",
			"memberUid: wit") + posixGroup("posix-out", "memberUid: wit") + posixGroup("posix-empty") +
		"dn: cn=unique," + groups + "\nobjectClass: groupOfUniqueNames\ncn: unique\nuniqueMember: " + aliceDN + "\n\n" +
		"dn: ou=refd," + groups + "\nobjectClass: referral\nobjectClass: extensibleObject\nou: refd\nref: ldap://192.0.2.1/ou=refd\n\n"
}

func posixGroup(cn string, more ...string) string {
	return "dn: cn=" + cn + "," + groups + "\nobjectClass: posixGroup\ncn: " + cn + "\ngidNumber: 1\n" + lines(more)
}

// TestEvidenceOnOpenLDAP is what a slapd can and cannot prove of its groups.
func TestEvidenceOnOpenLDAP(t *testing.T) {
	s := slapdtest.Start(t, slapdtest.Config{LDIF: hidden(), Access: hiding})
	cfg := persons()
	cfg.Groups.Exclude = []string{"cn=excluded*"}
	c, ut := open(t, s.CA(), s.TLSURL()), compile(t, cfg)
	s.Modify("dn: cn=search-out," + groups + "\nchangetype: modrdn\nnewrdn: cn=renamed\ndeleteoldrdn: 1\n")
	wantSights(t, c, ut, "alice",
		"still ok-in", "seen ok-out", "still search-in",
		"untellable none-in", "untellable none-out", "untellable disclose-in", "untellable disclose-out",
		"untellable compare-in", "untellable compare-out", "untellable value-in", "untellable value-out",
		"untellable entry-in", "untellable entry-out", "untellable entrydisclose-in", "untellable entrydisclose-out",
		"untellable filter-in", "seen filter-out",
		"untellable cn=hid-in,ou=hid,"+suffix, "untellable cn=hid-out,ou=hid,"+suffix,
		"untellable cn=kid-in,ou=kids,"+suffix, "untellable cn=kid-out,ou=kids,"+suffix,
		"untellable cn=hidm-in,ou=hidm,"+suffix, "untellable cn=hidm-out,ou=hidm,"+suffix,
		"still posix-in", "seen posix-out", "seen posix-empty", "still unique",
		"gone missing", "gone cn=missing,ou=kids,"+suffix, "gone cn=a,ou=missing,"+groups, "gone search-out",
		"untellable cn=missing,ou=hid,"+suffix, "untellable cn=a,ou=refd,"+groups,
		"outside cn=x,dc=other", "outside excluded-in", "untellable =", "still CN=OK-In , "+groups,
	)
	if m := membership(t, c, ut, "alice"); strings.Contains(names(m), "none-in") {
		t.Errorf("the first answer has %s", names(m))
	}
}

// TestEvidenceNeedsTheSamePerson has the person's entry change between the first answer
// and the look: of a DN that nothing has, "not in it" is true everywhere.
func TestEvidenceNeedsTheSamePerson(t *testing.T) {
	s := slapdtest.Start(t, slapdtest.Config{LDIF: hidden()})
	c, ut := open(t, s.CA(), s.TLSURL()), compile(t, persons())
	rename := func(from, to string) string {
		return "dn: uid=" + from + "," + people + "\nchangetype: modrdn\nnewrdn: uid=" + to + "\ndeleteoldrdn: 1\n"
	}
	for name, change := range map[string][2]string{
		"renamed":   {rename("alice", "alicia"), ""},
		"made anew": {rename("alice", "alicia"), person("alice")}, // who has her name now is somebody else
	} {
		e := find(t, c, ut, "alice")
		m := c.DirectGroups(t.Context(), ut, e)
		for _, one := range change {
			s.Modify(one)
		}
		got := c.Evidence(t.Context(), ut, e, m, []directory.Asked{{DN: "cn=ok-out," + groups}, {DN: "cn=missing," + groups}})
		for _, one := range got {
			if one.Finding != directory.Untellable || one.Obstacle != directory.PersonChanged {
				t.Errorf("%s: %+v", name, one)
			}
		}
		if change[1] != "" {
			s.Modify("dn: " + aliceDN + "\nchangetype: delete\n")
		}
		s.Modify(rename("alicia", "alice"))
	}
}

// TestEvidenceWithoutConnectionOrTime tells nothing.
func TestEvidenceWithoutConnectionOrTime(t *testing.T) {
	s := slapdtest.Start(t, slapdtest.Config{LDIF: hidden()})
	c, ut := open(t, s.CA(), s.TLSURL()), compile(t, persons())
	e := find(t, c, ut, "alice")
	m := c.DirectGroups(t.Context(), ut, e)
	asked := []directory.Asked{{DN: "cn=ok-out," + groups}}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if got := c.Evidence(over, ut, e, m, asked); got[0].Obstacle != directory.OutOfTime &&
		got[0].Obstacle != directory.PersonChanged {
		t.Errorf("%+v", got)
	}
	s.Restart()
	if got := c.Evidence(t.Context(), ut, e, m, asked); got[0].Finding != directory.Untellable {
		t.Errorf("over another connection than that of the first answer: %+v", got)
	}
	if got := c.Evidence(t.Context(), ut, e, directory.Membership{}, asked); got[0].Obstacle != directory.ConnectionLost {
		t.Errorf("%+v", got)
	}
}

// TestEvidenceByID follows a group to its new name, and knows another one under the old.
func TestEvidenceByID(t *testing.T) {
	s := slapdtest.Start(t, slapdtest.Config{LDIF: hidden() + inAndOut("ou=moved,"+suffix, "last"), Access: []string{
		`access to dn.subtree="ou=hid,` + suffix + `"` + byReader + `none by * read`,
	}})
	cfg := persons()
	cfg.Groups.WithID = true
	c, ut := open(t, s.CA(), s.TLSURL()), compile(t, cfg)
	ids := map[string]string{}
	for _, g := range c.DirectGroups(t.Context(), ut, find(t, c, ut, "wit")).Groups {
		ids[g.Name] = g.ID
	}
	rename := func(from, to string) {
		s.Modify("dn: " + from + "\nchangetype: modrdn\nnewrdn: " + to + "\ndeleteoldrdn: 1\n")
	}
	rename("cn=search-in,"+groups, "cn=new-in")
	rename("cn=search-out,"+groups, "cn=new-out")
	rename("ou=moved,"+suffix, "ou=there")
	s.Modify(
		"dn: cn=none-in," + groups + "\nchangetype: modrdn\nnewrdn: cn=none-in\ndeleteoldrdn: 1\nnewsuperior: ou=hid," + suffix + "\n",
	)
	s.Modify("dn: cn=value-out," + groups + "\nchangetype: delete\n")
	s.Modify("dn: cn=value-in," + groups + "\nchangetype: delete\n")
	s.Modify(group("value-in", aliceDN)) // another group of that name
	e := find(t, c, ut, "alice")
	m := c.DirectGroups(t.Context(), ut, e)
	for at, want := range map[string]string{"search-in": "still", "search-out": "renamed", "ok-in": "still", "ok-out": "seen",
		"none-in": "gone", "value-out": "gone", "value-in": "gone", "last-in": "still", "last-out": "renamed"} {
		dn := "cn=" + at + "," + groups
		if strings.HasPrefix(at, "last") {
			dn = "cn=" + at + ",ou=moved," + suffix
		}
		if got := c.Evidence(t.Context(), ut, e, m, []directory.Asked{{DN: dn, ID: ids[at]}}); inWords(got[0]) != want ||
			ids[at] == "" {
			t.Errorf("%s: %s, want %s: %+v", at, inWords(got[0]), want, got)
		}
	}
	s.Reconfigure(func(cfg *slapdtest.Config) {
		cfg.Access = []string{`access to attrs=entryUUID` + byReader + `none by * read`}
	})
	e = find(t, c, ut, "alice")
	m = c.DirectGroups(t.Context(), ut, e)
	if got := c.Evidence(t.Context(), ut, e, m, []directory.Asked{{DN: "cn=value-out," + groups, ID: ids["value-out"]}}); got[0].Obstacle != directory.NoID {
		t.Errorf("an ID that nobody may search for: %+v", got)
	}
}

// TestEvidenceOfComputedMembers believes "in it" only: the server says both, and finds
// nobody when it may not read what it searches by.
func TestEvidenceOfComputedMembers(t *testing.T) {
	dynamic := func(cn, filter string) string {
		return "dn: cn=" + cn + "," + groups + "\nobjectClass: groupOfURLs\ncn: " + cn + "\nmemberURL: ldap:///" + people + "??one?" + filter + "\n\n"
	}
	s := slapdtest.Start(t, slapdtest.Config{
		LDIF: hidden() + dynamic("in", "(uid=alice)") + dynamic("out",
			"(uid=wit)") + dynamic("hidden-in", "(mail=alice@example.test)"),
		DynList: "groupOfURLs memberURL member",
		Access:  []string{`access to attrs=mail` + byReader + `none by * read`},
	})
	cfg := persons()
	cfg.Filter = "(uid=${identifier})"
	wantSights(
		t,
		open(t, s.CA(), s.TLSURL()),
		compile(t, cfg),
		"alice",
		"still in",
		"untellable out",
		"untellable hidden-in",
		"seen ok-out",
	)
}

// TestEvidenceOfUnknownClasses hides what kind of group each is: neither whether its
// members are computed nor by what value it has them can be told.
func TestEvidenceOfUnknownClasses(t *testing.T) {
	s := slapdtest.Start(t, slapdtest.Config{
		LDIF: person("alice") + person("wit") + inAndOut(groups, "ok") + posixGroup("posix-in", "memberUid: alice") +
			"dn: cn=dynamic," + groups + "\nobjectClass: groupOfURLs\ncn: dynamic\nmemberURL: ldap:///" + people + "??one?(mail=alice@example.test)\n\n",
		DynList: "groupOfURLs memberURL member",
		Access: []string{
			`access to dn.children="` + groups + `" attrs=objectClass` + byReader + `search by * read`,
			`access to attrs=mail` + byReader + `none by * read`,
		},
	})
	cfg := persons()
	cfg.Filter = "(uid=${identifier})"
	wantSights(t, open(t, s.CA(), s.TLSURL()), compile(t, cfg), "alice",
		"still ok-in", "untellable ok-out", "still posix-in", "untellable dynamic")
}

// TestEvidenceWithoutNIS: of an attribute that the schema does not have, OpenLDAP never
// says that it is not there.
func TestEvidenceWithoutNIS(t *testing.T) {
	s := slapdtest.Start(t, slapdtest.Config{LDIF: person("alice") + person("wit") + inAndOut(groups, "ok"), NoNIS: true})
	wantSights(
		t,
		open(t, s.CA(), s.TLSURL()),
		compile(t, persons()),
		"alice",
		"still ok-in",
		"seen ok-out",
		"gone missing",
	)
}

// TestEvidenceOfAHiddenName hides one of the values of a person's uid, and has groups of
// names with either, with both and with many others.
func TestEvidenceOfAHiddenName(t *testing.T) {
	var many string
	for i := range 450 {
		many += fmt.Sprintf("memberUid: other-%d\n", i)
	}
	named := func(cn, members string) string { return posixGroup(cn, strings.TrimSpace(members)) }
	s := slapdtest.Start(t, slapdtest.Config{LDIF: person("alice") + person("wit") + named("shown", "memberUid: alice") +
		named("second", "memberUid: al2") + named("others", "memberUid: wit\nmemberUid: bob") + named("crowd", many) +
		named("in-the-crowd", many+"memberUid: al2"),
		Access: []string{`access to dn.exact="` + aliceDN + `" attrs=uid val.exact="al2"` + byReader + `none by * read`}})
	s.Modify("dn: " + aliceDN + "\nchangetype: modify\nadd: uid\nuid: al2\n-\n")
	wantSights(t, open(t, s.CA(), s.TLSURL()), compile(t, persons()), "alice",
		"still shown", "untellable second", "seen others", "seen crowd", "untellable in-the-crowd")
}

// withNumbers has people whose primary group is number 1, by RFC 2307, and two without
// any number: one with a group of names, one without.
func withNumbers(names ...string) string {
	ldif := person("alice") + person("wit") + posixGroup("primary", "memberUid: wit") +
		strings.Replace(posixGroup("named", "memberUid: alice"), "gidNumber: 1", "gidNumber: 2", 1)
	for _, n := range names {
		ldif += strings.Replace(person(n, "gidNumber: 1"), "\nuid:", "\nobjectClass: extensibleObject\nuid:", 1)
	}
	return ldif
}

func primaryGroups(cfg *directory.Config) { cfg.PosixPrimaryGroups = true }

// TestEvidenceOfNoNumberOnOpenLDAP tells who has no gidNumber from whose may not be seen.
func TestEvidenceOfNoNumberOnOpenLDAP(t *testing.T) {
	var hide []string
	rights := []string{"none", "disclose", "compare", "search"}
	for _, right := range rights {
		hide = append(hide, `access to dn.exact="uid=`+right+`,`+people+`" attrs=gidNumber`+byReader+right+` by * read`)
	}
	hide = append(hide, `access to dn.exact="uid=value,`+people+`" attrs=gidNumber val.exact="1"`+byReader+`none by * read`)
	s := slapdtest.Start(t, slapdtest.Config{LDIF: withNumbers(append(rights, "value", "shown")...), Access: hide})
	c, ut := open(t, s.CA(), s.TLSURL(), primaryGroups), compile(t, persons())
	wantSights(t, c, ut, "alice", "seen primary", "still named")
	wantSights(t, c, ut, "shown", "still primary", "seen named")
	for _, uid := range append(rights, "value") {
		wantSights(t, c, ut, uid, "untellable primary", "untellable named")
	}
}

// TestEvidenceAtAReplicaThatIsBehind: it would say truly what is not true any more.
func TestEvidenceAtAReplicaThatIsBehind(t *testing.T) {
	s := slapdtest.Start(
		t,
		slapdtest.Config{
			LDIF:     person("alice") + person("wit") + group("old", witDN) + group("left", witDN, aliceDN),
			Provider: true,
		},
	)
	replica := slapdtest.Start(t, slapdtest.Config{ReplicaOf: s.URL()})
	ut := compile(t, persons())
	s.Modify("dn: cn=old," + groups + "\nchangetype: modify\nadd: member\nmember: " + aliceDN + "\n-\n")
	s.Modify(group("new", aliceDN))
	at := open(t, s.CA(), s.TLSURL())
	stamps := map[string]string{}
	for _, g := range membership(t, at, ut, "alice").Groups {
		stamps[g.Name] = g.Stamp
	}
	look := func(want map[string]string) {
		t.Helper()
		c := open(t, replica.CA(), replica.TLSURL())
		e := find(t, c, ut, "alice")
		m := c.DirectGroups(t.Context(), ut, e)
		for name, finding := range want {
			got := c.Evidence(t.Context(), ut, e, m, []directory.Asked{{DN: "cn=" + name + "," + groups, Stamp: stamps[name]}})
			if inWords(got[0]) != finding || finding == "untellable" && got[0].Obstacle != directory.Behind ||
				stamps[name] == "" {
				t.Errorf("%s with stamp %q: %+v, want %s", name, stamps[name], got, finding)
			}
		}
	}
	look(map[string]string{"old": "untellable", "new": "untellable", "left": "still"})
	s.Modify("dn: cn=new," + groups + "\nchangetype: delete\n")
	s.Modify("dn: cn=left," + groups + "\nchangetype: modify\ndelete: member\nmember: " + aliceDN + "\n-\n")
	replica.Restart() // it follows
	c := open(t, replica.CA(), replica.TLSURL())
	eventually(t, "the replica has followed", func() bool { return names(membership(t, c, ut, "alice")) == "old" })
	look(map[string]string{"old": "still", "new": "gone", "left": "seen"})
}
