package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

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
	return Check{
		State:  Warning,
		Detail: fmt.Sprintf("not supported, left out: %s; in %s", strings.Join(names, ", "), strings.Join(in, " and ")),
		Remedy: "people of a trusted domain do not get these groups: join their own domain by a gateway of its own",
	}
}

// foreignPrincipals returns some of them. Others than S-1-5-21 are the same everywhere,
// such as Authenticated Users.
func (k *checker) foreignPrincipals(ctx context.Context) ([]*ldap.Entry, error) {
	const most = 20
	r := k.below("(&(objectClass=foreignSecurityPrincipal)(cn=S-1-5-21-*))", "cn")
	r.SizeLimit, r.EnforceSizeLimit = most, true
	found := k.search(ctx, r)
	if e, ok := answered(found.err); ok && e.ResultCode == ldap.LDAPResultSizeLimitExceeded ||
		errors.Is(found.err, ldap.ErrSizeLimitExceeded) {
		found.err = nil
	}
	return found.result.Entries, found.typed("search for foreign security principals")
}

func (k *checker) below(filter string, attributes ...string) *ldap.SearchRequest {
	return ldap.NewSearchRequest(
		k.server.client.cfg.BaseDN,
		ldap.ScopeWholeSubtree,
		ldap.NeverDerefAliases,
		0,
		0,
		false,
		filter,
		attributes,
		nil,
	)
}

// adRows are the rows that only Active Directory can fill.
func (k *checker) adRows() {
	if k.link == nil || k.stop {
		return
	}
	dse := k.server.dse.Load()
	if !dse.now.IsZero() {
		k.row("clock", func(context.Context) Check { return clockRow(dse.now.Sub(dse.read)) })
	}
	if dse.activeDirectory() {
		k.row("foreign members", k.foreignMembers)
	}
}

// mostSkew is what Kerberos allows by default (RFC 4120, 8.2).
const mostSkew = 5 * time.Minute

func clockRow(difference time.Duration) Check {
	row := Check{State: OK, Detail: "differs by " + difference.Abs().Round(time.Second).String()}
	if difference.Abs() > mostSkew {
		row.State, row.Remedy = Warning, "set this machine's clock, or the server's, by NTP: dates of passwords and "+
			"certificates are judged by it"
	}
	return row
}

// checkPeople is about the directory as a whole, when one of its servers passed all
// other rows.
func (c *Client) checkPeople(ctx context.Context, rows []Check) []Check {
	readable := slices.ContainsFunc(rows, func(r Check) bool { return r.Name == "base" && r.State == OK })
	out := []Check{
		{Name: "groups", Target: c.cfg.BaseDN, State: NotTried},
		{Name: "memberOf", Target: c.cfg.BaseDN, State: NotTried},
	}
	if c.cfg.Canary != (Canary{}) {
		out = append(out, Check{Name: "canary", Target: c.cfg.Canary.User, State: NotTried})
	}
	checks := map[string]func(context.Context) Check{
		"groups":   c.checkGroups,
		"memberOf": c.checkMemberOf,
		"canary":   c.checkCanary,
	}
	for i := range out {
		if readable {
			row := checks[out[i].Name](ctx)
			row.Name, row.Target = out[i].Name, out[i].Target
			out[i] = row
		}
	}
	return out
}

// checkGroups tells whether any group can be read, and whether finding groups by a
// member is as fast as with an index.
func (c *Client) checkGroups(ctx context.Context) Check {
	found := c.search(ctx, "", func(*rootDSE) *ldap.SearchRequest {
		return ldap.NewSearchRequest(c.cfg.BaseDN, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 1, 0, false,
			"(|"+groupEntries+"(objectClass=posixGroup))", []string{"1.1"}, nil)
	})
	if e, ok := answered(found.err); found.err != nil && !(ok && e.ResultCode == ldap.LDAPResultSizeLimitExceeded) {
		return failed(found.typed("search for groups"), "give the service account the right to read groups")
	}
	if len(found.result.Entries) == 0 {
		return Check{
			State:  Warning,
			Detail: "no group can be read",
			Remedy: "give the service account the right to read groups below base_dn, unless there are none",
		}
	}
	times, err := c.timeWays(ctx)
	if err != nil {
		return failed(err, "give the service account the right to search for groups by their members")
	}
	row := waysRow(c.currentDSE().vendor, times)
	row.warn(c.leftAside(ctx), asideRemedy)
	row.warn(c.mirrors(ctx), mirrorRemedy)
	return row
}

func (c *Client) checkCanary(ctx context.Context) Check {
	lost, err := c.lookForCanary(ctx)
	switch {
	case err != nil:
		return failed(err, "see the rows above")
	case lost != "":
		return Check{
			State:  Failed,
			Detail: lost,
			Remedy: "give the service account the right to read members of groups, or correct the canary: until then no " +
				"group is given or taken away",
		}
	}
	return Check{State: OK, Detail: "is seen in " + c.cfg.Canary.Group}
}

// checkMemberOf tells what memberOf means here.
func (c *Client) checkMemberOf(ctx context.Context) Check {
	direct, why, err := c.ProveMemberOf(ctx)
	switch {
	case err != nil:
		return Check{State: Warning, Detail: err.Error()}
	case c.cfg.GroupsFrom == GroupsMemberOf && !direct:
		return Check{State: Warning, Detail: why, Remedy: memberOfRemedy(GroupsMemberOf)}
	case !direct:
		why += "; groups are searched for instead"
	}
	return Check{State: OK, Detail: why}
}

// checkDiscovery tells which servers DNS names.
func (c *Client) checkDiscovery(ctx context.Context) Check {
	row := Check{Name: "discover", Target: c.cfg.Discover, State: OK}
	if err := c.located(ctx); err != nil {
		row.State, row.Detail = Failed, err.Error()
		row.Remedy = "see that this machine's DNS has SRV records " +
			"_ldap._tcp." + c.cfg.Discover + `, or name the servers: servers = ["ldaps://dc1.` + c.cfg.Discover + `"]`
		return row
	}
	var urls []string
	for _, s := range c.list() {
		urls = append(urls, s.url)
	}
	row.Detail = strings.Join(urls, ", ")
	return row
}
