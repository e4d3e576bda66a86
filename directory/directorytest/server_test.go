package directorytest_test

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"ldap-gateway/directory/directorytest"
	"ldap-gateway/directory/slapdtest"

	"github.com/go-ldap/ldap/v3"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const suffix = slapdtest.Suffix

// world has entries that tell filters apart: case, blanks, commas, accents, numbers.
const world = `dn: uid=alice,ou=people,dc=example,dc=test
objectClass: inetOrgPerson
objectClass: posixAccount
uid: alice
cn: Alice  Liddell
cn: The Girl
sn: Liddell
mail: Alice@Example.test
uidNumber: 9
gidNumber: 100
homeDirectory: /home/alice
userPassword: wonder

dn: uid=bob,ou=people,dc=example,dc=test
objectClass: inetOrgPerson
objectClass: posixAccount
uid: bob
cn:: QsO2YiBCw7xpbGRlcg==
sn: Builder
uidNumber: 10
gidNumber: 100
homeDirectory: /home/Bob
description: a long line that
  continues (with brackets) and a *

dn: cn=Last\, First,ou=people,dc=example,dc=test
objectClass: inetOrgPerson
cn: Last, First
sn: Last
manager: uid=ALICE, ou=People,dc=example,dc=test

dn: cn=child,ou=groups,dc=example,dc=test
objectClass: groupOfNames
cn: child
member: uid=alice,ou=people,dc=example,dc=test
member: cn=Last\2C First,ou=people,dc=example,dc=test

dn: cn=parent,ou=groups,dc=example,dc=test
objectClass: groupOfNames
cn: parent
member: cn=child,ou=groups,dc=example,dc=test

dn: cn=posix,ou=groups,dc=example,dc=test
objectClass: posixGroup
cn: posix
gidNumber: 100
memberUid: alice

`

func start(t *testing.T, configure ...func(*directorytest.Server)) (*directorytest.Server, *ldap.Conn) {
	t.Helper()
	s := directorytest.Start(
		t,
		append([]func(*directorytest.Server){directorytest.LDIF(t, slapdtest.BaseLDIF+world)}, configure...)...)
	return s, dial(t, s.URL())
}

