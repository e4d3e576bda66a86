package policy

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/configs"
	"ldap-gateway/directory"
	"ldap-gateway/directory/dn"
)

// usualAttributes may leave although the file does not name them: what a user
// record is usually made of, and what identifies an entry.
var usualAttributes = []string{
	"c", "cn", "co", "company", "department", "departmentNumber", "description", "displayName", "division", "employeeID",
	"employeeNumber", "employeeType", "entryUUID", "givenName", "initials", "l", "mail", "mobile", "nsUniqueId",
	"o", "objectGUID", "objectSid", "ou", "physicalDeliveryOfficeName", "postalCode", "preferredLanguage",
	"sAMAccountName", "sn", "st", "street", "telephoneNumber", "title", "uid", "uidNumber", "userPrincipalName",
}

// usualFilterAttributes may stand in a lookup filter although the file does not name them.
var usualFilterAttributes = []string{
	"cn", "employeeID", "employeeNumber", "mail", "memberOf", "objectCategory", "objectClass", "proxyAddresses",
	"sAMAccountName", "uid", "userAccountControl", "userPrincipalName",
}

// identities are what tells an entry from all others, and says nothing else of it.
var identities = []string{"entryUUID", "nsUniqueId", "objectGUID", "objectSid"}

// Policy is what the customer's file lets a cloud ask.
type Policy struct {
	File        configs.Policy // as it was checked; nobody changes it
	searchBases []dn.Name
	groupBases  []dn.Name
	include     []dn.Pattern
	exclude     []dn.Pattern
}

// New prepares the policy of a checked file. It fails for what the file's checks
// cannot see: a base or a pattern that is no DN.
func New(p configs.Policy) (*Policy, error) {
	out := &Policy{File: p}
	var errs [4]error
	out.searchBases, errs[0] = names("policy.search_bases", p.SearchBases)
	out.groupBases, errs[1] = names("policy.groups.search_bases", p.Groups.SearchBases)
	out.include, errs[2] = patterns("policy.groups.include", p.Groups.Include)
	out.exclude, errs[3] = patterns("policy.groups.exclude", p.Groups.Exclude)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	return out, nil
}

func names(key string, list []string) ([]dn.Name, error) {
	out := make([]dn.Name, 0, len(list))
	for _, text := range list {
		name, err := dn.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("gateway.hcl: %s: %w", key, err)
		}
		out = append(out, name)
	}
	return out, nil
}

func patterns(key string, list []string) ([]dn.Pattern, error) {
	out, err := dn.CompileAll(list)
	if err != nil {
		return nil, fmt.Errorf("gateway.hcl: %s: %w: write the whole DN, with * for any text", key, err)
	}
	return out, nil
}

// Describe says the policy in words, a line each, as "check" shows it.
func (p *Policy) Describe() []string {
	return append(p.Told(), p.describeExceptions()...)
}

// describeExceptions are the lines that name what is kept back.
func (p *Policy) describeExceptions() []string {
	if len(p.File.Groups.Exclude) == 0 {
		return nil
	}
	return []string{"no groups like " + strings.Join(p.File.Groups.Exclude, " | ")}
}

// Told says the policy in words, a line each, as the console shows it: what is kept
// back has a number there and no name.
func (p *Policy) Told() []string {
	lines := []string{
		p.describeMode(),
		"people are looked for at or below " + strings.Join(p.File.SearchBases, " | "),
		"groups may leave from at or below " + strings.Join(p.File.Groups.SearchBases, " | "),
		fmt.Sprintf("at most %d groups of one person", p.File.Groups.Max),
		fmt.Sprintf("at most %d sign-ons a minute, %d of one person", p.File.SignOnsPerMinute, p.File.SignOnsPerPerson),
		fmt.Sprintf("at most %d changed user types an hour", p.File.UserTypeChangesPerHour),
		p.describeWrongPasswords(),
		p.describeChanges(),
		p.describeExplain(),
	}
	for _, extra := range []struct {
		words string
		list  []string
	}{
		{"only groups like ", p.File.Groups.Include},
		{"attributes besides the usual ones: ", p.File.Attributes},
		{"searchable besides the usual ones: ", p.File.FilterAttributes},
	} {
		if len(extra.list) > 0 {
			lines = append(lines, extra.words+strings.Join(extra.list, " | "))
		}
	}
	if n := len(p.File.Groups.Exclude); n > 0 {
		lines = append(lines, fmt.Sprintf("%d patterns keep groups back", n))
	}
	return lines
}

