package provisioner_test

import (
	"fmt"
	"ldap-gateway/cloud/store"
	"strings"
	"testing"
	"time"
)

// TestSourcesHaveABudget: what one source brings beyond it is left aside, is told, and
// takes nothing away; another source has its own.
func TestSourcesHaveABudget(t *testing.T) {
	w := build(t)
	w.provisioner.MostNewGroups, w.provisioner.MostChanges = 10, 60
	first, so := w.mustSignOn(w.ada("a", "b"))
	names := func(n int, mark string) (all []string) {
		for i := range n {
			all = append(all, fmt.Sprint(mark, i))
		}
		return all
	}
	c, so := w.mustSignOn(w.ada(append([]string{"a", "b"}, names(20, "flood")...)...))
	if len(c.Added) != 8 || so.Verdict != "partial" || !strings.Contains(so.VerdictReason, "12 groups left aside") {
		t.Errorf("%d joined, %s: %s", len(c.Added), so.Verdict, so.VerdictReason)
	}
	if len(c.Removed) != 0 || w.count("cloud_groups") != 10 {
		t.Errorf("%d left, %d groups", len(c.Removed), w.count("cloud_groups"))
	}
	// Known groups cost memberships alone, and names that change cost as new ones do.
	for i := range 20 {
		other := w.ada("a", "b")
		other.Properties["username"] = fmt.Sprint("person", i)
		other.Correlation[0].Value = fmt.Sprint("p-", i)
		for j := range other.Membership.Groups {
			other.Membership.Groups[j].DisplayName = fmt.Sprint("renamed ", i)
		}
		c, so = w.mustSignOn(other)
		if len(c.GroupsRenamed) != 0 {
			t.Errorf("%d were renamed", len(c.GroupsRenamed))
		}
	}
	if len(c.Added) != 0 || !strings.Contains(so.VerdictReason, "left aside") || so.Outcome != "ok" {
		t.Errorf("beyond the number of changes %d joined: %+v", len(c.Added), so)
	}
	eve, so := w.mustSignOn(w.eve("x", "y"))
	if len(eve.Added) != 2 || so.Verdict != "complete" {
		t.Errorf("another source: %d joined, %s", len(eve.Added), so.VerdictReason)
	}
	again, so := w.mustSignOn(w.ada("a"))
	if again.User.ID != first.User.ID || so.Outcome != "ok" {
		t.Errorf("%+v", so)
	}
}

// TestLargeListsTakeTurns: of one source one is taken at a time, and nobody is kept out.
func TestLargeListsTakeTurns(t *testing.T) {
	w := build(t)
	names := make([]string, 1200)
	for i := range names {
		names[i] = fmt.Sprint("g", i)
	}
	w.provisioner.LargeWait = time.Minute
	outcome := make(chan string)
	for i := range 2 {
		go func() {
			id := w.ada(names...)
			id.Properties = map[string]string{"username": fmt.Sprint("person", i)}
			id.Correlation[0].Value = fmt.Sprint("p-", i)
			so := store.SignOn{Method: store.ByPassword, GatewayID: w.gateway.ID}
			_, err := w.provisioner.Apply(t.Context(), id, &so)
			outcome <- fmt.Sprint(so.Verdict, err)
		}()
	}
	for range 2 {
		if got := <-outcome; got != "complete<nil>" {
			t.Error(got)
		}
	}
}
