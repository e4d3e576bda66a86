package directory_test

import (
	"strings"
	"testing"

	"ldap-gateway/directory"
	"ldap-gateway/directory/sambatest"
)

// hidePrimary hides primaryGroupID, hideSID objectSid.
const (
	hidePrimary = "(OD;;RP;bf967a00-0de6-11d0-a285-00aa003049e2;;%s)"
	hideSID     = "(OD;;RP;bf9679e8-0de6-11d0-a285-00aa003049e2;;%s)"
)

// TestPrimaryGroupIsNoAbsence has a primary group with other members, whose members and
// memberOf do not have the person, and hides what tells that it is hers.
func TestPrimaryGroupIsNoAbsence(t *testing.T) {
	s := domain(t)
	config := func(from, account string) func(*directory.Config) {
		return func(cfg *directory.Config) {
			cfg.BaseDN, cfg.BindDN, cfg.BindPassword = sambatest.Suffix, account, sambatest.Password
			cfg.TLS.ServerName, cfg.GroupsFrom = sambatest.Host, from
		}
	}
	auto, search := config("", sambatest.ReaderDN), config("search", sambatest.ReaderDN)
	ut := compile(t, directory.UserTypeConfig{ID: "1", Name: "all", SearchBase: sambatest.Suffix,
		Filter: "(sAMAccountName=${identifier})", Attributes: []string{"objectSid"}, Correlation: []string{"objectGUID"},
		Groups: &directory.GroupRule{}})
	at := func(cn string) string { return "CN=" + cn + ",OU=Grp," + sambatest.Suffix }
	user := func(cn string) string { return "CN=" + cn + ",CN=Users," + sambatest.Suffix }
	admin := open(t, s.CA(), s.TLSURL(), config("", sambatest.AdminDN))
	for _, who := range []string{"alice", "dave", "erin"} { // ok-in has bob besides
		sid := find(t, admin, ut, "ok-in").Attributes["objectSid"][0]
		rid := sid[strings.LastIndex(sid, "-")+1:]
		if who != "alice" {
			s.Modify("dn: " + at("ok-in") + "\nchangetype: modify\nadd: member\nmember: " + user(who) + "\n-\n")
		}
		s.Modify("dn: " + user(who) + "\nchangetype: modify\nreplace: primaryGroupID\nprimaryGroupID: " + rid + "\n-\n")
	}
	s.Deny(user("dave"), hidePrimary)
	s.Deny(user("erin"), hideSID)
	for name, how := range map[string]func(*directory.Config){"memberOf": auto, "search": search} {
		c := open(t, s.CA(), s.TLSURL(), how)
		if m := membership(t, c, ut, "alice"); !strings.Contains(names(m), "ok-in") {
			t.Errorf("by %s the primary group is not found: %s %s", name, names(m), m.Reason)
		}
		wantSights(
			t,
			c,
			ut,
			"alice",
			"still "+at("ok-in"),
			"seen "+at("ok-out"),
			"seen "+at("entry-out"),
			"gone "+at("missing"),
		)
		wantSights(t, c, ut, "dave", "untellable "+at("ok-in"), "seen "+at("ok-out"), "untellable "+at("missing"))
		wantSights(t, c, ut, "erin", "untellable "+at("ok-in"), "seen "+at("ok-out"), "untellable "+at("missing"))
	}
	s.Deny(at("ok-in"), hideSID)
	c := open(t, s.CA(), s.TLSURL(), auto)
	wantSights(t, c, ut, "alice", "untellable "+at("ok-in"), "seen "+at("ok-out"))
	s.Deny(at("ok-in"), hideEntry)
	wantSights(t, c, ut, "alice", "untellable "+at("ok-in"), "seen "+at("ok-out"), "untellable "+at("missing"))
	wantSights(t, c, ut, "bob", "gone "+at("missing")) // Domain Users counts for nobody
}

// TestPrimaryGroupCountsInEverySearch reads groups by a search where a primary group has
// somebody else as a member.
func TestPrimaryGroupCountsInEverySearch(t *testing.T) {
	s, _ := startAD(t)
	if err := s.Replace("cn=primary,"+groups, "member", "cn=bob,"+people); err != nil {
		t.Fatal(err)
	}
	c := open(t, s.CA(), s.TLSURL(), func(cfg *directory.Config) { cfg.GroupsFrom = "search" })
	ut := compile(t, persons())
	wantMembership(t, membership(t, c, ut, "alice"), directory.Complete, "primary sales staff")
	wantSights(t, c, ut, "alice", "still cn=primary,"+groups)
	if err := s.Replace("cn=alice,"+people, "primaryGroupID"); err != nil { // not readable any more
		t.Fatal(err)
	}
	wantSights(t, c, ut, "alice", "untellable cn=primary,"+groups)
}
