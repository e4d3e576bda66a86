package directory

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"

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
			return ldap.NewSearchRequest(
				dn,
				ldap.ScopeBaseObject,
				ldap.NeverDerefAliases,
				1,
				0,
				false,
				rootDSEFilter,
				[]string{attribute},
				nil,
			)
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
	names := namesIn(read(where[0], "attributeTypes"))
	if len(names) == 0 {
		return nil, ErrNoSchema
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// namesIn returns all names in descriptions of attribute types.
func namesIn(descriptions []string) (names []string) {
	for _, description := range descriptions {
		for _, m := range attributeNames.FindAllStringSubmatch(description, -1) {
			for name := range strings.FieldsSeq(m[1] + " " + m[2]) {
				names = append(names, strings.Trim(name, "'"))
			}
		}
	}
	return names
}

// attributeTypes is what a server's schema has, read at most once for each connection.
type attributeTypes struct {
	mu    sync.Mutex
	names map[string]bool // in lower case; nil: not read
}

func (a *attributeTypes) has(name string) bool { return a.names[strings.ToLower(name)] }

// lacks tells whether a schema that is shown does not have an attribute type.
func (a *attributeTypes) lacks(name string) bool { return a != nil && !a.has(name) }

// schema returns the attribute types of the server; nil when it does not show them.
func (l *link) schema(ctx context.Context) *attributeTypes {
	l.types.mu.Lock()
	defer l.types.mu.Unlock()
	if l.types.names != nil {
		return &l.types
	}
	where := l.server.dse.Load().schema
	if where == "" || !l.enter() {
		return nil
	}
	found := l.search(ctx, ldap.NewSearchRequest(where, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 0, false,
		rootDSEFilter, []string{"attributeTypes"}, nil))
	names := namesIn(valuesOf(found.result.Entries, "attributeTypes"))
	if found.err != nil || len(names) == 0 {
		return nil
	}
	l.types.names = make(map[string]bool, len(names))
	for _, n := range names {
		l.types.names[strings.ToLower(n)] = true
	}
	return &l.types
}