func (p *Policy) describeMode() string {
	if p.File.Observe {
		return "observe: passwords are checked, and of people only the outcome and how many groups would be pushed leave"
	}
	return "enforce: what the lines below allow leaves at a sign-on"
}

func (p *Policy) describeWrongPasswords() string {
	w := p.File.WrongPasswords
	if w.Most == 0 {
		return "any number of wrong passwords is passed on"
	}
	return fmt.Sprintf("at most %d wrong passwords of one person within %s are passed on", w.Most, w.Within)
}

func (p *Policy) describeChanges() string {
	if reason := p.RefuseChanges(); reason != "" {
		return reason
	}
	return "people may change their passwords, where the user type lets them"
}

func (p *Policy) describeExplain() string {
	if reason := p.RefuseExplain(); reason != "" {
		return reason
	}
	return "the cloud may ask what a sign-on of a person would bring, without a password"
}

// RefuseExplain says why nothing is told without a password; empty when it is.
func (p *Policy) RefuseExplain() string {
	switch {
	case !p.File.Explain:
		return "nothing is told of a person without a password: policy.explain is off"
	case p.File.Observe:
		return "nothing is told of a person without a password: policy.mode is observe"
	}
	return ""
}

// RefuseChanges says why nobody's password is changed; empty when it may be.
func (p *Policy) RefuseChanges() string {
	switch {
	case !p.File.PasswordChanges:
		return "passwords are not changed: policy.password_changes is off"
	case p.File.Observe:
		return "passwords are not changed: policy.mode is observe"
	}
	return ""
}

// Hash names the policy to whoever compares it with what was told before: another hash
// is another policy. Without the key, which stays on this machine, nobody can tell
// whether a policy that they think of has it.
func (p *Policy) Hash(key []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(strings.Join(p.Describe(), "\n")))
	return hex.EncodeToString(mac.Sum(nil)[:8])
}

// Base returns where a user type looks for people: where it says, else where the
// file lets people be looked for, if that is one place.
func (p *Policy) Base(asked string) string {
	if asked == "" && len(p.File.SearchBases) == 1 {
		return p.File.SearchBases[0]
	}
	return asked
}

// Refuse returns every reason why the policy does not allow the user type; none
// when it does. asserted is what the type's filter asserts of an entry.
func (p *Policy) Refuse(u wire.UserType, asserted []directory.Assertion) (reasons []string) {
	if !within(u.SearchBase, p.searchBases) {
		reasons = append(reasons, fmt.Sprintf("search base %q is not at or below policy.search_bases", u.SearchBase))
	}
	if u.Groups != nil && u.Groups.SearchBase != "" && !within(u.Groups.SearchBase, p.groupBases) {
		reasons = append(reasons,
			fmt.Sprintf("group search base %q is not at or below policy.groups.search_bases", u.Groups.SearchBase))
	}
	for _, a := range slices.Concat(u.Attributes, u.Correlation) {
		reasons = refused(reasons, p.refuseLeaving("attribute", a))
	}
	for _, a := range u.Correlation {
		reasons = refused(reasons, p.refuseCorrelation(a))
	}
	if u.Groups != nil && u.Groups.NameAttribute != "" {
		reasons = refused(reasons, p.refuseLeaving("group name attribute", u.Groups.NameAttribute))
	}
	for _, a := range asserted {
		reasons = refused(reasons, p.refuseAssertion(a))
	}
	return reasons
}

