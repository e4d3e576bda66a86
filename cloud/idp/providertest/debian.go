package providertest

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// debian is where "make tools" unpacks packages that would make this machine a provider.
const debian = "/var/cache/providertest"

// SimpleSAML runs SimpleSAMLphp.
func SimpleSAML(t testing.TB) *Provider {
	t.Helper()
	p := newProvider(t, "simplesaml", "/saml2/idp/metadata.php")
	p.keys("key.pem", "cert.pem")
	p.command = []string{"php", "-S", strings.TrimPrefix(p.URL, "http://"), "-t", p.unpacked("simplesamlphp/www")}
	p.env = []string{"SIMPLESAMLPHP_CONFIG_DIR=" + p.dir}
	p.Write("people.json", map[string]any{})
	p.Write("answer.json", map[string]any{})
	p.start()
	return p
}

// LemonLDAP runs LemonLDAP::NG with people, each in groups, and clients of OpenID Connect
// by ID. To SAML it answers after [Provider.Restart] only, when sp.xml is there.
func LemonLDAP(t testing.TB, people map[string][]string, clients map[string]map[string]any) *Provider {
	t.Helper()
	p := newProvider(t, "lemonldap.psgi", "/saml/metadata")
	p.keys("key.pem", "cert.pem")
	p.command = []string{"plackup", "-o", "127.0.0.1", "-p", strconv.Itoa(p.port), "-E", "production", "lemonldap.psgi"}
	p.env = []string{"PERL5LIB=" + p.unpacked("perl5"), "LEMONLDAP=" + p.unpacked("lemonldap-ng")}
	p.Write("people.json", people)
	p.Write("clients.json", clients)
	p.start()
	return p
}

// Restart starts it again, for a provider that reads its files at its start.
func (p *Provider) Restart() {
	p.t.Helper()
	p.stop()
	p.start()
}

// unpacked is a folder below the share of packages that are unpacked, not installed.
func (p *Provider) unpacked(folder string) string {
	p.t.Helper()
	whole := filepath.Join(debian, "usr/share", folder)
	if _, err := os.Stat(whole); err != nil {
		p.t.Fatalf("%v: run \"make tools\"", err)
	}
	return whole
}
