package directory_test

import (
	"errors"
	"strings"
	"testing"

	"ldap-gateway/directory"
	"ldap-gateway/directory/directorytest"
	"ldap-gateway/directory/slapdtest"
)

// role is a group whose members are in another attribute than most have.
func role(cn string, occupants ...string) string {
	text := "dn: cn=" + cn + "," + groups + "\nobjectClass: organizationalRole\ncn: " + cn + "\n"
	for _, o := range occupants {
		text += "roleOccupant: " + o + "\n"
	}
	return text + "\n"
}

// TestMembersInOtherWays has groups have members by a primary group of RFC 2307, by
// another attribute of the person than uid, and by another attribute of the group than
// member. Each counts where the file says so, is evidence there, and elsewhere is nothing:
// of a server that nobody knows, a group shows a member before it is seen without one.
func TestMembersInOtherWays(t *testing.T) {
	// Alice has the number of a group, and the server has people of that number besides.
	ldif := person("alice", "employeeNumber: 007", "gidNumber: 4711") + person("bob", "gidNumber: 4711") + person("wit", "gidNumber: 4712") +
		strings.Replace(posixGroup("primary", "memberUid: nobody"), "gidNumber: 1", "gidNumber: 4711", 1) +
		strings.Replace(posixGroup("another", "memberUid: 007"), "gidNumber: 1", "gidNumber: 4712", 1) +
		posixGroup("by-uid", "memberUid: alice") + role("boss", aliceDN) + role("clerk", witDN) + group("plain", aliceDN) + group("bare")
	s := inProcess(t, ldif, func(s *directorytest.Server) {
		s.AttributeTypes = []string{"( 1.1 NAME 'gidNumber' ) ( 1.2 NAME 'roleOccupant' )"}
	})
	all := func(cfg *directory.Config) {
		cfg.PosixPrimaryGroups, cfg.MemberUIDFrom, cfg.MemberAttributes = true, "employeeNumber", []string{"roleOccupant"}
	}
	for name, c := range map[string]struct {
		change func(*directory.Config)
		groups string
		sights []string
	}{
		"as-usual": {func(*directory.Config) {}, "by-uid plain", []string{"seen another", "still by-uid", "untellable clerk", "untellable bare"}},
		"primary": {func(cfg *directory.Config) { cfg.PosixPrimaryGroups = true }, "by-uid plain primary",
			[]string{"still primary", "seen another"}},
		"by-number": {func(cfg *directory.Config) { cfg.MemberUIDFrom = "employeeNumber" }, "another plain", []string{"still another", "seen by-uid"}},
		"roles": {func(cfg *directory.Config) { cfg.MemberAttributes = []string{"roleOccupant"} }, "boss by-uid plain",
			[]string{"still boss", "seen clerk"}},
		"all": {all, "another boss plain primary", []string{"still primary", "still boss", "still another", "seen clerk", "seen by-uid"}},
	} {
		t.Run(name, func(t *testing.T) {
			client, ut := open(t, s.CA(), s.TLSURL(), c.change), compile(t, persons())
			wantMembership(t, membership(t, client, ut, "alice"), directory.Complete, c.groups)
			wantSights(t, client, ut, "alice", c.sights...)
		})
	}
	if err := s.Replace(aliceDN, "gidNumber"); err != nil { // not readable any more
		t.Fatal(err)
	}
	wantSights(t, open(t, s.CA(), s.TLSURL(), all), compile(t, persons()), "alice", "untellable primary", "still boss")
	_, err := directory.Open(directory.Config{Servers: []string{s.TLSURL()}, BaseDN: suffix, MemberAttributes: []string{"a)(b"}})
	if err == nil || !strings.Contains(err.Error(), "not an attribute name") {
		t.Error(errors.Join(err, errors.New("an attribute that is none is taken")))
	}
}

// TestRolesOnOpenLDAP reads roleOccupant of a real server.
func TestRolesOnOpenLDAP(t *testing.T) {
	s := slapdtest.Start(t, slapdtest.Config{
		LDIF: person("alice") + person("wit") + role("boss", aliceDN) + role("clerk", witDN) + group("plain", aliceDN),
	})
	c := open(t, s.CA(), s.TLSURL(), func(cfg *directory.Config) { cfg.MemberAttributes = []string{"roleOccupant"} })
	ut := compile(t, persons())
	wantMembership(t, membership(t, c, ut, "alice"), directory.Complete, "boss plain")
	wantSights(t, c, ut, "alice", "still boss", "seen clerk", "still plain", "gone missing")
}
