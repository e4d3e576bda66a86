package directory

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

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
}

// Skipped is a group that was found and left out.
type Skipped struct{ DN, Reason string }

// gathering collects groups under one rule.
type gathering struct {
	rule    *GroupRule
	out     Membership
	have    map[string]bool
	reasons []string // why it is not complete
	failed  bool     // nothing can be said when no group came
}

func (g *gathering) add(group Group) {
	key := foldDN(group.DN)
	if g.have[key] {
		return
	}
	if g.have == nil {
		g.have = map[string]bool{}
	}
	g.have[key] = true
	if reason := g.rule.leavesOut(key); reason != "" {
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
		g.out.Groups = append(g.out.Groups, group)
	}
}

func (g *gathering) skip(dn, reason string) {
	g.out.Skipped = append(g.out.Skipped, Skipped{dn, reason})
}

func (g *gathering) incomplete(dn, reason string) {
	g.skip(dn, reason)
	g.reasons = append(g.reasons, fmt.Sprintf("group %q was left out: %s", dn, reason))
}

func (g *gathering) fail(reason string) {
	g.failed = true
	g.reasons = append(g.reasons, reason)
}

func (g *gathering) membership() Membership {
	slices.SortFunc(g.out.Groups, func(a, b Group) int { return strings.Compare(a.DN, b.DN) })
	g.out.Reason, g.out.Whole = strings.Join(g.reasons, "; "), !g.failed
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

// leavesOut returns why a group does not count; dn is folded.
func (r *GroupRule) leavesOut(dn string) string {
	for _, pattern := range r.Exclude {
		if matchDN(pattern, dn) {
			return "excluded by " + pattern
		}
	}
	included := len(r.Include) == 0 || slices.ContainsFunc(r.Include, func(p string) bool { return matchDN(p, dn) })
	if !included {
		return "not included by any pattern"
	}
	return ""
}

// MatchAny tells whether a DN is like one of the patterns, in which '*' stands for
// any text. Case, and blanks after commas, make no difference.
func MatchAny(patterns []string, dn string) bool {
	folded := foldDN(dn)
	return slices.ContainsFunc(patterns, func(p string) bool { return matchDN(p, folded) })
}

// matchDN matches a pattern, in which '*' stands for any text, with a folded DN.
func matchDN(pattern, folded string) bool {
	parts := strings.Split(foldDN(pattern), "*")
	rest, ok := strings.CutPrefix(folded, parts[0])
	if !ok || len(parts) == 1 {
		return ok && rest == ""
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		if _, rest, ok = strings.Cut(rest, part); !ok {
			return false
		}
	}
	return strings.HasSuffix(rest, parts[last])
}

// foldDN makes two spellings of one DN alike: case, and blanks after commas.
func foldDN(dn string) string {
	var out strings.Builder
	separator, escaped := true, false
	for _, r := range dn {
		if separator && r == ' ' {
			continue
		}
		separator = r == ',' && !escaped
		escaped = r == '\\' && !escaped
		out.WriteRune(unicode.ToLower(r))
	}
	return out.String()
}

// nameFromRDN returns the value of the attribute in the first RDN, or "".
func nameFromRDN(dn *ldap.DN, attribute string) string {
	if len(dn.RDNs) == 0 {
		return ""
	}
	for _, a := range dn.RDNs[0].Attributes {
		if strings.EqualFold(a.Type, attribute) {
			return a.Value
		}
	}
	return ""
}
