package directory_test

import (
	"fmt"
	"strings"
	"testing"

	"ldap-gateway/directory"
	"ldap-gateway/directory/ds389test"
	"ldap-gateway/directory/sambatest"
)

// TestEvidenceOn389 is what a 389 Directory Server can and cannot prove of its groups.
func TestEvidenceOn389(t *testing.T) {
	s := ds389test.Start(t, ds389test.Config{})
	s.Modify(person("alice") + person("wit") + unit("hid") +
		inAndOut(
			groups,
			"ok",
			"none",
			"read",
			"search",
			"both",
			"entry",
			"tf",
			"target",
		) + inAndOut("ou=hid,"+suffix, "hid") +
		"dn: cn=empty," + groups + "\nobjectClass: groupOfNames\ncn: empty\n\n" +
		"dn: cn=emptyhidden," + groups + "\nobjectClass: groupOfNames\ncn: emptyhidden\n\n" +
		"dn: cn=unique," + groups + "\nobjectClass: groupOfUniqueNames\ncn: unique\nuniqueMember: " + aliceDN + "\n\n")
	deny := func(dn, target, rights string) {
		s.Modify(
			"dn: " + dn + "\nchangetype: modify\nadd: aci\naci: " + target + `(version 3.0; acl "hidden"; deny (` + rights + `) userdn = "ldap:///` + ds389test.ReaderDN + `";)` + "\n-\n",
		)
	}
	member := `(targetattr = "member")`
	for _, kind := range []string{"in", "out"} {
		for name, rights := range map[string]string{"none": "all", "read": "read", "search": "search", "both": "search, read"} {
			deny("cn="+name+"-"+kind+","+groups, member, rights)
		}
		deny("cn=entry-"+kind+","+groups, `(targetattr = "*")`, "all")
	}
	deny("cn=emptyhidden,"+groups, member, "all")
	deny("ou=hid,"+suffix, `(targetattr = "*")`, "all")
	deny(suffix, `(targetfilter = "(cn=tf-*)")(targetattr = "*")`, "all")
	deny(suffix, `(targetfilter = "(&(cn=target-*)(member=`+aliceDN+`))")(targetattr = "*")`, "all")
	c := open(t, s.CA(), s.TLSURL(),
		func(cfg *directory.Config) { cfg.BindDN, cfg.BindPassword = ds389test.ReaderDN, ds389test.Password })
	wantSights(t, c, compile(t, persons()), "alice",
		"still ok-in", "seen ok-out", "still read-in", "seen read-out", "still unique", "seen empty",
		"untellable none-in", "untellable none-out", "untellable search-in", "untellable search-out",
		"untellable both-in", "untellable both-out", "untellable entry-in", "untellable entry-out",
		"untellable tf-in", "untellable tf-out", "untellable target-in", "seen target-out", "untellable emptyhidden",
		"untellable cn=hid-in,ou=hid,"+suffix, "untellable cn=hid-out,ou=hid,"+suffix,
		"gone missing", "untellable cn=missing,ou=hid,"+suffix,
	)
}

// TestEvidenceOfNoNumberOn389 tells who has no gidNumber from whose may not be seen.
func TestEvidenceOfNoNumberOn389(t *testing.T) {
	s := ds389test.Start(t, ds389test.Config{})
	rights := []string{"all", "read", "search", "compare, search", "search, read"}
	name := func(right string) string { return "no-" + strings.ReplaceAll(right, ", ", "-") }
	var names []string
	for _, right := range rights {
		names = append(names, name(right))
	}
	s.Modify(withNumbers(append(names, "shown")...))
	for _, right := range rights {
		s.Modify("dn: uid=" + name(right) + "," + people + "\nchangetype: modify\nadd: aci\n" +
			`aci: (targetattr = "gidNumber")(version 3.0; acl "hidden"; deny (` + right + `) userdn = "ldap:///` +
			ds389test.ReaderDN + `";)` + "\n-\n")
	}
	c := open(t, s.CA(), s.TLSURL(), primaryGroups,
		func(cfg *directory.Config) { cfg.BindDN, cfg.BindPassword = ds389test.ReaderDN, ds389test.Password })
	ut := compile(t, persons())
	wantSights(t, c, ut, "alice", "seen primary", "still named")
	wantSights(t, c, ut, "shown", "still primary", "seen named")
	for i, n := range names {
		want := []string{"untellable primary", "untellable named"}
		if !strings.Contains(rights[i], "read") && rights[i] != "all" {
			want = []string{"still primary", "seen named"} // it is read, and the group is asked for it
		}
		wantSights(t, c, ut, n, want...)
	}
}

