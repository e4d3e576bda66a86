package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

const (
	mirrorSample = 500 // groups that are looked at
	mirrorLeast  = 3   // names that two folders share before it is told
)

// mirrors tells of two folders that show the same groups, as a compatibility tree
// does: whoever is in one is in both, and gets each twice. Empty when there are none.
func (c *Client) mirrors(ctx context.Context) string {
	found := c.search(ctx, "", func(*rootDSE) *ldap.SearchRequest {
		return ldap.NewSearchRequest(c.cfg.BaseDN, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, mirrorSample, 0, false,
			"(|"+groupEntries+"(objectClass=posixGroup))", []string{"cn"}, nil)
	})
	names := map[string]map[string]bool{} // of the groups in each folder
	for _, e := range found.result.Entries {
		parsed, err := ldap.ParseDN(e.DN)
		if err != nil || len(parsed.RDNs) < 2 {
			continue
		}
		folder := (&ldap.DN{RDNs: parsed.RDNs[1:]}).String()
		if names[folder] == nil {
			names[folder] = map[string]bool{}
		}
		names[folder][strings.ToLower(e.GetEqualFoldAttributeValue("cn"))] = true
	}
	var folders []string
	for folder := range names {
		folders = append(folders, folder)
	}
	slices.Sort(folders)
	for i, a := range folders {
		for _, b := range folders[i+1:] {
			if n := shared(names[a], names[b]); n >= mirrorLeast && 5*n >= 4*min(len(names[a]), len(names[b])) {
				return fmt.Sprintf(
					"%q and %q have %d groups of the same names: if one mirrors the other, everybody gets each group twice",
					a,
					b,
					n,
				)
			}
		}
	}
	return ""
}

const mirrorRemedy = "let the user type look for groups below one of the two, or keep the other back by " +
	"policy.groups.exclude"

func shared(a, b map[string]bool) (n int) {
	for name := range a {
		if b[name] {
			n++
		}
	}
	return n
}
