package e2e

import (
	"errors"
	"strings"
	"testing"

	"ldap-gateway/cloud/api/client"
	"ldap-gateway/directory/slapdtest"
)

// TestFirstSignOnCreatesUserAndDirectGroups is rules 1, 4, 5 and 7.
func TestFirstSignOnCreatesUserAndDirectGroups(t *testing.T) {
	var population struct{ ID string }
	w := newWorld(t, plan{})
	w.must("POST", "/populations", map[string]string{"name": "Staff"}, &population)
	form := w.userTypeForm()
	form["newUserLookup"].(map[string]any)["population"] = map[string]string{"id": population.ID}
	w.must("PUT", "/gateways/"+w.gateway+"/userTypes/"+w.userType, form, nil)

	r := w.mustSignOn("alice", "wonderland")
	if !r.Record.Updated || r.Membership.Verdict != "complete" {
		t.Errorf("%+v", r)
	}
	u, groups := w.record(r.User.ID)
	if u.Username != "alice" || u.Name.Given != "Alice" || u.Name.Family != "Archer" || u.Email != "alice@example.test" || u.Population.ID != population.ID {
		t.Errorf("user %+v", u)
	}
	if groups != "cn=B cn=staff cn=unix" {
		t.Errorf("groups %q: A is the parent and must not be there", groups)
	}
	for _, g := range w.groupsOf(r.User.ID) {
		cn, _, _ := strings.Cut(strings.TrimPrefix(g.Name, "cn="), ",")
		if g.SourceType != "GATEWAY" || g.SourceID != w.gateway || !g.JustInTime || g.DisplayName != cn {
			t.Errorf("%+v", g)
		}
	}
	did := w.activities(r.ID)
	if len(did["sign-on"]) != 1 || len(did["user.created"]) != 1 || len(did["group.created"]) != 3 || len(did["membership.added"]) != 3 {
		t.Errorf("activities %v", did)
	}
}

// TestUpdatesOffLeavesEverything is the default of rule 1: nothing more is
// populated, and no group is even searched for.
func TestUpdatesOffLeavesEverything(t *testing.T) {
	w := newWorld(t, plan{})
	first := w.mustSignOn("alice", "wonderland")
	before, groups := w.record(first.User.ID)
	w.slapd.Modify(member("spare", "add", aliceDN) + member("B", "add", "uid=bob,ou=people,dc=example,dc=test") + member("B", "delete", aliceDN))
	w.slapd.Modify("dn: " + aliceDN + "\nchangetype: modify\nreplace: sn\nsn: Changed\n")
	searches := w.groupSearches()
	r := w.mustSignOn("alice", "wonderland")
	if r.Record.Updated || !strings.Contains(r.Record.Reason, "off") {
		t.Errorf("%+v", r.Record)
	}
	after, now := w.record(first.User.ID)
	if after != before || now != groups {
		t.Errorf("before %+v %s\nafter  %+v %s", before, groups, after, now)
	}
	if n := w.groupSearches() - searches; n != 0 {
		t.Errorf("the agent made %d group searches", n)
	}
	w.setUpdate(true) // and at the very next sign-on it follows
	w.mustSignOn("alice", "wonderland")
	if u, groups := w.record(first.User.ID); groups != "cn=spare cn=staff cn=unix" || u.Name.Family != "Changed" {
		t.Errorf("with updates on: %+v %s", u, groups)
	}
	if w.groupSearches() == searches {
		t.Error("the count of group searches does not count")
	}
}

// TestUpdatesOnFollows is rule 2.
func TestUpdatesOnFollows(t *testing.T) {
	w := newWorld(t, plan{update: true})
	first := w.mustSignOn("alice", "wonderland")
	w.slapd.Modify(member("spare", "add", aliceDN) + member("B", "add", "uid=bob,ou=people,dc=example,dc=test") + member("B", "delete", aliceDN))
	w.slapd.Modify("dn: " + aliceDN + "\nchangetype: modify\nreplace: sn\nsn: Changed\n-\ndelete: mail\n")
	r := w.mustSignOn("alice", "wonderland")
	u, groups := w.record(first.User.ID)
	if groups != "cn=spare cn=staff cn=unix" || u.Name.Family != "Changed" || u.Email != "" {
		t.Errorf("%q %+v", groups, u)
	}
	if len(r.Membership.Added) != 1 || len(r.Membership.Removed) != 1 || !r.Record.Updated {
		t.Errorf("%+v", r)
	}
	for range 3 { // nothing changed, nothing is written
		again := w.mustSignOn("alice", "wonderland")
		if now, g := w.record(first.User.ID); now != u || g != groups || again.Record.Updated {
			t.Errorf("%+v %q %+v", now, g, again.Record)
		}
	}
}

// TestRenamedGroupIsANewGroup is rule 6.
func TestRenamedGroupIsANewGroup(t *testing.T) {
	w := newWorld(t, plan{update: true})
	first := w.mustSignOn("alice", "wonderland")
	w.slapd.Modify("dn: cn=B" + groupDN + "\nchangetype: modrdn\nnewrdn: cn=C\ndeleteoldrdn: 1\n")
	r := w.mustSignOn("alice", "wonderland")
	if _, groups := w.record(first.User.ID); groups != "cn=C cn=staff cn=unix" || len(r.Membership.Added) != 1 || len(r.Membership.Removed) != 1 {
		t.Errorf("%q %+v", groups, r.Membership)
	}
}

