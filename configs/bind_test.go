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
			if !slices.Equal(got.KDCs, c.want.KDCs) || got.Service != c.want.Service ||
				strings.TrimPrefix(got.Krb5Conf, dir+"/") != c.want.Krb5Conf {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestCredential takes the password from the folder that LoadCredential= makes,
// and from beside the file when there is none or it is empty.
func TestCredential(t *testing.T) {
	for name, c := range map[string]struct{ handed, beside, want string }{
		"handed-over": {"s3cret\n", "", "s3cret"},
		"both":        {"s3cret\n", "other", "s3cret"},
		"empty":       {"", "beside", "beside"},
		"none":        {"-", "beside\n", "beside"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, handed := t.TempDir(), t.TempDir()
			t.Setenv("CREDENTIALS_DIRECTORY", handed)
			for path, text := range map[string]string{filepath.Join(dir, "bind.password"): c.beside, filepath.Join(handed, "bind.password"): c.handed} {
				if text == "-" {
					continue
				}
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			src := strings.Replace(Minimal, `file("/etc/ldap-gateway/bind.password")`, `credential("bind.password")`, 1)
			g, err := Parse(filepath.Join(dir, "gateway.hcl"), []byte(src))
			if err != nil || g.Directory.BindPassword.Reveal() != c.want {
				t.Errorf("%v %q", err, g.Directory.BindPassword.Reveal())
			}
		})
	}
}
