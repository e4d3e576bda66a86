package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// search asks on the checker's own link.
func (k *checker) search(ctx context.Context, r *ldap.SearchRequest) answer {
	if !k.link.enter() {
		return answer{server: k.server, result: &ldap.SearchResult{}, err: ErrUnavailable}
	}
	return k.link.search(ctx, r)
}

// foreignMembers tells of members from trusted domains: they stand in groups as foreign
// security principals, so that a search for the person's DN does not find those groups.
// Their own memberOf is often not readable, so the groups are asked.
func (k *checker) foreignMembers(ctx context.Context) Check {
	foreign, err := k.foreignPrincipals(ctx)
	if err != nil {
		return Check{State: Warning, Detail: err.Error()}
	}
	filter := ""
	for _, e := range foreign {
		filter += "(member=" + ldap.EscapeFilter(e.DN) + ")"
	}
	var in []string
	if filter != "" {
		found := k.search(ctx, k.below("(|"+filter+")", "1.1"))
		if found.err != nil {
			return Check{State: Warning, Detail: found.typed("search for groups with foreign members").Error()}
		}
		for _, e := range found.result.Entries {
			in = append(in, e.DN)
		}
	}
	if len(in) == 0 {
		return Check{State: OK, Detail: "none"}
	}
	names := make([]string, len(foreign))
	for i, e := range foreign {
		names[i] = e.GetEqualFoldAttributeValue("cn")
	}
	return Check{State: Warning, Detail: fmt.Sprintf("not supported, left out: %s; in %s", strings.Join(names, ", "), strings.Join(in, " and ")),
		Remedy: "people of a trusted domain do not get these groups: join their own domain by a gateway of its own"}
}

// foreignPrincipals returns some of them. Others than S-1-5-21 are the same everywhere,
// such as Authenticated Users.
func (k *checker) foreignPrincipals(ctx context.Context) ([]*ldap.Entry, error) {
	const most = 20
	r := k.below("(&(objectClass=foreignSecurityPrincipal)(cn=S-1-5-21-*))", "cn")
	r.SizeLimit, r.EnforceSizeLimit = most, true
	found := k.search(ctx, r)
	if e, ok := answered(found.err); ok && e.ResultCode == ldap.LDAPResultSizeLimitExceeded || errors.Is(found.err, ldap.ErrSizeLimitExceeded) {
		found.err = nil
	}
	return found.result.Entries, found.typed("search for foreign security principals")
}

func (k *checker) below(filter string, attributes ...string) *ldap.SearchRequest {
	return ldap.NewSearchRequest(k.server.client.cfg.BaseDN, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, filter, attributes, nil)
}

// checkMemberOf tells what memberOf means here, once for the directory, when one of its
// servers passed all other rows.
func (c *Client) checkMemberOf(ctx context.Context, rows []Check) Check {
	row := Check{Name: "memberOf", Target: c.cfg.BaseDN, State: NotTried}
	if !slices.ContainsFunc(rows, func(r Check) bool { return r.Name == "base" && r.State == OK }) {
		return row
	}
	direct, why, err := c.ProveMemberOf(ctx)
	row.State, row.Detail = OK, why
	switch {
	case err != nil:
		row.State, row.Detail = Warning, err.Error()
	case c.cfg.GroupsFrom == GroupsMemberOf && !direct:
		row.State, row.Remedy = Warning, `leave groups_from out, or set it to "search": people could get groups that they are in only through others, or lose some`
	case !direct:
		row.Detail += "; groups are searched for instead"
	}
	return row
}
