package directory

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// GroupMethod returns how direct groups are read for the user type, "memberOf" or
// "search", and why; for people, in check and explain. Before the first connection
// the vendor is only known if it is configured.
func (c *Client) GroupMethod(ut *UserType) (method, why string) {
	dse := c.currentDSE()
	rule := ut.cfg.Groups
	switch {
	case rule == nil:
		return "none", "the user type wants no groups"
	case c.cfg.GroupsFrom == GroupsSearch:
		return GroupsSearch, "groups_from says so"
	case !c.wantsMemberOf(dse) && c.proof.Load() != nil:
		return GroupsSearch, c.proof.Load().why
	case !c.wantsMemberOf(dse) && dse.vendor == Vendor389:
		return GroupsSearch, "memberOf of this vendor lists parent groups as well unless configured otherwise"
	case !c.wantsMemberOf(dse):
		return GroupsSearch, "memberOf may be absent or list parent groups on " + dse.vendor
	case rule.WithID:
		return GroupsSearch, "the immutable ID of a group is not in memberOf"
	case !rdnCanName(dse, rule):
		return GroupsSearch, "the name is taken from " + rule.NameAttribute + ", which is not in memberOf"
	case c.cfg.GroupsFrom == GroupsMemberOf:
		return GroupsMemberOf, "groups_from says so"
	}
	if !dse.activeDirectory() {
		return GroupsMemberOf, c.proof.Load().why
	}
	return GroupsMemberOf, "it lists direct groups only on " + dse.vendor + "; the primary group is looked up besides"
}

func (c *Client) currentDSE() *rootDSE {
	for _, s := range c.order("") {
		if dse := s.dse.Load(); dse != nil {
			return dse
		}
	}
	return &rootDSE{vendor: setOr(c.cfg.Vendor, VendorGeneric)}
}

func setOr(value, other string) string {
	if value == "" {
		return other
	}
	return value
}

// wantsMemberOf says whether memberOf is known to mean direct membership. That the
// file says so counts where nothing is found out, and not against the directory's
// own evidence: no configuration may make parents of direct groups.
func (c *Client) wantsMemberOf(dse *rootDSE) bool {
	p := c.proof.Load()
	switch c.cfg.GroupsFrom {
	case GroupsMemberOf:
		if p == nil {
			return c.cfg.ProveEvery == 0 || dse.activeDirectory()
		}
		return !p.parents && !p.against
	case GroupsSearch:
		return false
	}
	return dse.activeDirectory() || p != nil && p.direct
}

// rdnCanName says whether a group's DN alone can tell its name: in Active Directory
// the RDN is always cn; elsewhere each DN shows it.
func rdnCanName(dse *rootDSE, rule *GroupRule) bool {
	return !dse.activeDirectory() || strings.EqualFold(rule.NameAttribute, "cn")
}

// DirectGroups returns the groups that have the entry as a direct member, read from
// the server that found the entry as long as it is up. It makes at most one search
// (a search of more than one page starts again on a connection of its own). It never
// fails: what went wrong is the verdict's reason. The entry must come from FindUser
// or FindCorrelated with the same user type.
func (c *Client) DirectGroups(ctx context.Context, ut *UserType, e Entry) Membership {
	if ut.cfg.Groups == nil {
		return Membership{Verdict: Unknown, Reason: noGroupsWanted, Told: noGroupsWanted}
	}
	if lost := c.canaryLost(ctx); lost != "" {
		return Membership{Verdict: Unknown, Reason: lost, Told: canaryTold}
	}
	return c.directGroups(ctx, ut, e)
}

func (c *Client) directGroups(ctx context.Context, ut *UserType, e Entry) Membership {
	rule := ut.cfg.Groups
	dse := c.dseOf(e.Server)
	q := &groupQuery{client: c, dse: dse, entry: e, base: setOr(rule.SearchBase, c.cfg.BaseDN)}
	q.rule = rule
	if c.wantsMemberOf(dse) {
		q.primary = c.primarySID(dse, e)
		q.readRanges(ctx)
		if q.fromMemberOf() {
			if q.primary != "" {
				q.search(ctx, "(objectSid="+ldap.EscapeFilter(q.primary)+")")
			}
			return q.spotCheck(ctx, q.membership())
		}
		q.gathering = gathering{rule: rule}
	}
	q.search(ctx, q.reverseFilter())
	return q.membership()
}

