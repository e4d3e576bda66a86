package directory

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"ldap-gateway/directory/dn"

	"github.com/go-ldap/ldap/v3"
)

// Unindexed returns those of the attributes that the server has no index for equality
// for, so that a search by one of them goes through every entry. told is false when the
// server does not say: Active Directory shows its schema to everybody, OpenLDAP and 389
// their cn=config to few.
func (c *Client) Unindexed(ctx context.Context, attributes []string) (missing []string, told bool) {
	var indexed func([]*ldap.Entry) []string
	found := c.search(ctx, "", func(dse *rootDSE) *ldap.SearchRequest {
		base, filter, wanted := "", "", []string(nil)
		switch {
		case dse.activeDirectory():
			base, filter, wanted = "CN=Schema,"+dse.configuration, schemaFilter(
				attributes,
			), []string{
				"lDAPDisplayName",
				"searchFlags",
			}
			indexed = indexedInSchema
		case dse.vendor == VendorOpenLDAP:
			base, filter, wanted = "cn=config", "(olcDbIndex=*)", []string{"olcDbIndex", "olcSuffix"}
			indexed = func(all []*ldap.Entry) []string { return indexedInOpenLDAP(all, c.cfg.BaseDN) }
		case dse.vendor == Vendor389:
			base, filter, wanted = "cn=ldbm database,cn=plugins,cn=config", "(&(objectClass=nsIndex)(nsIndexType=eq))", []string{
				"cn",
			}
			indexed = func(all []*ldap.Entry) []string { return valuesOf(all, "cn") }
		}
		return ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, filter, wanted, nil)
	})
	if indexed == nil || found.err != nil || len(found.result.Entries) == 0 {
		return nil, false
	}
	have := indexed(found.result.Entries)
	for _, a := range attributes {
		if !slices.ContainsFunc(have, func(h string) bool { return strings.EqualFold(h, a) }) {
			missing = append(missing, a)
		}
	}
	return missing, true
}

func valuesOf(entries []*ldap.Entry, attribute string) (all []string) {
	for _, e := range entries {
		all = append(all, e.GetEqualFoldAttributeValues(attribute)...)
	}
	return all
}

func schemaFilter(attributes []string) string {
	names := ""
	for _, a := range attributes {
		names += "(lDAPDisplayName=" + ldap.EscapeFilter(a) + ")"
	}
	return "(&(objectClass=attributeSchema)(|" + names + "))"
}

// indexedInSchema goes by the bit fATTINDEX ([MS-ADTS] 2.2.10).
func indexedInSchema(entries []*ldap.Entry) (all []string) {
	for _, e := range entries {
		if flags, err := strconv.ParseInt(e.GetEqualFoldAttributeValue("searchFlags"), 10, 32); err == nil && flags&1 != 0 {
			all = append(all, e.GetEqualFoldAttributeValue("lDAPDisplayName"))
		}
	}
	return all
}

// indexedInOpenLDAP reads olcDbIndex, such as "{0}uid,mail eq,sub", of the databases that
// the base is in. Without a kind it is the database's default, which the administrator
// has made.
func indexedInOpenLDAP(entries []*ldap.Entry, base string) (all []string) {
	for _, e := range entries {
		if !slices.ContainsFunc(e.GetEqualFoldAttributeValues("olcSuffix"),
			func(suffix string) bool { return inside(suffix, base) }) {
			continue
		}
		for _, line := range e.GetEqualFoldAttributeValues("olcDbIndex") {
			if _, after, ordered := strings.Cut(line, "}"); ordered {
				line = after
			}
			names, kinds, _ := strings.Cut(line, " ")
			if kinds == "" || slices.Contains(strings.Split(strings.TrimSpace(kinds), ","), "eq") {
				all = append(all, strings.Split(names, ",")...)
			}
		}
	}
	return all
}

// inside tells whether an entry is at or below another; what is no DN is nowhere.
func inside(above, entry string) bool {
	base, err := dn.Parse(above)
	name, err2 := dn.Parse(entry)
	return err == nil && err2 == nil && name.Within(base)
}
