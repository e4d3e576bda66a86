package directory_test

import (
	"errors"
	"strings"

	"ldap-gateway/directory"
)

func signOnCases() []conformanceCase {
	return []conformanceCase{
		{"the right password, a wrong one, nobody's name", rightAndWrong},
		{"the name that the entry carries, and the mail address", plainNames},
		{caseNamesAD, activeDirectoryNames},
		{"upper and lower case lead to one person", oneSpelling},
		{caseUmlaut, umlaut},
		{"commas, quotes, slashes and brackets in a name", specialNames},
		{"of two who match, nobody", ambiguousName},
	}
}

func rightAndWrong(s *scene) {
	dn := s.user("alice")
	s.wantBind(dn, rightPassword, nil)
	s.wantBind(dn, "wrong", directory.ErrInvalidCredentials)
	s.wantBind(dn, "", directory.ErrEmptyPassword)
	s.wantBind(strings.Replace(dn, "alice", "nobody", 1), rightPassword, directory.ErrInvalidCredentials)
	if _, err := s.client.FindUser(s.Context(), s.ut, s.named("nobody")); !errors.Is(err, directory.ErrNoSuchUser) {
		s.Errorf("nobody's name: %v", err)
	}
}

// wantSame wants every spelling to find the entry, with one identity.
func (s *scene) wantSame(dn string, spellings ...string) {
	s.Helper()
	identity := ""
	for _, spelling := range spellings {
		e, err := s.client.FindUser(s.Context(), s.ut, spelling)
		if err != nil || !strings.EqualFold(e.DN, dn) {
			s.Errorf("%q finds %q, %v; want %q", spelling, e.DN, err, dn)
			continue
		}
		if id := e.Correlation[0]; id.Attribute != s.dialect.identity || identity != "" && id.Value != identity {
			s.Errorf("%q has identity %v, others %q", spelling, id, identity)
		}
		identity = e.Correlation[0].Value
	}
}

func plainNames(s *scene) {
	s.wantSame(s.user("alice"), s.named("alice"), s.named("alice")+"@example.test")
}

func activeDirectoryNames(s *scene) {
	dn := s.user("alice")
	s.must(s.replace(dn, "userPrincipalName", s.named("alice.liddell")+"@other.example"))
	s.wantSame(dn, s.named("alice"), s.named("alice.liddell")+"@other.example", s.domain+`\`+s.named("alice"),
		strings.ToLower(s.domain)+`\`+s.named("ALICE"), `ad.example.test\`+s.named("alice"))
	for _, name := range []string{`ELSEWHERE\` + s.named("alice"), s.domain + `\`, s.domain + `\x\` + s.named("alice"), `\` + s.named("alice")} {
		if _, err := s.client.FindUser(s.Context(), s.ut, name); !errors.Is(err, directory.ErrNoSuchUser) {
			s.Errorf("%q: %v, want nobody", name, err)
		}
	}
}

func oneSpelling(s *scene) {
	dn := s.user("Miller")
	s.wantSame(dn, s.named("Miller"), s.named("MILLER"), s.named("miller"))
}

func umlaut(s *scene) {
	dn := s.user("Müller")
	s.wantSame(dn, s.named("Müller"), s.named("MÜLLER"), s.named("müller"))
}

func specialNames(s *scene) {
	g := s.group("before", s.user("member"))
	members := []string{s.user("member2")}
	for _, name := range []string{"o'brien", "a, b", "c+d", `e "f"`, "g/h", "i(j)*", "k#l", "m<n>o", "p;q"} {
		if s.dialect.rdn != "uid" && strings.ContainsAny(name, `,+"/*<>;`) { // not in a sAMAccountName ([MS-ADTS] 3.1.1.6)
			continue
		}
		dn := s.user(name)
		members = append(members, dn)
		s.must(s.replace(g, "member", members...))
		e := s.find(name)
		s.wantBind(e.DN, rightPassword, nil)
		s.wantGroups(name, "before")
	}
	if _, err := s.client.FindUser(s.Context(), s.ut, "*"); !errors.Is(err, directory.ErrNoSuchUser) {
		s.Errorf("a star finds %v", err)
	}
}

func ambiguousName(s *scene) {
	s.user("alice")
	other := s.user("other")
	s.must(s.replace(other, "mail", s.named("alice")+"@example.test"))
	if _, err := s.client.FindUser(s.Context(), s.ut, s.named("alice")+"@example.test"); !errors.Is(err,
		directory.ErrAmbiguousUser) {
		s.Errorf("two entries: %v", err)
	}
}