// refused adds a reason, unless it is empty or is there already.
func refused(reasons []string, reason string) []string {
	if reason == "" || slices.Contains(reasons, reason) {
		return reasons
	}
	return append(reasons, reason)
}

// refuseLeaving says why the values of an attribute do not leave; empty when they do.
func (p *Policy) refuseLeaving(what, attribute string) string {
	switch {
	case isMemberOf(attribute):
		return fmt.Sprintf("%s %q names groups: they leave as groups only, cut by policy.groups", what, attribute)
	case !p.MayLeave(attribute):
		return fmt.Sprintf("%s %q may not leave: add it to policy.attributes to allow it", what, attribute)
	}
	return ""
}

// refuseCorrelation says why people are not found again by an attribute; empty when
// they are. A cloud says the value, so that it is a question like a filter.
func (p *Policy) refuseCorrelation(attribute string) string {
	if slices.ContainsFunc([][]string{identities, usualFilterAttributes, p.File.FilterAttributes},
		func(list []string) bool { return containsFold(list, attribute) }) {
		return ""
	}
	return fmt.Sprintf("people are not found by %q: add it to policy.filter_attributes to allow it", attribute)
}

// refuseAssertion says why a filter may not assert something; empty when it may. A
// filter is a question, which is answered by whether somebody can sign on: what is
// usual may be compared for equality and presence only, and a group that does not
// leave may not be asked for.
func (p *Policy) refuseAssertion(a directory.Assertion) string {
	named := containsFold(p.File.FilterAttributes, a.Attribute)
	switch {
	case isMemberOf(a.Attribute) && (a.Match != directory.MatchPresence || p.keepsGroupsBack()),
		!containsFold(usualFilterAttributes, a.Attribute) && p.KeepsBack(a.Value):
		if reason := p.refuseMemberOf(a); reason != "" {
			return reason
		}
	case named:
		return ""
	}
	switch {
	case !named && !containsFold(usualFilterAttributes, a.Attribute):
		return fmt.Sprintf("the filter names %q: add it to policy.filter_attributes to allow it", a.Attribute)
	case !named && !plain(a):
		return fmt.Sprintf("the filter compares %q in part or by order: add it to policy.filter_attributes to allow it",
			a.Attribute)
	case !named && asksForSomebody(a) && !asTyped(a):
		return fmt.Sprintf("the filter compares %q with something else than what is typed, so that it asks about somebody: "+
			"add it to policy.filter_attributes to allow it", a.Attribute)
	}
	return ""
}

// kinds are attributes that say what an entry is, and not who: a filter may compare them
// with what it says itself.
var kinds = []string{"memberOf", "objectCategory", "objectClass", "userAccountControl"}

// asksForSomebody tells whether an assertion is true of few people by its own value. With
// one beside it that is compared with what is typed, each sign-on would be a question
// about one of them.
func asksForSomebody(a directory.Assertion) bool {
	return a.Match != directory.MatchPresence && !containsFold(kinds, a.Attribute)
}

// typedForms are how names are made of what a person types: by a domain before or behind
// it, or by the kind of an address.
var typedForms = regexp.MustCompile(`^(?:[A-Za-z0-9.-]*[\\:])?\$\{identifier\}(?:@[A-Za-z0-9.-]*)?$`)

// asTyped tells whether an assertion compares with what a person types, and with nothing
// that could be chosen besides: that would ask about somebody.
func asTyped(a directory.Assertion) bool { return typedForms.MatchString(a.Value) }

// typed tells whether an assertion compares with what a person types, or a cloud that
// plays one.
func typed(a directory.Assertion) bool { return strings.Contains(a.Value, "${") }

