package directory

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"ldap-gateway/directory/dn"
)

// UserTypeConfig is a user type as it is written down.
type UserTypeConfig struct {
	ID, Name   string
	SearchBase string
	// Filter is RFC 4515 text in which ${identifier} stands, once or more, for what the
	// person typed. It may stand only inside an assertion value, and not below a "not".
	Filter string
	// Correlation names the attributes that find the same person again, in order.
	Correlation []string
	// Attributes to read.
	Attributes []string
	// Groups is nil when none are wanted.
	Groups *GroupRule
	// KeepBack tells of an entry by its DN and its object classes, as far as these can
	// be read, whether it is as if it were not there. Nil: no entry is.
	KeepBack func(dn string, classes []string) bool
	// KeepBackValue tells of what an attribute is compared with, once what a person typed
	// stands in it, whether nobody is found by it. Nil: somebody may be by every value.
	KeepBackValue func(value string) bool
}

// GroupRule says which groups count and how they are named.
type GroupRule struct {
	// SearchBase is where groups are; empty means Config.BaseDN.
	SearchBase string
	// NameAttribute holds the display name; empty means cn.
	NameAttribute string
	// Include and Exclude are patterns on the whole DN, compared as names are: see
	// [dn.Pattern]. No Include means all; Exclude wins.
	Include, Exclude []string
	// WithID asks for each group's immutable ID.
	WithID bool

	include, exclude []dn.Pattern // compiled
}

// UserType is a compiled user type: immutable and safe for concurrent use.
type UserType struct {
	cfg         UserTypeConfig
	filter      filterTemplate
	attributes  []string // to ask for, without membership
	primaries   []string // to ask for, with what tells the primary group
	memberships []string // to ask for, with membership attributes
}

// Compile checks a user type once, so that a sign-on needs no parsing. The error
// names every field that is wrong.
func Compile(cfg UserTypeConfig) (*UserType, error) {
	cfg = cfg.clone()
	var errs []error
	filter, err := compileTemplate(cfg.Filter)
	if err != nil {
		errs = append(errs, fmt.Errorf("filter: %w", err))
	}
	errs = append(errs, checkDN("search base", cfg.SearchBase), checkNames("correlation", cfg.Correlation),
		checkNames("attributes", cfg.Attributes))
	if cfg.SearchBase == "" {
		errs = append(errs, errors.New("search base: empty; write a DN such as ou=people,dc=example,dc=com"))
	}
	if g := cfg.Groups; g != nil {
		if g.NameAttribute == "" {
			g.NameAttribute = "cn"
		}
		errs = append(errs,
			checkDN("groups: search base", g.SearchBase),
			checkNames("groups: name attribute", []string{g.NameAttribute}),
			g.compile(),
		)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("user type %q: %w", cfg.Name, err)
	}
	u := &UserType{cfg: cfg, filter: filter}
	u.planAttributes()
	return u, nil
}

// compile reads the patterns; the error names the first of each list that is none.
func (g *GroupRule) compile() error {
	var include, exclude error
	g.include, include = dn.CompileAll(g.Include)
	g.exclude, exclude = dn.CompileAll(g.Exclude)
	return errors.Join(inList("groups: include", include), inList("groups: exclude", exclude))
}

func inList(list string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", list, err)
}

func (c UserTypeConfig) clone() UserTypeConfig {
	c.Correlation, c.Attributes = slices.Clone(c.Correlation), slices.Clone(c.Attributes)
	if c.Groups != nil {
		g := *c.Groups
		g.Include, g.Exclude = slices.Clone(g.Include), slices.Clone(g.Exclude)
		c.Groups = &g
	}
	return c
}

func (u *UserType) planAttributes() {
	u.attributes = union(u.cfg.Attributes, u.cfg.Correlation)
	if u.cfg.Groups != nil {
		u.primaries = union(u.attributes, []string{"primaryGroupID", "objectSid"})
		u.memberships = union(u.primaries, []string{"memberOf"})
	}
	if len(u.attributes) == 0 {
		u.attributes = []string{"1.1"} // none at all (RFC 4511, 4.5.1.8); an empty list means all
	}
}

// ID returns the user type's ID.
func (u *UserType) ID() string { return u.cfg.ID }

// Name returns the user type's name.
func (u *UserType) Name() string { return u.cfg.Name }

// SearchBase returns the DN below which users are looked for.
func (u *UserType) SearchBase() string { return u.cfg.SearchBase }

// Filter returns the filter as it was written.
func (u *UserType) Filter() string { return u.cfg.Filter }

// FilterAssertions returns everything that the filter asserts, in the order it stands;
// a policy can check how and with what an attribute is compared.
func (u *UserType) FilterAssertions() []Assertion { return slices.Clone(u.filter.assertions) }

// AskedAttributes returns the attributes that are compared with what a person typed: an
// index for these is what makes finding people fast.
func (u *UserType) AskedAttributes() []string { return slices.Clone(u.filter.asked) }

// Attributes returns the attributes to read.
func (u *UserType) Attributes() []string { return slices.Clone(u.cfg.Attributes) }

// Correlation returns the correlation attributes in order.
func (u *UserType) Correlation() []string { return slices.Clone(u.cfg.Correlation) }

// Groups returns a copy of the group rule, defaults filled in; nil when no groups
// are wanted.
func (u *UserType) Groups() *GroupRule { return u.cfg.clone().Groups }

func checkDN(field, text string) error {
	if _, err := dn.Parse(text); err != nil {
		return fmt.Errorf("%s: %w", field, err)
	}
	return nil
}

func checkNames(field string, names []string) error {
	for _, name := range names {
		if !attributeName(name) {
			return fmt.Errorf("%s: %q is not an attribute name", field, name)
		}
	}
	return nil
}

// attributeName accepts RFC 4512's attribute descriptions, so no '*' and no '+'.
func attributeName(name string) bool {
	for i, r := range name {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		digit := r >= '0' && r <= '9'
		if !letter && !digit && (i == 0 || !strings.ContainsRune("-;.", r)) {
			return false
		}
	}
	return name != ""
}

// union keeps the first spelling of each name.
func union(lists ...[]string) []string {
	var out []string
	for _, name := range slices.Concat(lists...) {
		if !slices.ContainsFunc(out, func(have string) bool { return strings.EqualFold(have, name) }) {
			out = append(out, name)
		}
	}
	return out
}