// TestOneNameInTwoPlacesIsTwoGroups is rule 7.
func TestOneNameInTwoPlacesIsTwoGroups(t *testing.T) {
	two := ""
	for _, ou := range []string{"emea", "apac"} {
		two += "dn: ou=" + ou + groupDN + "\nobjectClass: organizationalUnit\nou: " + ou + "\n\n" +
			"dn: cn=admins,ou=" + ou + groupDN + "\nobjectClass: groupOfNames\ncn: admins\nmember: " + aliceDN + "\n\n"
	}
	w := newWorld(t, plan{slapd: slapdtest.Config{LDIF: two}})
	r := w.mustSignOn("alice", "wonderland")
	if _, groups := w.record(r.User.ID); groups != "cn=B cn=admins,ou=apac cn=admins,ou=emea cn=staff cn=unix" {
		t.Error(groups)
	}
}

// TestManualRemovalComesBack is rule 8.
func TestManualRemovalComesBack(t *testing.T) {
	w := newWorld(t, plan{update: true})
	first := w.mustSignOn("alice", "wonderland")
	g := first.Groups[0]
	w.must("DELETE", "/users/"+first.User.ID+"/memberOfGroups/"+g.ID, nil, nil)
	if got := names(w.groupsOf(first.User.ID)); strings.Contains(got, strings.TrimSuffix(g.Name, groupDN)) {
		t.Errorf("still there: %s", got)
	}
	w.mustSignOn("alice", "wonderland")
	if _, groups := w.record(first.User.ID); groups != "cn=B cn=staff cn=unix" {
		t.Error(groups)
	}
}

// TestJustInTimeGroupsAreNotEdited is rules 7 and 9: each refusal says why.
func TestJustInTimeGroupsAreNotEdited(t *testing.T) {
	w := newWorld(t, plan{})
	alice, bob := w.mustSignOn("alice", "wonderland"), w.mustSignOn("bob", "builder")
	g := alice.Groups[0]
	for name, c := range map[string]struct {
		method, path string
		body         any
	}{
		"add-user":     {"POST", "/users/" + bob.User.ID + "/memberOfGroups", map[string]string{"id": g.ID}},
		"rename":       {"PUT", "/groups/" + g.ID, map[string]string{"name": "other", "displayName": g.DisplayName}},
		"display-name": {"PUT", "/groups/" + g.ID, map[string]string{"name": g.Name, "displayName": "other"}},
		"filter": {"PUT", "/groups/" + g.ID, map[string]any{
			"name":        g.Name,
			"displayName": g.DisplayName,
			"userFilter":  "x",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var refusal *client.Error
			err := w.do(c.method, c.path, c.body, nil)
			if !errors.As(err, &refusal) || refusal.Status/100 != 4 || len(refusal.Details) == 0 || len(refusal.Details[0].Message) < 20 {
				t.Errorf("%v", err)
			}
		})
	}
	if _, groups := w.record(bob.User.ID); groups != "cn=spare cn=staff" {
		t.Error(groups)
	}
}

// TestReferenceHidesOnlyWhatItLeadsTo has the directory say less than all, for ever: a
// search reference that is not followed. The answer is partial, and what can be shown
// of the other groups is followed all the same.
func TestReferenceHidesOnlyWhatItLeadsTo(t *testing.T) {
	w := newWorld(t, plan{update: true})
	first := w.mustSignOn("alice", "wonderland")
	w.slapd.Modify(member("spare", "add", aliceDN) + member("B", "add", "uid=bob,ou=people,dc=example,dc=test") + member("B", "delete", aliceDN))
	w.slapd.Modify("dn: ou=remote,dc=example,dc=test\nobjectClass: referral\nobjectClass: extensibleObject\nou: remote\nref: ldap://127.0.0.1:9/ou=remote,dc=example,dc=test\n")
	r := w.mustSignOn("alice", "wonderland")
	if r.Membership.Verdict != "partial" || !strings.Contains(r.Membership.Reason, "reference") {
		t.Errorf("%+v", r.Membership)
	}
	if _, groups := w.record(first.User.ID); groups != "cn=spare cn=staff cn=unix" {
		t.Error(groups)
	}
}

// TestSizeLimitRemovesNothing gives the service account a size limit that the
// groups do not fit in.
func TestSizeLimitRemovesNothing(t *testing.T) {
	w := newWorld(t, plan{update: true, slapd: slapdtest.Config{SizeLimit: 4}})
	first := w.mustSignOn("alice", "wonderland")
	w.slapd.Modify(member("B", "add", "uid=bob,ou=people,dc=example,dc=test") + member("B", "delete", aliceDN))
	for _, cn := range []string{"g1", "g2", "g3", "g4", "g5"} {
		w.slapd.Modify("dn: cn=" + cn + groupDN + "\nobjectClass: groupOfNames\ncn: " + cn + "\nmember: " + aliceDN + "\n")
	}
	r := w.mustSignOn("alice", "wonderland")
	w.nothingRemoved(first, r, "partial", "limit")
}

// nothingRemoved wants all groups of the first sign-on to be there still, and
// the reason in the answer and in the activities.
func (w *world) nothingRemoved(first, r signOn, verdict, why string) {
	w.t.Helper()
	if r.Membership == nil || r.Membership.Verdict != verdict || !strings.Contains(strings.ToLower(r.Membership.Reason), why) || len(r.Membership.Removed) != 0 {
		w.t.Errorf("%+v", r.Membership)
	}
	_, groups := w.record(first.User.ID)
	for _, g := range first.Groups {
		if !strings.Contains(groups, strings.TrimSuffix(g.Name, groupDN)) {
			w.t.Errorf("%s is gone: %s", g.Name, groups)
		}
	}
	if did := w.activities(r.ID); len(did["update.refused"]) != 1 || !strings.Contains(strings.ToLower(did["update.refused"][0]), why) {
		w.t.Errorf("activities %v", did)
	}
}
