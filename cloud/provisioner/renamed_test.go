package provisioner_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/provisioner"
)

// TestRenamedGroupsAreNotLost renames somebody's groups in the directory, all at once, when
// not all of the new names can be brought by one sign-on: nobody is out of a group under
// both of its names, and in the end everybody is in it under the new one alone.
func TestRenamedGroupsAreNotLost(t *testing.T) {
	for name, c := range map[string]struct {
		groups      int
		unconfirmed bool
		limit       func(p *provisioner.Provisioner)
		signOns     int // until all are under their new names
	}{
		"nothing in the way":         {150, false, nil, 1},
		"budget of new groups":       {150, false, func(p *provisioner.Provisioner) { p.MostNewGroups = 155 }, 2},
		"budget of changes":          {150, false, func(p *provisioner.Provisioner) { p.MostChanges = 700 }, 2},
		"many questions":             {150, true, nil, 2},
		"very many questions":        {450, true, nil, 7},
		"budget of few, and unasked": {150, true, func(p *provisioner.Provisioner) { p.MostNewGroups = 200 }, 3},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			w := build(t)
			var before, after []string
			for i := range c.groups {
				before, after = append(before, fmt.Sprint("old ", i)), append(after, fmt.Sprint("new ", i))
			}
			w.seen = func(q provisioner.Question) provisioner.Sight {
				if strings.HasPrefix(q.Name, "cn=old") {
					return provisioner.Sight{Finding: provisioner.Gone}
				}
				return provisioner.Sight{Finding: provisioner.Member}
			}
			first, _ := w.mustSignOn(w.ada(before...))
			if c.limit != nil {
				c.limit(w.provisioner)
			}
			id := w.ada(after...)
			id.Membership.Unconfirmed = c.unconfirmed
			for n := 1; ; n++ {
				w.mustSignOn(id)
				if n == 1 { // the hour is over
					w.provisioner.MostNewGroups, w.provisioner.MostChanges = 0, 0
				}
				all, err := w.store.UserGroups(t.Context(), w.env.ID, first.User.ID)
				if err != nil {
					t.Fatal(err)
				}
				have := map[string]bool{}
				for _, m := range all {
					have[m.Group.DisplayName] = true
				}
				for i := range before {
					if !have[before[i]] && !have[after[i]] {
						t.Fatalf("sign-on %d: out of group %d under both names", n, i)
					}
				}
				if len(all) == c.groups && have[after[0]] && !have[before[0]] {
					if n > c.signOns {
						t.Errorf("it took %d sign-ons, and may take %d", n, c.signOns)
					}
					return
				}
				if n == 20 {
					t.Fatalf("after %d sign-ons in %d groups of %d", n, len(all), c.groups)
				}
				id.At = id.At.Add(time.Minute)
			}
		})
	}
}
