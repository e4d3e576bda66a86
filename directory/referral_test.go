package directory_test

import (
	"fmt"
	"strings"
	"testing"

	"ldap-gateway/directory"
	"ldap-gateway/directory/directorytest"
)

// referring starts servers of which each refers group searches to the next, and the
// last to the first. Each holds one group of alice's.
func referring(t *testing.T, n int) ([]*directorytest.Server, func(*directory.Config)) {
	t.Helper()
	authority, err := directorytest.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := authority.Issue([]string{"127.0.0.1"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var all []*directorytest.Server
	for i := range n {
		all = append(
			all,
			inProcess(t, person("alice")+group(fmt.Sprintf("g%d", i), aliceDN),
				func(s *directorytest.Server) { s.Certificate = &certificate }),
		)
	}
	for i, s := range all {
		s.SetSearchFault(suffix, directorytest.Fault{References: []string{all[(i+1)%n].TLSURL() + "/" + suffix}})
	}
	return all, func(cfg *directory.Config) {
		cfg.Servers, cfg.TLS.RootCAs = []string{all[0].TLSURL()}, authority.Pool
		cfg.FollowReferrals = true
		for _, s := range all {
			cfg.ReferralHosts = append(cfg.ReferralHosts, strings.TrimPrefix(s.TLSURL(), "ldaps://"))
		}
	}
}

func TestReferencesAreFollowedToAllowedHostsOnce(t *testing.T) {
	all, follow := referring(t, 3)
	c := open(t, nil, "", follow)
	wantMembership(t, membership(t, c, compile(t, persons()), "alice"), directory.Complete, "g0 g1 g2")
	for i, s := range all[1:] {
		if n := s.Searches(); n != 1 {
			t.Errorf("server %d was asked %d times", i+1, n)
		}
		eventually(t, "the connection is closed", func() bool { return s.Connections() == 0 })
	}
}

func TestReferencesAreNotFollowedWithoutLeave(t *testing.T) {
	all, follow := referring(t, 2)
	for name, refuse := range map[string]func(*directory.Config){
		"off":        func(cfg *directory.Config) { cfg.FollowReferrals = false },
		"other host": func(cfg *directory.Config) { cfg.ReferralHosts = []string{"127.0.0.1:1"} },
	} {
		t.Run(name, func(t *testing.T) {
			m := membership(t, open(t, nil, "", follow, refuse), compile(t, persons()), "alice")
			wantMembership(t, m, directory.Partial, "g0")
			if n := len(all[1].Operations()); n != 0 {
				t.Errorf("%d operations at the server that was referred to", n)
			}
		})
	}
}

func TestReferencesEndAfterThreeHops(t *testing.T) {
	all, follow := referring(t, 6)
	m := membership(t, open(t, nil, "", follow), compile(t, persons()), "alice")
	wantMembership(t, m, directory.Partial, "g0 g1 g2 g3")
	if n := len(all[4].Operations()); n != 0 {
		t.Errorf("%d operations four hops away", n)
	}
}

func TestFailedReferenceIsPartial(t *testing.T) {
	all, follow := referring(t, 2)
	c := open(t, nil, "", follow)
	all[1].Close()
	wantMembership(t, membership(t, c, compile(t, persons()), "alice"), directory.Partial, "g0")
}

func TestReferralsNeedHosts(t *testing.T) {
	if c, err := directory.Open(directory.Config{Servers: []string{"ldaps://a"}, FollowReferrals: true}); err == nil {
		t.Error("taken", c.Close())
	}
}

// A server that refuses the service account must not get its password again at each
// sign-on.
func TestRefusedReferenceIsTriedOnce(t *testing.T) {
	all, follow := referring(t, 2)
	all[1].SetBindFault("", directorytest.Fault{Result: &directorytest.Result{Code: 49}})
	c, ut := open(t, nil, "", follow), compile(t, persons())
	for range 3 {
		wantMembership(t, membership(t, c, ut, "alice"), directory.Partial, "g0")
	}
	if n := all[1].Binds(""); n != 1 {
		t.Errorf("%d binds at the server that refuses", n)
	}
}

// A referral instead of an answer is followed as well.
func TestReferralResultIsFollowed(t *testing.T) {
	all, follow := referring(t, 2)
	all[1].ClearFaults()
	all[0].SetSearchFault(suffix,
		directorytest.Fault{Result: &directorytest.Result{Code: 10, Referrals: []string{all[1].TLSURL() + "/" + suffix}}})
	wantMembership(t, membership(t, open(t, nil, "", follow), compile(t, persons()), "alice"), directory.Complete, "g0 g1")
}
