package slapdtest

import (
	"fmt"
	"strings"
)

// Names and passwords that every server has.
const (
	Suffix   = "dc=example,dc=test"
	AdminDN  = "cn=admin," + Suffix // no limits, no access control
	ReaderDN = "cn=reader," + Suffix
	Password = "secret" // of both
)

// BaseLDIF is loaded first: the suffix, ou=people, ou=groups and the reader.
const BaseLDIF = `dn: dc=example,dc=test
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: ou=people,dc=example,dc=test
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=example,dc=test
objectClass: organizationalUnit
ou: groups

dn: cn=reader,dc=example,dc=test
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: secret

`

// Config says what to start; the zero value is an empty directory.
type Config struct {
	// LDIF is loaded after BaseLDIF.
	LDIF string
	// Users and Groups generate a population: uid=user00000 … with password
	// "password", and cn=group000 … each user a member of two of them.
	Users, Groups int
	// MemberOf adds the memberof overlay, for groupOfNames. The LDIF is then loaded
	// through LDAP, since the overlay does not see slapadd.
	MemberOf bool
	// DynList adds the dynlist overlay with this dynlist-attrset, such as
	// "groupOfURLs memberURL member+memberOf@groupOfNames".
	DynList string
	// PasswordPolicy adds the ppolicy overlay; users choose a policy entry by
	// pwdPolicySubentry.
	PasswordPolicy bool
	// SizeLimit is the reader's; 0 means none. Limits has more of them, as in slapd.conf.
	SizeLimit int
	Limits    string
	// NoTLS leaves StartTLS and LDAPS out. TLS has more lines for them, as in slapd.conf.
	NoTLS bool
	TLS   []string
	// Keytab and KerberosConf are paths of a key table with ldap/localhost and of a
	// krb5.conf. With them slapd takes SASL GSSAPI, and everybody who comes that way is
	// the reader.
	Keytab, KerberosConf string
	// ShowConfig lets the reader read cn=config.
	ShowConfig bool
	// Access has access rules of slapd.conf, a line each, that come before the usual ones.
	Access []string
	// Indexes replaces what is indexed for equality: attributes with commas between.
	Indexes string
	// Database has more lines of the database's part of slapd.conf, before its overlays.
	Database []string
	// Provider lets replicas follow. ReplicaOf is the URL of such a server: this one takes
	// all that it has at each start, and then nothing for a day.
	Provider  bool
	ReplicaOf string
	// NoNIS leaves the schema of posixGroup out.
	NoNIS bool
	// Quiet writes no statistics, which cost a third of a sign-on: Log, Binds and Searches
	// have nothing then.
	Quiet bool
}

func (c Config) ldif() string {
	var b strings.Builder
	b.WriteString(BaseLDIF)
	for u := range c.Users {
		fmt.Fprintf(
			&b,
			"dn: %s\nobjectClass: inetOrgPerson\nuid: user%05d\ncn: User %d\nsn: %d\nmail: "+
				"user%05d@example.test\nuserPassword: password\n\n",
			UserDN(u),
			u,
			u,
			u,
			u,
		)
	}
	for g := range c.Groups {
		fmt.Fprintf(
			&b,
			"dn: cn=group%03d,ou=groups,%s\nobjectClass: groupOfNames\ncn: group%03d\nmember: %s\n",
			g,
			Suffix,
			g,
			AdminDN,
		)
		for u := g; u < c.Users; u += c.Groups {
			fmt.Fprintf(&b, "member: %s\n", UserDN(u))
		}
		for u := (g + c.Groups - 1) % c.Groups; u < c.Users && c.Groups > 1; u += c.Groups {
			fmt.Fprintf(&b, "member: %s\n", UserDN(u))
		}
		b.WriteString("\n")
	}
	b.WriteString(c.LDIF)
	return b.String()
}

// UserDN returns the DN of a generated user.
func UserDN(n int) string { return fmt.Sprintf("uid=user%05d,ou=people,%s", n, Suffix) }

const confHead = `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
%[2]sinclude /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/dyngroup.schema
pidfile %[1]s/slapd.pid
argsfile %[1]s/slapd.args
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
moduleload ppolicy
moduleload dynlist
moduleload syncprov
sizelimit unlimited
loglevel %[3]s
`

const confTLS = `TLSCACertificateFile %[1]s/ca.crt
TLSCertificateFile %[1]s/server.crt
TLSCertificateKeyFile %[1]s/server.key
`

const confKerberos = `sasl-host localhost
authz-regexp "uid=[^,]*,(cn=[^,]*,)?cn=gssapi,cn=auth" "%[2]s"
`

const confDatabase = `database mdb
suffix "%[2]s"
rootdn "%[3]s"
rootpw %[4]s
directory %[1]s/db
maxsize 1073741824
dbnosync
index %[7]s eq
limits dn.exact="%[5]s" size=%[6]s time=unlimited %[9]s
%[8]saccess to attrs=userPassword by self write by anonymous auth by * none
access to * by users read by * none
`

const confMemberOf = `overlay memberof
memberof-group-oc groupOfNames
memberof-member-ad member
memberof-memberof-ad memberOf
`

const confReplica = `syncrepl rid=001 provider=%[1]s searchbase="%[2]s" bindmethod=simple binddn="%[3]s"
 credentials=%[4]s type=refreshOnly interval=01:00:00:00 retry="1 +"
`

const confPolicy = `overlay ppolicy
ppolicy_use_lockout
`

func inLines(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return strings.Join(all, "\n") + "\n"
}

// logLevel is what slapd writes of each operation.
func (c Config) logLevel() string {
	if c.Quiet {
		return "0"
	}
	return "stats"
}

func (c Config) conf(dir string) string {
	size := "unlimited"
	if c.SizeLimit > 0 {
		size = fmt.Sprint(c.SizeLimit)
	}
	nis, indexes := "include "+
		"/etc/ldap/schema/nis.schema\n", "objectClass,uid,cn,mail,member,uniqueMember,memberUid,entryUUID"
	if c.NoNIS {
		nis, indexes = "", "objectClass,uid,cn,mail,member,uniqueMember,entryUUID"
	}
	if c.Indexes != "" {
		indexes = c.Indexes
	}
	text := fmt.Sprintf(confHead, dir, nis, c.logLevel())
	if !c.NoTLS {
		text += fmt.Sprintf(confTLS, dir) + inLines(c.TLS)
	}
	if c.Keytab != "" {
		text += fmt.Sprintf(confKerberos, dir, ReaderDN)
	}
	if c.ShowConfig {
		text += "database config\naccess to * by dn.exact=\"" + ReaderDN + "\" read by * none\n"
	}
	text += fmt.Sprintf(confDatabase, dir, Suffix, AdminDN, Password, ReaderDN, size, indexes, inLines(c.Access), c.Limits)
	text += inLines(c.Database)
	if c.ReplicaOf != "" {
		text += fmt.Sprintf(confReplica, c.ReplicaOf, Suffix, AdminDN, Password)
	}
	if c.Provider {
		text += "overlay syncprov\n"
	}
	if c.MemberOf {
		text += confMemberOf
	}
	if c.DynList != "" {
		text += "overlay dynlist\ndynlist-attrset " + c.DynList + "\n"
	}
	if c.PasswordPolicy {
		text += confPolicy
	}
	return text
}