func (c *Client) dseOf(server string) *rootDSE {
	for _, s := range c.list() {
		if dse := s.dse.Load(); s.url == server && dse != nil {
			return dse
		}
	}
	return c.currentDSE()
}

// primarySID returns the SID of a primary group that has to be looked up. Domain
// Users, Guests and Domain Computers (513, 514, 515) say nothing about anybody, and
// are left out unless they are wanted.
func (c *Client) primarySID(dse *rootDSE, e Entry) string {
	builtIn := e.primaryGroupID >= 513 && e.primaryGroupID <= 515
	if !dse.activeDirectory() || e.primaryGroupID == 0 || builtIn && !c.cfg.BuiltInPrimaryGroups {
		return ""
	}
	sid, _ := primaryGroupSID(e.sid, e.primaryGroupID)
	return sid
}

// groupQuery is the reading of one user's groups.
type groupQuery struct {
	gathering
	client  *Client
	dse     *rootDSE
	entry   Entry
	base    string
	primary string // SID, octets
}

// fromMemberOf uses what the user's entry said. It is false when that is not enough:
// values were cut off, a name is not in the DN, or there is nothing, which may mean
// that the attribute cannot be read. Then the reverse search decides.
func (q *groupQuery) fromMemberOf() bool {
	if q.entry.memberOfCut || len(q.entry.memberOf) == 0 || q.rule.WithID {
		return false
	}
	for _, text := range q.entry.memberOf {
		parsed, err := ldap.ParseDN(text)
		if err != nil {
			return false
		}
		name := nameFromRDN(parsed, q.rule.NameAttribute)
		if name == "" {
			return false
		}
		if inside(q.base, text) {
			q.add(Group{DN: text, Name: name, Source: "memberOf"})
		} else {
			q.skip(text, "outside of the group search base")
		}
	}
	return true
}

// reverseFilter asks for the groups that name the user. It is direct on every server.
func (q *groupQuery) reverseFilter() string {
	dn := ldap.EscapeFilter(q.entry.DN)
	if q.dse.activeDirectory() {
		if sid := q.client.primarySID(q.dse, q.entry); sid != "" {
			q.primary = sid
			return "(|(member=" + dn + ")(objectSid=" + ldap.EscapeFilter(sid) + "))"
		}
		return "(member=" + dn + ")"
	}
	filter := "(|(member=" + dn + ")(uniqueMember=" + dn + ")"
	for _, uid := range q.entry.uids {
		filter += "(memberUid=" + ldap.EscapeFilter(uid) + ")"
	}
	return filter + ")"
}

const groupPage = 500

func (q *groupQuery) search(ctx context.Context, filter string) {
	first := q.client.search(ctx, q.entry.Server, func(dse *rootDSE) *ldap.SearchRequest {
		q.dse = dse
		return q.request(filter, nil)
	})
	found := first
	if first.err == nil && len(pageCookie(first.result)) > 0 {
		found = q.client.searchPages(ctx, first, func(cookie []byte) *ldap.SearchRequest { return q.request(filter, cookie) })
	}
	for _, e := range found.result.Entries {
		q.add(q.group(e))
	}
	f := &follower{query: q, filter: filter, seen: map[string]bool{q.entry.Server + " " + foldDN(q.base): true}}
	f.references(ctx, found.result.Referrals, 0)
	if onward := referralsOf(found.err); len(onward) > 0 && q.client.cfg.FollowReferrals {
		f.references(ctx, onward, 0)
		return
	}
	if err := found.typed("group search below " + q.base); err != nil {
		q.fail(err)
	}
}

