package directory_test

import (
	"fmt"
	"testing"
	"time"

	"ldap-gateway/directory"
	"ldap-gateway/directory/directorytest"
	"ldap-gateway/directory/ds389test"
)

// TestFollowed reads what servers say of how far they have followed others.
func TestFollowed(t *testing.T) {
	const (
		one = "20260102150405.000000Z#000000#001#000000"
		two = "20260102150407.000000Z#000000#002#000000"
		ruv = "{replicaId 1 ldap://a:389} 69570a0000000001000069570a0000000001"
	)
	at := func(s int) string { return time.Date(2026, 1, 2, 15, 4, s, 0, time.UTC).Format("20060102150405Z") }
	csn := func(s int) string {
		return "{replica 1 ldap://a:389} 000000010000000100000 " + fmt.Sprintf("%08x000000010000",
			time.Date(2026, 1, 2, 15, 4, s, 0, time.UTC).Unix())
	}
	for name, c := range map[string]struct {
		followed, told bool
		read           func([]string, string) (bool, bool)
		said           []string
		stamp          string
	}{
		"csn":                   {true, true, directory.FollowedCSN, []string{one}, one},
		"csn-behind":            {false, true, directory.FollowedCSN, []string{one}, "20260102150406.000000Z#000000#001#000000"},
		"csn-another-is-newer":  {false, true, directory.FollowedCSN, []string{one, two}, "20260102150406.000000Z#000000#001#000000"},
		"csn-another-is-older":  {true, true, directory.FollowedCSN, []string{one, two}, two},
		"csn-nothing-of-it":     {false, true, directory.FollowedCSN, []string{one}, two},
		"csn-unreadable":        {false, false, directory.FollowedCSN, nil, one},
		"csn-for-another-stamp": {false, false, directory.FollowedCSN, []string{one}, at(1)},
		"ruv":                   {true, true, directory.FollowedRUV, []string{"{replicageneration} 1", csn(6)}, at(5)},
		"ruv-same-second":       {false, true, directory.FollowedRUV, []string{csn(5)}, at(5)},
		"ruv-behind":            {false, true, directory.FollowedRUV, []string{csn(4)}, at(5)},
		"ruv-one-is-behind":     {false, true, directory.FollowedRUV, []string{csn(6), csn(4)}, at(5)},
		"ruv-nothing-of-one":    {false, true, directory.FollowedRUV, []string{csn(6), "{replica 2 ldap://b:389}"}, at(5)},
		"ruv-unreadable":        {false, false, directory.FollowedRUV, nil, at(5)},
		"ruv-no-replicas":       {false, false, directory.FollowedRUV, []string{"{replicageneration} 1", ruv}, at(5)},
		"ruv-no-csn":            {false, true, directory.FollowedRUV, []string{"{replica 1 ldap://a:389} x zzzzzzzzz"}, at(5)},
		"ruv-no-stamp":          {false, false, directory.FollowedRUV, []string{csn(6)}, ""},
	} {
		if followed, told := c.read(c.said, c.stamp); followed != c.followed || told != c.told {
			t.Errorf("%s: followed %v, told %v", name, followed, told)
		}
	}
}

