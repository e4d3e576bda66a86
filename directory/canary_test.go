package directory_test

import (
	"crypto/x509"
	"slices"
	"strings"
	"testing"
	"time"

	"ldap-gateway/directory"
	"ldap-gateway/directory/directorytest"
)

func withCanary(every time.Duration) func(*directory.Config) {
	return func(cfg *directory.Config) {
		cfg.Canary = directory.Canary{User: "uid=canary," + people, Group: "cn=cage," + groups}
		cfg.CanaryEvery = every
	}
}

func caged() string {
	return person("alice") + person("canary") + group("cage", "uid=canary,"+people) + group("staff", aliceDN)
}

func problem(c *directory.Client, code string) directory.Problem {
	all := c.Problems()
	if at := slices.IndexFunc(all, func(p directory.Problem) bool { return p.Code == code }); at >= 0 {
		return all[at]
	}
	return directory.Problem{}
}

// When the service account loses the right to read members, an empty answer looks like
// a complete one. The canary tells the difference.
func TestLostCanaryMakesEveryMembershipUnknown(t *testing.T) {
	s := inProcess(t, caged())
	c, ut := open(t, s.CA(), s.TLSURL(), withCanary(10*time.Millisecond)), compile(t, persons())
	wantMembership(t, membership(t, c, ut, "alice"), directory.Complete, "staff")
	if p := problem(c, "canary"); p != (directory.Problem{}) {
		t.Errorf("%+v", p)
	}
	for _, g := range []string{"cage", "staff"} {
		if err := s.Replace("cn="+g+","+groups, "member"); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the canary is missed", func() bool { return problem(c, "canary").Remedy != "" })
	wantMembership(t, membership(t, c, ut, "alice"), directory.Unknown, "")
	if err := s.Replace("cn=cage,"+groups, "member", "uid=canary,"+people); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the canary is back", func() bool { return problem(c, "canary").Code == "" })
	wantMembership(t, membership(t, c, ut, "alice"), directory.Complete, "")
}

func TestCanaryIsLookedAtBeforeTheFirstMembership(t *testing.T) {
	s := inProcess(t, caged())
	if err := s.Replace("cn=cage,"+groups, "member", aliceDN); err != nil {
		t.Fatal(err)
	}
	c, ut := open(t, s.CA(), s.TLSURL(), withCanary(time.Hour)), compile(t, persons())
	m := membership(t, c, ut, "alice")
	wantMembership(t, m, directory.Unknown, "")
	if !strings.Contains(m.Reason, "canary") {
		t.Error(m.Reason)
	}
}

// A directory that cannot be asked says nothing about rights.
func TestCanaryStandsWhileTheDirectoryIsDown(t *testing.T) {
	s := inProcess(t, caged())
	c, ut := open(t, s.CA(), s.TLSURL(), withCanary(10*time.Millisecond)), compile(t, persons())
	wantMembership(t, membership(t, c, ut, "alice"), directory.Complete, "staff")
	s.SetSearchFault("uid=canary,"+people, directorytest.Fault{Close: true})
	before := s.Searches()
	eventually(t, "the canary is asked for", func() bool { return s.Searches() > before+2 })
	if p := problem(c, "canary"); p.Code != "" {
		t.Errorf("%+v", p)
	}
}

func TestCheckTellsOfCanaryGroupsAndIndex(t *testing.T) {
	s := inProcess(t, caged())
	c := open(t, s.CA(), s.TLSURL(), withCanary(time.Hour))
	if r := row(t, c.Check(t.Context()), 0, "canary"); r.State != directory.OK {
		t.Errorf("%+v", r)
	}
	if r := row(t, c.Check(t.Context()), 0, "groups"); r.State != directory.OK {
		t.Errorf("%+v", r)
	}
	s.SetSearchFault(suffix, directorytest.Fault{Delay: 600 * time.Millisecond})
	if r := row(t, c.Check(t.Context()), 0, "groups"); r.State != directory.Warning ||
		!strings.Contains(r.Remedy, "index") {
		t.Errorf("%+v", r)
	}
	s.ClearFaults()
	for _, g := range []string{"cage", "staff"} {
		if err := s.Delete("cn=" + g + "," + groups); err != nil {
			t.Fatal(err)
		}
	}
	if r := row(t, c.Check(t.Context()), 0, "groups"); r.State != directory.Warning || r.Remedy == "" {
		t.Errorf("%+v", r)
	}
	if r := row(t, c.Check(t.Context()), 0, "canary"); r.State != directory.Failed || r.Remedy == "" {
		t.Errorf("%+v", r)
	}
}

// The authority of the tests lives for 90 days, so a certificate of 10 is worth a word.
func TestEndOfCertificateIsAProblemBeforehand(t *testing.T) {
	s := inProcess(t, person("alice"))
	c := open(t, s.CA(), s.TLSURL())
	find(t, c, compile(t, persons()), "alice")
	if p := problem(c, "certificateExpires"); p.Code != "" {
		t.Errorf("%+v", p)
	}
	s, pool := endingIn(t, 10*24*time.Hour)
	c = open(t, pool, s.TLSURL())
	find(t, c, compile(t, persons()), "alice")
	if p := problem(c, "certificateExpires"); p.Remedy == "" || !strings.Contains(p.Text, s.TLSURL()) {
		t.Errorf("%+v", p)
	}
}

func TestClockOfActiveDirectory(t *testing.T) {
	for ahead, want := range map[time.Duration]directory.CheckState{0: directory.OK, 10 * time.Minute: directory.Warning} {
		_, c := startAD(t, func(s *directorytest.Server) {
			s.RootDSE["currentTime"] = []string{time.Now().Add(ahead).UTC().Format("20060102150405.0Z")}
		})
		if r := row(t, c.Check(t.Context()), 0, "clock"); r.State != want {
			t.Errorf("%s ahead: %+v", ahead, r)
		}
	}
}

// endingIn starts a server whose certificate ends soon.
func endingIn(t *testing.T, left time.Duration) (*directorytest.Server, *x509.CertPool) {
	t.Helper()
	authority, err := directorytest.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := authority.Issue([]string{"127.0.0.1"},
		func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(-10*left), time.Now().Add(left)
		})
	if err != nil {
		t.Fatal(err)
	}
	return inProcess(t, person("alice"), func(s *directorytest.Server) { s.Certificate = &certificate }), authority.Pool
}
