package directory

import (
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// way is one way in which a group has somebody as a direct member: an attribute of
// the group with a value of the person's.
type way struct{ attribute, value string }

// assertion is the way as an item of a filter. People have a gidNumber, too.
func (w way) assertion() string {
	item := "(" + w.attribute + "=" + ldap.EscapeFilter(w.value) + ")"
	if w.attribute == posixID {
		return "(&(objectClass=posixGroup)" + item + ")"
	}
	return item
}

const posixID = "gidNumber"

// memberAttributes are those that groups may have members in, besides member; on Active
// Directory there are no others.
func (c *Client) memberAttributes() []string {
	return union([]string{"uniqueMember", "memberUid"}, c.cfg.MemberAttributes)
}

// personAttributes are what is read of a person so that groups can be asked for them.
func (c *Client) personAttributes() []string {
	if c.cfg.PosixPrimaryGroups {
		return []string{c.cfg.MemberUIDFrom, posixID}
	}
	return []string{c.cfg.MemberUIDFrom}
}

// readNames keeps of a person what groups without DNs have them by.
func (c *Client) readNames(e *Entry, raw *ldap.Entry) {
	e.uids = raw.GetEqualFoldAttributeValues(c.cfg.MemberUIDFrom)
	if c.cfg.PosixPrimaryGroups {
		e.gid = raw.GetEqualFoldAttributeValue(posixID)
	}
}

// ways returns every way that counts for the entry; a primary group counts as one.
func (q *groupQuery) ways() []way {
	ways := []way{{"member", q.entry.DN}}
	if q.dse.activeDirectory() {
		if q.primary = q.client.primarySID(q.dse, q.entry); q.primary != "" {
			ways = append(ways, way{"objectSid", q.primary})
		}
		return ways
	}
	ways = append(ways, way{"uniqueMember", q.entry.DN})
	for _, attribute := range q.client.cfg.MemberAttributes {
		ways = append(ways, way{attribute, q.entry.DN})
	}
	for _, uid := range q.entry.uids {
		ways = append(ways, way{"memberUid", uid})
	}
	if q.entry.gid != "" {
		ways = append(ways, way{posixID, q.entry.gid})
	}
	return ways
}

// anyOf is a filter for what at least one of the ways holds of.
func anyOf(ways []way) string {
	if len(ways) == 1 {
		return ways[0].assertion()
	}
	filter := "(|"
	for _, w := range ways {
		filter += w.assertion()
	}
	return filter + ")"
}

// noneOf is a filter for what a server has found none of the ways to hold of. It is
// an AND of NOTs: of a NOT of an OR, 389 leaves out the parts that may not be read.
func noneOf(ways []way, more ...string) string {
	filter := "(&" + strings.Join(more, "")
	for _, w := range ways {
		filter += "(!" + w.assertion() + ")"
	}
	return filter + ")"
}

// anyPresent is a filter for groups of which a member can be seen.
func anyPresent(ways []way) string {
	filter := "(|"
	for _, w := range ways {
		if w.attribute != posixID { // which groups have for themselves
			filter += "(" + w.attribute + "=*)"
		}
	}
	return filter + ")"
}

// idAttributes are those that may hold a group's immutable ID, by vendor.
func (r *GroupRule) idAttributes(dse *rootDSE) []string {
	switch {
	case !r.WithID:
		return nil
	case dse.activeDirectory():
		return []string{"objectGUID"}
	case dse.vendor == Vendor389:
		return []string{"nsUniqueId"}
	case dse.vendor == VendorOpenLDAP:
		return []string{"entryUUID"}
	}
	return []string{"entryUUID", "objectGUID", "nsUniqueId"}
}

// idOf returns a group's immutable ID, empty when it has none that can be read.
func (r *GroupRule) idOf(dse *rootDSE, e *ldap.Entry) string {
	for _, name := range r.idAttributes(dse) {
		if a := attributeOf(e, name); a != nil && len(a.ByteValues) > 0 {
			return textOf(name, a.ByteValues[0])
		}
	}
	return ""
}

// stampAttribute holds what Group.Stamp is. On Active Directory it is empty: its
// whenChanged is each domain controller's own.
func stampAttribute(dse *rootDSE) string {
	switch {
	case dse.activeDirectory():
		return ""
	case dse.vendor == VendorOpenLDAP:
		return "entryCSN"
	}
	return "modifyTimestamp"
}

func stampOf(dse *rootDSE, e *ldap.Entry) string {
	return e.GetEqualFoldAttributeValue(stampAttribute(dse))
}

// dayAndTime is how many characters of a stamp are the time to the second, in
// every form of it.
const dayAndTime = len("20060102150405")

// older tells whether a state is older than one that was known before. One without a
// stamp may be.
func older(stamp, known string) bool {
	switch {
	case known == "":
		return false
	case len(stamp) < dayAndTime || len(known) < dayAndTime || len(stamp) == len(known):
		return stamp < known
	}
	return stamp[:dayAndTime] < known[:dayAndTime] // of two kinds of servers
}

// source says what made the user a member, as far as the kind of group tells.
func (q *groupQuery) source(e *ldap.Entry) string {
	if sid := attributeOf(e, "objectSid"); q.primary != "" && sid != nil && len(sid.ByteValues) == 1 &&
		string(sid.ByteValues[0]) == q.primary {
		return "primaryGroup"
	}
	switch {
	case hasClass(e, "groupOfUniqueNames"):
		return "uniqueMember"
	case hasClass(e, "posixGroup") && !hasClass(e, "groupOfNames"):
		return "memberUid"
	}
	return "member"
}

// hasClass tells whether an entry has one of the object classes.
func hasClass(e *ldap.Entry, names ...string) bool {
	return slices.ContainsFunc(e.GetEqualFoldAttributeValues("objectClass"), func(class string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(class, name) })
	})
}
