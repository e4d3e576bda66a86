package directory_test

import (
	"testing"

	"ldap-gateway/directory"
	"ldap-gateway/directory/slapdtest"
)

// TestMovedOutOfTheBase: by ID, a group that is moved to where the user type does not look
// for groups, members and all, does not count any more.
func TestMovedOutOfTheBase(t *testing.T) {
	s := slapdtest.Start(t, slapdtest.Config{LDIF: person("alice") + person("wit") + unit("archive") + inAndOut(groups, "a")})
	cfg := persons()
	cfg.Groups.WithID = true
	cfg.Groups.SearchBase = groups
	c, ut := open(t, s.CA(), s.TLSURL()), compile(t, cfg)
	m := c.DirectGroups(t.Context(), ut, find(t, c, ut, "alice"))
	id, dn := m.Groups[0].ID, m.Groups[0].DN
	s.Modify("dn: " + dn + "\nchangetype: modrdn\nnewrdn: cn=a-in\ndeleteoldrdn: 1\nnewsuperior: ou=archive," + suffix + "\n")
	for range 2 {
		e := find(t, c, ut, "alice")
		m = c.DirectGroups(t.Context(), ut, e)
		got := c.Evidence(t.Context(), ut, e, m, []directory.Asked{{DN: dn, ID: id}})
		if got[0].Finding != directory.Outside {
			t.Errorf("a group that does not count any more is %s at %s", inWords(got[0]), got[0].DN)
		}
	}
	if p := c.Problems(); len(p) > 0 {
		t.Errorf("and the search is blamed: %+v", p)
	}
	cfg.Groups.WithID = false
	ut = compile(t, cfg)
	wantSights(t, c, ut, "alice", "gone "+dn)
}

// TestRenamedIntoExcluded: by ID, a group that is renamed to what the user type excludes, does
// not count any more.
func TestRenamedIntoExcluded(t *testing.T) {
	s := slapdtest.Start(t, slapdtest.Config{LDIF: person("alice") + person("wit") + inAndOut(groups, "a")})
	cfg := persons()
	cfg.Groups.WithID = true
	cfg.Groups.Exclude = []string{"cn=x*,*"}
	c, ut := open(t, s.CA(), s.TLSURL()), compile(t, cfg)
	m := c.DirectGroups(t.Context(), ut, find(t, c, ut, "alice"))
	id, dn := m.Groups[0].ID, m.Groups[0].DN
	s.Modify("dn: " + dn + "\nchangetype: modrdn\nnewrdn: cn=xa\ndeleteoldrdn: 1\n")
	for range 2 {
		e := find(t, c, ut, "alice")
		m = c.DirectGroups(t.Context(), ut, e)
		got := c.Evidence(t.Context(), ut, e, m, []directory.Asked{{DN: dn, ID: id}})
		if got[0].Finding != directory.Outside {
			t.Errorf("a group that does not count any more is %s at %s", inWords(got[0]), got[0].DN)
		}
	}
	if p := c.Problems(); len(p) > 0 {
		t.Errorf("and the search is blamed: %+v", p)
	}
}
