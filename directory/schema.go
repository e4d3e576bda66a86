package directory

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// ErrNoSchema says that a directory shows no schema.
var ErrNoSchema = errors.New("the directory shows no schema")

// attributeNames finds the names in a description (RFC 4512 section 4.1.2).
var attributeNames = regexp.MustCompile(`\bNAME\s+(?:'([^']*)'|\(([^)]*)\))`)

// AttributeNames returns the names of all attributes that the directory's schema
// has, sorted. ErrNoSchema when the directory shows none to the
// service account, or cannot be reached.
func (c *Client) AttributeNames(ctx context.Context) ([]string, error) {
	read := func(dn, attribute string) []string {
		found := c.search(ctx, "", func(*rootDSE) *ldap.SearchRequest {
			return ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 0, false, rootDSEFilter, []string{attribute}, nil)
		})
		if found.err != nil || len(found.result.Entries) == 0 {
			return nil
		}
		return found.result.Entries[0].GetEqualFoldAttributeValues(attribute)
	}
	where := read("", "subschemaSubentry")
	if len(where) == 0 {
		return nil, ErrNoSchema
	}
	var names []string
	for _, description := range read(where[0], "attributeTypes") {
		for _, m := range attributeNames.FindAllStringSubmatch(description, -1) {
			for name := range strings.FieldsSeq(m[1] + " " + m[2]) {
				names = append(names, strings.Trim(name, "'"))
			}
		}
	}
	if len(names) == 0 {
		return nil, ErrNoSchema
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
