//go:debug x509negativeserial=1

package directory_test

import (
	"crypto/tls"
	"errors"
	"slices"
	"strings"
	"testing"

	"ldap-gateway/directory"
)

// backend changes a directory as its administrator.
type backend interface {
	add(dn string, attributes map[string][]string) error
	replace(dn, attribute string, values ...string) error
	rename(dn, to string) error
	remove(dn string) error
}

// site is one directory, real or in the process, that the cases of the conformance
// suite run against.
type site struct {
	backend
	name    string
	dialect dialect
	// keepsMembers says that memberships follow a moved user by themselves.
	keepsMembers bool
	config       directory.Config
	// account brings an account into a state and returns what a bind with the right
	// password must then be.
	account func(t *testing.T, dn string, state directory.AccountKind) directory.AccountKind
	// rule has a rule for new passwords be in force for somebody, until the test ends.
	rule func(t *testing.T, dn string, rule directory.PasswordReason)
	// writer may set everybody's password: its DN and password.
	writer [2]string
	// present makes the server show another certificate from now on.
	present func(t *testing.T, certificate tls.Certificate)
	// foreign makes somebody of a trusted domain a member of a group.
	foreign func(t *testing.T, group, sid string)
	// domain is the NetBIOS name of an Active Directory domain.
	domain string
	// memberOf is how groups must be found while the nested pair of the suite is there.
	memberOf string
	// because is what the reason for it says.
	because string
	// makeDirect changes the server's configuration, from transitive to direct.
	makeDirect func(t *testing.T)
	// cannot says why a case is not for this directory.
	cannot map[string]string
}

// dialect is how entries look: in Active Directory, or elsewhere.
type dialect struct {
	suffix, people, groups string
	filter                 string
	rdn, identity          string
	password               func(string) (attribute, value string)
	group                  func(cn string, members []string) map[string][]string
}

func rfc2307(identity string, classes ...string) dialect {
	return dialect{
		suffix: suffix, people: people, groups: groups, rdn: "uid", identity: identity,
		filter:   "(&(objectClass=inetOrgPerson)(|(uid=${identifier})(mail=${identifier})))",
		password: func(pw string) (string, string) { return "userPassword", pw },
		group: func(cn string, members []string) map[string][]string {
			return map[string][]string{
				"objectClass": append([]string{"groupOfNames"}, classes...),
				"cn":          {cn},
				"member":      members,
			}
		},
	}
}

// scene is a site while one case runs on it. Its names are its own, so that cases do
// not meet.
type scene struct {
	*testing.T
	site
	tag    string
	client *directory.Client
	ut     *directory.UserType
}

const rightPassword = "Passw0rd.1"

func (s *scene) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// named makes a name this scene's own.
func (s *scene) named(name string) string { return name + s.tag }

// user adds a user and returns its DN; more are pairs of attribute and value.
func (s *scene) user(name string, more ...string) string {
	s.Helper()
	return s.userIn(s.dialect.people, name, more...)
}

func (s *scene) userIn(folder, name string, more ...string) string {
	s.Helper()
	name = s.named(name)
	attribute, password := s.dialect.password(rightPassword)
	attributes := map[string][]string{
		"cn":      {name},
		"sn":      {name},
		attribute: {password},
		"mail":    {ascii(name) + "@example.test"},
	}
	if s.dialect.rdn == "uid" {
		attributes["uid"] = []string{name}
		attributes["objectClass"] = []string{"inetOrgPerson"}
	} else {
		attributes["sAMAccountName"] = []string{name}
		attributes["userPrincipalName"] = []string{name + "@ad.example.test"}
		attributes["userAccountControl"] = []string{"512"}
		attributes["objectClass"] = []string{"user"}
	}
	for i := 0; i < len(more); i += 2 {
		attributes[more[i]] = append(slices.Clone(attributes[more[i]]), more[i+1])
	}
	dn := s.dialect.rdn + "=" + escapeRDN(name) + "," + folder
	s.must(s.add(dn, attributes))
	return dn
}

// ascii is for mail addresses, which are IA5 in most schemas.
func ascii(name string) string { return strings.ReplaceAll(name, "ü", "ue") }

// escapeRDN is for the names of the cases, on purpose not the product's way.
func escapeRDN(value string) string {
	for _, special := range []string{`\`, ",", "+", `"`, "<", ">", ";", "=", "#"} {
		value = strings.ReplaceAll(value, special, `\`+special)
	}
	return value
}

// group adds a group and returns its DN.
func (s *scene) group(name string, members ...string) string {
	s.Helper()
	return s.groupIn(s.dialect.groups, s.named(name), members...)
}

func (s *scene) groupIn(folder, cn string, members ...string) string {
	s.Helper()
	dn := "cn=" + escapeRDN(cn) + "," + folder
	s.must(s.add(dn, s.dialect.group(cn, members)))
	return dn
}

// folder adds an organisational unit below the suffix.
func (s *scene) folder(name string) string {
	s.Helper()
	dn := "ou=" + s.named(name) + "," + s.dialect.suffix
	s.must(s.add(dn, map[string][]string{"objectClass": {"organizationalUnit"}, "ou": {s.named(name)}}))
	return dn
}

func (s *scene) userType(change ...func(*directory.UserTypeConfig)) *directory.UserType {
	s.Helper()
	cfg := directory.UserTypeConfig{
		ID: "1", Name: "people", SearchBase: s.dialect.suffix, Filter: s.dialect.filter,
		Correlation: []string{s.dialect.identity, "mail"}, Attributes: []string{"cn", "mail"}, Groups: &directory.GroupRule{},
	}
	for _, c := range change {
		c(&cfg)
	}
	return compile(s, cfg)
}

// open opens another client of the same directory.
func (s *scene) open(change ...func(*directory.Config)) *directory.Client {
	s.Helper()
	cfg := s.config
	for _, c := range change {
		c(&cfg)
	}
	c, err := directory.Open(cfg)
	s.must(err)
	s.Cleanup(func() { _ = c.Close() })
	return c
}

func (s *scene) find(name string) directory.Entry {
	s.Helper()
	return find(s, s.client, s.ut, s.named(name))
}

func (s *scene) membership(name string) directory.Membership {
	s.Helper()
	return s.client.DirectGroups(s.Context(), s.ut, s.find(name))
}

// wantGroups wants a complete membership in exactly these groups of the scene.
func (s *scene) wantGroups(user string, want ...string) {
	s.Helper()
	for i := range want {
		want[i] = s.named(want[i])
	}
	wantMembership(s, s.membership(user), directory.Complete, strings.Join(want, " "))
}

func (s *scene) wantBind(dn string, password directory.Password, want error) {
	s.Helper()
	if err := s.client.Bind(s.Context(), dn, password); !errors.Is(err, want) {
		s.Errorf("bind as %s: %v, want %v", dn, err, want)
	}
}
