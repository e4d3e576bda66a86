package kdctest

import (
	"fmt"
	"os"
	"time"
)

// The library's own name service and reverse look-ups stay out of it, and TCP is used,
// so that what a test sees does not depend on the machine.
const clientConf = `[libdefaults]
 default_realm = %[1]s
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
 udp_preference_limit = 1
 ticket_lifetime = %[3]ds
 permitted_enctypes = aes256-cts-hmac-sha1-96 aes128-cts-hmac-sha1-96 aes256-cts-hmac-sha384-192
[realms]
 %[1]s = {
  kdc = %[2]s
 }
[domain_realm]
 localhost = %[1]s
 .example.test = %[1]s
`

const serverConf = `[kdcdefaults]
 kdc_listen = %[2]s
 kdc_tcp_listen = %[2]s
[realms]
 %[1]s = {
  database_name = %[3]s/principal
  key_stash_file = %[3]s/stash
  acl_file = %[3]s/kadm5.acl
  supported_enctypes = aes256-cts-hmac-sha1-96:normal aes128-cts-hmac-sha1-96:normal
  max_life = %[4]ds
 }
[logging]
 kdc = FILE:%[3]s/kdc.log
 admin_server = FILE:%[3]s/kadmin.log
`

// prepare makes the realm with its principals.
func (s *Server) prepare() {
	s.t.Helper()
	dir, err := os.MkdirTemp("", "kdctest")
	s.must(err)
	s.dir = dir
	s.t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s.write("kdc.log", "")
	s.configure()
	s.tool("", "kdb5_util", "-r", s.cfg.Realm, "create", "-s", "-P", "master")
	for _, p := range append([]Principal{{Name: prober}}, s.cfg.Principals...) {
		s.Add(p)
	}
	s.probe = s.Keytab(prober)
}

// configure writes both configurations for the port in use.
func (s *Server) configure() {
	s.t.Helper()
	life := int(s.cfg.TicketLife / time.Second)
	s.write("krb5.conf", fmt.Sprintf(clientConf, s.cfg.Realm, s.Address(), life))
	s.write("kdc.conf", fmt.Sprintf(serverConf, s.cfg.Realm, s.Address(), s.dir, life))
}

func (s *Server) write(name, content string) {
	s.t.Helper()
	s.must(os.WriteFile(s.path(name), []byte(content), 0o600))
}
