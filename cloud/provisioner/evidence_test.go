package provisioner_test

import (
	"strings"
	"testing"

	"ldap-gateway/cloud/provisioner"
)

// seeing answers by common name; what is not told is Untold.
func (w *world) seeing(by map[string]provisioner.Sight) {
	w.seen = func(q provisioner.Question) provisioner.Sight {
		return by[strings.TrimSuffix(strings.TrimPrefix(q.Name, "cn="), ",dc=x")]
	}
}

func (w *world) doubts(user string) string {
	w.t.Helper()
	all, err := w.store.UserGroups(w.t.Context(), w.env.ID, user)
	w.must(err)
	var words []string
	for _, m := range all {
		if m.Doubt != "" {
			words = append(words, m.Group.DisplayName+":"+m.Doubt)
		}
	}
	return strings.Join(words, " ")
}

// TestOnlyEvidenceTakesAGroupAway: that a complete list has a group no more is none.
func TestOnlyEvidenceTakesAGroupAway(t *testing.T) {
	w := build(t)
	first, _ := w.mustSignOn(w.ada("left", "hidden", "still", "stays"))
	if w.asked != nil {
		t.Errorf("a first sign-on asked about %+v", w.asked)
	}
	w.seeing(map[string]provisioner.Sight{
		"left":   {Finding: provisioner.Left},
		"hidden": {Reason: "notVisible", Words: "out of sight"},
		"still":  {Finding: provisioner.Member},
	})
	c, so := w.mustSignOn(w.ada("stays"))
	w.wantGroups(first.User.ID, "hidden stays still")
	if len(w.asked) != 3 || c.Verdict != "partial" || len(c.Removed) != 1 {
		t.Errorf("asked about %d: %+v", len(w.asked), c)
	}
	if !strings.Contains(so.VerdictReason, "1 group stays") || !strings.Contains(so.VerdictReason, "out of sight") ||
		!strings.Contains(so.VerdictReason, "the user is in 1 group") {
		t.Error(so.VerdictReason)
	}
	if got := w.doubts(first.User.ID); got != "hidden:notVisible" {
		t.Errorf("in doubt: %s", got)
	}
	written := w.watch()
	again := w.ada("stays")
	if c, _ := w.mustSignOn(again); c.Updated || written() != 0 {
		t.Errorf("nothing new, and yet written: %+v", c)
	}
	c, _ = w.mustSignOn(w.ada("stays", "hidden", "still")) // it can be seen again
	if w.asked != nil || c.Verdict != "complete" || w.doubts(first.User.ID) != "" {
		t.Errorf("%+v, in doubt %s", c, w.doubts(first.User.ID))
	}
}

// TestPartialListWithEvidence: one odd entry does not keep everything for ever.
func TestPartialListWithEvidence(t *testing.T) {
	w := build(t)
	first, _ := w.mustSignOn(w.ada("left", "stays"))
	w.seeing(map[string]provisioner.Sight{"left": {Finding: provisioner.Left}})
	id := w.ada("stays")
	id.Membership.Verdict, id.Membership.Reason = provisioner.Partial, "a reference"
	w.mustSignOn(id)
	w.wantGroups(first.User.ID, "left stays") // a list that was cut off only adds, and asks nothing
	if w.asked != nil {
		t.Errorf("asked about %+v", w.asked)
	}
	id.Membership.Whole = true
	c, so := w.mustSignOn(id)
	w.wantGroups(first.User.ID, "stays")
	if c.Verdict != "partial" || so.VerdictReason != "a reference" ||
		!strings.Contains(so.UpdateReason, "1 group removed") {
		t.Errorf("%+v", so)
	}
}

// TestNoAnswerKeepsEverything is an agent of the version before, or one that is lost.
func TestNoAnswerKeepsEverything(t *testing.T) {
	w := build(t)
	first, _ := w.mustSignOn(w.ada("a", "b"))
	w.seen = func(provisioner.Question) provisioner.Sight {
		return provisioner.Sight{Reason: "oldAgent", Words: "too old"}
	}
	c, _ := w.mustSignOn(w.ada("c"))
	w.wantGroups(first.User.ID, "a b c")
	if c.Verdict != "partial" || w.doubts(first.User.ID) != "a:oldAgent b:oldAgent" {
		t.Errorf("%+v %s", c, w.doubts(first.User.ID))
	}
}