const (
	hideMember   = "(OD;;RP;bf9679c0-0de6-11d0-a285-00aa003049e2;;%s)"
	hideMemberOf = "(OD;;RP;bf967991-0de6-11d0-a285-00aa003049e2;;%s)"
	hideEntry    = "(D;;GRGXRPLCLORC;;;%s)"
	hideBelow    = "(D;CI;RPLCLORC;;;%s)"
)

// domain is a Samba domain whose groups hide themselves in several ways: each has bob,
// and those that end in "in" have the others too.
func domain(t *testing.T) *sambatest.Server {
	s := sambatest.Start(t, sambatest.Config{})
	dn := func(cn string) string { return "CN=" + cn + ",CN=Users," + sambatest.Suffix }
	for _, user := range []string{"alice", "bob", "carol", "dave", "erin"} {
		s.Modify(fmt.Sprintf("dn: %s\nobjectClass: user\nsAMAccountName: %s\nuserAccountControl: 544\n\n", dn(user), user))
	}
	for _, ou := range []string{"Grp", "Hid"} {
		s.Modify("dn: OU=" + ou + "," + sambatest.Suffix + "\nobjectClass: organizationalUnit\nou: " + ou + "\n\n")
	}
	add := func(ou, cn string, members ...string) string {
		at := "CN=" + cn + ",OU=" + ou + "," + sambatest.Suffix
		ldif := "dn: " + at + "\nobjectClass: group\ncn: " + cn + "\nsAMAccountName: " + cn + "\n"
		for _, m := range members {
			ldif += "member: " + dn(m) + "\n"
		}
		s.Modify(ldif + "\n")
		return at
	}
	for _, n := range []string{"ok", "member", "entry"} {
		add("Grp", n+"-in", "bob", "alice", "carol")
		add("Grp", n+"-out", "bob")
	}
	add("Hid", "hid-in", "bob", "alice", "carol")
	add("Hid", "hid-out", "bob")
	add("Grp", "empty")
	add("Grp", "emptyhidden")
	add("Grp", "only", "erin")
	for _, kind := range []string{"in", "out"} {
		s.Deny("CN=member-"+kind+",OU=Grp,"+sambatest.Suffix, hideMember)
		s.Deny("CN=entry-"+kind+",OU=Grp,"+sambatest.Suffix, hideEntry)
	}
	s.Deny("CN=emptyhidden,OU=Grp,"+sambatest.Suffix, hideMember)
	s.Deny("OU=Hid,"+sambatest.Suffix, hideBelow)
	s.Deny(dn("carol"), hideMemberOf)
	return s
}

