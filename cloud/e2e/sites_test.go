package e2e

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"ldap-gateway/directory/ds389test"
	"ldap-gateway/directory/sambatest"
	"ldap-gateway/directory/slapdtest"
)

// What people type at every site: the policies of 389 and of Samba take these.
const (
	rightPassword = "Wonder.land1"
	wrongPassword = "Looking.glass2"
)

// site is a real directory with people in it who are about to get into trouble.
type site struct {
	directory
	change         func(userType map[string]any)
	modify         func(ldif string)
	people, groups string // where they are
	rdn            string
	states         []accountState
	strict         func() // has new passwords be refused that are too short; nil: they are from the beginning
	writer         string // DN of who may set everybody's password, with the site's own; empty: the service account
}

// accountState is one kind of trouble: how an account gets into it, and which
// outcome a sign-on has then.
type accountState struct {
	name         string
	enter        func(w *world, person string)
	right, wrong string // outcomes, by password
}

// names returns the two people of a state: one signs on before it and one never has.
func (a accountState) names() (known, newcomer string) { return a.name, a.name + "-new" }

func (s *site) personDN(name string) string { return s.rdn + "=" + name + "," + s.people }
func (s *site) groupDN(cn string) string    { return "cn=" + cn + "," + s.groups }

// set returns a state's enter that replaces attributes of the person's entry; they
// are LDIF lines such as "accountExpires: 0".
func (s *site) set(lines ...string) func(*world, string) {
	return func(_ *world, person string) { s.modify(replace(s.personDN(person), lines...)) }
}

// replace is LDIF that replaces attributes of an entry.
func replace(dn string, lines ...string) string {
	out := "dn: " + dn + "\nchangetype: modify\n"
	for _, line := range lines {
		name, _, _ := strings.Cut(line, ":")
		out += "replace: " + name + "\n" + line + "\n-\n"
	}
	return out + "\n"
}

// lockedOut has somebody type wrong passwords at the sign-on, one fewer than the
// agent itself would hold back: what answers after these is the directory.
func lockedOut(w *world, person string) {
	for range 3 {
		w.signOn(person, wrongPassword)
	}
}

// everybody is LDIF with grace, who is in a group that is in another, and with the
// people of each state.
func (s *site) everybody(person, group func(name string) string) string {
	ldif := person("grace")
	for _, state := range s.states {
		known, newcomer := state.names()
		ldif += person(known) + person(newcomer)
	}
	return ldif + group("direct") + "member: " + s.personDN("grace") + "\nmember: " + s.bindDN + "\n\n" +
		group("parent") + "member: " + s.groupDN("direct") + "\n\n" +
		group("spare") + "member: " + s.bindDN + "\n\n"
}

// unixPerson is somebody in OpenLDAP or 389.
func (s *site) unixPerson(name string, more ...string) string {
	return "dn: " + s.personDN(name) + "\nobjectClass: inetOrgPerson\nuid: " + name + "\ncn: " + name + "\nsn: " + name +
		"\nuserPassword: " + rightPassword + "\n" + strings.Join(append(more, "\n"), "\n")
}

func (s *site) unixGroup(cn string) string {
	return "dn: " + s.groupDN(cn) + "\nobjectClass: groupOfNames\ncn: " + cn + "\n"
}

// slapdPolicies: under strict an account is locked, under old every password that
// was not set a moment ago has expired.
const slapdPolicies = `dn: cn=strict,dc=example,dc=test
objectClass: pwdPolicy
objectClass: organizationalRole
cn: strict
pwdAttribute: userPassword
pwdLockout: TRUE
pwdMaxFailure: 3
pwdMustChange: TRUE
pwdMinLength: 8
pwdCheckQuality: 2

dn: cn=old,dc=example,dc=test
objectClass: pwdPolicy
objectClass: organizationalRole
cn: old
pwdAttribute: userPassword
pwdMaxAge: 60
pwdGraceAuthNLimit: 0

`

// openLDAP calls a disabled account locked: it has no other word for it
// (draft-behera-ldap-password-policy-10, 5.3.3).
func openLDAP(t *testing.T) *site {
	t.Helper()
	s := &site{people: "ou=people," + slapdtest.Suffix, groups: "ou=groups," + slapdtest.Suffix, rdn: "uid"}
	s.bindDN = slapdtest.ReaderDN
	s.states = []accountState{
		{"locked", lockedOut, "accountLocked", "accountLocked"},
		{"disabled", s.set("pwdAccountLockedTime: 000001010000Z"), "accountLocked", "accountLocked"},
		{"password-expired", s.set("pwdPolicySubentry: cn=old," + slapdtest.Suffix), "passwordExpired", "invalidCredentials"},
		{"must-change", s.set("pwdReset: TRUE"), "passwordMustChange", "invalidCredentials"},
	}
	person := func(name string) string {
		return s.unixPerson(name, "pwdPolicySubentry: cn=strict,"+slapdtest.Suffix, "pwdChangedTime: 20200101000000Z")
	}
	server := slapdtest.Start(t, slapdtest.Config{
		PasswordPolicy: true,
		LDIF:           slapdPolicies + s.everybody(person, s.unixGroup),
	})
	s.directory, s.modify, s.writer = *slapdDirectory(server), server.Modify, slapdtest.AdminDN
	return s
}