// TestWhatAnIdentityProviderListsIsAll needs no evidence.
func TestWhatAnIdentityProviderListsIsAll(t *testing.T) {
	w := build(t)
	id := w.eve("a", "b")
	first, _ := w.mustSignOn(id)
	id = w.eve("a")
	if c, _ := w.mustSignOn(id); w.asked != nil || c.Verdict != "complete" {
		t.Errorf("%+v", c)
	}
	w.wantGroups(first.User.ID, "a")
}

// TestUnconfirmedListJoinsWhatIsSeen holds a memberOf that nobody computes.
func TestUnconfirmedListJoinsWhatIsSeen(t *testing.T) {
	w := build(t)
	w.seeing(map[string]provisioner.Sight{
		"a":      {Finding: provisioner.Member},
		"parent": {Finding: provisioner.Left},
		"b":      {Finding: provisioner.Member},
	})
	id := w.ada("a", "parent")
	id.Membership.Unconfirmed = true
	first, _ := w.mustSignOn(id)
	w.wantGroups(first.User.ID, "a")
	if len(w.asked) != 2 || w.count("cloud_groups") != 1 {
		t.Errorf("asked about %+v, %d groups", w.asked, w.count("cloud_groups"))
	}
	id = w.ada("a", "b", "unseen")
	id.Membership.Unconfirmed = true
	c, so := w.mustSignOn(id)
	w.wantGroups(first.User.ID, "a b")
	if c.Verdict != "partial" || !strings.Contains(so.VerdictReason, "1 group of memberOf") {
		t.Errorf("%+v", so)
	}
	w.asked, id = nil, w.ada("a", "b")
	id.Membership.Unconfirmed = true
	if c, _ := w.mustSignOn(id); w.asked != nil || c.Verdict != "complete" {
		t.Errorf("nothing is new, and yet asked about %+v: %+v", w.asked, c)
	}
}

// TestQuestionsTakeTurns: no group waits for ever behind those that cannot be told.
func TestQuestionsTakeTurns(t *testing.T) {
	w := build(t)
	names := many(450)
	w.mustSignOn(w.ada(names...))
	w.seen = func(provisioner.Question) provisioner.Sight { return provisioner.Sight{Reason: "notVisible"} }
	asked := map[string]bool{}
	for range 3 {
		w.mustSignOn(w.ada())
		for _, q := range w.asked {
			asked[q.Name] = true
		}
	}
	if len(asked) != len(names) {
		t.Errorf("after three sign-ons %d of %d groups were asked about", len(asked), len(names))
	}
}

// Those whom the user is in after all take turns as well: none of them keeps a group
// that is gone from being asked about.
func TestMembersTakeTurns(t *testing.T) {
	w := build(t)
	names := many(450)
	w.mustSignOn(w.ada(names...))
	gone := map[string]bool{}
	for _, name := range names[440:] {
		gone["cn="+name+",dc=x"] = true
	}
	w.seen = func(q provisioner.Question) provisioner.Sight {
		if gone[q.Name] {
			return provisioner.Sight{Finding: provisioner.Left}
		}
		return provisioner.Sight{Finding: provisioner.Member}
	}
	var removed int
	for range 3 {
		c, _ := w.mustSignOn(w.ada())
		removed += len(c.Removed)
	}
	if removed != len(gone) {
		t.Errorf("after three sign-ons %d of %d groups that are gone were taken away", removed, len(gone))
	}
}

// TestStampsAndIDsGoWithTheQuestion as the user joined with them.
func TestStampsAndIDsGoWithTheQuestion(t *testing.T) {
	w := build(t)
	id := w.ada("a", "b")
	id.GroupIdentity = "ID"
	for i := range id.Membership.Groups {
		id.Membership.Groups[i].ID, id.Membership.Groups[i].Stamp = id.Membership.Groups[i].DisplayName+"-id", "2026"
	}
	w.mustSignOn(id)
	id = w.ada()
	id.GroupIdentity = "ID"
	w.mustSignOn(id)
	if len(w.asked) != 2 || w.asked[0].DirectoryID != "a-id" || w.asked[0].Stamp != "2026" ||
		w.asked[0].Key == w.asked[1].Key {
		t.Errorf("%+v", w.asked)
	}
	w.mustSignOn(w.ada("a"))
	w.mustSignOn(w.ada())
	if len(w.asked) != 1 || w.asked[0].DirectoryID != "" {
		t.Errorf("by name: %+v", w.asked)
	}
}
