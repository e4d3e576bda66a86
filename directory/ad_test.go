package directory_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"ldap-gateway/directory"
	"ldap-gateway/directory/directorytest"
)

// sid returns base64 of S-1-5-21-1-2-3-rid.
func sid(rid byte) string {
	raw := []byte{1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, rid, 1, 0, 0}
	return base64.StdEncoding.EncodeToString(raw)
}

const adGUID = "33221100-5544-7766-8899-aabbccddeeff"

// adPeople has alice with primary group 0x132, and bob with Domain Users (513 = 0x201).
func adPeople() string {
	guid := base64.StdEncoding.EncodeToString(
		[]byte{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff},
	)
	user := func(cn, primary string, rid byte, more ...string) string {
		return "dn: cn=" + cn + "," + people + "\nobjectClass: user\nobjectClass: inetOrgPerson\ncn: " + cn + "\nuid: " + cn + "\nuserPassword: password\nprimaryGroupID: " + primary +
			"\nobjectSid:: " + sid(
			rid,
		) + "\n" + lines(
			more,
		)
	}
	grp := func(cn string, rid byte, members ...string) string {
		out := "dn: cn=" + cn + "," + groups + "\nobjectClass: group\ncn: " + cn + "\nobjectSid:: " + sid(rid) + "\n"
		for _, m := range members {
			out += "member: cn=" + m + "," + people + "\n"
		}
		return out + "\n"
	}
	return user("alice", fmt.Sprint(0x132), 1, "objectGUID:: "+guid) + user("bob", "513", 2) +
		grp("sales", 0x30, "alice", "bob") + grp("staff", 0x31, "alice") + grp("primary", 0x32) + grp("Domain Users", 0x33)
}

func startAD(t *testing.T, change ...func(*directorytest.Server)) (*directorytest.Server, *directory.Client) {
	t.Helper()
	s := inProcess(t, adPeople(), append([]func(*directorytest.Server){func(s *directorytest.Server) {
		s.RootDSE = directorytest.ActiveDirectory()
		s.MemberOf = directorytest.MemberOfDirect
		s.RequireBind = true
	}}, change...)...)
	return s, open(t, s.CA(), s.TLSURL())
}

func TestActiveDirectoryMemberOfAndPrimaryGroup(t *testing.T) {
	s, c := startAD(t)
	ut := compile(t, persons())
	m := membership(t, c, ut, "alice")
	wantMembership(t, m, directory.Complete, "primary sales staff")
	if m.Groups[0].Source != "primaryGroup" || m.Groups[1].Source != "memberOf" {
		t.Errorf("sources %+v", m.Groups)
	}
	before := s.Searches()
	wantMembership(t, membership(t, c, ut, "bob"), directory.Complete, "sales")
	if n := s.Searches() - before; n != 1 {
		t.Errorf("%d searches for somebody whose primary group is Domain Users, want 1", n)
	}
	if method, why := c.GroupMethod(ut); method != "memberOf" || !strings.Contains(why, directory.VendorAD) {
		t.Errorf("method %s because %s", method, why)
	}
}

func TestPrimaryGroupThatIsAlsoMemberOfIsThereOnce(t *testing.T) {
	s, c := startAD(t)
	if err := s.Replace("cn=primary,"+groups, "member", "cn=alice,"+people); err != nil {
		t.Fatal(err)
	}
	wantMembership(t, membership(t, c, compile(t, persons()), "alice"), directory.Complete, "primary sales staff")
}

func TestCutOffMemberOfIsReplacedByTheSearch(t *testing.T) {
	_, c := startAD(t, func(s *directorytest.Server) { s.MaxValues = 1 })
	m := membership(t, c, compile(t, persons()), "alice")
	wantMembership(t, m, directory.Complete, "primary sales staff")
	for _, g := range m.Groups {
		if g.Source == "memberOf" {
			t.Errorf("from a range: %+v", g)
		}
	}
}

