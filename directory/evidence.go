package directory

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/go-ldap/ldap/v3"

	"ldap-gateway/directory/dn"
)

// Asked is a group that somebody may be in or not.
type Asked struct {
	DN    string
	ID    string // immutable, in text form; empty: the group goes by its name
	Stamp string // the newest Group.Stamp that is known of it; empty: none
}

// Finding is what a directory shows of one person and one group.
type Finding uint8

// The findings. Seen, Renamed, Gone and Outside are evidence that the person is not in
// the group, or not in one that counts.
const (
	Still      Finding = iota + 1 // the person is a member
	Seen                          // the group was seen, without the person
	Renamed                       // the same, under another name
	Gone                          // nothing has that name, or that ID, any more
	Untellable                    // see the Obstacle
	Outside                       // the user type does not count it; nothing was asked
)

// Obstacle is why a finding is Untellable.
type Obstacle uint8

// The obstacles.
const (
	MembersHidden  Obstacle = iota + 1 // the group can be seen, who is in it cannot
	NotVisible                         // it cannot be seen, or is gone together with its place
	Computed                           // the server computes its members, with the rights of the service account
	Behind                             // the server has an older state of the group than Asked.Stamp
	ConnectionLost                     // that the first answer came by: another may lead to another server
	PersonChanged                      // the person's entry is not what it was any more
	OutOfTime                          // the context ended
	Elsewhere                          // the server refers to another
	AskingFailed                       // an error of the server, which is in the log
	NoID                               // the group's ID cannot be read or searched for
	OtherDomain                        // Active Directory: nothing here knows all members
	Malformed                          // Asked.DN is no DN
)

// Sight is how a person stands to one group.
type Sight struct {
	Finding  Finding
	Obstacle Obstacle // of Untellable
	Stamp    string   // of the group, when it was seen
	DN       string   // where the group was seen; empty when it was not
}

const (
	looksAtOnce   = 4 // of one Evidence, on one connection
	searchForMany = 8 // groups above which one search is made for those that the person is in
)

// Evidence tells how the person of an entry stands to single groups, by looking at each
// of them from the group's side and, on Active Directory, from the person's. m is what
// DirectGroups said just before: the same connection is asked. That a group did not come
// in m is no evidence; what this returns as Seen, Renamed, Gone or Outside is. It never
// fails: what cannot be told is Untellable. The answers are in the order of asked.
//
// A membership that m should have had makes the way that m was read distrusted: a
// memberOf is not used any more, a search is reported by Problems.
func (c *Client) Evidence(ctx context.Context, ut *UserType, e Entry, m Membership, asked []Asked) []Sight {
	out := make([]Sight, len(asked))
	if ut.cfg.Groups == nil {
		return fill(out, Sight{Finding: Outside})
	}
	if m.link == nil || !m.link.alive() {
		return fill(out, Sight{Finding: Untellable, Obstacle: ConnectionLost})
	}
	k := c.looker(ctx, ut, e, m.link)
	if m.Unconfirmed && len(asked) > searchForMany {
		k.searchFirst(ctx)
	}
	spelt := m.spellings()
	var all sync.WaitGroup
	slots := make(chan struct{}, looksAtOnce)
	for i, g := range asked {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			if out[i] = k.look(ctx, g); spelt.otherwise(g) && out[i].Finding == Still {
				out[i].Finding = Renamed
			}
		})
	}
	all.Wait()
	k.believe(ctx, ut, out)
	c.learn(ctx, ut, e, m, asked, out)
	return out
}

// spellings is how the groups of a membership are spelt, by what all spellings share.
type spellings map[string]string

func (m Membership) spellings() spellings {
	s := make(spellings, len(m.Groups))
	for _, g := range m.Groups {
		s[foldDN(g.DN)] = roughly(g.DN)
	}
	return s
}

func (s spellings) has(group string) bool { _, is := s[foldDN(group)]; return is }

// otherwise tells whether a group that goes by its name is among them, spelt with other
// characters than it is asked for: to the directory both are one, and whoever asked has
// two. By case and blanks alone nobody has.
func (s spellings) otherwise(g Asked) bool {
	has, is := s[foldDN(g.DN)]
	return is && g.ID == "" && has != roughly(g.DN)
}

// roughly is a name without case and blanks.
func roughly(name string) string { return strings.ToLower(strings.ReplaceAll(name, " ", "")) }

