package directory_test

import (
	"crypto/tls"
	"fmt"
	"sync"
	"testing"
	"time"

	"ldap-gateway/directory"
	"ldap-gateway/directory/slapdtest"

	"github.com/go-ldap/ldap/v3"
)

const atOnce = 64 // sign-ons under way

// BenchmarkSignOn is find, bind and groups through the Client, against the same three
// operations by bare go-ldap over connections that are kept.
func BenchmarkSignOn(b *testing.B) {
	s := slapdtest.Start(b, slapdtest.Config{Users: 1000, Groups: 50})
	b.Run("client", func(b *testing.B) { benchClient(b, s) })
	b.Run("bare", func(b *testing.B) { benchBare(b, s) })
}

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

// share runs b.N sign-ons on atOnce goroutines.
func share(b *testing.B, signOn func(worker, user int) error) {
	b.ReportAllocs()
	b.ResetTimer()
	next := make(chan int)
	var wg sync.WaitGroup
	for worker := range atOnce {
		wg.Go(func() {
			for n := range next {
				if err := signOn(worker, n%1000); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for n := range b.N {
		next <- n
	}
	close(next)
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "signons/s")
}

func benchClient(b *testing.B, s *slapdtest.Server) {
	c, ut := open(b, s.CA(), s.TLSURL()), compile(b, persons())
	share(b, func(_, n int) error {
		return oneSignOn(b, c, ut, n)
	})
}

func benchBare(b *testing.B, s *slapdtest.Server) {
	kept := func() *ldap.Conn {
		c, err := ldap.DialURL(s.TLSURL(), ldap.DialWithTLSConfig(&tls.Config{RootCAs: s.CA()}))
		if err != nil {
			b.Fatal(err)
		}
		c.SetTimeout(5 * time.Second)
		b.Cleanup(func() { _ = c.Close() })
		return c
	}
	service := []*ldap.Conn{kept(), kept()}
	binds := make([]*ldap.Conn, atOnce)
	for i := range binds {
		binds[i] = kept()
	}
	for _, c := range service {
		if err := c.Bind(slapdtest.ReaderDN, slapdtest.Password); err != nil {
			b.Fatal(err)
		}
	}
	request := func(base, filter string, limit int, attributes ...string) *ldap.SearchRequest {
		return ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, limit, 5, false, filter, attributes, nil)
	}
	share(b, func(worker, n int) error {
		uid := fmt.Sprintf("user%05d", n)
		found, err := service[worker%2].Search(request(people, fmt.Sprintf("(&(objectClass=inetOrgPerson)(|(uid=%[1]s)(mail=%[1]s)))", uid), 2, "uid", "cn", "mail", "entryUUID"))
		if err != nil {
			return err
		}
		dn := found.Entries[0].DN
		if err := binds[worker].Bind(dn, "password"); err != nil {
			return err
		}
		_, err = service[worker%2].Search(request(suffix, fmt.Sprintf("(|(member=%[1]s)(uniqueMember=%[1]s)(memberUid=%[2]s))", dn, uid), 0, "cn", "objectClass"))
		return err
	})
}