func (q *groupQuery) request(filter string, cookie []byte) *ldap.SearchRequest {
	attributes := union([]string{q.rule.NameAttribute, "objectClass"}, q.idAttributes())
	if q.primary != "" {
		attributes = union(attributes, []string{"objectSid"})
	}
	var controls []ldap.Control
	if q.dse.paging {
		page := ldap.NewControlPaging(groupPage)
		page.SetCookie(cookie)
		controls = []ldap.Control{page}
	}
	return ldap.NewSearchRequest(q.base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, filter, attributes, controls)
}

// idAttributes are those that may hold a group's immutable ID, by vendor.
func (q *groupQuery) idAttributes() []string {
	switch {
	case !q.rule.WithID:
		return nil
	case q.dse.activeDirectory():
		return []string{"objectGUID"}
	case q.dse.vendor == Vendor389:
		return []string{"nsUniqueId"}
	case q.dse.vendor == VendorOpenLDAP:
		return []string{"entryUUID"}
	}
	return []string{"entryUUID", "objectGUID", "nsUniqueId"}
}

func (q *groupQuery) group(e *ldap.Entry) Group {
	g := Group{DN: e.DN, Name: e.GetEqualFoldAttributeValue(q.rule.NameAttribute), Source: q.source(e)}
	for _, name := range q.idAttributes() {
		if a := attributeOf(e, name); a != nil && len(a.ByteValues) > 0 && g.ID == "" {
			g.ID = textOf(name, a.ByteValues[0])
		}
	}
	return g
}

// source says what made the user a member, as far as the kind of group tells.
func (q *groupQuery) source(e *ldap.Entry) string {
	if sid := attributeOf(e, "objectSid"); q.primary != "" && sid != nil && len(sid.ByteValues) == 1 && string(sid.ByteValues[0]) == q.primary {
		return "primaryGroup"
	}
	classes := e.GetEqualFoldAttributeValues("objectClass")
	is := func(name string) bool {
		return slices.ContainsFunc(classes, func(class string) bool { return strings.EqualFold(class, name) })
	}
	switch {
	case is("groupOfUniqueNames"):
		return "uniqueMember"
	case is("posixGroup") && !is("groupOfNames"):
		return "memberUid"
	}
	return "member"
}

// harmless says whether a reference leads to one of the partitions that Active
// Directory names at the domain root and that hold no groups of people.
func (q *groupQuery) harmless(reference string) bool {
	if !q.dse.activeDirectory() {
		return false
	}
	u, err := url.Parse(reference)
	if err != nil {
		return false
	}
	dn := strings.ToLower(strings.TrimPrefix(u.Path, "/"))
	return slices.ContainsFunc([]string{"cn=configuration,", "dc=domaindnszones,", "dc=forestdnszones,"},
		func(prefix string) bool { return strings.HasPrefix(dn, prefix) })
}

func pageCookie(result *ldap.SearchResult) []byte {
	control, _ := ldap.FindControl(result.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
	if control == nil {
		return nil
	}
	return control.Cookie
}

// searchPages reads all pages on a link of its own: a server keeps the state of a
// paged search with the connection, and OpenLDAP keeps only one of them. It returns
// what it has when a page fails, or the first page when there is no link to be had.
func (c *Client) searchPages(ctx context.Context, first answer, page func(cookie []byte) *ldap.SearchRequest) answer {
	dialCtx, cancel := context.WithTimeout(ctx, c.cfg.DialTimeout)
	defer cancel()
	l, err := first.server.connectService(dialCtx)
	if err != nil {
		first.err = err
		return first
	}
	defer l.retire()
	all := answer{server: first.server, result: &ldap.SearchResult{}}
	for cookie := []byte(nil); ; {
		if !l.enter() {
			all.err = errors.New("the connection was closed between two pages")
			return all
		}
		next := l.search(ctx, page(cookie))
		all.result.Entries = append(all.result.Entries, next.result.Entries...)
		all.result.Referrals = append(all.result.Referrals, next.result.Referrals...)
		all.err = next.err
		if cookie = pageCookie(next.result); next.err != nil || len(cookie) == 0 {
			return all
		}
	}
}
