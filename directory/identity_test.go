package directory_test

import (
	"strings"
	"testing"

	"ldap-gateway/directory"
	"ldap-gateway/directory/directorytest"
)

// idTypes are what a schema has of attributes for IDs; without them it has none.
const idTypes = "( 1.1 NAME 'entryUUID' ) ( 1.2 NAME 'nsUniqueId' ) ( 1.3 NAME 'member' )"

// TestEvidenceByWhateverIdentifies has a server of no known vendor identify groups by an
// attribute that is not the first that comes to mind, or hide one that does. What is not
// there any more may be hidden, for all that anybody knows of such a server.
func TestEvidenceByWhateverIdentifies(t *testing.T) {
	id := func(n string) string { return strings.Repeat("0", 8) + "-0000-0000-0000-0000000000" + n }
	own := func(n string) string { return "nsUniqueId: 00000000-00000000-00000000-000000" + n } // as such a server writes it
	grouped := func(cn, attributes string) string {
		return "dn: cn=" + cn + "," + groups + "\nobjectClass: groupOfNames\ncn: " + cn + "\nmember: " + witDN + "\n" + attributes + "\n\n"
	}
	for name, c := range map[string]struct{ person, there, moved, want string }{
		"by-nsUniqueId": {own("01"), own("11"), own("22"),
			"there seen, moved renamed, gone untellable"},
		"by-both": {own("01") + "\nentryUUID: " + id("02"), "entryUUID: " + id("12") + "\n" + own("11"),
			"entryUUID: " + id("23") + "\n" + own("22"), "there seen, moved renamed, gone untellable"},
		// The ID of the record is hidden here: one of another attribute is not another group's.
		"hidden-at-the-group":  {own("01") + "\nentryUUID: " + id("02"), "entryUUID: " + id("12"), "entryUUID: " + id("23"), "there untellable, moved untellable, gone untellable"},
		"hidden-at-the-person": {"entryUUID: " + id("02"), own("11"), own("22"), "there seen, moved untellable, gone untellable"},
	} {
		t.Run(name, func(t *testing.T) {
			ldif := person("alice", strings.Split(c.person, "\n")...) + grouped("there", c.there) + grouped("new", c.moved)
			s := inProcess(t, ldif, func(s *directorytest.Server) { s.AttributeTypes = []string{idTypes} })
			cfg := persons()
			cfg.Correlation, cfg.Groups.WithID = []string{"uid"}, true
			client, ut := open(t, s.CA(), s.TLSURL()), compile(t, cfg)
			e := find(t, client, ut, "alice")
			m := client.DirectGroups(t.Context(), ut, e)
			asked := []directory.Asked{
				{DN: "cn=there," + groups, ID: id("11")},
				{DN: "cn=moved," + groups, ID: id("22")},
				{DN: "cn=gone," + groups, ID: id("33")},
			}
			var got []string
			for i, sight := range client.Evidence(t.Context(), ut, e, m, asked) {
				got = append(got, []string{"there ", "moved ", "gone "}[i]+inWords(sight))
			}
			if all := strings.Join(got, ", "); all != c.want {
				t.Errorf("%s, want %s", all, c.want)
			}
		})
	}
}
