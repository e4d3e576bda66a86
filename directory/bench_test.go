package directory_test

import (
	"fmt"
	"testing"

	"ldap-gateway/directory"
	"ldap-gateway/directory/slapdtest"
)

// BenchmarkDirectorySize is one sign-on after the other in a small and a large directory
// in which people are in as many groups.
func BenchmarkDirectorySize(b *testing.B) {
	for _, size := range []struct{ users, groups int }{{1000, 100}, {20000, 2000}} {
		b.Run(fmt.Sprint(size.users), func(b *testing.B) {
			s := slapdtest.Start(b, slapdtest.Config{Users: size.users, Groups: size.groups})
			c, ut := open(b, s.CA(), s.TLSURL()), compile(b, persons())
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				if err := oneSignOn(b, c, ut, n*7%size.users); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func oneSignOn(t testing.TB, c *directory.Client, ut *directory.UserType, n int) error {
	e, err := c.FindUser(t.Context(), ut, fmt.Sprintf("user%05d", n))
	if err != nil {
		return err
	}
	if err := c.Bind(t.Context(), e.DN, "password"); err != nil {
		return err
	}
	if m := c.DirectGroups(t.Context(), ut, e); m.Verdict != directory.Complete || len(m.Groups) != 2 {
		return fmt.Errorf("%v: %d groups", m.Reason, len(m.Groups))
	}
	return nil
}

// The memory of one sign-on is the same with twenty times as many people and groups.
func TestMemoryOfASignOnDoesNotDependOnTheSizeOfTheDirectory(t *testing.T) {
	var allocs []float64
	for _, size := range []struct{ users, groups int }{{1000, 100}, {20000, 2000}} {
		s := slapdtest.Start(t, slapdtest.Config{Users: size.users, Groups: size.groups})
		c, ut := open(t, s.CA(), s.TLSURL()), compile(t, persons())
		n := 0
		allocs = append(allocs, testing.AllocsPerRun(100, func() {
			n += 7
			if err := oneSignOn(t, c, ut, n); err != nil {
				t.Fatal(err)
			}
		}))
		s.Stop()
	}
	t.Logf("allocations of a sign-on: %.0f", allocs)
	if allocs[1] > 1.1*allocs[0] {
		t.Errorf("%.0f allocations among 20,000 people, %.0f among 1,000", allocs[1], allocs[0])
	}
}
