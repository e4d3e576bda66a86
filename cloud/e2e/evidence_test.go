package e2e

import (
	"strings"
	"testing"

	"ldap-gateway/directory/slapdtest"
)

const forReader = ` by dn.exact="` + slapdtest.ReaderDN + `" `

// TestNothingIsTakenAwayWithoutEvidence hides groups from the service account, whole
// and in part: a list without them is complete to the directory, and no evidence.
func TestNothingIsTakenAwayWithoutEvidence(t *testing.T) {
	w := newWorld(t, plan{update: true})
	first := w.mustSignOn("alice", "wonderland")
	hide := func(rules ...string) {
		w.slapd.Reconfigure(func(c *slapdtest.Config) { c.Access = rules })
	}
	want := func(groups, verdict, reason string) {
		t.Helper()
		r := w.mustSignOn("alice", "wonderland")
		_, have := w.record(first.User.ID)
		if have != groups || r.Membership.Verdict != verdict || !strings.Contains(r.Membership.Reason, reason) {
			t.Errorf("%s (%s %s), want %s (%s %s)", have, r.Membership.Verdict, r.Membership.Reason, groups, verdict, reason)
		}
	}
	want("cn=B cn=staff cn=unix", "complete", "")
	hide(`access to dn.subtree="ou=groups,dc=example,dc=test"` + forReader + `none by * read`)
	want("cn=B cn=staff cn=unix", "partial", "3 groups stay")
	hide(`access to attrs=member` + forReader + `none by * read`)
	want("cn=B cn=staff cn=unix", "partial", "members of the groups cannot be read")
	w.slapd.Modify(member("B", "add", "uid=bob,ou=people,dc=example,dc=test") + member("B", "delete", aliceDN)) // and now she leaves one
	hide(`access to dn.base="cn=staff,ou=groups,dc=example,dc=test" attrs=uniqueMember` + forReader + `none by * read`)
	want("cn=staff cn=unix", "partial", "1 group stays")
	hide()
	want("cn=staff cn=unix", "complete", "")
	w.slapd.Modify("dn: cn=staff,ou=groups,dc=example,dc=test\nchangetype: delete\n")
	want("cn=unix", "complete", "")
	w.slapd.Modify("dn: cn=unix,ou=groups,dc=example,dc=test\nchangetype: modify\ndelete: memberUid\nmemberUid: alice\n-\n")
	want("", "complete", "") // the last one
}

// TestUnchangedAsksNothingMore counts what the directory is asked.
func TestUnchangedAsksNothingMore(t *testing.T) {
	w := newWorld(t, plan{update: true})
	w.mustSignOn("alice", "wonderland")
	w.mustSignOn("alice", "wonderland")
	searches := strings.Count(w.slapd.Log(), " SRCH ")
	w.mustSignOn("alice", "wonderland")
	if n := strings.Count(w.slapd.Log(), " SRCH ") - searches; n != 2*2 { // a line for the base, and one for the attributes
		t.Errorf("%d lines of searches for the person and the groups:\n%s", n, w.slapd.Log())
	}
}
