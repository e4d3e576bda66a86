package ds389test

import (
	"crypto/tls"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"ldap-gateway/directory/directorytest"
)

// setup is what dscreate is told. Its "systemd" is not obeyed when the server is
// started: that stands in defaults.inf.
const setup = `[general]
config_version = 2
full_machine_name = localhost
strict_host_checking = False
selinux = False
systemd = False
start = False
[slapd]
instance_name = test
port = %d
secure_port = %d
root_password = ` + Password + `
self_sign_cert = False
[backend-userroot]
suffix = ` + Suffix + `
create_suffix_entry = True
`

// prepare writes the folder: outside of t.TempDir, whose parent only root can enter.
func (s *Server) prepare() {
	s.t.Helper()
	dir, err := os.MkdirTemp("", "ds389test")
	s.must(err)
	s.dir = dir
	s.t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s.must(os.Chmod(dir, 0o755))
	for _, folder := range []string{
		"share/dirsrv/inf", "run", "etc/dirsrv", "etc/default", "etc/tmpfiles.d", "log", "lock", "tmp",
		"data/slapd-" + instance,
	} {
		s.must(os.MkdirAll(s.path(folder), 0o755))
	}
	for _, folder := range []string{"config", "schema"} {
		s.must(os.CopyFS(s.path("etc", "dirsrv", folder), os.DirFS("/etc/dirsrv/"+folder)))
	}
	s.writeDefaults()
	s.handOver()
	s.write("create.inf", fmt.Sprintf(setup, s.port, s.port+1))
	s.tool("dscreate", "from-file", s.path("create.inf"))
	s.Stop() // start = False leaves it running in some versions
	s.writeCertificates()
	s.configure()
	s.handOver()
}

// writeDefaults moves every path of lib389's defaults into the folder.
func (s *Server) writeDefaults() {
	s.t.Helper()
	text, err := os.ReadFile("/usr/share/dirsrv/inf/defaults.inf")
	s.must(err)
	moves := []struct{ from, to string }{
		{`(?m)^with_systemd.*`, "with_systemd = 0"},
		{` = /etc`, " = " + s.path("etc")},
		{`(?m) = /var$`, " = " + s.path("var")},
		{` = /var/lib/dirsrv`, " = " + s.path("data")},
		{` = /var/log/dirsrv`, " = " + s.path("log")},
		{` = /run/lock/dirsrv`, " = " + s.path("lock")},
		{` = /run/dirsrv`, " = " + s.path("run")},
		{`(?m)^ldapi = .*`, "ldapi = " + s.path("run", "{instance_name}.socket")},
		{`(?m)^tmp_dir.*`, "tmp_dir = " + s.path("tmp")},
		{`(?m)^db_home_dir.*`, "db_home_dir = " + s.path("data", "slapd-{instance_name}", "db")},
		{`(?m)^inst_dir.*`, "inst_dir = " + s.path("inst")},
	}
	out := string(text)
	for _, move := range moves {
		out = regexp.MustCompile(move.from).ReplaceAllLiteralString(out, move.to)
	}
	s.write("share/dirsrv/inf/defaults.inf", out)
}

// handOver gives the folder to the user that the server runs as.
func (s *Server) handOver() {
	s.t.Helper()
	owner, err := user.Lookup("dirsrv")
	s.must(err)
	uid, _ := strconv.Atoi(owner.Uid)
	gid, _ := strconv.Atoi(owner.Gid)
	s.must(filepath.WalkDir(s.dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, uid, gid)
	}))
}

// writeCertificates puts the certificate into the instance's NSS database.
func (s *Server) writeCertificates() {
	s.t.Helper()
	authority, err := directorytest.NewAuthority()
	s.must(err)
	certificate, err := authority.Issue([]string{"localhost", "127.0.0.1"}, nil)
	s.must(err)
	s.authority = authority
	s.write("ca.crt", string(authority.PEM))
	s.tool(
		"certutil",
		"-A",
		"-d",
		s.instanceFolder(),
		"-n",
		"CA",
		"-t",
		"CT,,",
		"-a",
		"-i",
		s.path("ca.crt"),
		"-f",
		s.secretFile(),
	)
	s.writeCertificate(certificate)
}

func (s *Server) secretFile() string { return filepath.Join(s.instanceFolder(), "pwdfile.txt") }

func (s *Server) writeCertificate(c tls.Certificate) {
	s.t.Helper()
	certificate, key, err := directorytest.CertificatePEM(c)
	s.must(err)
	s.write("server.pem", string(certificate)+string(key))
	s.tool(
		"openssl",
		"pkcs12",
		"-export",
		"-in",
		s.path("server.pem"),
		"-name",
		"Server-Cert",
		"-out",
		s.path("server.p12"),
		"-passout",
		"pass:x",
	)
	s.tool("pk12util", "-i", s.path("server.p12"), "-d", s.instanceFolder(), "-k", s.secretFile(), "-W", "x")
}

// Present starts the server again with another certificate.
func (s *Server) Present(t *testing.T, c tls.Certificate) {
	t.Helper()
	s.Stop()
	s.tool("certutil", "-F", "-d", s.instanceFolder(), "-n", "Server-Cert", "-f", s.secretFile())
	s.writeCertificate(c)
	s.handOver()
	s.Restart()
}

// configure changes dse.ldif while the server is stopped, which saves a restart.
func (s *Server) configure() {
	s.t.Helper()
	file := filepath.Join(s.instanceFolder(), "dse.ldif")
	text, err := os.ReadFile(file)
	s.must(err)
	changes := map[string]map[string]string{
		"cn=config": {"nsslapd-security": "on", "nsslapd-listenhost": "127.0.0.1", "nsslapd-securelistenhost": "127.0.0.1"},
		// Nobody needs the data after a power cut, and waiting for the disk is most of the time.
		"cn=bdb,cn=config,cn=ldbm database,cn=plugins,cn=config": {"nsslapd-db-durable-transaction": "off"},
		"cn=RSA,cn=encryption,cn=config": {
			"nsSSLPersonalitySSL": "Server-Cert",
			"nsSSLActivation":     "on",
		},
		"cn=MemberOf Plugin,cn=plugins,cn=config": {
			"nsslapd-pluginEnabled": "on",
			"memberOfSkipNested":    map[bool]string{true: "on", false: "off"}[s.cfg.SkipNested],
		},
		"cn=referential integrity postoperation,cn=plugins,cn=config": {"nsslapd-pluginEnabled": "on"},
	}
	records := strings.Split(string(text), "\n\n")
	for i, record := range records {
		dn, _, _ := strings.Cut(strings.TrimPrefix(record, "dn: "), "\n")
		for name, value := range changes[dn] {
			record = regexp.MustCompile(`(?mi)^`+name+`:.*\n?`).ReplaceAllString(record, "")
			record = strings.TrimRight(record, "\n") + "\n" + name + ": " + value
		}
		records[i] = record
	}
	s.must(os.WriteFile(file, []byte(strings.Join(records, "\n\n")), 0o600))
}
