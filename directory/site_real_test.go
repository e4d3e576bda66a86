package directory_test

import (
	"crypto/tls"
	"crypto/x509"
	"strings"
	"testing"

	"ldap-gateway/directory"
	"ldap-gateway/directory/ds389test"
	"ldap-gateway/directory/sambatest"
	"ldap-gateway/directory/slapdtest"

	"github.com/go-ldap/ldap/v3"
)

// overLDAP changes a real server through LDAP.
type overLDAP struct{ conn *ldap.Conn }

func administer(t *testing.T, url string, pool *x509.CertPool, host, dn, password string) overLDAP {
	t.Helper()
	conn, err := ldap.DialURL(url, ldap.DialWithTLSConfig(&tls.Config{RootCAs: pool, ServerName: host}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.Bind(dn, password); err != nil {
		t.Fatal(err)
	}
	return overLDAP{conn}
}

func (o overLDAP) add(dn string, attributes map[string][]string) error {
	request := ldap.NewAddRequest(dn, nil)
	for name, values := range attributes {
		if len(values) > 0 {
			request.Attribute(name, values)
		}
	}
	return o.conn.Add(request)
}

func (o overLDAP) replace(dn, attribute string, values ...string) error {
	request := ldap.NewModifyRequest(dn, nil)
	request.Replace(attribute, values)
	return o.conn.Modify(request)
}

func (o overLDAP) extend(dn, attribute, value string) error {
	request := ldap.NewModifyRequest(dn, nil)
	request.Add(attribute, []string{value})
	return o.conn.Modify(request)
}

func (o overLDAP) rename(dn, to string) error {
	first, superior, _ := strings.Cut(to, ",") // no case renames to a name with a comma
	return o.conn.ModifyDN(ldap.NewModifyDNRequest(dn, first, true, superior))
}

func (o overLDAP) remove(dn string) error { return o.conn.Del(ldap.NewDelRequest(dn, nil)) }

// lockOut types wrong passwords until the account is locked.
func lockOut(t *testing.T, url string, pool *x509.CertPool, host, dn string) {
	t.Helper()
	conn, err := ldap.DialURL(url, ldap.DialWithTLSConfig(&tls.Config{RootCAs: pool, ServerName: host}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	for range 4 {
		if err := conn.Bind(dn, "wrong"); err == nil {
			t.Fatal("a wrong password was taken")
		}
	}
}

const (
	noPrimaryGroup = "no primary group: an attribute of Active Directory alone"
	noSuchState    = "its bind answer does not tell this state"
	onlyActiveDir  = "a name form of Active Directory alone"
	noForcedRange  = "sends all values of an attribute at once"
	oneGroupClass  = "knows one class of group, with member"
	otherOverlay   = "an overlay is chosen when the server starts: TestMeaningOfMemberOf tries each"
	directByNature = "memberOf is direct by nature"
	noForeign      = "has no foreign security principals"
)

// notActiveDirectory lists what only Active Directory has.
func notActiveDirectory(more map[string]string) map[string]string {
	out := map[string]string{
		casePrimaryGroup: noPrimaryGroup, caseBuiltInGroup: noPrimaryGroup, caseForeign: noForeign,
		caseNamesAD: onlyActiveDir, caseLogonHours: noSuchState, caseWorkstation: noSuchState, caseExpired: noSuchState,
		caseRanges: noForcedRange, caseShowsExpired: noSuchState, caseShowsHours: noSuchState, caseShowsPlaces: noSuchState,
	}
	for name, why := range more {
		out[name] = why
	}
	return out
}

const policies = `dn: cn=strict,` + suffix + `
objectClass: pwdPolicy
objectClass: organizationalRole
cn: strict
pwdAttribute: userPassword
pwdLockout: TRUE
pwdMaxFailure: 3
pwdMustChange: TRUE

dn: cn=old,` + suffix + `
objectClass: pwdPolicy
objectClass: organizationalRole
cn: old
pwdAttribute: userPassword
pwdMaxAge: 60
pwdGraceAuthNLimit: 0

dn: cn=length,` + suffix + `
objectClass: pwdPolicy
objectClass: organizationalRole
cn: length
pwdAttribute: userPassword
pwdMinLength: 8
pwdCheckQuality: 2

dn: cn=history,` + suffix + `
objectClass: pwdPolicy
objectClass: organizationalRole
cn: history
pwdAttribute: userPassword
pwdInHistory: 3

dn: cn=age,` + suffix + `
objectClass: pwdPolicy
objectClass: organizationalRole
cn: age
pwdAttribute: userPassword
pwdMinAge: 3600

dn: cn=forbidden,` + suffix + `
objectClass: pwdPolicy
objectClass: organizationalRole
cn: forbidden
pwdAttribute: userPassword
pwdAllowUserChange: FALSE

`

// ruleNames are those policies.
var ruleNames = map[directory.PasswordReason]string{
	directory.TooShort: "length", directory.InHistory: "history", directory.TooYoung: "age", directory.NotPermitted: "forbidden",
}

func openLDAP(t *testing.T) site {
	t.Helper()
	s := slapdtest.Start(t, slapdtest.Config{LDIF: policies, PasswordPolicy: true})
	admin := administer(t, s.TLSURL(), s.CA(), "127.0.0.1", slapdtest.AdminDN, slapdtest.Password)
	return site{
		backend: admin, name: "OpenLDAP 2.5", dialect: rfc2307("entryUUID"), memberOf: "search", because: "not computed",
		config: directory.Config{
			Servers:      []string{s.TLSURL()},
			BaseDN:       suffix,
			BindDN:       slapdtest.ReaderDN,
			BindPassword: slapdtest.Password,
			TLS:          directory.TLS{RootCAs: s.CA()},
		},
		account: func(t *testing.T, dn string, state directory.AccountKind) directory.AccountKind {
			must := mustNot(t)
			must(admin.replace(dn, "pwdPolicySubentry", "cn=strict,"+suffix))
			switch state {
			case directory.Locked:
				lockOut(t, s.TLSURL(), s.CA(), "127.0.0.1", dn)
			case directory.Disabled: // for ever, until an administrator opens it (draft-behera-10, 5.3.3)
				must(admin.replace(dn, "pwdAccountLockedTime", "000001010000Z"))
				return directory.Locked
			case directory.PasswordMustChange:
				must(admin.replace(dn, "pwdReset", "TRUE"))
			case directory.PasswordExpired:
				must(admin.replace(dn, "pwdPolicySubentry", "cn=old,"+suffix))
				relaxed := ldap.NewModifyRequest(dn, []ldap.Control{ldap.NewControlString("1.3.6.1.4.1.4203.666.5.12", true, "")})
				relaxed.Replace("pwdChangedTime", []string{"20200101000000Z"})
				must(admin.conn.Modify(relaxed))
			}
			return state
		},
		rule: func(t *testing.T, dn string, rule directory.PasswordReason) {
			mustNot(t)(admin.replace(dn, "pwdPolicySubentry", "cn="+ruleNames[rule]+","+suffix))
		},
		writer:  [2]string{slapdtest.AdminDN, slapdtest.Password},
		present: s.Present,
		cannot:  notActiveDirectory(map[string]string{caseSkipNested: otherOverlay}),
	}
}

func mustNot(t *testing.T) func(error) {
	return func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
}

func ds389(t *testing.T) site {
	t.Helper()
	s := ds389test.Start(t, ds389test.Config{})
	admin := administer(t, s.TLSURL(), s.CA(), "127.0.0.1", ds389test.AdminDN, ds389test.Password)
	setting := func(t *testing.T, name, value string) { mustNot(t)(admin.replace("cn=config", name, value)) }
	setting(t, "passwordLockout", "on")
	setting(t, "passwordMaxFailure", "3")
	return site{
		backend: admin, name: "389 DS 2.3", keepsMembers: true, dialect: rfc2307("nsUniqueId"), memberOf: "search", because: "lists parent groups",
		config: directory.Config{
			Servers:      []string{s.TLSURL()},
			BaseDN:       suffix,
			BindDN:       ds389test.ReaderDN,
			BindPassword: ds389test.Password,
			TLS:          directory.TLS{RootCAs: s.CA()},
		},
		account: func(t *testing.T, dn string, state directory.AccountKind) directory.AccountKind {
			must := mustNot(t)
			switch state {
			case directory.Locked:
				lockOut(t, s.TLSURL(), s.CA(), "127.0.0.1", dn)
			case directory.Disabled:
				must(admin.replace(dn, "nsAccountLock", "true"))
			case directory.PasswordMustChange:
				t.Cleanup(func() { setting(t, "passwordMustChange", "off") })
				s.MustChange(dn, rightPassword)
			case directory.PasswordExpired:
				setting(t, "passwordExp", "on")
				t.Cleanup(func() { setting(t, "passwordExp", "off") })
				must(admin.replace(dn, "passwordExpirationTime", "20200101000000Z"))
			}
			return state
		},
		rule: func(t *testing.T, _ string, rule directory.PasswordReason) {
			for name, values := range rules389[rule] {
				setting(t, name, values[0])
				t.Cleanup(func() { setting(t, name, values[1]) })
			}
		},
		writer:  [2]string{ds389test.AdminDN, ds389test.Password},
		present: s.Present,
		makeDirect: func(t *testing.T) {
			mustNot(t)(admin.replace("cn=MemberOf Plugin,cn=plugins,cn=config", "memberOfSkipNested", "on"))
		},
		cannot: notActiveDirectory(
			map[string]string{caseUmlaut: "its 7-bit check plug-in, on by default, refuses such a uid"},
		),
	}
}

// rules389 are settings of the whole server, on and off.
var rules389 = map[directory.PasswordReason]map[string][2]string{
	directory.TooShort:     {"passwordCheckSyntax": {"on", "off"}, "passwordMinLength": {"8", "8"}},
	directory.InHistory:    {"passwordHistory": {"on", "off"}, "passwordInHistory": {"3", "6"}},
	directory.TooYoung:     {"passwordMinAge": {"3600", "0"}},
	directory.NotPermitted: {"passwordChange": {"off", "on"}},
}

func sambaAD(t *testing.T) site {
	t.Helper()
	s := sambatest.Start(t, sambatest.Config{})
	admin := administer(t, s.TLSURL(), s.CA(), sambatest.Host, sambatest.AdminDN, sambatest.Password)
	return site{
		backend: admin, name: "Samba AD 4.17", keepsMembers: true, dialect: activeDirectory(), memberOf: "memberOf", because: "lists direct groups only", domain: sambatest.Domain,
		config: directory.Config{
			Servers:      []string{s.TLSURL()},
			BaseDN:       sambatest.Suffix,
			BindDN:       sambatest.ReaderDN,
			BindPassword: sambatest.Password,
			TLS:          directory.TLS{RootCAs: s.CA(), ServerName: sambatest.Host},
		},
		account: func(t *testing.T, dn string, state directory.AccountKind) directory.AccountKind {
			must := mustNot(t)
			switch state {
			case directory.Locked:
				lockOut(t, s.TLSURL(), s.CA(), sambatest.Host, dn)
			case directory.PasswordExpired:
				s.Backdate(dn)
			default:
				change := adState[state]
				must(admin.replace(dn, change[0], change[1]))
			}
			return state
		},
		rule: func(t *testing.T, dn string, rule directory.PasswordReason) {
			switch rule { // the others are in force from the beginning
			case directory.TooYoung:
				mustNot(t)(admin.replace(sambatest.Suffix, "minPwdAge", "-864000000000"))
				t.Cleanup(func() { mustNot(t)(admin.replace(sambatest.Suffix, "minPwdAge", "0")) })
			case directory.NotPermitted:
				s.ForbidChange(dn)
			}
		},
		writer:  [2]string{sambatest.ReaderDN, sambatest.Password},
		present: s.Present,
		foreign: func(t *testing.T, group, sid string) { mustNot(t)(admin.extend(group, "member", "<SID="+sid+">")) },
		cannot: map[string]string{
			caseGroupClasses: oneGroupClass, caseSkipNested: directByNature,
			caseRanges: "Samba sends all values at once; only Windows cuts at 1,500",
		},
	}
}

// adState is what an administrator changes for each state.
var adState = map[directory.AccountKind][2]string{
	directory.Disabled:           {"userAccountControl", "514"},
	directory.Expired:            {"accountExpires", "116444736000000000"}, // 1970
	directory.PasswordMustChange: {"pwdLastSet", "0"},
	directory.LogonHours:         {"logonHours", strings.Repeat("\x00", 21)},
	directory.LogonWorkstation:   {"userWorkstations", "ELSEWHERE"},
}

func activeDirectory() dialect {
	d := rfc2307("objectGUID")
	d.suffix, d.people, d.groups = sambatest.Suffix, "CN=Users,"+sambatest.Suffix, "CN=Users,"+sambatest.Suffix
	d.rdn = "CN"
	d.filter = "(&(objectClass=user)(|(sAMAccountName=${identifier})(userPrincipalName=${identifier})(mail=${identifier})))"
	d.password = func(pw string) (string, string) { return "unicodePwd", sambatest.UnicodePassword(pw) }
	d.group = func(cn string, members []string) map[string][]string {
		return map[string][]string{"objectClass": {"group"}, "cn": {cn}, "member": members}
	}
	return d
}
