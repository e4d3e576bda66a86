package directory

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// sighting is what one base search showed.
type sighting struct {
	entry    *ldap.Entry
	code     uint16 // NoSuchObject, or 0
	matched  string // DN, with the code
	obstacle Obstacle
}

// untellable says why nothing follows from a sighting that shows no membership.
func (s sighting) untellable() Sight {
	obstacle := s.obstacle
	switch {
	case obstacle != 0:
	case s.entry != nil:
		obstacle = MembersHidden
	default:
		obstacle = NotVisible
	}
	return Sight{Finding: Untellable, Obstacle: obstacle}
}

// ask makes one base search. Values are never read and "types only" never asked for:
// either gives false evidence somewhere.
func (k *looker) ask(ctx context.Context, base, filter string, controls ...ldap.Control) sighting {
	if ctx.Err() != nil {
		return sighting{obstacle: OutOfTime}
	}
	if !k.link.enter() {
		return sighting{obstacle: ConnectionLost}
	}
	found := k.link.search(ctx, &ldap.SearchRequest{
		BaseDN:       base,
		Scope:        ldap.ScopeBaseObject,
		DerefAliases: ldap.NeverDerefAliases,
		SizeLimit:    2, // so that two are noticed
		Filter:       filter,
		Attributes:   k.attributes,
		Controls:     controls,
	})
	return k.sighting(ctx, found)
}

func (k *looker) sighting(ctx context.Context, found answer) sighting {
	e, ok := answered(found.err)
	switch {
	case ok && e.ResultCode == ldap.LDAPResultNoSuchObject:
		return sighting{code: e.ResultCode, matched: e.MatchedDN}
	case ok && e.ResultCode == ldap.LDAPResultInsufficientAccessRights:
		return sighting{obstacle: NotVisible}
	case ok && e.ResultCode == ldap.LDAPResultReferral:
		return sighting{obstacle: Elsewhere}
	case ok:
		k.query.client.cfg.Logger.Warn("a group could not be looked at", "server", k.link.server.url, "code", e.ResultCode)
		return sighting{obstacle: AskingFailed}
	case found.err != nil && ctx.Err() != nil, errors.Is(found.err, errNoAnswer):
		return sighting{obstacle: OutOfTime}
	case found.err != nil:
		return sighting{obstacle: ConnectionLost}
	case len(found.result.Referrals) > 0 || len(found.result.Entries) > 1:
		return sighting{obstacle: Elsewhere}
	case len(found.result.Entries) == 1:
		return sighting{entry: found.result.Entries[0]}
	}
	return sighting{}
}

// hasID tells whether a group has an immutable ID, in any of the attributes that may
// hold it, and whether all of these can be read.
func (k *looker) hasID(ctx context.Context, e *ldap.Entry, id string) (has, whole bool) {
	whole = true
	for _, attribute := range k.query.rule.idAttributes(k.query.dse) {
		a := attributeOf(e, attribute)
		switch {
		case a != nil && len(a.ByteValues) > 0:
			has = has || textOf(attribute, a.ByteValues[0]) == id
		case !k.link.schema(ctx).lacks(attribute):
			whole = false
		}
	}
	return has, whole
}

// locate returns the DN of what has an ID now, empty when nothing has.
func (k *looker) locate(ctx context.Context, id string) (now string, o Obstacle) {
	if k.query.dse.activeDirectory() {
		return k.locateByGUID(ctx, id)
	}
	tried := false
	for _, attribute := range k.query.rule.idAttributes(k.query.dse) {
		now, why := k.locateBy(ctx, attribute, id)
		switch {
		case now != "":
			return now, 0
		case why == NoID && k.link.schema(ctx).lacks(attribute):
		case why != 0:
			o = why // the ID may be one of these
		default:
			tried = true
		}
	}
	if !tried && o == 0 {
		o = NoID
	}
	return "", o
}

// locateBy is locate for an ID that is a value of one attribute.
func (k *looker) locateBy(ctx context.Context, attribute, id string) (now string, o Obstacle) {
	octets, ok := octetsOf(attribute, id)
	witness := k.witness(ctx, attribute)
	if !ok || witness == "" {
		return "", NoID
	}
	if !k.link.enter() {
		return "", ConnectionLost
	}
	// That the search finds the person shows that IDs can be searched for.
	filter := "(|(" + attribute + "=" + ldap.EscapeFilter(
		octets,
	) + ")(" + attribute + "=" + ldap.EscapeFilter(
		witness,
	) + "))"
	found := k.link.search(
		ctx,
		ldap.NewSearchRequest(k.query.client.cfg.BaseDN, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases,
			3, 0, false, filter, []string{attribute}, nil),
	)
	if found.err != nil {
		return "", k.sighting(ctx, found).obstacleOr(AskingFailed)
	}
	seen := false
	for _, e := range found.result.Entries {
		value := e.GetEqualFoldAttributeValue(attribute)
		seen = seen || value == witness
		if value != witness {
			now = e.DN
		}
	}
	if !seen || len(found.result.Entries) > 2 {
		return "", NoID
	}
	return now, 0 // a reference may lead to where it is: out of sight counts as gone
}

func (s sighting) obstacleOr(o Obstacle) Obstacle {
	if s.obstacle != 0 {
		return s.obstacle
	}
	return o
}

// witness returns the person's own ID, octets; empty when it cannot be read.
func (k *looker) witness(ctx context.Context, attribute string) string {
	if s := k.ask(ctx, k.query.entry.DN, rootDSEFilter); s.entry != nil {
		return s.entry.GetEqualFoldAttributeValue(attribute)
	}
	return ""
}

func (k *looker) locateByGUID(ctx context.Context, id string) (now string, o Obstacle) {
	s := k.ask(ctx, "<GUID="+id+">", rootDSEFilter)
	if s.entry != nil {
		return s.entry.DN, 0
	}
	return "", s.obstacle
}

// believe takes everything back unless the person is at the end who they were at the
// beginning: a filter with a DN that nothing has is true of every group.
func (k *looker) believe(ctx context.Context, ut *UserType, out []Sight) {
	if k.samePerson(ctx, ut) {
		return
	}
	for i, s := range out {
		if s.Finding != Still && s.Finding != Outside && s.Finding != Untellable {
			out[i] = Sight{Finding: Untellable, Obstacle: PersonChanged}
		}
	}
}

func (k *looker) samePerson(ctx context.Context, ut *UserType) bool {
	if !k.link.enter() {
		return false
	}
	attributes := ut.cfg.Correlation
	if len(attributes) == 0 {
		attributes = []string{"1.1"}
	}
	found := k.link.search(ctx, ldap.NewSearchRequest(k.query.entry.DN, ldap.ScopeBaseObject, ldap.NeverDerefAliases,
		1, 0, false, rootDSEFilter, attributes, nil))
	if found.err != nil || len(found.result.Entries) != 1 {
		return false
	}
	now := ut.entry(found.result.Entries[0], k.link.server.url)
	return slices.EqualFunc(now.Correlation, k.query.entry.Correlation, func(a, b Value) bool {
		return strings.EqualFold(a.Attribute, b.Attribute) && a.Value == b.Value
	})
}
