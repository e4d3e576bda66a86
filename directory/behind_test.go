package directory

import (
	"testing"

	"ldap-gateway/directory/dn"
)

// TestInChild: a domain below is another, whatever the name looks like in text.
func TestInChild(t *testing.T) {
	for name, child := range map[string]bool{
		"CN=a,OU=g,DC=example,DC=com":                      false,
		"cn=a,dc=Example, dc=COM":                          false,
		"CN=a,OU=g,DC=child,DC=example,DC=com":             true,
		"CN=a,CN=Users,dc=deep,DC=child,DC=example,DC=com": true,
		`CN=a\,DC=child,DC=example,DC=com`:                 false,
		"CN=DC,OU=dc,DC=example,DC=com":                    false,
	} {
		at, err := dn.Parse(name)
		domain, wrong := dn.Parse("DC=example,DC=com")
		if err != nil || wrong != nil || inChild(at, domain) != child {
			t.Errorf("%s", name)
		}
	}
}

// TestFollowedCSN tells who has got what: a change of a server that is not heard of has
// not arrived, and one that was loaded is older than all that is heard.
func TestFollowedCSN(t *testing.T) {
	const at, before, after = "20260102150405.000000Z#000000#", "20260102150404.000000Z#000000#", "20260102150406.000000Z#000000#"
	for name, c := range map[string]struct {
		contexts       []string
		stamp          string
		followed, told bool
	}{
		"of the same":          {[]string{at + "001#000000"}, at + "001#000000", true, true},
		"behind":               {[]string{before + "001#000000", after + "002#000000"}, at + "001#000000", false, true},
		"of nobody heard of":   {[]string{after + "002#000000"}, at + "001#000000", false, true},
		"loaded":               {[]string{after + "001#000000"}, at + "000#000000", true, true},
		"loaded since":         {[]string{before + "001#000000"}, at + "000#000000", false, true},
		"loaded since for one": {[]string{after + "001#000000", before + "002#000000"}, at + "000#000000", false, true},
		"nothing is told":      {nil, at + "000#000000", false, false},
	} {
		if followed, told := followedCSN(c.contexts, c.stamp); followed != c.followed || told != c.told {
			t.Errorf("%s: %t, %t", name, followed, told)
		}
	}
}