// A membership that changes while its ranges are read must not be taken for whole.
func TestMemberOfThatMovesBetweenRangesIsReplacedByTheSearch(t *testing.T) {
	s, c := startAD(t, func(s *directorytest.Server) { s.MaxValues = 2 })
	ut, dn := compile(t, persons()), "cn=alice,"+people
	var want []string
	for i := range 5 {
		cn := fmt.Sprintf("z%d", i)
		want = append(want, cn)
		if err := s.Add("cn="+cn+","+groups, map[string][]string{"objectClass": {"group"}, "cn": {cn}, "member": {dn}}); err != nil {
			t.Fatal(err)
		}
	}
	e := find(t, c, ut, "alice") // has sales and staff
	if err := s.Replace("cn=sales,"+groups, "member"); err != nil {
		t.Fatal(err)
	}
	m := c.DirectGroups(t.Context(), ut, e)
	wantMembership(t, m, directory.Complete, "primary staff "+strings.Join(want, " "))
	for _, g := range m.Groups {
		if g.Source == "memberOf" {
			t.Errorf("from a range: %+v", g)
		}
	}
}

func TestGroupIDsAndOtherNamesNeedTheSearch(t *testing.T) {
	s, c := startAD(t)
	cfg := persons()
	cfg.Groups = &directory.GroupRule{NameAttribute: "displayName"}
	for _, cn := range []string{"sales", "staff", "primary"} {
		if err := s.Replace("cn="+cn+","+groups, "displayName", "The "+cn); err != nil {
			t.Fatal(err)
		}
	}
	wantMembership(t, membership(t, c, compile(t, cfg), "alice"), directory.Complete, "The primary The sales The staff")
	cfg.Groups = &directory.GroupRule{WithID: true}
	for _, cn := range []string{"sales", "staff", "primary"} {
		if err := s.Replace("cn="+cn+","+groups, "objectGUID", "0123456789abcdef"); err != nil {
			t.Fatal(err)
		}
	}
	m := membership(t, c, compile(t, cfg), "alice")
	wantMembership(t, m, directory.Complete, "primary sales staff")
	if got := m.Groups[0].ID; got != "33323130-3534-3736-3839-616263646566" {
		t.Errorf("ID %s", got)
	}
}

func TestReferencesAtTheDomainRootAreNormal(t *testing.T) {
	s, c := startAD(t)
	normal := []string{
		"ldap://ForestDnsZones.example.test/DC=ForestDnsZones,DC=example,DC=test",
		"ldap://DomainDnsZones.example.test/DC=DomainDnsZones,DC=example,DC=test",
		"ldap://example.test/CN=Configuration,DC=example,DC=test",
	}
	s.SetSearchFault(suffix, directorytest.Fault{References: normal})
	ut := compile(t, persons())
	wantMembership(t, membership(t, c, ut, "alice"), directory.Complete, "primary sales staff")
	s.SetSearchFault(suffix,
		directorytest.Fault{References: append(normal, "ldap://child.example.test/DC=child,DC=example,DC=test")})
	wantMembership(t, membership(t, c, ut, "alice"), directory.Partial, "primary sales staff")
}

func TestFailedPrimaryGroupSearchIsPartial(t *testing.T) {
	s, c := startAD(t)
	s.SetSearchFault(suffix, directorytest.Fault{Close: true})
	wantMembership(t, membership(t, c, compile(t, persons()), "alice"), directory.Partial, "sales staff")
}

func TestBinaryAttributesAreText(t *testing.T) {
	_, c := startAD(t)
	cfg := persons()
	cfg.Attributes, cfg.Correlation = []string{"objectSid", "objectGUID"}, []string{"objectGUID", "objectSid"}
	ut := compile(t, cfg)
	e := find(t, c, ut, "alice")
	if e.Attributes["objectGUID"][0] != adGUID || e.Attributes["objectSid"][0] != "S-1-5-21-1-2-3-257" {
		t.Errorf("attributes %q", e.Attributes)
	}
	for _, known := range e.Correlation {
		again, err := c.FindCorrelated(t.Context(), ut, []directory.Value{known})
		if err != nil || again.DN != e.DN {
			t.Errorf("by %v: %q, %v", known, again.DN, err)
		}
	}
}

func TestWithoutMembershipNoGroupAttributeIsRead(t *testing.T) {
	s, c := startAD(t)
	cfg := persons()
	cfg.Groups = nil
	find(t, c, compile(t, cfg), "alice")
	if n := s.Searches(); n != 1 {
		t.Errorf("%d searches, want 1", n)
	}
}
