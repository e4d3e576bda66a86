package provisioner_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ldap-gateway/cloud/provisioner"
	"ldap-gateway/cloud/store"
)

// watch makes the database note each row that is written to the tables of
// users and groups, and returns a function that tells how many were since it
// was called last.
func (w *world) watch() func() int {
	w.t.Helper()
	db := w.database()
	w.t.Cleanup(func() { w.must(db.Close()) })
	exec := func(text string, args ...any) {
		_, err := db.ExecContext(w.t.Context(), fmt.Sprintf(text, args...))
		w.must(err)
	}
	exec("CREATE TABLE written (what TEXT)")
	trigger := "CREATE TRIGGER w_%[1]s_%[2]s AFTER %[2]s ON %[1]s BEGIN INSERT INTO written VALUES ('%[1]s'); END"
	if store.IsPostgres(w.where) {
		exec("CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO written VALUES (TG_TABLE_NAME); RETURN NULL; END'")
		trigger = "CREATE TRIGGER w_%[1]s_%[2]s AFTER %[2]s ON %[1]s FOR EACH ROW EXECUTE FUNCTION note()"
	}
	for _, table := range []string{"users", "correlations", "cloud_groups", "membership_rows"} {
		for _, verb := range []string{"INSERT", "UPDATE", "DELETE"} {
			exec(trigger, table, verb)
		}
	}
	return func() int {
		n := w.count("written")
		exec("DELETE FROM written")
		return n
	}
}

// A sign-on that changes nothing writes its own row and no other, which activities show as well.
func TestNothingChangedNothingWritten(t *testing.T) {
	for name, change := range map[string]func(*provisioner.Identity){
		"Same":            func(*provisioner.Identity) {},
		"SwitchOff":       func(id *provisioner.Identity) { id.Update = false; id.Membership.Groups = nil },
		"NotAsked":        func(id *provisioner.Identity) { id.Properties, id.Membership = nil, nil },
		"GroupsNotAsked":  func(id *provisioner.Identity) { id.Membership = nil },
		"CaseAndBlanks":   func(id *provisioner.Identity) { id.Membership.Groups[0].Name = "CN=A, DC=X" },
		"OtherOrder":      func(id *provisioner.Identity) { g := id.Membership.Groups; g[0], g[1] = g[1], g[0] },
		"Twice":           func(id *provisioner.Identity) { id.Membership.Groups = append(id.Membership.Groups, named("a")...) },
		"EmptyProperties": func(id *provisioner.Identity) { id.Properties["name.family"], id.Properties["title"] = "", "" },
	} {
		t.Run(name, func(t *testing.T) {
			w := build(t)
			w.mustSignOn(w.ada("a", "b"))
			written := w.watch()
			signOns, activities := w.count("sign_ons"), w.count("activities")
			id := w.ada("a", "b")
			change(&id)
			c, so := w.mustSignOn(id)
			if n := written(); n != 0 || c.Updated || so.Updated {
				t.Errorf("%d rows written: %+v", n, c)
			}
			if w.count("sign_ons") != signOns+1 || w.count("activities") != activities {
				t.Error("the sign-on is not all that was written")
			}
			told, _, err := w.store.Activities(t.Context(), id.EnvironmentID, store.ActivityFilter{SignOnID: so.ID}, store.Page{})
			if err != nil || len(told) != 1 || told[0].Action != "sign-on" || told[0].Text != so.Line || so.Line == "" {
				t.Errorf("%+v, %v", told, err)
			}
		})
	}
}

// What changed is written, and no more than that.
func TestOnlyWhatChangedIsWritten(t *testing.T) {
	w := build(t)
	w.mustSignOn(w.ada("a", "b"))
	written := w.watch()
	w.mustSignOn(w.ada("b", "c")) // one group, one membership in, one out
	if n := written(); n != 3 {
		t.Errorf("%d rows written, want 3", n)
	}
	id := w.ada("b", "c")
	id.Properties["email"] = "new@x"
	w.mustSignOn(id)
	if n := written(); n != 1 {
		t.Errorf("%d rows written, want the user's", n)
	}
}

func many(n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("group-%04d", i))
	}
	return names
}

