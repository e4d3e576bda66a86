package directory

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

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
	case !c.wantsMemberOf(dse):
		return GroupsSearch, c.whySearch(dse)
	case rule.WithID:
		return GroupsSearch, "the immutable ID of a group is not in memberOf"
	case !rdnCanName(dse, rule):
		return GroupsSearch, "the name is taken from " + rule.NameAttribute + ", which is not in memberOf"
	case !dse.activeDirectory():
		return GroupsMemberOf, "groups_from says so; a group that it would add is looked at first"
	}
	return GroupsMemberOf, "it lists direct groups only on " + dse.vendor + "; the primary group is looked up besides"
}

// whySearch says why memberOf is not used where the file does not say so.
func (c *Client) whySearch(dse *rootDSE) string {
	switch p := c.proof.Load(); {
	case p != nil && (p.against || p.parents):
		return p.why
	case c.cfg.GroupsFrom == GroupsMemberOf:
		return "what memberOf means is not found out yet"
	case dse.vendor == Vendor389:
		return "memberOf of this vendor lists parent groups as well unless configured otherwise"
	}
	return "memberOf is not computed by " + dse.vendor + ": it may be absent, out of date or list parent groups"
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

// wantsMemberOf says whether somebody's groups are read from memberOf: where the
// server computes it, or where the file says so and nothing speaks against it. No
// configuration may make parents of direct groups.
func (c *Client) wantsMemberOf(dse *rootDSE) bool {
	p := c.proof.Load()
	switch {
	case c.cfg.GroupsFrom == GroupsSearch, p != nil && p.against:
		return false
	case dse.activeDirectory():
		return true
	case c.cfg.GroupsFrom != GroupsMemberOf:
		return false
	case p == nil:
		return c.cfg.ProveEvery == 0
	}
	return !p.parents
}

// rdnCanName says whether a group's DN alone can tell its name: in Active Directory
// the RDN is always cn; elsewhere each DN shows it.
func rdnCanName(dse *rootDSE, rule *GroupRule) bool {
	return !dse.activeDirectory() || strings.EqualFold(rule.NameAttribute, "cn")
}

// DirectGroups returns the groups that have the entry as a direct member, read from
// the server that found the entry as long as it is up. It makes at most one search
// (one that a limit of the server's cuts off is read again, in pages, on a connection
// of its own). It never fails: what went wrong is the verdict's reason. The entry must come from FindUser
// or FindCorrelated with the same user type.
func (c *Client) DirectGroups(ctx context.Context, ut *UserType, e Entry) Membership {
	if ut.cfg.Groups == nil {
		return Membership{Verdict: Unknown, Reason: noGroupsWanted, Told: noGroupsWanted}
	}
	if lost := c.canaryLost(ctx); lost != "" {
		return Membership{Verdict: Unknown, Reason: lost, Told: canaryTold}
	}
	m := c.directGroups(ctx, ut, e)
	if m.Verdict == Partial {
		c.partial.Store(&partial{m.Told, time.Now()})
	}
	return m
}

func (c *Client) directGroups(ctx context.Context, ut *UserType, e Entry) Membership {
	rule := ut.cfg.Groups
	dse := c.dseOf(e.Server)
	q := c.groupQuery(rule, dse, e)
	if c.wantsMemberOf(dse) {
		q.primary = c.primarySID(dse, e)
		q.readRanges(ctx)
		if q.fromMemberOf() {
			if q.primary != "" {
				q.search(ctx, "(objectSid="+ldap.EscapeFilter(q.primary)+")")
			}
			m := q.membership()
			m.byMemberOf, m.Unconfirmed = true, !dse.activeDirectory()
			return m
		}
		q.gathering = gathering{rule: rule}
	}
	q.search(ctx, anyOf(q.present(ctx, q.ways())))
	return q.membership()
}

func (c *Client) groupQuery(rule *GroupRule, dse *rootDSE, e Entry) *groupQuery {
	q := &groupQuery{client: c, dse: dse, entry: e, base: setOr(rule.SearchBase, c.cfg.BaseDN), link: e.link}
	q.rule = rule
	return q
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
	if !dse.activeDirectory() || e.primaryGroupID == 0 || c.leavesOutPrimary(e) {
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
	link    *link  // that the answer came by
}

// membership is what was found.
func (q *groupQuery) membership() Membership {
	m := q.gathering.membership()
	m.link = q.link
	return m
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

func (q *groupQuery) search(ctx context.Context, filter string) {
	found := q.client.searchIn(
		ctx,
		q.entry.Server,
		func(s *server) *limiter { return &s.grouping },
		func(dse *rootDSE) *ldap.SearchRequest {
			q.dse = dse
			return q.request(filter)
		},
	)
	q.link = found.link
	if found.cutOff() {
		found = q.inPages(ctx, found, filter)
	}
	for _, e := range found.result.Entries {
		group := q.group(e)
		q.add(group)
		if found.server != nil {
			found.server.shown.note(group.DN, group.Stamp)
		}
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

func (q *groupQuery) request(filter string) *ldap.SearchRequest {
	attributes := union([]string{q.rule.NameAttribute, "objectClass"}, q.rule.idAttributes(q.dse))
	if stamp := stampAttribute(q.dse); stamp != "" {
		attributes = union(attributes, []string{stamp})
	}
	if q.primary != "" {
		attributes = union(attributes, []string{"objectSid"})
	}
	return ldap.NewSearchRequest(
		q.base,
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

func (q *groupQuery) group(e *ldap.Entry) Group {
	return Group{
		DN:     e.DN,
		Name:   nameOf(e, q.rule.NameAttribute),
		ID:     q.rule.idOf(q.dse, e),
		Source: q.source(e),
		Stamp:  stampOf(q.dse, e),
	}
}

// nameOf returns a group's name: of several, the one that its DN has, as memberOf
// shows it, so that a name does not depend on how the group was found.
func nameOf(e *ldap.Entry, attribute string) string {
	values := e.GetEqualFoldAttributeValues(attribute)
	if len(values) < 2 {
		return strings.Join(values, "")
	}
	if parsed, err := ldap.ParseDN(e.DN); err == nil {
		return setOr(nameFromRDN(parsed, attribute), values[0])
	}
	return values[0]
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