func fill(out []Sight, s Sight) []Sight {
	for i := range out {
		out[i] = s
	}
	return out
}

// alive says whether the connection can still be asked.
func (l *link) alive() bool {
	if !l.enter() {
		return false
	}
	l.leave()
	return true
}

// looker looks at groups for one person, over the connection of the first answer.
type looker struct {
	query      *groupQuery
	link       *link
	in, notIn  string   // filters: of groups that the person is in, and is seen not to be in
	blind      []string // object classes of groups whose members cannot be asked for
	base       dn.Name
	attributes []string
	found      map[string]bool // groups that a search found, folded
	own        ownSide
	primary    sync.Once
	primaryAt  string // DN of the primary group, where it can be seen
}

func (c *Client) looker(ctx context.Context, ut *UserType, e Entry, l *link) *looker {
	q := c.groupQuery(ut.cfg.Groups, l.server.dse.Load(), e)
	k := &looker{query: q, link: l}
	ways := k.known(ctx, q.ways())
	k.blind = blindTo(ways)
	k.in, k.notIn = anyOf(ways), noneOf(ways)
	if q.dse.activeDirectory() { // what may not be read counts as absent there, and its negation is true
		k.notIn = noneOf(ways, "(member=*)")
	} else if !q.dse.deniesTruly() { // nobody has tried what it counts as
		k.notIn = noneOf(ways, anyPresent(ways))
	}
	k.base, _ = dn.Parse(q.base) // it was parsed before: when the type was compiled, or the file read
	k.attributes = union([]string{"objectClass", "objectSid"}, q.rule.idAttributes(q.dse))
	if stamp := stampAttribute(q.dse); stamp != "" {
		k.attributes = append(k.attributes, stamp)
	}
	if c.cfg.PosixPrimaryGroups && e.gid == "" && !k.hasNoGID(ctx) {
		k.blind = append(k.blind, "posixGroup")
	}
	return k
}

// known leaves out what the schema does not have: to OpenLDAP an assertion about it is
// undefined, and so is its negation, for ever. 389 and Active Directory say false.
func (k *looker) known(ctx context.Context, ways []way) []way {
	if k.query.dse.activeDirectory() || k.query.dse.vendor == Vendor389 {
		return ways
	}
	schema := k.link.schema(ctx)
	if schema == nil {
		return ways
	}
	var out []way
	for _, w := range ways {
		if schema.has(w.attribute) {
			out = append(out, w)
		}
	}
	return out
}

// blindTo returns the classes of groups whose members none of the ways asks for: that
// of memberUid when no uid of the person can be read.
func blindTo(ways []way) (classes []string) {
	for attribute, class := range map[string]string{"memberUid": "posixGroup", "uniqueMember": "groupOfUniqueNames"} {
		if !slices.ContainsFunc(ways, func(w way) bool { return w.attribute == attribute }) {
			classes = append(classes, class)
		}
	}
	return classes
}

// searchFirst finds the groups that the person is in by one search.
func (k *looker) searchFirst(ctx context.Context) {
	other := k.query.client.groupQuery(k.query.rule, k.query.dse, k.query.entry)
	other.search(ctx, k.in)
	k.found = map[string]bool{}
	for _, g := range other.membership().Groups {
		k.found[foldDN(g.DN)] = true
	}
}

// look is the decision on one group.
func (k *looker) look(ctx context.Context, g Asked) Sight {
	name, err := dn.Parse(g.DN)
	switch {
	case err != nil || name.IsZero():
		return Sight{Finding: Untellable, Obstacle: Malformed}
	case !k.counts(g.DN):
		return Sight{Finding: Outside}
	case k.found[foldDN(g.DN)]:
		return Sight{Finding: Still, DN: g.DN}
	}
	s := k.judge(ctx, g, name)
	switch {
	case (s.Finding == Seen || s.Finding == Renamed) && (older(s.Stamp, g.Stamp) || k.mayLack(ctx, name, g, s)),
		s.Finding == Gone && k.behind(ctx, name, g):
		s.Finding, s.Obstacle = Untellable, Behind
	case (s.Finding == Seen || s.Finding == Renamed || s.Finding == Gone) && k.mayBePrimary(ctx, s, g.DN):
		s.Finding, s.Obstacle = Untellable, MembersHidden
	}
	return s
}

// counts tells whether the user type counts a group of this name. What is no DN it may.
func (k *looker) counts(group string) bool {
	name, err := dn.Parse(group)
	return err != nil || name.Within(k.base) && k.query.rule.leavesOut(name) == ""
}

