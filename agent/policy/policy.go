package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/configs"
	"ldap-gateway/directory"
)

// usualAttributes may leave although the file does not name them: what a user
// record is usually made of, and what identifies an entry.
var usualAttributes = []string{
	"c", "cn", "co", "company", "department", "departmentNumber", "description", "displayName", "division", "employeeID",
	"employeeNumber", "employeeType", "entryUUID", "givenName", "initials", "l", "mail", "memberOf", "mobile", "nsUniqueId",
	"o", "objectGUID", "objectSid", "ou", "physicalDeliveryOfficeName", "postalCode", "preferredLanguage", "sAMAccountName",
	"sn", "st", "street", "telephoneNumber", "title", "uid", "uidNumber", "userPrincipalName",
}

// usualFilterAttributes may stand in a lookup filter although the file does not name them.
var usualFilterAttributes = []string{
	"cn", "employeeID", "employeeNumber", "mail", "memberOf", "objectCategory", "objectClass", "proxyAddresses",
	"sAMAccountName", "uid", "userAccountControl", "userPrincipalName",
}

// Policy is what the customer's file lets a cloud ask.
type Policy struct {
	File        configs.Policy // as it was checked; nobody changes it
	searchBases []*ldap.DN
	groupBases  []*ldap.DN
}

// New prepares the policy of a checked file.
func New(p configs.Policy) (*Policy, error) {
	users, err := parseDNs(p.SearchBases)
	if err != nil {
		return nil, err
	}
	groups, err := parseDNs(p.Groups.SearchBases)
	return &Policy{p, users, groups}, err
}

func parseDNs(list []string) ([]*ldap.DN, error) {
	out := make([]*ldap.DN, 0, len(list))
	for _, s := range list {
		dn, err := ldap.ParseDN(s)
		if err != nil {
			return nil, fmt.Errorf("policy: %q: %w", s, err)
		}
		out = append(out, dn)
	}
	return out, nil
}

// Describe says the policy in words, a line each, as "check" and the console show it.
func (p *Policy) Describe() []string {
	lines := []string{
		p.describeMode(),
		"people are looked for at or below " + strings.Join(p.File.SearchBases, " | "),
		"groups may leave from at or below " + strings.Join(p.File.Groups.SearchBases, " | "),
		fmt.Sprintf("at most %d groups of one person", p.File.Groups.Max),
		fmt.Sprintf("at most %d sign-ons a minute, %d of one person", p.File.SignOnsPerMinute, p.File.SignOnsPerPerson),
		p.describeWrongPasswords(),
		p.describeChanges(),
		p.describeExplain(),
	}
	for _, extra := range []struct {
		words string
		list  []string
	}{
		{"only groups like ", p.File.Groups.Include},
		{"no groups like ", p.File.Groups.Exclude},
		{"attributes besides the usual ones: ", p.File.Attributes},
		{"searchable besides the usual ones: ", p.File.FilterAttributes},
	} {
		if len(extra.list) > 0 {
			lines = append(lines, extra.words+strings.Join(extra.list, " | "))
		}
	}
	return lines
}

func (p *Policy) describeMode() string {
	if p.File.Observe {
		return "observe: passwords are checked, attributes and groups do not leave"
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

// Hash names the policy: another hash is another policy.
func (p *Policy) Hash() string {
	sum := sha256.Sum256([]byte(strings.Join(p.Describe(), "\n")))
	return hex.EncodeToString(sum[:8])
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
// when it does. filterAttributes are those that the type's filter names.
func (p *Policy) Refuse(u wire.UserType, filterAttributes []string) (reasons []string) {
	if !within(u.SearchBase, p.searchBases) {
		reasons = append(reasons, fmt.Sprintf("search base %q is not at or below policy.search_bases", u.SearchBase))
	}
	if u.Groups != nil && u.Groups.SearchBase != "" && !within(u.Groups.SearchBase, p.groupBases) {
		reasons = append(reasons, fmt.Sprintf("group search base %q is not at or below policy.groups.search_bases", u.Groups.SearchBase))
	}
	for _, a := range slices.Concat(u.Attributes, u.Correlation) {
		if !p.MayLeave(a) {
			reasons = append(reasons, fmt.Sprintf("attribute %q may not leave: add it to policy.attributes to allow it", a))
		}
	}
	if u.Groups != nil && u.Groups.NameAttribute != "" && !p.MayLeave(u.Groups.NameAttribute) {
		reasons = append(reasons, fmt.Sprintf("group name attribute %q may not leave: add it to policy.attributes to allow it", u.Groups.NameAttribute))
	}
	for _, a := range filterAttributes {
		if !containsFold(usualFilterAttributes, a) && !containsFold(p.File.FilterAttributes, a) {
			reasons = append(reasons, fmt.Sprintf("the filter names %q: add it to policy.filter_attributes to allow it", a))
		}
	}
	return reasons
}

// MayLeave tells whether an attribute may leave: it is a usual one, or the file names it.
func (p *Policy) MayLeave(attribute string) bool {
	return containsFold(usualAttributes, attribute) || containsFold(p.File.Attributes, attribute)
}

func containsFold(list []string, s string) bool {
	return slices.ContainsFunc(list, func(x string) bool { return strings.EqualFold(x, s) })
}

// within tells whether dn is one of bases or below one. What is no DN is not.
func within(dn string, bases []*ldap.DN) bool {
	parsed, err := ldap.ParseDN(dn)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(bases, func(b *ldap.DN) bool { return b.EqualFold(parsed) || b.AncestorOfFold(parsed) })
}

// Groups cuts m to the groups that may leave. What the policy leaves out does
// not make the answer less complete: to the cloud those groups do not exist.
// More groups than the policy's maximum do.
func (p *Policy) Groups(m directory.Membership) directory.Membership {
	kept := m.Groups[:0:0]
	for _, g := range m.Groups {
		if reason := p.LeaveOut(g.DN); reason != "" {
			m.Skipped = append(m.Skipped, directory.Skipped{DN: g.DN, Reason: reason})
			continue
		}
		kept = append(kept, g)
	}
	if most := p.File.Groups.Max; len(kept) > most {
		m.Whole = false
		if m.Verdict == directory.Complete {
			m.Verdict, m.Reason = directory.Partial, fmt.Sprintf("truncated: %d groups, and policy.groups.max is %d", len(kept), most)
		}
		kept = kept[:most]
	}
	m.Groups = kept
	return m
}

// LeaveOut returns why the group at dn may not leave; empty when it may.
func (p *Policy) LeaveOut(dn string) string {
	switch g := p.File.Groups; {
	case !within(dn, p.groupBases):
		return "not at or below policy.groups.search_bases"
	case len(g.Include) > 0 && !directory.MatchAny(g.Include, dn):
		return "not like any of policy.groups.include"
	case directory.MatchAny(g.Exclude, dn):
		return "like one of policy.groups.exclude"
	}
	return ""
}
