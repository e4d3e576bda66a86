package directory

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"ldap-gateway/directory/dn"

	"github.com/go-ldap/ldap/v3"
)

// Verdict says how much of the truth a membership is.
type Verdict uint8

// Only a Complete membership may take groups away; a Partial one may add; an Unknown
// one changes nothing.
const (
	Complete Verdict = iota + 1
	Partial
	Unknown
)

// String returns complete, partial or unknown.
func (v Verdict) String() string {
	switch v {
	case Complete:
		return "complete"
	case Partial:
		return "partial"
	case Unknown:
		return "unknown"
	}
	return fmt.Sprintf("Verdict(%d)", uint8(v))
}

// Membership is the direct groups of one user.
type Membership struct {
	Verdict Verdict
	Reason  string // why not Complete
	Told    string // the same, as it may be told elsewhere: numbers in place of names
	Groups  []Group
	Skipped []Skipped
	// Whole says that the search came to its end: what a Partial membership lacks was
	// left aside, as a reference or an entry without a name. Then Evidence can tell of
	// the rest; after a size limit it would be asked about most groups every time.
	Whole bool
	// Unconfirmed says that the groups come from a memberOf that the server does not
	// compute. What it would add is to be asked for: see Evidence.
	Unconfirmed bool

	link       *link // that the answer came by; nil: none
	byMemberOf bool  // and not by a search
}

// Group is one group that has the user as a direct member.
type Group struct {
	DN   string // as the server writes it
	Name string
	ID   string // immutable, in text form; empty unless the rule asks for it
	// Source is what made the user a member: "member", "uniqueMember", "memberUid",
	// "memberOf" or "primaryGroup".
	Source string
	// Stamp tells two states of the group apart, on one server or two: of two, the
	// greater one is newer. Empty when the directory does not tell.
	Stamp string

	name dn.Name // DN, parsed; zero: it was not
}

// Parsed returns the group's DN as it is compared. Errors: dn.ErrSyntax.
func (g Group) Parsed() (dn.Name, error) {
	if !g.name.IsZero() {
		return g.name, nil
	}
	return dn.Parse(g.DN)
}

// Skipped is a group that was found and left out.
type Skipped struct {
	DN     string
	Reason string // names no other entry than what the user type names
}

const noGroupsWanted = "the user type wants no groups"

// gathering collects groups under one rule.
type gathering struct {
	rule    *GroupRule
	out     Membership
	have    map[string]bool
	reasons []string       // why it is not complete
	told    []string       // the same, without names
	unread  map[string]int // groups that were left out, by what of them cannot be read
	// unfollowed counts references to other servers.
	unfollowed int
	failed     bool // nothing can be said when no group came
}

func (g *gathering) add(group Group) {
	name, err := dn.Parse(group.DN)
	key := name.Key()
	if err != nil {
		key = foldDN(group.DN)
	}
	if g.have[key] {
		return
	}
	if g.have == nil {
		g.have = map[string]bool{}
	}
	g.have[key] = true
	if err != nil { // whether it is wanted cannot be told
		g.incomplete(group.DN, "its name is no DN")
		return
	}
	if reason := g.rule.leavesOut(name); reason != "" {
		g.skip(group.DN, reason)
		return
	}
	// Such a group could be named yesterday: leaving it out must not take it away.
	switch {
	case group.Name == "":
		g.incomplete(group.DN, "it has no readable "+g.rule.NameAttribute)
	case g.rule.WithID && group.ID == "":
		g.incomplete(group.DN, "it has no readable immutable ID")
	default:
		group.name = name
		g.out.Groups = append(g.out.Groups, group)
	}
}

func (g *gathering) skip(group, reason string) {
	g.out.Skipped = append(g.out.Skipped, Skipped{group, reason})
}

func (g *gathering) incomplete(group, reason string) {
	g.skip(group, reason)
	g.reasons = append(g.reasons, fmt.Sprintf("group %q was left out: %s", group, reason))
	if g.unread == nil {
		g.unread = map[string]int{}
	}
	g.unread[reason]++
}

func (g *gathering) fail(err error) {
	g.failed = true
	g.reasons = append(g.reasons, err.Error())
	g.told = append(g.told, Told(err))
}

// withoutNames is why it is not complete, with numbers of groups.
func (g *gathering) withoutNames() string {
	told := slices.Clone(g.told)
	for _, reason := range slices.Sorted(maps.Keys(g.unread)) {
		told = append(told, fmt.Sprintf("%d groups were left out: %s", g.unread[reason], reason))
	}
	if g.unfollowed > 0 {
		told = append(told, fmt.Sprintf("%d references to other servers were not followed", g.unfollowed))
	}
	return strings.Join(told, "; ")
}

func (g *gathering) membership() Membership {
	slices.SortFunc(g.out.Groups, func(a, b Group) int { return strings.Compare(a.DN, b.DN) })
	g.out.Reason, g.out.Told, g.out.Whole = strings.Join(g.reasons, "; "), g.withoutNames(), !g.failed
	switch {
	case len(g.reasons) == 0:
		g.out.Verdict = Complete
	case g.failed && len(g.out.Groups) == 0:
		g.out.Verdict = Unknown
	default:
		g.out.Verdict = Partial
	}
	return g.out
}

// leavesOut returns why a group does not count; empty when it does.
func (r *GroupRule) leavesOut(name dn.Name) string {
	for i := range r.exclude {
		if dn.MeanAnyPart(r.exclude[i:i+1], name) {
			return "excluded by " + r.Exclude[i]
		}
	}
	if len(r.include) > 0 && !dn.MatchAny(r.include, name) {
		return "not included by any pattern"
	}
	return ""
}

// foldDN makes all spellings of one DN alike.
func foldDN(text string) string { return dn.Key(text) }

// nameFromRDN returns the value of the attribute in the first RDN, or "".
func nameFromRDN(name *ldap.DN, attribute string) string {
	if len(name.RDNs) == 0 {
		return ""
	}
	for _, a := range name.RDNs[0].Attributes {
		if strings.EqualFold(a.Type, attribute) {
			return a.Value
		}
	}
	return ""
}
