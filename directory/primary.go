package directory

import (
	"context"

	"github.com/go-ldap/ldap/v3"
)

// mostPrimaries is after how many entries of one SID a search for it ends.
const mostPrimaries = 2

// primaryUnknown tells whether the primary group of a person in Active Directory, who is
// in nobody's member and in no memberOf, cannot be told: primaryGroupID or objectSid
// cannot be read.
func (c *Client) primaryUnknown(dse *rootDSE, e Entry) bool {
	return dse.activeDirectory() && !c.leavesOutPrimary(e) && c.primarySID(dse, e) == ""
}

// leavesOutPrimary tells whether the primary group is one of those that say nothing
// about anybody: 513, 514 and 515.
func (c *Client) leavesOutPrimary(e Entry) bool {
	builtIn := e.primaryGroupID >= 513 && e.primaryGroupID <= 515
	return builtIn && !c.cfg.BuiltInPrimaryGroups
}

// mayBePrimary tells whether a group of Active Directory that members and memberOf do
// not lead to may be the person's primary group all the same.
func (k *looker) mayBePrimary(ctx context.Context, s Sight, asked string) bool {
	q := k.query
	switch {
	case !q.dse.activeDirectory() || q.client.leavesOutPrimary(q.entry):
		return false
	case q.client.primaryUnknown(q.dse, q.entry):
		return s.Finding == Gone || !k.cannotBePrimary(ctx, s.DN)
	}
	k.primary.Do(func() { k.primaryAt = k.findPrimary(ctx) })
	switch {
	case k.primaryAt != "":
		return foldDN(k.primaryAt) == foldDN(setOr(s.DN, asked))
	case s.Finding == Gone: // or hidden
		return true
	}
	sid := k.sidOf(ctx, s.DN, rootDSEFilter) // what may not be read is not equal to anything
	return sid == "" || sid == q.primary
}

// cannotBePrimary tells whether a group is seen to be nobody's primary group, or not
// that of the person: it is no security group, or the person's token lacks it, which
// has the primary group always.
func (k *looker) cannotBePrimary(ctx context.Context, group string) bool {
	if s := k.ask(ctx, group, "(&(groupType=*)(!"+securityGroup+"))"); s.entry != nil {
		return true
	}
	k.own.tokens.Do(func() { k.readTokens(ctx) })
	sid := k.sidOf(ctx, group, securityGroup)
	return sid != "" && len(k.own.sids) > 0 && !k.own.sids[sid]
}

// sidOf returns a group's objectSid, octets; empty when it cannot be read.
func (k *looker) sidOf(ctx context.Context, group, filter string) string {
	s := k.ask(ctx, group, filter)
	if s.entry == nil {
		return ""
	}
	if a := attributeOf(s.entry, "objectSid"); a != nil && len(a.ByteValues) == 1 {
		return string(a.ByteValues[0])
	}
	return ""
}

// findPrimary returns the DN of the person's primary group; empty when it is not seen.
func (k *looker) findPrimary(ctx context.Context) string {
	if ctx.Err() != nil || !k.link.enter() {
		return ""
	}
	filter := "(objectSid=" + ldap.EscapeFilter(k.query.primary) + ")"
	found := k.link.search(
		ctx,
		ldap.NewSearchRequest(k.query.client.cfg.BaseDN, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases,
			mostPrimaries, 0, false, filter, []string{"1.1"}, nil),
	)
	if found.err != nil || len(found.result.Entries) != 1 {
		return ""
	}
	return found.result.Entries[0].DN
}
