package directory

import (
	"context"
	"slices"

	"github.com/go-ldap/ldap/v3"
)

const (
	mostUIDs     = 10_000 // of one group; of more nothing is shown
	uidsAtOnce   = 200    // of them in one question
	posixMembers = "memberUid"
)

// namesOthersOnly tells whether none of the members that a posixGroup has by name is
// another name of the person's. One of several values of uid may be hidden: then the
// group was not asked for it. The person's entry is asked, value by value, and only what
// the server affirms counts. This is the one place where values of a group are read:
// they ask, and are no evidence.
func (k *looker) namesOthersOnly(ctx context.Context, group string) bool {
	names := slices.DeleteFunc(k.values(ctx, group, posixMembers), func(uid string) bool {
		return slices.Contains(k.query.entry.uids, uid)
	})
	if len(names) > mostUIDs {
		return false
	}
	for some := range slices.Chunk(names, uidsAtOnce) {
		ways := make([]way, len(some))
		for i, uid := range some {
			ways[i] = way{k.query.client.cfg.MemberUIDFrom, uid}
		}
		if k.ask(ctx, k.query.entry.DN, noneOf(ways)).entry == nil {
			return false
		}
	}
	return true
}

// hasNoGID tells whether the person is seen to have no gidNumber, and not only none that
// may be read: what may not be searched for is, with its negation, undefined. What other
// servers say of it nobody has tried.
func (k *looker) hasNoGID(ctx context.Context) bool {
	return k.query.dse.deniesTruly() && k.ask(ctx, k.query.entry.DN, "(!("+posixID+"=*))").entry != nil
}

// values returns those of one attribute, of one entry.
func (k *looker) values(ctx context.Context, base, attribute string) []string {
	if ctx.Err() != nil || !k.link.enter() {
		return nil
	}
	found := k.link.search(ctx, ldap.NewSearchRequest(base, ldap.ScopeBaseObject, ldap.NeverDerefAliases,
		1, 0, false, rootDSEFilter, []string{attribute}, nil))
	if len(found.result.Entries) != 1 {
		return nil
	}
	return found.result.Entries[0].GetEqualFoldAttributeValues(attribute)
}