func dial(t *testing.T, url string, opts ...ldap.DialOpt) *ldap.Conn {
	t.Helper()
	c, err := ldap.DialURL(url, opts...)
	if err != nil {
		t.Fatal(err)
	}
	c.SetTimeout(5 * time.Second)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func search(c *ldap.Conn, base string, scope int, filter string, attributes ...string) (*ldap.SearchResult, error) {
	return c.Search(ldap.NewSearchRequest(base, scope, ldap.NeverDerefAliases, 0, 0, false, filter, attributes, nil))
}

// dns returns the sorted, folded DNs, or the result code.
func dns(r *ldap.SearchResult, err error) string {
	var e *ldap.Error
	if errors.As(err, &e) {
		return fmt.Sprintf("code %d", e.ResultCode)
	}
	var out []string
	for _, entry := range r.Entries {
		dn, err := ldap.ParseDN(entry.DN)
		if err != nil {
			return err.Error()
		}
		out = append(out, strings.ToLower(dn.String()))
	}
	slices.Sort(out)
	return strings.Join(out, " | ")
}

// The answers must be those of a real server, entry for entry.
func TestAnswersAreThoseOfSlapd(t *testing.T) {
	real := slapdtest.Start(t, slapdtest.Config{LDIF: world})
	_, fake := start(t)
	slapd := dial(t, real.URL())
	if err := slapd.Bind(slapdtest.ReaderDN, slapdtest.Password); err != nil {
		t.Fatal(err)
	}
	people, groups := "ou=people,"+suffix, "ou=groups,"+suffix
	for _, tc := range []struct {
		base   string
		scope  int
		filter string
	}{
		{suffix, 2, "(objectClass=*)"}, {suffix, 1, "(objectClass=*)"}, {suffix, 0, "(objectClass=*)"}, {people, 1, "(objectClass=*)"},
		{"OU=People, dc=EXAMPLE,dc=test", 2, "(objectClass=person)"}, {"ou=nowhere," + suffix, 2, "(objectClass=*)"}, {"rubbish", 2, "(cn=*)"},
		{suffix, 2, "(uid=ALICE)"}, {suffix, 2, "(cn=alice liddell)"}, {suffix, 2, "(cn=  alice   liddell )"}, {suffix, 2, "(mail=alice@EXAMPLE.TEST)"},
		{suffix, 2, "(cn=Böb Büilder)"}, {suffix, 2, "(cn=BÖB*)"}, {suffix, 2, `(description=*\28with brackets\29*\2a)`},
		{suffix, 2, "(cn=*lid*)"}, {suffix, 2, "(cn=a*ell)"}, {suffix, 2, "(cn=*girl)"}, {suffix, 2, "(cn=al*al*)"}, {suffix, 2, "(mail=*)"},
		{suffix, 2, "(uidNumber>=10)"}, {suffix, 2, "(uidNumber<=9)"}, {suffix, 2, "(&(uidNumber>=9)(uidNumber<=9))"},
		{suffix, 2, "(&)"}, {suffix, 2, "(|)"}, {suffix, 2, "(|(uid=alice)(uid=bob))"}, {suffix, 2, "(&(objectClass=inetOrgPerson)(!(uid=alice)))"},
		{suffix, 2, "(!(|(uid=*)(member=*)))"}, {suffix, 2, "(member=UID=alice, OU=people,dc=example,dc=test)"},
		{suffix, 2, `(member=cn=Last\5c, First,ou=people,dc=example,dc=test)`}, {suffix, 2, "(manager=uid=alice,ou=people,dc=example,dc=test)"},
		{groups, 2, "(|(member=uid=alice,ou=people,dc=example,dc=test)(uniqueMember=uid=alice,ou=people,dc=example,dc=test)(memberUid=alice))"},
		{groups, 2, "(memberUid=Alice)"}, {suffix, 2, "(homeDirectory=/home/bob)"}, {suffix, 2, "(uid:=alice)"},
		{`cn=Last\2C First,` + people, 0, "(sn=last)"}, {people, 1, "(cn=last, first)"},
	} {
		want, got := dns(
			search(slapd, tc.base, tc.scope, tc.filter, "1.1"),
		), dns(
			search(fake, tc.base, tc.scope, tc.filter, "1.1"),
		)
		if got != want {
			t.Errorf("base %q scope %d filter %s:\n got %s\nwant %s", tc.base, tc.scope, tc.filter, got, want)
		}
	}
}

func TestBindsAndTheirCount(t *testing.T) {
	s, c := start(t, func(s *directorytest.Server) { s.RequireBind = true })
	alice := "uid=alice,ou=people," + suffix
	if got := dns(search(c, suffix, 0, "(objectClass=*)")); got != "code 1" {
		t.Errorf("search before a bind: %s", got)
	}
	if err := c.Bind(alice, "wrong"); !ldap.IsErrorWithCode(err, 49) {
		t.Errorf("wrong password: %v", err)
	}
	if err := c.UnauthenticatedBind(alice); !ldap.IsErrorWithCode(err, 53) {
		t.Errorf("no password: %v", err)
	}
	if err := c.Bind("UID=Alice, ou=people,"+suffix, "wonder"); err != nil {
		t.Error(err)
	}
	if got := dns(search(c, suffix, 0, "(objectClass=*)")); got != suffix {
		t.Errorf("after a bind: %s", got)
	}
	if s.Binds(alice) != 3 || s.Binds("") != 3 || s.Searches() != 2 {
		t.Errorf("counted %d, %d, %d", s.Binds(alice), s.Binds(""), s.Searches())
	}
	ops := s.Operations()
	if last := ops[len(ops)-1]; last.Identity == "" || last.Filter != "(objectClass=*)" || last.Conn == 0 {
		t.Errorf("last operation %+v", last)
	}
}

func TestOperationalAttributesOnlyWhenAsked(t *testing.T) {
	_, c := start(t, func(s *directorytest.Server) { s.MemberOf = directorytest.MemberOfTransitive })
	for asked, want := range map[string]string{
		"":          "cn gidNumber homeDirectory mail objectClass sn uid uidNumber",
		"*":         "cn gidNumber homeDirectory mail objectClass sn uid uidNumber",
		"+":         "entryUUID memberOf",
		"MEMBEROF":  "memberOf",
		"1.1":       "",
		"entryuuid": "entryUUID",
	} {
		r, err := search(c, suffix, 2, "(uid=alice)", strings.Fields(asked)...)
		if err != nil || len(r.Entries) != 1 {
			t.Fatalf("%v, %v", r, err)
		}
		var got []string
		for _, a := range r.Entries[0].Attributes {
			got = append(got, a.Name)
		}
		slices.Sort(got)
		if strings.Join(got, " ") != want {
			t.Errorf("%q gave %q, want %q", asked, got, want)
		}
	}
}

func TestMemberOfFollowsItsKnob(t *testing.T) {
	for kind, want := range map[directorytest.MemberOf]int{
		directorytest.MemberOfNone: 0, directorytest.MemberOfDirect: 1, directorytest.MemberOfTransitive: 2,
	} {
		_, c := start(t, func(s *directorytest.Server) { s.MemberOf = kind })
		r, err := search(c, suffix, 2, "(uid=alice)", "memberOf")
		if err != nil || len(r.Entries[0].GetAttributeValues("memberOf")) != want {
			t.Errorf("kind %d: %v, %v; want %d", kind, r.Entries, err, want)
		}
	}
}

func TestChangesAreSeenAtOnce(t *testing.T) {
	s, c := start(t, func(s *directorytest.Server) { s.MemberOf = directorytest.MemberOfDirect })
	child, bob := "cn=child,ou=groups,"+suffix, "uid=bob,ou=people,"+suffix
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.Replace(child, "member", bob))
	if got := dns(search(c, suffix, 2, "(memberOf="+child+")")); got != strings.ToLower(bob) {
		t.Errorf("after Replace: %s", got)
	}
	must(s.Rename(child, "cn=kind,ou=groups,"+suffix))
	if got := dns(search(c, suffix, 2, "(cn=kind)")); got != "cn=kind,ou=groups,"+suffix {
		t.Errorf("after Rename: %s", got)
	}
	must(s.Add("cn=new,"+suffix, map[string][]string{"objectClass": {"device"}, "cn": {"new"}}))
	must(s.Delete(bob))
	if got := dns(search(c, suffix, 2, "(|(uid=bob)(cn=new))")); got != "cn=new,"+suffix {
		t.Errorf("after Add and Delete: %s", got)
	}
	if err := s.Delete(bob); !errors.Is(err, directorytest.ErrMissing) {
		t.Errorf("Delete again: %v", err)
	}
	if err := s.Add("CN=New,"+suffix, nil); !errors.Is(err, directorytest.ErrExists) {
		t.Errorf("Add again: %v", err)
	}
}

