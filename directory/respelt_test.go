package directory_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"ldap-gateway/directory"
	"ldap-gateway/directory/slapdtest"
)

// TestRespeltGroup: an administrator renames a group to what the directory takes for the
// same name. Whoever goes by text has two groups then, and the person is in one of them.
func TestRespeltGroup(t *testing.T) {
	for name, c := range map[string]struct{ before, after string }{
		"no-break-space": {"Vertrieb\u00a0West", "Vertrieb West"},
		"wide-letters":   {"\uff21cme", "Acme"},
		"soft-hyphen":    {"Ver\u00adtrieb", "Vertrieb"},
		"composed":       {"Cafe\u0301", "Caf\u00e9"},
		"ligature":       {"o\ufb03ce", "office"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			old := "cn=" + c.before + "," + groups
			s := slapdtest.Start(t, slapdtest.Config{LDIF: person("alice") +
				"dn:: " + inBase64(old) + "\nobjectClass: groupOfNames\ncn:: " + inBase64(c.before) + "\nmember: " + aliceDN + "\n\n"})
			client, ut := open(t, s.CA(), s.TLSURL()), compile(t, persons())
			before := client.DirectGroups(t.Context(), ut, find(t, client, ut, "alice")).Groups[0].DN
			s.Modify("dn:: " + inBase64(old) + "\nchangetype: modrdn\nnewrdn:: " + inBase64("cn="+c.after) + "\ndeleteoldrdn: 1\n")
			e := find(t, client, ut, "alice")
			m := client.DirectGroups(t.Context(), ut, e)
			if len(m.Groups) != 1 || m.Groups[0].DN == before {
				t.Fatalf("%q became %+v", before, m.Groups)
			}
			got := client.Evidence(t.Context(), ut, e, m, []directory.Asked{{DN: before}})
			if got[0].Finding != directory.Renamed && got[0].Finding != directory.Gone {
				t.Errorf("under the name of before: %s", inWords(got[0]))
			}
			if p := client.Problems(); len(p) > 0 {
				t.Errorf("the search is blamed: %+v", p)
			}
			for _, same := range []string{m.Groups[0].DN, strings.ToUpper(m.Groups[0].DN)} {
				got := client.Evidence(t.Context(), ut, e, m, []directory.Asked{{DN: same}})
				if got[0].Finding != directory.Still {
					t.Errorf("under the name of now, as %q: %s", same, inWords(got[0]))
				}
			}
		})
	}
}

func inBase64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
