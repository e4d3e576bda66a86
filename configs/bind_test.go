package configs

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// withBind is a file with this bind block, beside a key table and a krb5.conf.
func withBind(t *testing.T, bind string) (*Gateway, error) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"svc.keytab", "krb5.conf"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text := strings.Replace(Minimal, "  bind {\n", "  bind {\n"+bind, 1)
	before, rest, _ := strings.Cut(text, "    dn ")
	_, after, _ := strings.Cut(rest, "\n  }\n")
	return Parse(filepath.Join(dir, "gateway.hcl"), []byte(before+"\n  }\n"+after))
}

func TestBindByGSSAPI(t *testing.T) {
	for name, c := range map[string]struct {
		more string
		want GSSAPI
	}{
		"defaults": {"", GSSAPI{Krb5Conf: "/etc/krb5.conf"}},
		"kdc":      {"kdc = [\"dc1\", \"dc2:88\"]\nservice_principal = \"ldap/dc\"\n", GSSAPI{KDCs: []string{"dc1", "dc2:88"}, Service: "ldap/dc", Krb5Conf: "/etc/krb5.conf"}},
		"conf":     {"krb5_conf = \"krb5.conf\"\n", GSSAPI{Krb5Conf: "krb5.conf"}},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := withBind(t, "gssapi {\nprincipal = \"svc@EXAMPLE.COM\"\nkeytab = \"svc.keytab\"\n"+c.more+"}\n")
			if err != nil {
				t.Fatal(err)
			}
			got, dir := g.Directory.GSSAPI, filepath.Dir(g.Path)
			if got.Keytab != filepath.Join(dir, "svc.keytab") || got.Principal != "svc@EXAMPLE.COM" || g.Directory.BindDN != "" {
				t.Errorf("%+v", got)
			}
			if !slices.Equal(got.KDCs, c.want.KDCs) || got.Service != c.want.Service || strings.TrimPrefix(got.Krb5Conf, dir+"/") != c.want.Krb5Conf {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestPasswordOfSystemd takes it from the folder that LoadCredential= makes.
func TestPasswordOfSystemd(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	if err := os.WriteFile(filepath.Join(dir, "bind.password"), []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const credential = `file("${env("CREDENTIALS_DIRECTORY")}/bind.password")`
	g, err := Parse("gateway.hcl", []byte(strings.Replace(Minimal, `file("/etc/ldap-gateway/bind.password")`, credential, 1)))
	if err != nil || g.Directory.BindPassword.Reveal() != "s3cret" || !strings.Contains(Full, credential) {
		t.Error(err)
	}
}
