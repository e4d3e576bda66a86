package provisioner_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ldap-gateway/cloud/provisioner"
	"ldap-gateway/cloud/store"
)

// model is what the rules say of memberships, as simply as it can be put.
type model map[string]map[string]bool // groups by person

// signOn follows the list; left tells which groups the directory shows that the person
// is not in.
func (m model) signOn(person string, update bool, verdict provisioner.Verdict, groups []string, left map[string]bool, asked bool) {
	in, known := m[person]
	if !known {
		in = map[string]bool{}
		m[person] = in
	}
	if known && !update || verdict == provisioner.Unknown {
		return
	}
	for g := range in {
		if asked && left[g] && !slices.Contains(groups, g) {
			delete(in, g)
		}
	}
	for _, g := range groups {
		in[g] = true
	}
}

func (m model) groups(person string) string {
	return strings.Join(slices.Sorted(maps.Keys(m[person])), " ")
}

// Any sequence of sign-ons leads to what the model says, never removes without
// evidence, and says itself what it did.
func TestSequences(t *testing.T) {
	w := build(t)
	run := 0
	rapid.Check(t, func(r *rapid.T) {
		run++ // people of their own for each sequence
		m, ids := model{}, map[string]string{}
		for range rapid.IntRange(1, 8).Draw(r, "steps") {
			person := fmt.Sprint(rapid.SampledFrom([]string{"ada", "bob"}).Draw(r, "person"), run)
			verdict := rapid.SampledFrom([]provisioner.Verdict{
				provisioner.Complete,
				provisioner.Partial,
				provisioner.Unknown,
			}).Draw(r, "verdict")
			groups := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d"}), 0, 4, rapid.ID).
				Draw(r, "groups")
			id := w.ada(groups...)
			id.Username, id.Properties["username"], id.Update = person, person, rapid.Bool().Draw(r, "update")
			id.Correlation = []store.Correlation{{Attribute: "entryUUID", Value: person}}
			id.Membership.Verdict = verdict
			id.Membership.Whole = rapid.Bool().Draw(r, "whole")
			left := map[string]bool{}
			for _, g := range []string{"a", "b", "c", "d"} {
				left[g] = rapid.Bool().Draw(r, g+" was left")
			}
			w.seen = func(q provisioner.Question) provisioner.Sight {
				if left[strings.TrimSuffix(strings.TrimPrefix(q.Name, "cn="), ",dc=x")] {
					return provisioner.Sight{Finding: provisioner.Left}
				}
				return provisioner.Sight{Reason: "notVisible"}
			}
			c, so, err := w.signOn(id)
			if err != nil {
				r.Fatal(err)
			}
			ids[person] = c.User.ID
			m.signOn(person, id.Update, verdict, groups, left, id.Membership.Whole || verdict == provisioner.Complete)
			for _, g := range c.Removed {
				if !left[g.DisplayName] || len(so.Removed) == 0 {
					r.Fatalf("%s removed %v without evidence", verdict, g.Name)
				}
			}
			if c.Updated != (len(c.Added)+len(c.Removed) > 0) && !c.Created {
				r.Fatalf("says updated %t: %+v", c.Updated, c)
			}
			for p, user := range ids { // nobody else is touched
				if got := w.groupsOf(user); got != m.groups(p) {
					r.Fatalf("%s is in %q, the rules say %q", p, got, m.groups(p))
				}
			}
		}
	})
}