// TestOneOfSeveralServersProvesNothingGone asks servers that do not tell how far they
// have followed others about a group that they have not got, or have no longer.
func TestOneOfSeveralServersProvesNothingGone(t *testing.T) {
	for _, vendor := range []string{"389 Project", "OpenLDAP", "Another"} {
		s := inProcess(t, person("alice")+group("had", aliceDN), func(s *directorytest.Server) {
			s.RootDSE = map[string][]string{"vendorName": {vendor}}
			if vendor == "OpenLDAP" {
				s.RootDSE["objectClass"] = []string{"OpenLDAProotDSE"}
			}
		})
		several := func(cfg *directory.Config) { cfg.Servers = append(cfg.Servers, "ldaps://127.0.0.1:1") }
		for name, c := range map[string]*directory.Client{"several": open(t, s.CA(), s.TLSURL(), several), "alone": open(t, s.CA(), s.TLSURL())} {
			ut := compile(t, persons())
			find(t, c, ut, "alice")
			wantMembership(t, membership(t, c, ut, "alice"), directory.Complete, "had")
			if err := s.Delete("cn=had," + groups); err != nil {
				t.Fatal(err)
			}
			want := map[string]string{"several": "untellable", "alone": "gone"}[name]
			had := "gone"
			if vendor == "Another" { // nobody has tried what it says of what is hidden
				want, had = "untellable", "untellable"
			}
			wantSights(t, c, ut, "alice", want+" new", had+" had")
			if err := s.Add("cn=had,"+groups, map[string][]string{"objectClass": {"groupOfNames"}, "cn": {"had"}, "member": {aliceDN}}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// replicated makes a supplier of a 389 Directory Server, with a change that it made.
func replicated(s *ds389test.Server) {
	s.Modify(
		"dn: cn=replica,cn=\"" + suffix + "\",cn=mapping tree,cn=config\nobjectClass: top\nobjectClass: nsds5replica\n" +
			"cn: replica\nnsDS5ReplicaRoot: " + suffix + "\nnsDS5ReplicaType: 3\nnsDS5ReplicaId: 7\nnsDS5Flags: 1\n\n",
	)
}

// TestGoneOn389 is told by a server that says how far it has followed others, to an
// account that may read it.
func TestGoneOn389(t *testing.T) {
	s := ds389test.Start(t, ds389test.Config{})
	s.Modify(person("alice"))
	replicated(s)
	s.Modify("dn: " + aliceDN + "\nchangetype: modify\nreplace: description\ndescription: changed\n-\n")
	ut := compile(t, persons())
	ask := func(account string, stamp time.Time) directory.Sight {
		c := open(t, s.CA(), s.TLSURL(), func(cfg *directory.Config) {
			cfg.BindDN, cfg.BindPassword = account, ds389test.Password
			cfg.Servers = append(cfg.Servers, "ldaps://127.0.0.1:1")
		})
		e := find(t, c, ut, "alice")
		asked := []directory.Asked{{DN: "cn=new," + groups, Stamp: stamp.UTC().Format("20060102150405Z")}}
		return c.Evidence(t.Context(), ut, e, c.DirectGroups(t.Context(), ut, e), asked)[0]
	}
	for name, c := range map[string]struct {
		account string
		stamp   time.Time
		want    string
	}{
		"may-not-read-it": {ds389test.ReaderDN, time.Now().Add(-time.Hour), "untellable"},
		"has-followed":    {ds389test.AdminDN, time.Now().Add(-time.Hour), "gone"},
		"is-behind":       {ds389test.AdminDN, time.Now().Add(time.Hour), "untellable"},
	} {
		if got := ask(c.account, c.stamp); inWords(got) != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestIdleSupplierOf389KeepsNothingForEver asks a supplier that makes no changes about a
// group that it has not got: as it writes a sign of life now and then, which makes a
// newer change, that is told to be gone after a while.
func TestIdleSupplierOf389KeepsNothingForEver(t *testing.T) {
	s := ds389test.Start(t, ds389test.Config{})
	s.Modify(person("alice"))
	replicated(s)
	c := open(t, s.CA(), s.TLSURL(), func(cfg *directory.Config) {
		cfg.BindDN, cfg.BindPassword = ds389test.AdminDN, ds389test.Password
		cfg.Servers = append(cfg.Servers, "ldaps://127.0.0.1:1")
	})
	ut := compile(t, persons())
	asked := []directory.Asked{{DN: "cn=new," + groups, Stamp: time.Now().UTC().Add(time.Second).Format("20060102150405Z")}}
	ask := func() string {
		e := find(t, c, ut, "alice")
		return inWords(c.Evidence(t.Context(), ut, e, c.DirectGroups(t.Context(), ut, e), asked)[0])
	}
	if got := ask(); got != "untellable" {
		t.Fatalf("at once it is %s", got)
	}
	for end := time.After(2 * time.Minute); ask() != "gone"; {
		select {
		case <-end:
			t.Fatal("it is never told")
		case <-time.After(time.Second):
		}
	}
}