// TestEvidenceOnActiveDirectory needs the person's side wherever a group does not tell:
// what may not be read counts as absent there, and the negation of that is true.
func TestEvidenceOnActiveDirectory(t *testing.T) {
	s := domain(t)
	c := open(t, s.CA(), s.TLSURL(), func(cfg *directory.Config) {
		cfg.BaseDN, cfg.BindDN, cfg.BindPassword = sambatest.Suffix, sambatest.ReaderDN, sambatest.Password
		cfg.TLS.ServerName = sambatest.Host
	})
	ut := compile(t, directory.UserTypeConfig{ID: "1", Name: "people", SearchBase: sambatest.Suffix,
		Filter: "(sAMAccountName=${identifier})", Correlation: []string{"objectGUID"}, Groups: &directory.GroupRule{}})
	at := func(ou string, want ...string) (out []string) {
		for _, w := range want {
			finding, cn, _ := strings.Cut(w, " ")
			out = append(out, finding+" CN="+cn+",OU="+ou+","+sambatest.Suffix)
		}
		return out
	}
	look := func(user, ou string, want ...string) {
		t.Helper()
		wantSights(t, c, ut, user, at(ou, want...)...)
	}
	look(
		"alice",
		"Grp",
		"still ok-in",
		"seen ok-out",
		"still member-in",
		"seen member-out",
		"still entry-in",
		"seen entry-out",
		"seen empty",
		"seen emptyhidden",
		"gone missing",
	)
	look("alice", "Hid", "still hid-in", "gone hid-out")
	look(
		"carol",
		"Grp",
		"still ok-in",
		"seen ok-out",
		"seen empty",
		"seen emptyhidden",
		"untellable missing",
		"seen member-out",
		"untellable member-in",
	)
	look("carol", "Hid", "untellable hid-in", "untellable hid-out")
	look("dave", "Grp", "seen ok-in", "seen empty", "untellable missing")
	look("dave", "Hid", "untellable hid-out")
	wantSights(t, c, ut, "alice", "outside CN=x,DC=other,DC=test")

	// Erin leaves her only group, which nobody is in then.
	s.Modify("dn: CN=only,OU=Grp," + sambatest.Suffix + "\nchangetype: modify\nreplace: member\n-\n")
	look("erin", "Grp", "seen only")
	// A group moves out of sight with her in it: by its name it is gone, and memberOf has the new one.
	s.Modify(
		"dn: CN=ok-in,OU=Grp," + sambatest.Suffix + "\nchangetype: modrdn\nnewrdn: CN=ok-in\ndeleteoldrdn: 1\nnewsuperior: OU=Hid," + sambatest.Suffix + "\n",
	)
	look("alice", "Grp", "gone ok-in")
	if m := membership(t, c, ut, "alice"); !strings.Contains(names(m), "ok-in") {
		t.Errorf("%s", names(m))
	}
}

// TestEvidenceByIDOnActiveDirectory asks memberOf for IDs of groups that nobody may see.
func TestEvidenceByIDOnActiveDirectory(t *testing.T) {
	s := domain(t)
	config := func(account string) func(*directory.Config) {
		return func(cfg *directory.Config) {
			cfg.BaseDN, cfg.BindDN, cfg.BindPassword = sambatest.Suffix, account, sambatest.Password
			cfg.TLS.ServerName = sambatest.Host
		}
	}
	ut := compile(t, directory.UserTypeConfig{ID: "1", Name: "people", SearchBase: sambatest.Suffix,
		Filter: "(sAMAccountName=${identifier})", Correlation: []string{"objectGUID"}, Groups: &directory.GroupRule{WithID: true}})
	admin := open(t, s.CA(), s.TLSURL(), config(sambatest.AdminDN))
	had := map[string]directory.Group{}
	for _, user := range []string{"alice", "bob"} {
		for _, g := range membership(t, admin, ut, user).Groups {
			had[g.Name] = g
		}
	}
	s.Modify(
		"dn: CN=ok-in,OU=Grp," + sambatest.Suffix + "\nchangetype: modrdn\nnewrdn: CN=moved\ndeleteoldrdn: 1\nnewsuperior: OU=Hid," + sambatest.Suffix + "\n",
	)
	s.Modify("dn: CN=ok-out,OU=Grp," + sambatest.Suffix + "\nchangetype: delete\n")
	c := open(t, s.CA(), s.TLSURL(), config(sambatest.ReaderDN))
	for user, wants := range map[string]map[string]string{
		"alice": {"ok-in": "still", "ok-out": "gone", "hid-in": "still", "hid-out": "gone", "member-in": "still", "member-out": "seen"},
		"carol": {"ok-in": "untellable", "ok-out": "untellable", "hid-in": "untellable", "member-in": "untellable", "member-out": "seen"},
	} {
		e := find(t, c, ut, user)
		m := c.DirectGroups(t.Context(), ut, e)
		for name, want := range wants {
			g := had[name]
			if got := c.Evidence(t.Context(), ut, e, m, []directory.Asked{{DN: g.DN, ID: g.ID}}); inWords(got[0]) != want ||
				g.ID == "" {
				t.Errorf("%s of %s: %+v, want %s", name, user, got, want)
			}
		}
	}
}