// judge looks at the group's name and, where groups go by ID, at what has the ID.
func (k *looker) judge(ctx context.Context, g Asked, name dn.Name) Sight {
	s, at := k.at(ctx, g.DN)
	byID, ad := g.ID != "" && k.query.rule.WithID, k.query.dse.activeDirectory()
	recycled := false
	if byID && at.entry != nil {
		switch has, whole := k.hasID(ctx, at.entry, g.ID); {
		case has:
		case whole:
			recycled = true
		default:
			s = Sight{Finding: Untellable, Obstacle: NoID}
		}
	}
	// The server names an existing entry above: nothing has the name. Active Directory
	// answers the same of what may not be seen, and others may.
	absent := at.code == ldap.LDAPResultNoSuchObject
	gone := recycled || absent && k.query.dse.deniesTruly() && above(at.matched, name)
	switch {
	case byID && (gone || absent && !k.query.dse.deniesTruly()):
		return k.byID(ctx, g, name)
	case gone:
		return Sight{Finding: Gone}
	case ad && s.undecided():
		return k.fromOwnSide(ctx, g, name, absent)
	}
	return s
}

// byID looks for what has the ID of a group whose name is gone, or belongs to another
// group now.
func (k *looker) byID(ctx context.Context, g Asked, name dn.Name) Sight {
	now, obstacle := k.locate(ctx, g.ID)
	ad := k.query.dse.activeDirectory()
	switch {
	case obstacle != 0:
		return Sight{Finding: Untellable, Obstacle: obstacle}
	case now == "" && ad:
		return k.fromOwnSide(ctx, g, name, true)
	case now == "" && !k.query.dse.deniesTruly():
		return Sight{Finding: Untellable, Obstacle: NotVisible}
	case now == "":
		return Sight{Finding: Gone}
	case !k.counts(now):
		return Sight{Finding: Outside}
	}
	s, _ := k.at(ctx, now)
	if ad && s.undecided() {
		s = k.fromOwnSide(ctx, g, name, false)
	}
	if s.Finding == Seen {
		s.Finding = Renamed
	}
	s.DN = now
	return s
}

// undecided says whether the person's side may know more.
func (s Sight) undecided() bool {
	return s.Finding == Untellable && (s.Obstacle == MembersHidden || s.Obstacle == NotVisible || s.Obstacle == NoID)
}

// at asks at one name. "In it" is believed over "not in it": a dynamic group says both.
func (k *looker) at(ctx context.Context, base string) (Sight, sighting) {
	in := k.ask(ctx, base, k.in)
	if in.entry != nil {
		return k.sight(Still, in.entry), in
	}
	if in.code != 0 || in.obstacle != 0 {
		return in.untellable(), in
	}
	out := k.ask(ctx, base, k.notIn)
	switch {
	case out.code != 0 || out.obstacle != 0:
		return out.untellable(), out
	case out.entry == nil:
		there := k.ask(ctx, base, rootDSEFilter)
		return there.untellable(), there
	case len(out.entry.GetEqualFoldAttributeValues("objectClass")) == 0: // whose members may be any
		return Sight{Finding: Untellable, Obstacle: MembersHidden}, out
	case isComputed(out.entry):
		return Sight{Finding: Untellable, Obstacle: Computed}, out
	case k.query.dse.activeDirectory():
	case hasClass(out.entry, k.blind...), hasClass(out.entry, "posixGroup") && !k.namesOthersOnly(ctx, base):
		return Sight{Finding: Untellable, Obstacle: MembersHidden}, out
	}
	return k.sight(Seen, out.entry), out
}

func (k *looker) sight(f Finding, e *ldap.Entry) Sight {
	stamp := stampOf(k.query.dse, e)
	k.link.server.shown.note(e.DN, stamp)
	return Sight{Finding: f, Stamp: stamp, DN: e.DN}
}

// isComputed tells whether the members of a group come from a search of the server's,
// which may find nobody for want of rights.
func isComputed(e *ldap.Entry) bool {
	return hasClass(e, "groupOfURLs", "labeledURIObject", "dynGroup", "dgIdentityAux")
}

// above tells whether a matchedDN is that of an entry above a name.
func above(matched string, name dn.Name) bool {
	parsed, err := dn.Parse(matched)
	return err == nil && !parsed.IsZero() && parsed != name && name.Within(parsed)
}