func TestManyGroups(t *testing.T) {
	w := build(t)
	names := many(2000)
	c, _ := w.mustSignOn(w.ada(names...))
	if len(c.Added) != 2000 || len(c.GroupsCreated) != 2000 || w.count("memberships") != 2000 {
		t.Fatalf("%d added, %d created", len(c.Added), len(c.GroupsCreated))
	}
	for i := range 5 { // a sign-on is asked about 200 groups
		c, _ = w.mustSignOn(w.ada(names[1000:]...))
		if want := map[bool]string{
			true:  "complete",
			false: "partial",
		}[i == 4]; len(c.Removed) != provisioner.MostQuestions || c.Verdict != want {
			t.Errorf("%d removed, %s", len(c.Removed), c.Verdict)
		}
	}
	if n := w.count("memberships"); n != 1000 {
		t.Errorf("%d left", n)
	}
	c, _ = w.mustSignOn(w.ada(names...))
	if len(c.Added) != 1000 || len(c.GroupsCreated) != 0 {
		t.Errorf("%d added, %d created", len(c.Added), len(c.GroupsCreated))
	}
}

// BenchmarkUnchanged is the sign-on that happens most: a record that is up to date.
func BenchmarkUnchanged(b *testing.B) {
	for _, n := range []int{12, 2000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := build(b)
			id := w.ada(many(n)...)
			w.mustSignOn(id)
			for b.Loop() {
				w.mustSignOn(id)
			}
		})
	}
}

// BenchmarkManyNewGroups is a first sign-on with groups that nobody had: alone, and with
// what others wait meanwhile, whom nothing changes for.
func BenchmarkManyNewGroups(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		for _, beside := range []int{0, 4} {
			b.Run(fmt.Sprintf("%d/others-%d", n, beside), func(b *testing.B) {
				w := build(b)
				other := w.ada("a", "b")
				w.mustSignOn(other)
				var slowest atomic.Int64
				for i := 0; b.Loop(); i++ {
					ctx, done := context.WithCancel(b.Context())
					var others sync.WaitGroup
					for range beside {
						others.Go(func() { signOnUntil(ctx, w, other, &slowest) })
					}
					w.mustSignOn(w.somebody(i, n))
					done()
					others.Wait()
				}
				b.ReportMetric(float64(slowest.Load())/1e6, "others-slowest-ms")
			})
		}
	}
}

// BenchmarkMorning is a crowd of people whom nobody knows, with lists of so many new groups each:
// how many of them a second, and how long the slowest of others waits, for whom nothing changes.
func BenchmarkMorning(b *testing.B) {
	for _, n := range []int{100, 300, 900} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := build(b)
			other := w.ada("a", "b")
			w.mustSignOn(other)
			var slowest, next atomic.Int64
			ctx, done := context.WithCancel(b.Context())
			var others, crowd sync.WaitGroup
			for range 4 {
				others.Go(func() { signOnUntil(ctx, w, other, &slowest) })
			}
			b.ResetTimer()
			for range 16 {
				crowd.Go(func() {
					for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
						w.mustSignOn(w.somebody(int(i), n))
					}
				})
			}
			crowd.Wait()
			b.StopTimer()
			done()
			others.Wait()
			b.ReportMetric(float64(slowest.Load())/1e6, "others-slowest-ms")
		})
	}
}

// somebody is the i-th of people whom nobody knows, with groups that nobody has.
func (w *world) somebody(i, groups int) provisioner.Identity {
	id := w.ada(many(groups)...)
	for k := range id.Membership.Groups {
		id.Membership.Groups[k].Name = fmt.Sprintf("cn=%d,%s", i, id.Membership.Groups[k].Name)
	}
	name := fmt.Sprintf("somebody%d", i)
	id.Properties["username"], id.Correlation = name, []store.Correlation{{Attribute: "entryUUID", Value: name}}
	return id
}

// signOnUntil signs somebody on until ctx ends, a hundred times a second.
func signOnUntil(ctx context.Context, w *world, id provisioner.Identity, slowest *atomic.Int64) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		from := time.Now()
		w.mustSignOn(id)
		for took := int64(time.Since(from)); took > slowest.Load(); {
			slowest.Store(took)
		}
	}
}
