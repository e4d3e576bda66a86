package directory

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"
)

// maxIdentifier is in runes; nobody's name is longer, and a longer one is an attack.
const maxIdentifier = 256

// Entry is one user as the directory has it.
type Entry struct {
	DN string
	// Attributes are keyed as the user type asked, in text form: objectGUID, entryUUID
	// and nsUniqueId as lower-case UUIDs, objectSid as S-1-…, what is not UTF-8 as
	// base64. An attribute without a value is missing.
	Attributes map[string][]string
	// TooLarge names attributes that have values and are left out of Attributes, since
	// those are larger than what a record is made of.
	TooLarge []string
	// Correlation has the first value of each correlation attribute, in the user
	// type's order; attributes without a value are left out.
	Correlation []Value
	Server      string // URL of the server that answered

	uids           []string // what memberUid has of the person
	gid            string   // gidNumber, where it counts
	memberOf       []string
	memberOfCut    bool // the server sent only the first values of memberOf
	primaryGroupID uint32
	sid            []byte
	link           *link // that the entry came by
}

// Value is one attribute with one value in text form.
type Value struct{ Attribute, Value string }

// FindUser looks for the one entry that the user type's filter selects for what a
// person typed. It makes one search. Errors: ErrNoSuchUser, ErrAmbiguousUser,
// ErrUnavailable, the context's, or a *ResultError.
func (c *Client) FindUser(ctx context.Context, ut *UserType, identifier string) (Entry, error) {
	if !plausible(identifier) {
		return Entry{}, ErrNoSuchUser
	}
	name, err := c.withoutDomain(ctx, identifier)
	if err != nil {
		return Entry{}, err
	}
	if ut.cfg.KeepBackValue != nil && slices.ContainsFunc(ut.filter.values(name), ut.cfg.KeepBackValue) {
		return Entry{}, ErrNoSuchUser
	}
	return c.findOne(ctx, ut, ut.filter.with(name))
}

// plausible refuses before the network what cannot be anybody's name: that has a letter or
// a digit, which directories do not leave out of a comparison as they do blanks.
func plausible(identifier string) bool {
	said := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }
	return strings.ContainsFunc(identifier, said) && utf8.ValidString(identifier) &&
		!strings.ContainsRune(identifier, 0) && utf8.RuneCountInString(identifier) <= maxIdentifier
}

// FindCorrelated looks for a person known from an earlier sign-on: by the first of
// the values that finds exactly one entry, in their order. A value whose attribute
// is not one of the user type's correlation attributes is left out, and so is one
// that is not in the attribute's text form, and a second one of an attribute. The user type's filter must still hold,
// apart from what it says about the identifier. Errors are as for FindUser.
func (c *Client) FindCorrelated(ctx context.Context, ut *UserType, known []Value) (Entry, error) {
	missing, tried := ErrNoSuchUser, map[string]bool{}
	for _, v := range known {
		octets, ok := octetsOf(v.Attribute, v.Value)
		asked := strings.ToLower(v.Attribute)
		if !ok || tried[asked] ||
			!slices.ContainsFunc(ut.cfg.Correlation, func(a string) bool { return strings.EqualFold(a, v.Attribute) }) {
			continue
		}
		tried[asked] = true
		filter := "(&(" + v.Attribute + "=" + ldap.EscapeFilter(octets) + ")" + ut.filter.standing + ")"
		e, err := c.findOne(ctx, ut, filter)
		switch {
		case errors.Is(err, ErrAmbiguousUser):
			missing = ErrAmbiguousUser
		case !errors.Is(err, ErrNoSuchUser):
			return e, err
		}
	}
	return Entry{}, missing
}

func (c *Client) findOne(ctx context.Context, ut *UserType, filter string) (Entry, error) {
	if ut.cfg.Groups != nil {
		c.awaitProof(ctx)
	}
	found := c.search(ctx, "", func(dse *rootDSE) *ldap.SearchRequest {
		attributes := ut.attributes
		switch {
		case ut.cfg.Groups == nil:
		case c.wantsMemberOf(dse):
			attributes = ut.memberships
		case dse.activeDirectory():
			attributes = ut.primaries
		}
		if ut.cfg.Groups != nil {
			attributes = union(attributes, c.personAttributes())
		}
		most := 2
		if ut.cfg.KeepBack != nil { // behind those that are kept back there may be the person
			attributes, most = union(attributes, []string{"objectClass"}), mostMatches
		}
		r := ldap.NewSearchRequest(
			ut.cfg.SearchBase,
			ldap.ScopeWholeSubtree,
			ldap.NeverDerefAliases,
			most,
			0,
			false,
			filter,
			attributes,
			nil,
		)
		r.EnforceSizeLimit = true // some servers ignore the limit
		return r
	})
	return c.theOne(ut, found)
}

