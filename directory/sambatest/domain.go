package sambatest

import (
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"unicode/utf16"

	"ldap-gateway/directory/directorytest"
)

const services = `	server services = ldap, kdc
	pid directory = %[1]s/run
	ncalrpc dir = %[1]s/ncalrpc
	disable netbios = yes
	log level = 1
`

const certificates = `	tls certfile = %[1]s/server.crt
	tls keyfile = %[1]s/server.key
	tls cafile = %[1]s/ca.crt
`

// policy makes the domain small enough for tests: three wrong passwords lock, and a
// password may be changed at once. The SPNs are what the dnsupdate service registers.
const policy = `dn: ` + Suffix + `
changetype: modify
replace: lockoutThreshold
lockoutThreshold: 3
-
replace: minPwdAge
minPwdAge: 0
-

dn: CN=DC1,OU=Domain Controllers,` + Suffix + `
changetype: modify
add: servicePrincipalName
servicePrincipalName: ldap/` + Host + `
-

`

func (s *Server) prepare() {
	s.t.Helper()
	dir, err := os.MkdirTemp("", "sambatest")
	s.must(err)
	s.dir = dir
	s.t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s.writeCertificates()
	s.provision()
	s.configure()
	s.ldb("ldbmodify", policy)
	s.ldb(
		"ldbadd",
		"dn: "+ReaderDN+"\nobjectClass: user\nsAMAccountName: reader\nuserAccountControl: 66048\nclearTextPassword:: "+
			base64.StdEncoding.EncodeToString(utf16le(Password))+"\n",
	)
}

func (s *Server) conf() string { return s.path("etc/smb.conf") }

func (s *Server) provision() {
	s.t.Helper()
	s.write("empty.conf", "[global]\n") // or the distribution's smb.conf would be read
	s.tool("", "samba-tool", "domain", "provision", "--configfile="+s.path("empty.conf"), "--targetdir="+s.dir,
		"--realm="+Realm, "--domain="+Domain, "--server-role=dc", "--dns-backend=NONE", "--host-name=dc1", "--host-ip="+s.ip,
		"--adminpass="+Password, "--option=interfaces="+s.ip+"/8", "--option=bind interfaces only=yes")
}

// configure keeps what the provision wrote of [global], without its services.
func (s *Server) configure() {
	s.t.Helper()
	for _, folder := range []string{"run", "ncalrpc"} {
		s.must(os.MkdirAll(s.path(folder), 0o755))
	}
	text, err := os.ReadFile(s.conf())
	s.must(err)
	global, _, _ := strings.Cut(string(text), "[sysvol]")
	var kept strings.Builder
	for line := range strings.Lines(global) {
		if !strings.Contains(line, "server services") {
			kept.WriteString(line)
		}
	}
	fmt.Fprintf(&kept, services, s.dir)
	if s.cfg.SASLOverTLS {
		kept.WriteString("\tldap server require strong auth = allow_sasl_over_tls\n")
	}
	if !s.cfg.OwnCertificate {
		fmt.Fprintf(&kept, certificates, s.dir)
	}
	s.must(os.WriteFile(s.conf(), []byte(kept.String()), 0o600))
}

func (s *Server) tls() *tls.Config {
	// Samba's own certificate cannot be checked, nor is it what a test asks about here.
	return &tls.Config{
		RootCAs:            s.authority.Pool,
		ServerName:         Host,
		InsecureSkipVerify: s.cfg.OwnCertificate || s.presented,
	}
}

func (s *Server) ldb(program, ldif string, more ...string) {
	s.t.Helper()
	s.tool(
		ldif,
		program,
		append([]string{"--configfile=" + s.conf(), "-H", filepath.Join(s.dir, "private", "sam.ldb")}, more...)...)
}

// Modify applies LDIF change records (add, modify, delete, modrdn) as the
// administrator; a record without changetype is an add.
func (s *Server) Modify(ldif string) {
	s.t.Helper()
	c, err := s.dial()
	s.must(err)
	defer func() { _ = c.Close() }()
	s.must(c.Bind(AdminDN, Password))
	s.must(directorytest.Apply(c, ldif))
}

// Backdate says that the user's password was set in 1970, which no administrator can
// do through LDAP.
func (s *Server) Backdate(userDN string) {
	s.t.Helper()
	const raw = "local_oid:1.3.6.1.4.1.7165.4.3.12:0" // DSDB_CONTROL_BYPASS_PASSWORD_HASH
	s.ldb("ldbmodify", "dn: "+userDN+"\nchangetype: modify\nreplace: pwdLastSet\npwdLastSet: 116444736000000000\n-\n",
		"--controls="+raw)
}

// UnicodePassword returns the value of unicodePwd for a password ([MS-ADTS] 3.1.1.3.1.5).
func UnicodePassword(password string) string { return string(utf16le(`"` + password + `"`)) }

func utf16le(text string) []byte {
	var out []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		out = append(out, byte(unit), byte(unit>>8))
	}
	return out
}

// Keytab writes the reader's keys into a new key table, and returns its path. AES keys
// are there because the account says that it has them.
func (s *Server) Keytab() string {
	s.t.Helper()
	s.Modify(
		"dn: " + ReaderDN + "\nchangetype: modify\nreplace: msDS-SupportedEncryptionTypes\nmsDS-SupportedEncryptionTypes: " +
			"24\n-\n",
	)
	return s.KeytabOf("reader")
}

// Deny takes rights on an entry away from the reader, as aces of SDDL in which %s stands
// for the reader's SID.
func (s *Server) Deny(dn string, aces ...string) {
	s.t.Helper()
	sddl := ""
	for _, ace := range aces {
		sddl += strings.ReplaceAll(ace, "%s", s.sid(ReaderDN))
	}
	s.tool(
		"",
		"samba-tool",
		"dsacl",
		"set",
		"-s",
		s.conf(),
		"-H",
		filepath.Join(s.dir, "private", "sam.ldb"),
		"--action=deny",
		"--objectdn="+dn,
		"--sddl="+sddl,
	)
}

// sid returns the SID of an entry as text.
func (s *Server) sid(dn string) string {
	s.t.Helper()
	out, err := exec.Command(
		"ldbsearch",
		"--configfile="+s.conf(),
		"-H",
		filepath.Join(s.dir, "private", "sam.ldb"),
		"-b",
		dn,
		"-s",
		"base",
		"objectSid",
	).Output()
	s.must(err)
	_, after, found := strings.Cut(string(out), "objectSid: ")
	if !found {
		s.t.Fatalf("sambatest: %s has no objectSid", dn)
	}
	sid, _, _ := strings.Cut(after, "\n")
	return sid
}

// ForbidChange is the box "User cannot change password": it denies the right to do so
// to everybody and to the user.
func (s *Server) ForbidChange(userDN string) {
	s.t.Helper()
	const change = "(OD;;CR;ab721a53-1e2f-11d0-9819-00aa0040529b;;" // User-Change-Password
	s.tool(
		"",
		"samba-tool",
		"dsacl",
		"set",
		"-s",
		s.conf(),
		"-H",
		filepath.Join(s.dir, "private", "sam.ldb"),
		"--action=deny",
		"--objectdn="+userDN,
		"--sddl="+change+"WD)"+change+"PS)",
	)
}
