package directory_test

import (
	"errors"
	"slices"
	"strings"

	"ldap-gateway/directory"
)

func identityCases() []conformanceCase {
	return []conformanceCase{
		{"a renamed person keeps the identity", renamedPerson},
		{"a moved person keeps the identity, and the groups", movedPerson},
		{"a deleted and recreated person is another", recreatedPerson},
		{"an ambiguous correlation attribute falls through to the next", ambiguousCorrelation},
		{"a group keeps its immutable ID when it is renamed", renamedGroupID},
		{"the schema tells what attributes there are", schemaAttributes},
	}
}

func schemaAttributes(s *scene) {
	names, err := s.client.AttributeNames(s.Context())
	s.must(err)
	for _, want := range []string{"mail", "givenName", "member"} {
		if !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, want) }) {
			s.Errorf("%s is not among %d attributes", want, len(names))
		}
	}
}

// correlated finds the person that an entry was about.
func (s *scene) correlated(e directory.Entry) directory.Entry {
	s.Helper()
	again, err := s.client.FindCorrelated(s.Context(), s.ut, e.Correlation)
	s.must(err)
	return again
}

func (s *scene) wantIdentity(before, now directory.Entry, dn string) {
	s.Helper()
	if now.Correlation[0] != before.Correlation[0] || !sameDN(now.DN, dn) {
		s.Errorf("%v at %s, was %v; want %s", now.Correlation[0], now.DN, before.Correlation[0], dn)
	}
}

func renamedPerson(s *scene) {
	dn := s.user("alice")
	s.group("staff", dn)
	before := s.find("alice")
	to := s.dialect.rdn + "=" + s.named("alicia") + "," + s.dialect.people
	s.must(s.rename(dn, to))
	s.wantIdentity(before, s.correlated(before), to)
}

func movedPerson(s *scene) {
	dn := s.user("alice")
	group := s.group("staff", dn)
	before := s.find("alice")
	to := s.dialect.rdn + "=" + s.named("alice") + "," + s.folder("elsewhere")
	s.must(s.rename(dn, to))
	if !s.keepsMembers {
		s.must(s.replace(group, "member", to))
	}
	s.wantIdentity(before, s.find("alice"), to)
	s.wantIdentity(before, s.correlated(before), to)
	s.wantGroups("alice", "staff")
}

func recreatedPerson(s *scene) {
	dn := s.user("alice")
	before := s.find("alice")
	s.must(s.remove(dn))
	s.user("alice")
	if now := s.find("alice"); now.Correlation[0] == before.Correlation[0] {
		s.Errorf("one identity for two people: %v", now.Correlation)
	}
	_, err := s.client.FindCorrelated(s.Context(), s.ut, before.Correlation[:1])
	if !errors.Is(err, directory.ErrNoSuchUser) {
		s.Errorf("the old identity: %v", err)
	}
}

func ambiguousCorrelation(s *scene) {
	dn := s.user("alice", "description", s.named("shared"))
	s.user("bob", "description", s.named("shared"))
	s.ut = s.userType(
		func(cfg *directory.UserTypeConfig) { cfg.Correlation = []string{"description", s.dialect.identity} },
	)
	before := s.find("alice")
	if again := s.correlated(before); !sameDN(again.DN, dn) {
		s.Errorf("found %s, want %s", again.DN, dn)
	}
}

func renamedGroupID(s *scene) {
	group := s.group("old", s.user("alice"))
	s.ut = s.userType(func(cfg *directory.UserTypeConfig) { cfg.Groups.WithID = true })
	before := s.membership("alice")
	wantMembership(s, before, directory.Complete, s.named("old"))
	s.must(s.rename(group, "cn="+s.named("new")+","+s.dialect.groups))
	now := s.membership("alice")
	wantMembership(s, now, directory.Complete, s.named("new"))
	if before.Groups[0].ID == "" || now.Groups[0].ID != before.Groups[0].ID {
		s.Errorf("ID %q, was %q", now.Groups[0].ID, before.Groups[0].ID)
	}
}