// mostMatches is how many entries are looked at for the one that is not kept back.
const mostMatches = 100

// theOne is the person of an answer. What is kept back is as if it were not there.
func (c *Client) theOne(ut *UserType, found answer) (Entry, error) {
	entries := ut.persons(found.result.Entries)
	e, ok := answered(found.err)
	cut := ok && e.ResultCode == ldap.LDAPResultSizeLimitExceeded || errors.Is(found.err, ldap.ErrSizeLimitExceeded)
	keptBack := len(entries) < len(found.result.Entries)
	switch {
	case len(entries) > 1, cut && (!keptBack || len(entries) > 0):
		ambiguous := &AmbiguousError{}
		for _, one := range entries {
			ambiguous.DNs = append(ambiguous.DNs, one.DN)
		}
		return Entry{}, ambiguous
	case cut: // by what is kept back alone
		return Entry{}, ErrNoSuchUser
	}
	if err := found.typed("search below " + strconv.Quote(ut.cfg.SearchBase)); err != nil {
		return Entry{}, err
	}
	if len(entries) == 0 || entries[0].DN == "" {
		return Entry{}, ErrNoSuchUser
	}
	out := ut.entry(entries[0], found.server.url)
	out.link = found.link
	c.readNames(&out, entries[0])
	return out, nil
}

// persons leaves out what is kept back.
func (u *UserType) persons(entries []*ldap.Entry) []*ldap.Entry {
	if u.cfg.KeepBack == nil {
		return entries
	}
	var out []*ldap.Entry
	for _, e := range entries {
		if !u.cfg.KeepBack(e.DN, e.GetEqualFoldAttributeValues("objectClass")) {
			out = append(out, e)
		}
	}
	return out
}

// What of one entry is kept, in octets: of the values of one attribute, and of all.
const (
	mostValues  = 32 << 10
	mostOfEntry = 512 << 10
)

func sizeOf(a *ldap.EntryAttribute) (octets int) {
	for _, v := range a.ByteValues {
		octets += len(v)
	}
	return octets
}

// entry keeps of a raw entry what the user type asked for.
func (u *UserType) entry(raw *ldap.Entry, server string) Entry {
	e := Entry{DN: raw.DN, Server: server, Attributes: make(map[string][]string, len(u.cfg.Attributes))}
	total := 0
	for _, name := range u.cfg.Attributes {
		a := attributeOf(raw, name)
		switch {
		case a == nil || len(a.ByteValues) == 0:
		case sizeOf(a) > mostValues || total+sizeOf(a) > mostOfEntry:
			e.TooLarge = append(e.TooLarge, name)
		default:
			total += sizeOf(a)
			e.Attributes[name] = texts(name, a)
		}
	}
	for _, name := range u.cfg.Correlation {
		if a := attributeOf(raw, name); a != nil && len(a.ByteValues) > 0 {
			e.Correlation = append(e.Correlation, Value{name, textOf(name, a.ByteValues[0])})
		}
	}
	if u.cfg.Groups != nil {
		e.readMembership(raw)
	}
	return e
}

func (e *Entry) readMembership(raw *ldap.Entry) {
	e.memberOf = raw.GetEqualFoldAttributeValues("memberOf")
	if part, ok := rangeOf(raw, "memberOf"); ok {
		e.memberOf, e.memberOfCut = part.values, !part.last
	}
	if a := attributeOf(raw, "objectSid"); a != nil && len(a.ByteValues) == 1 {
		e.sid = a.ByteValues[0]
	}
	if rid, err := strconv.ParseUint(raw.GetEqualFoldAttributeValue("primaryGroupID"), 10, 32); err == nil {
		e.primaryGroupID = uint32(rid)
	}
}

func attributeOf(raw *ldap.Entry, name string) *ldap.EntryAttribute {
	for _, a := range raw.Attributes {
		if strings.EqualFold(a.Name, name) {
			return a
		}
	}
	return nil
}

func texts(name string, a *ldap.EntryAttribute) []string {
	out := make([]string, len(a.ByteValues))
	for i, v := range a.ByteValues {
		out[i] = textOf(name, v)
	}
	return out
}
