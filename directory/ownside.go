package directory

import (
	"context"
	"strings"
	"sync"

	"github.com/go-ldap/ldap/v3"

	"ldap-gateway/directory/dn"
)

// ownSide is what an entry of Active Directory says of its own groups. The server
// computes it, for groups as well that the service account may not see.
type ownSide struct {
	once   sync.Once
	names  map[string]bool // of memberOf, folded
	ids    map[string]bool // objectGUID in text form
	whole  bool            // memberOf was read to its end, and has a value: it can be read
	byID   bool            // every value came with its objectGUID
	tokens sync.Once
	sids   map[string]bool // of tokenGroups, octets: direct and indirect security groups
}

// extendedDN asks for GUID and SID in front of every DN ([MS-ADTS] 3.1.1.3.4.1.5), as
// text. Not critical: a server without it sends plain DNs, and IDs prove nothing then.
func extendedDN() ldap.Control {
	return ldap.NewControlString("1.2.840.113556.1.4.529", false, "\x30\x03\x02\x01\x01")
}

// securityGroup is a filter for groups that tokenGroups has (ADS_GROUP_TYPE_SECURITY_ENABLED).
const securityGroup = "(groupType:1.2.840.113556.1.4.803:=2147483648)"

// fromOwnSide judges a group that does not tell by itself who is in it. absent says
// that it was not found.
func (k *looker) fromOwnSide(ctx context.Context, g Asked, name dn.Name, absent bool) Sight {
	domain, err := dn.Parse(k.query.dse.domain)
	if err != nil || !name.Within(domain) || inChild(name, domain) {
		return Sight{Finding: Untellable, Obstacle: OtherDomain}
	}
	byID := g.ID != "" && k.query.rule.WithID
	k.own.once.Do(func() { k.readMemberOf(ctx) })
	switch o := &k.own; {
	case !byID && o.names[foldDN(g.DN)], byID && o.ids[g.ID]:
		return Sight{Finding: Still, DN: g.DN}
	case o.whole && byID && !o.byID:
		return Sight{Finding: Untellable, Obstacle: NoID}
	case o.whole && absent:
		return Sight{Finding: Gone}
	case o.whole:
		return Sight{Finding: Seen, DN: g.DN}
	case absent:
		return Sight{Finding: Untellable, Obstacle: NotVisible}
	}
	return k.fromTokens(ctx, g)
}

// inChild tells whether a name within a domain is of a domain below it, as a global
// catalog shows them. What is there is not on the person's side here.
func inChild(name, domain dn.Name) bool { return name.NextType(domain) == "dc" }

// fromTokens is for an empty or unreadable memberOf: tokenGroups always has the primary
// group, so that it proves itself. It is dear, and tells of security groups only.
func (k *looker) fromTokens(ctx context.Context, g Asked) Sight {
	at := g.DN
	if g.ID != "" && k.query.rule.WithID {
		at = "<GUID=" + g.ID + ">"
	}
	s := k.ask(ctx, at, securityGroup)
	k.own.tokens.Do(func() { k.readTokens(ctx) })
	if s.entry != nil && len(k.own.sids) > 0 {
		if sid := attributeOf(s.entry, "objectSid"); sid != nil && len(sid.ByteValues) == 1 &&
			!k.own.sids[string(sid.ByteValues[0])] {
			return Sight{Finding: Seen, DN: g.DN}
		}
	}
	return Sight{Finding: Untellable, Obstacle: MembersHidden}
}

func (k *looker) readTokens(ctx context.Context) {
	k.own.sids = map[string]bool{}
	if e := k.readOwn(ctx, "tokenGroups"); e != nil {
		if a := attributeOf(e, "tokenGroups"); a != nil {
			for _, sid := range a.ByteValues {
				k.own.sids[string(sid)] = true
			}
		}
	}
}

// readMemberOf reads every range. When one does not come, or the membership changed
// meanwhile, it is as if nothing could be read.
func (k *looker) readMemberOf(ctx context.Context) {
	values, last := k.memberOfPart(ctx, "memberOf", 0)
	for n := 0; !last && len(values) > 0 && n < mostRanges; n++ {
		var more []string
		at := len(values) - 1
		more, last = k.memberOfPart(ctx, memberOfFrom(at), at)
		if len(more) == 0 || more[0] != values[at] || !last && len(more) < 2 {
			return
		}
		values = append(values, more[1:]...)
	}
	if !last || len(values) == 0 {
		return
	}
	o := &k.own
	o.whole, o.byID, o.names, o.ids = true, true, map[string]bool{}, map[string]bool{}
	for _, value := range values {
		id, group := splitExtended(value)
		o.names[foldDN(group)] = true
		o.ids[id] = true
		o.byID = o.byID && id != ""
	}
}

// memberOfPart returns the values from one on, and whether they are the last.
func (k *looker) memberOfPart(ctx context.Context, attribute string, from int) (values []string, last bool) {
	e := k.readOwn(ctx, attribute, extendedDN())
	if e == nil {
		return nil, false
	}
	if part, ok := rangeOf(e, "memberOf"); ok {
		if part.from != from {
			return nil, false
		}
		return part.values, part.last
	}
	return e.GetEqualFoldAttributeValues("memberOf"), from == 0
}

func (k *looker) readOwn(ctx context.Context, attribute string, controls ...ldap.Control) *ldap.Entry {
	if ctx.Err() != nil || !k.link.enter() {
		return nil
	}
	found := k.link.search(ctx, ldap.NewSearchRequest(k.query.entry.DN, ldap.ScopeBaseObject, ldap.NeverDerefAliases,
		1, 0, false, rootDSEFilter, []string{attribute}, controls))
	if found.err != nil || len(found.result.Entries) != 1 {
		return nil
	}
	return found.result.Entries[0]
}

// splitExtended reads "<GUID=…>;<SID=…>;DN"; a plain DN has no ID.
func splitExtended(value string) (id, name string) {
	for strings.HasPrefix(value, "<") {
		part, rest, ok := strings.Cut(value, ">;")
		if !ok {
			return id, value
		}
		if guid, is := strings.CutPrefix(part, "<GUID="); is {
			id = strings.ToLower(guid)
		}
		value = rest
	}
	return id, value
}