func ds389(t *testing.T) *site {
	t.Helper()
	server := ds389test.Start(t, ds389test.Config{})
	s := &site{
		people:    "ou=people," + ds389test.Suffix,
		groups:    "ou=groups," + ds389test.Suffix,
		rdn:       "uid",
		modify:    server.Modify,
		writer:    ds389test.AdminDN,
		strict:    func() { server.Modify(replace("cn=config", "passwordCheckSyntax: on")) },
		directory: directory{"389 Directory Server", server.TLSURL(), ds389test.Suffix, ds389test.ReaderDN, ds389test.Password, server.CAFile()},
		change:    func(u map[string]any) { u["orderedCorrelationAttributes"] = []string{"nsUniqueId"} },
	}
	with := func(setting string, lines ...string) func(*world, string) {
		return func(w *world, person string) {
			s.modify(replace("cn=config", setting))
			s.set(lines...)(w, person)
		}
	}
	s.states = []accountState{
		{"locked", lockedOut, "accountLocked", "accountLocked"},
		{"disabled", s.set("nsAccountLock: true"), "accountDisabled", "accountDisabled"},
		{"password-expired", with("passwordExp: on", "passwordExpirationTime: 20200101000000Z"), "passwordExpired", "invalidCredentials"},
		{"must-change", func(_ *world, person string) { server.MustChange(s.personDN(person), rightPassword) }, "passwordMustChange", "invalidCredentials"},
	}
	s.modify(replace("cn=config", "passwordLockout: on", "passwordMaxFailure: 3"))
	s.modify(s.everybody(func(name string) string { return s.unixPerson(name) }, s.unixGroup))
	return s
}

func sambaAD(t *testing.T) *site {
	t.Helper()
	return sambaPeople(sambatest.Start(t, sambatest.Config{}))
}

func sambaPeople(server *sambatest.Server) *site {
	s := &site{
		people:    "CN=Users," + sambatest.Suffix,
		groups:    "CN=Users," + sambatest.Suffix,
		rdn:       "CN",
		modify:    server.Modify,
		directory: directory{"Samba Active Directory", server.TLSURL(), sambatest.Suffix, sambatest.ReaderDN, sambatest.Password, server.CAFile()},
		change:    activeDirectory,
	}
	s.states = []accountState{
		{"locked", lockedOut, "accountLocked", "accountLocked"},
		{"disabled", s.set("userAccountControl: 514"), "accountDisabled", "invalidCredentials"},
		{"password-expired", func(_ *world, person string) { server.Backdate(s.personDN(person)) }, "passwordExpired", "invalidCredentials"},
		{"must-change", s.set("pwdLastSet: 0"), "passwordMustChange", "invalidCredentials"},
		{"account-expired", s.set("accountExpires: 116444736000000000"), "accountExpired", "invalidCredentials"}, // in 1970
		{"hours", s.set("logonHours:: " + strings.Repeat("A", 28)), "logonHours", "invalidCredentials"},          // 21 octets of zero
		{"workstation", s.set("userWorkstations: ELSEWHERE"), "logonWorkstation", "invalidCredentials"},
	}
	password := base64.StdEncoding.EncodeToString([]byte(sambatest.UnicodePassword(rightPassword)))
	person := func(name string) string {
		return fmt.Sprintf("dn: %s\nobjectClass: user\nsAMAccountName: %s\nsn: %s\nuserAccountControl: 512\nunicodePwd:: %s\n\n", s.personDN(name), name, name, password)
	}
	group := func(cn string) string { return "dn: " + s.groupDN(cn) + "\nobjectClass: group\n" }
	s.modify(s.everybody(person, group))
	return s
}

// activeDirectory makes the usual user type fit.
func activeDirectory(u map[string]any) {
	u["searchBaseDn"], u["orderedCorrelationAttributes"] = sambatest.Suffix, []string{"objectGUID"}
	lookup := u["newUserLookup"].(map[string]any)
	lookup["ldapFilterPattern"] = "(&(objectClass=user)(sAMAccountName=${identifier}))"
	lookup["attributeMappings"].([]any)[0].(map[string]string)["value"] = "${ldapAttributes.sAMAccountName}"
}