// keepsGroupsBack tells whether patterns keep groups back: then that somebody is in any
// group may be that they are in one of these.
func (p *Policy) keepsGroupsBack() bool { return len(p.exclude)+len(p.include) > 0 }

// refuseMemberOf is for what asks whether somebody is in a group, or what else there is
// that has a name which is kept back.
func (p *Policy) refuseMemberOf(a directory.Assertion) string {
	whole := a.Match == directory.MatchEquality || a.Match == directory.MatchExtensible && a.Rule == inChain
	if !whole || typed(a) || p.LeaveOut(a.Value) != "" {
		return fmt.Sprintf("the filter asks for a group with %s that policy.groups does not let out", a.Attribute)
	}
	return ""
}

// Matching rules of [MS-ADTS] 3.1.1.3.4.4 that ask for whole values or for flags.
const (
	inChain = "1.2.840.113556.1.4.1941"
	bitAnd  = "1.2.840.113556.1.4.803"
	bitOr   = "1.2.840.113556.1.4.804"
)

// plain tells whether an assertion is true of a whole value, or of flags that say
// whether an account is one that signs on.
func plain(a directory.Assertion) bool {
	switch a.Match {
	case directory.MatchEquality, directory.MatchPresence:
		return true
	case directory.MatchExtensible:
		flags := a.Rule == bitAnd || a.Rule == bitOr
		return flags && strings.EqualFold(a.Attribute, "userAccountControl") ||
			a.Rule == inChain && strings.EqualFold(a.Attribute, "memberOf")
	}
	return false
}

// MayLeave tells whether an attribute may leave: it is a usual one, or the file names
// it. What names groups never may.
func (p *Policy) MayLeave(attribute string) bool {
	return !isMemberOf(attribute) &&
		(containsFold(usualAttributes, attribute) || containsFold(p.File.Attributes, attribute))
}

func containsFold(list []string, s string) bool {
	return slices.ContainsFunc(list, func(x string) bool { return strings.EqualFold(x, s) })
}

// within tells whether an entry is one of bases or below one. What is no DN is not.
func within(entry string, bases []dn.Name) bool {
	name, err := dn.Parse(entry)
	return err == nil && slices.ContainsFunc(bases, name.Within)
}

// Groups cuts m to the groups that may leave. What the policy leaves out does
// not make the answer less complete: to the cloud those groups do not exist.
// More groups than the policy's maximum do.
func (p *Policy) Groups(m directory.Membership) directory.Membership {
	kept := m.Groups[:0:0]
	for _, g := range m.Groups {
		if reason := p.leaveOut(g.Parsed()); reason != "" {
			m.Skipped = append(m.Skipped, directory.Skipped{DN: g.DN, Reason: reason})
			continue
		}
		if p.KeepsBack(g.Name) { // an attribute of the user type's choice
			g.Name = ""
		}
		kept = append(kept, g)
	}
	if most := p.File.Groups.Max; len(kept) > most {
		m.Whole = false
		if m.Verdict == directory.Complete {
			m.Verdict, m.Reason = directory.Partial, fmt.Sprintf("truncated: %d groups, and policy.groups.max is %d", len(kept),
				most)
			m.Told = m.Reason
		}
		kept = kept[:most]
	}
	m.Groups = kept
	return m
}

// LeaveOut returns why a group may not leave; empty when it may.
func (p *Policy) LeaveOut(group string) string { return p.leaveOut(dn.Parse(group)) }

// leaveOut is LeaveOut of a group whose name was parsed.
func (p *Policy) leaveOut(name dn.Name, err error) string {
	switch {
	case err != nil:
		return "its name is no DN"
	case !slices.ContainsFunc(p.groupBases, name.Within):
		return "not at or below policy.groups.search_bases"
	case len(p.include) > 0 && !dn.MatchAny(p.include, name):
		return "not like any of policy.groups.include"
	case p.excludes(name):
		return "like one of policy.groups.exclude"
	}
	return ""
}