func TestPagesAndLimits(t *testing.T) {
	_, c := start(t)
	r, err := c.SearchWithPaging(ldap.NewSearchRequest(suffix, 2, 0, 0, 0, false, "(objectClass=*)", nil, nil), 2)
	if err != nil || len(r.Entries) != 10 {
		t.Errorf("paged: %d entries, %v", len(r.Entries), err)
	}
	r, err = c.Search(ldap.NewSearchRequest(suffix, 2, 0, 3, 0, false, "(objectClass=*)", nil, nil))
	if !ldap.IsErrorWithCode(err, 4) || len(r.Entries) != 3 {
		t.Errorf("limited: %d entries, %v", len(r.Entries), err)
	}
	page := func(cookie []byte) (*ldap.SearchResult, error) {
		control := ldap.NewControlPaging(2)
		control.SetCookie(cookie)
		return c.Search(ldap.NewSearchRequest(suffix, 2, 0, 0, 0, false, "(objectClass=*)", nil, []ldap.Control{control}))
	}
	first, err := page(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := page(nil); err != nil {
		t.Fatal(err)
	}
	cookie := ldap.FindControl(first.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging).Cookie
	if _, err := page(cookie); !ldap.IsErrorWithCode(err, 53) {
		t.Errorf("a cookie of an older paged search: %v", err)
	}
}

func TestStartTLSAndLDAPS(t *testing.T) {
	s, c := start(t)
	cfg := &tls.Config{RootCAs: s.CA(), ServerName: "127.0.0.1"}
	if err := c.StartTLS(cfg); err != nil {
		t.Fatal(err)
	}
	if got := dns(search(c, suffix, 0, "(objectClass=*)")); got != suffix {
		t.Errorf("after StartTLS: %s", got)
	}
	secure := dial(t, s.TLSURL(), ldap.DialWithTLSConfig(cfg))
	if got := dns(search(secure, suffix, 0, "(objectClass=*)")); got != suffix {
		t.Errorf("LDAPS: %s", got)
	}
	for _, op := range s.Operations() {
		if !op.Secure {
			t.Errorf("in clear: %+v", op)
		}
	}
}

func TestFaults(t *testing.T) {
	s, c := start(t)
	s.SetSearchFault("",
		directorytest.Fault{Result: &directorytest.Result{Code: 11, Text: "enough"}, References: []string{"ldap://x/"}})
	r, err := search(c, suffix, 2, "(objectClass=*)")
	if !ldap.IsErrorWithCode(err, 11) || len(r.Entries) != 10 || len(r.Referrals) != 1 {
		t.Errorf("%d entries, %v, %v", len(r.Entries), r.Referrals, err)
	}
	s.SetSearchFault("", directorytest.Fault{ResetAfter: 2})
	r, err = search(c, suffix, 2, "(objectClass=*)")
	if err == nil || len(r.Entries) > 2 {
		t.Errorf("reset: %d entries, %v", len(r.Entries), err)
	}
	s.ClearFaults()
	s.SetSilent(true)
	raw, err := net.Dial("tcp", strings.TrimPrefix(s.URL(), "ldap://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	_ = raw.SetDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := raw.Read(make([]byte, 1)); n != 0 || errors.Is(err, io.EOF) {
		t.Errorf("a silent server sent %d octets, %v", n, err)
	}
}

func TestZeroServerWorks(t *testing.T) {
	var s directorytest.Server
	defer s.Close()
	if err := s.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	r, err := search(dial(t, s.URL()), "", 0, "(objectClass=*)", "supportedLDAPVersion")
	if err != nil || r.Entries[0].GetAttributeValue("supportedLDAPVersion") != "3" {
		t.Errorf("%v, %v", r, err)
	}
	s.Close()
	if err := s.Listen("127.0.0.1:0"); !errors.Is(err, directorytest.ErrClosed) {
		t.Errorf("Listen after Close: %v", err)
	}
}

func TestLDIF(t *testing.T) {
	records, err := directorytest.ParseLDIF(
		strings.NewReader(
			"version: 1\n# comment\n folded\ndn: cn=a\ncn: a\n b\nx:: w6k=\n\n\ndn: cn=b\nchangetype: modify\nadd: y\ny:z\n-\n",
		),
	)
	if err != nil || len(records) != 2 {
		t.Fatalf("%+v, %v", records, err)
	}
	if r := records[0]; r.DN != "cn=a" ||
		!slices.Equal(r.Lines, []directorytest.Line{{Name: "cn", Value: "ab"}, {Name: "x", Value: "é"}}) {
		t.Errorf("%+v", r)
	}
	if r := records[1]; r.ChangeType != "modify" || len(r.Lines) != 3 || r.Lines[2].Name != "-" {
		t.Errorf("%+v", r)
	}
	for _, bad := range []string{"cn: a", "dn: cn=a\nrubbish", "dn: cn=a\nx:: %", "dn: cn=a\nx:< file:///etc/passwd", " x", "dn: cn=a\n: x"} {
		if _, err := directorytest.ParseLDIF(strings.NewReader(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func FuzzLDIF(f *testing.F) {
	f.Add("dn: cn=a\ncn: a\n b\nx:: w6k=\n")
	f.Fuzz(func(t *testing.T, text string) {
		records, err := directorytest.ParseLDIF(strings.NewReader(text))
		if err != nil {
			return
		}
		var out strings.Builder
		encode := func(name, value string) {
			out.WriteString(name + ":: " + base64.StdEncoding.EncodeToString([]byte(value)) + "\n")
		}
		for _, r := range records {
			encode("dn", r.DN)
			for _, l := range r.Lines {
				if l.Name == "-" {
					out.WriteString("-\n")
					continue
				}
				encode(l.Name, l.Value)
			}
			out.WriteString("\n")
		}
		again, err := directorytest.ParseLDIF(strings.NewReader(out.String()))
		if err != nil || len(again) != len(records) {
			t.Fatalf("%q read again: %d records instead of %d, %v", text, len(again), len(records), err)
		}
	})
}
