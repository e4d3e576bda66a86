package sambatest

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
)

const krb5Conf = `[libdefaults]
	default_realm = %[1]s
	dns_lookup_realm = false
	dns_lookup_kdc = false
	dns_canonicalize_hostname = false
	rdns = false
	udp_preference_limit = 1
[realms]
	%[1]s = {
		kdc = %[2]s:88
		kpasswd_server = %[2]s:464
	}
[domain_realm]
	.ad.example.test = %[1]s
	localhost = %[1]s
`

// ConfFile returns the path of a krb5.conf that knows the domain, for KRB5_CONFIG.
func (s *Server) ConfFile() string {
	s.t.Helper()
	path := s.path("krb5.client.conf")
	s.write("krb5.client.conf", fmt.Sprintf(krb5Conf, Realm, s.ip))
	return path
}

// AddService makes a service account with AES keys and service names, as in
// "HTTP/id.example.com". Its user principal name is name@ad.example.test.
func (s *Server) AddService(name, password string, services ...string) {
	s.t.Helper()
	ldif := fmt.Sprintf(
		"dn: CN=%[1]s,CN=Users,%[2]s\nobjectClass: user\nsAMAccountName: %[1]s\nuserPrincipalName: %[1]s@ad.example.test\n"+
			"userAccountControl: 66048\nmsDS-SupportedEncryptionTypes: 24\nclearTextPassword:: %[3]s\n",
		name,
		Suffix,
		base64.StdEncoding.EncodeToString(utf16le(password)),
	)
	for _, spn := range services {
		ldif += "servicePrincipalName: " + spn + "\n"
	}
	s.ldb("ldbadd", ldif)
}

// KeytabOf writes the present keys of a principal, or of a service name, into a new
// key table, and returns its path.
func (s *Server) KeytabOf(principal string) string {
	s.t.Helper()
	path := filepath.Join(s.newFolder("keytab"), "keytab")
	s.tool("", "samba-tool", "domain", "exportkeytab", path, "--principal="+principal, "--configfile="+s.conf())
	return path
}

// Cache gets a ticket-granting ticket with a person's password, and returns the
// path of a new ticket cache, for KRB5CCNAME.
func (s *Server) Cache(name, password string) string {
	s.t.Helper()
	path := filepath.Join(s.newFolder("cache"), "cache")
	s.tool(password+"\n", "env", "KRB5_CONFIG="+s.ConfFile(), "kinit", "-c", "FILE:"+path, name+"@"+Realm)
	return path
}

func (s *Server) newFolder(name string) string {
	s.t.Helper()
	dir, err := os.MkdirTemp(s.dir, name)
	s.must(err)
	return dir
}
