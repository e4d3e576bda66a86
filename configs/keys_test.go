package configs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// whole is a file that is right, into which each block is put where it belongs: at the
// end of the block of that name, or for "" at the end of the file.
func whole(in, more string) string {
	blocks := []string{"cloud", "directory", "policy", ""}
	texts := map[string]string{
		"cloud":     "url = \"https://id.example.com\"\n",
		"directory": "servers = [\"ldaps://dc1.example.com\"]\nbase_dn = \"DC=example,DC=com\"\n",
	}
	var out strings.Builder
	for _, name := range blocks {
		text := texts[name]
		if name == in {
			text = replaceKey(text, more)
		}
		if name == "" {
			out.WriteString(text)
			continue
		}
		out.WriteString(name + " {\n" + text + "}\n")
	}
	return out.String()
}

// replaceKey adds lines to a block, and leaves out what they say otherwise; a key without
// a value is left out.
func replaceKey(text, more string) string {
	for line := range strings.Lines(more) {
		key, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		var kept strings.Builder
		for old := range strings.Lines(text) {
			if name, _, _ := strings.Cut(old, " "); name != key {
				kept.WriteString(old)
			}
		}
		text = kept.String()
		if strings.Contains(line, " ") || strings.HasPrefix(line, "}") {
			text += strings.TrimRight(line, "\n") + "\n"
		}
	}
	return text
}

// beside writes the files that the tables name, and returns their folder.
func beside(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"ca.pem":   pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}),
		"key.pem":  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
		"none.pem": []byte("no certificate"),
		"password": []byte("s3cret\r\n"),
		"empty":    nil,
		"keytab":   []byte("x"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const pin = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// keys lists every key with a value, and what is read then. A row without a value reads
// what it is when the key is left out.
var keys = []struct {
	in, more string
	read     func(g *Gateway) any
	want     string
}{
	{"cloud", "", func(g *Gateway) any { return g.Cloud.URL }, "https://id.example.com"},
	{"cloud", `url = "https://id.example.com:8443/"`, func(g *Gateway) any { return g.Cloud.URL }, "https://id.example.com:8443"},
	{"cloud", `url = "http://127.0.0.1:8080"`, func(g *Gateway) any { return g.Cloud.URL }, "http://127.0.0.1:8080"},
	{"cloud", `url = "http://[::1]:8080"`, func(g *Gateway) any { return g.Cloud.URL }, "http://[::1]:8080"},
	{"cloud", "", func(g *Gateway) any { return g.Cloud.Proxy }, "<nil>"},
	{"cloud", `proxy = "http://u:p@proxy.example.com:3128"`, func(g *Gateway) any { return g.Cloud.Proxy.Host }, "proxy.example.com:3128"},
	{"cloud", "", func(g *Gateway) any { return g.Cloud.RootCAs == nil }, "true"},
	{"cloud", `ca_file = "ca.pem"`, func(g *Gateway) any { return g.Cloud.RootCAs == nil }, "false"},
	{"cloud", "", func(g *Gateway) any { return g.Cloud.RotateKeys }, "720h0m0s"},
	{"cloud", `rotate_keys = "0s"`, func(g *Gateway) any { return g.Cloud.RotateKeys }, "0s"},
	{"cloud", `rotate_keys = "8760h"`, func(g *Gateway) any { return g.Cloud.RotateKeys }, "8760h0m0s"},

	{"directory", `servers = ["ldap://a", "ldaps://b:636/"]`, func(g *Gateway) any { return g.Directory.Servers }, "[ldap://a ldaps://b:636/]"},
	{"directory", "servers\ndiscover = \"corp.example.com\"", func(g *Gateway) any { return g.Directory.Discover }, "corp.example.com"},
	{"directory", "servers\ndiscover = \"a.b\"\nsite = \"Berlin\"", func(g *Gateway) any { return g.Directory.Site }, "Berlin"},
	{"directory", `base_dn = "OU=A\\, B,DC=x"`, func(g *Gateway) any { return g.Directory.BaseDN }, `OU=A\, B,DC=x`},
	{"directory", `vendor = "OpenLDAP"`, func(g *Gateway) any { return g.Directory.Vendor }, "OpenLDAP"},
	{"directory", "", func(g *Gateway) any { return g.Directory.AllowClearText }, "false"},
	{"directory", "allow_clear_text = true", func(g *Gateway) any { return g.Directory.AllowClearText }, "true"},
	{"directory", "", func(g *Gateway) any { return g.Directory.FollowReferrals }, "false"},
	{"directory", "follow_referrals = true\nreferral_hosts = [\"a\"]", func(g *Gateway) any { return g.Directory.ReferralHosts }, "[a]"},
	{"directory", "", func(g *Gateway) any { return g.Directory.GroupsFrom }, "auto"},
	{"directory", `groups_from = "MEMBEROF"`, func(g *Gateway) any { return g.Directory.GroupsFrom }, "memberOf"},
	{"directory", `groups_from = "search"`, func(g *Gateway) any { return g.Directory.GroupsFrom }, "search"},
	{"directory", "built_in_primary_groups = true", func(g *Gateway) any { return g.Directory.BuiltInPrimaryGroups }, "true"},
	{"directory", "", func(g *Gateway) any { return g.Directory.Timeout }, "5s"},
	{"directory", `timeout = "100ms"`, func(g *Gateway) any { return g.Directory.Timeout }, "100ms"},
	{"directory", "", func(g *Gateway) any { return g.Directory.DialTimeout }, "3s"},
	{"directory", `dial_timeout = "1m"`, func(g *Gateway) any { return g.Directory.DialTimeout }, "1m0s"},

	{"directory", "", func(g *Gateway) any { return g.Directory.BindDN }, ""},
	{"directory", "bind {\ndn = \"cn=x\"\npassword = \"p\"\n}", func(g *Gateway) any { return g.Directory.BindDN }, "cn=x"},
	{
		"directory", "bind {\ndn = \"cn=x\"\npassword = file(\"password\")\n}",
		func(g *Gateway) any { return g.Directory.BindPassword.Reveal() }, "s3cret",
	},
	{
		"directory", "bind {\ndn = \"cn=x\"\npassword = env(\"BIND_PASSWORD\")\n}",
		func(g *Gateway) any { return g.Directory.BindPassword.Reveal() }, "from the environment",
	},
	{"directory", "canary {\nuser = \"cn=u\"\ngroup = \"cn=g\"\n}", func(g *Gateway) any { return g.Directory.CanaryGroup }, "cn=g"},

	{"directory", "", func(g *Gateway) any { return g.Directory.TLS.MinVersion == tls.VersionTLS12 }, "true"},
	{"directory", "tls {\nmin_version = \"1.3\"\n}", func(g *Gateway) any { return g.Directory.TLS.MinVersion == tls.VersionTLS13 }, "true"},
	{"directory", "tls {\nca_file = \"ca.pem\"\n}", func(g *Gateway) any { return g.Directory.TLS.RootCAs == nil }, "false"},
	{"directory", "tls {\nserver_name = \"dc\"\n}", func(g *Gateway) any { return g.Directory.TLS.ServerName }, "dc"},
	{"directory", "tls {\npin = [\"SHA256:" + pin + "\"]\n}", func(g *Gateway) any { return fmt.Sprintf("%x", g.Directory.TLS.Pins[0]) }, pin},
	{"directory", "tls {\nold_key_exchange = true\n}", func(g *Gateway) any { return g.Directory.TLS.OldKeyExchange }, "true"},
	{
		"directory", "tls {\ncertificate = \"ca.pem\"\nkey = \"key.pem\"\n}",
		func(g *Gateway) any { return len(g.Directory.TLS.Certificate.Certificate) }, "1",
	},
	{"directory", "", func(g *Gateway) any { return g.Directory.TLS.Certificate == nil }, "true"},

	{"directory", "", func(g *Gateway) any { return g.Directory.Pool }, "{2 64 10m0s}"},
	{"directory", "pool {\nsearch = 64\nbind = 1\nlifetime = \"14m\"\n}", func(g *Gateway) any { return g.Directory.Pool }, "{64 1 14m0s}"},

	{"policy", "", func(g *Gateway) any { return g.Policy.SearchBases }, "[DC=example,DC=com]"},
	{"policy", `search_bases = ["OU=a,DC=x", "OU=b"]`, func(g *Gateway) any { return g.Policy.SearchBases }, "[OU=a,DC=x OU=b]"},
	{"policy", `search_bases = []`, func(g *Gateway) any { return g.Policy.SearchBases }, "[DC=example,DC=com]"},
	{"policy", `attributes = ["a", "b"]`, func(g *Gateway) any { return g.Policy.Attributes }, "[a b]"},
	{"policy", `filter_attributes = ["c"]`, func(g *Gateway) any { return g.Policy.FilterAttributes }, "[c]"},
	{"policy", "", func(g *Gateway) any { return g.Policy.Observe }, "false"},
	{"policy", `mode = "observe"`, func(g *Gateway) any { return g.Policy.Observe }, "true"},
	{"policy", "", func(g *Gateway) any { return g.Policy.PasswordChanges || g.Policy.Explain }, "false"},
	{"policy", "password_changes = true", func(g *Gateway) any { return g.Policy.PasswordChanges }, "true"},
	{"policy", "explain = true", func(g *Gateway) any { return g.Policy.Explain }, "true"},
	{"policy", "", func(g *Gateway) any { return g.Policy.SignOnsPerMinute }, "30000"},
	{"policy", "sign_ons_per_minute = 1000000", func(g *Gateway) any { return g.Policy.SignOnsPerMinute }, "1000000"},
	{"policy", "", func(g *Gateway) any { return g.Policy.SignOnsPerPerson }, "30"},
	{"policy", "sign_ons_per_person_per_minute = 1", func(g *Gateway) any { return g.Policy.SignOnsPerPerson }, "1"},
	{"policy", "", func(g *Gateway) any { return g.Policy.UserTypeChangesPerHour }, "20"},
	{"policy", "user_type_changes_per_hour = 7", func(g *Gateway) any { return g.Policy.UserTypeChangesPerHour }, "7"},
	{"policy", "", func(g *Gateway) any { return g.Policy.WrongPasswords }, "{4 15m0s}"},
	{"policy", "wrong_passwords {\nmost = 0\nwithin = \"24h\"\n}", func(g *Gateway) any { return g.Policy.WrongPasswords }, "{0 24h0m0s}"},
	{"policy", "", func(g *Gateway) any { return g.Policy.Groups }, "{[DC=example,DC=com] [] [] 5000}"},
	{
		"policy", "groups {\nsearch_bases = [\"OU=g\"]\ninclude = [\"*\"]\nexclude = [\"cn=x,*\"]\nmax = 1\n}",
		func(g *Gateway) any { return g.Policy.Groups }, "{[OU=g] [*] [cn=x,*] 1}",
	},

	{"", "", func(g *Gateway) any { return g.Audit }, "{ false 10485760 5}"},
	{"", "audit {\npath = \"\"\n}", func(g *Gateway) any { return g.Audit.Off }, "true"},
	{"", "audit {\nkeep = 1000\nmax_size_mb = 1\n}", func(g *Gateway) any { return g.Audit }, "{ false 1048576 1000}"},
	{"", "metrics {\nlisten = \"[::1]:9389\"\n}", func(g *Gateway) any { return g.Metrics.Listen }, "[::1]:9389"},
	{"", "", func(g *Gateway) any { return g.Log }, "{info false}"},
	{"", "log {\nlevel = \"WARN\"\nformat = \"json\"\n}", func(g *Gateway) any { return g.Log }, "{warn true}"},
}

// Each key is read as it stands, at the ends of what it may be, and has its default when
// it is left out.
func TestEveryKey(t *testing.T) {
	dir := beside(t)
	t.Setenv("BIND_PASSWORD", "from the environment")
	for _, k := range keys {
		src := whole(k.in, k.more)
		g, err := Parse(filepath.Join(dir, "gateway.hcl"), []byte(src))
		if err != nil {
			t.Errorf("%v\n%s", err, src)
			continue
		}
		if got := fmt.Sprint(k.read(g)); got != k.want {
			t.Errorf("%s: %s, want %s", k.more, got, k.want)
		}
	}
}

// wrong lists values that cannot be, each with what is said of it.
var wrong = []struct{ in, more, says string }{
	{"cloud", "url", "Missing url"},
	{"cloud", `url = null`, "Missing url"},
	{"cloud", `url = ""`, "Missing url"},
	{"cloud", `url = "id.example.com"`, "Not the URL of a cloud"},
	{"cloud", `url = "https://"`, "Not the URL of a cloud"},
	{"cloud", `url = "https://id.example.com/tenant"`, "Not the URL of a cloud"},
	{"cloud", `url = "https://id.example.com?x=1"`, "Not the URL of a cloud"},
	{"cloud", `url = "https://id.example.com#x"`, "Not the URL of a cloud"},
	{"cloud", `url = "https://u:p@id.example.com"`, "Not the URL of a cloud"},
	{"cloud", `url = "http://id.example.com"`, "Unprotected cloud"},
	{"cloud", `url = "http://10.0.0.1"`, "Unprotected cloud"},
	{"cloud", `url = "wss://id.example.com"`, "The scheme must be https"},
	{"cloud", `url = ["https://id.example.com"]`, "string required"},
	{"cloud", `proxy = "proxy.example.com:3128"`, "Not the URL of a proxy"},
	{"cloud", `proxy = "socks5://proxy.example.com"`, "Not the URL of a proxy"},
	{"cloud", `proxy = "http://proxy.example.com/path"`, "Not the URL of a proxy"},
	{"cloud", `ca_file = "nowhere.pem"`, "Cannot read the certificates"},
	{"cloud", `ca_file = "none.pem"`, "No certificate in the file"},
	{"cloud", `rotate_keys = "-1h"`, "Duration out of range"},
	{"cloud", `rotate_keys = "8761h"`, "Duration out of range"},
	{"cloud", `rotate_keys = "30d"`, "Not a duration"},
	{"cloud", `rotate_keys = 30`, "Not a duration"},
	{"cloud", `colour = "red"`, "Unsupported argument"},

	{"directory", "servers", "Missing servers"},
	{"directory", "servers = []", "Missing servers"},
	{"directory", `servers = "ldaps://a"`, "list of string required"},
	{"directory", `servers = ["a"]`, "Not the URL of a directory server"},
	{"directory", `servers = ["https://a"]`, "Not the URL of a directory server"},
	{"directory", `servers = ["ldaps://a/dc=x"]`, "Not the URL of a directory server"},
	{"directory", `servers = ["ldaps://:636"]`, "Not the URL of a directory server"},
	{"directory", `servers = ["ldaps://cn=x:p@a"]`, "Not the URL of a directory server"},
	{"directory", `servers = ["ldaps://a?x=1"]`, "Not the URL of a directory server"},
	{"directory", `servers = ["ldaps://a#x"]`, "Not the URL of a directory server"},
	{"directory", `discover = "corp.example.com"`, "Two ways to find the servers"},
	{"directory", "servers\ndiscover = \"corp\"", "Not a DNS domain"},
	{"directory", "servers\ndiscover = \"ldap://corp.example.com\"", "Not a DNS domain"},
	{"directory", `site = "Berlin"`, "A site without a domain"},
	{"directory", "base_dn", "Missing base_dn"},
	{"directory", `base_dn = null`, "Missing base_dn"},
	{"directory", `base_dn = "example.com"`, "Not a DN"},
	{"directory", `groups_from = "both"`, "auto, memberOf, search"},
	{"directory", `follow_referrals = true`, "No host to follow referrals to"},
	{"directory", `follow_referrals = "perhaps"`, "a bool is required"},
	{"directory", `timeout = "99ms"`, "Duration out of range"},
	{"directory", `timeout = "61s"`, "Duration out of range"},
	{"directory", `dial_timeout = "soon"`, "Not a duration"},

	{"directory", "bind {\ndn = \"\"\npassword = \"x\"\n}", "Missing dn"},
	{"directory", "bind {\ndn = \"cn=x\"\n}", "Missing password"},
	{"directory", "bind {\npassword = \"x\"\n}", "Missing dn"},
	{"directory", "bind {\ndn = \"cn=x\"\npassword = \"\"\n}", "Empty password"},
	{"directory", "bind {\ndn = \"cn=x\"\npassword = file(\"empty\")\n}", "Empty password"},
	{"directory", "bind {\ndn = \"cn=x\"\npassword = file(\"nowhere\")\n}", "no such file"},
	{"directory", "bind {\ndn = \"cn=x\"\npassword = env(\"NOT_SET_AT_ALL\")\n}", "is not set"},
	{"directory", "bind {\ndn = \"cn=x\"\npassword = credential(\"a/b\")\n}", "is a path"},
	{"directory", "bind {\ndn = \"cn=x\"\npassword = exec(\"x\")\n}", "cannot be read"},
	{"directory", "bind {\nown_identity = true\ndn = \"cn=x\"\n}", "Two ways to bind"},
	{"directory", "bind {\ngssapi {\nprincipal = \"a@B\"\nkeytab = \"nowhere\"\n}\n}", "Cannot read the file"},
	{"directory", "bind {\ngssapi {\nprincipal = \"a@B@C\"\nkeytab = \"keytab\"\n}\n}", "Not a principal"},
	{"directory", "bind {\ngssapi {\nprincipal = \"@B\"\nkeytab = \"keytab\"\n}\n}", "Not a principal"},
	{"directory", "bind {\ngssapi {\nprincipal = \"a\"\nkeytab = \"keytab\"\nkdc = [\"k\"]\n}\n}", "Not a principal"},
	{
		"directory", "bind {\ngssapi {\nprincipal = \"a@B\"\nkeytab = \"keytab\"\nkdc = [\"k\"]\nkrb5_conf = \"keytab\"\n}\n}",
		"Two ways to find the KDC",
	},
	{"directory", "canary {\nuser = \"cn=u\"\n}", "Missing group"},
	{"directory", "canary {\nuser = \"cn=u\"\ngroup = \"\"\n}", "Missing group"},
	{"directory", "canary {\nuser = \"cn=u\"\ngroup = \"g\"\n}", "Not a DN"},

	{"directory", "tls {\nmin_version = \"1.1\"\n}", "1.2, 1.3"},
	{"directory", "tls {\npin = [\"sha256:00\"]\n}", "Not a pin"},
	{"directory", "tls {\npin = [\"x\"]\n}", "Not a pin"},
	{"directory", "tls {\ncertificate = \"ca.pem\"\n}", "A certificate without its key"},
	{"directory", "tls {\nkey = \"key.pem\"\n}", "A key without its certificate"},
	{"directory", "tls {\ncertificate = \"nowhere\"\nkey = \"key.pem\"\n}", "Cannot read the certificate"},
	{"directory", "tls {\ncertificate = \"ca.pem\"\nkey = \"nowhere\"\n}", "Cannot read the key"},
	{"directory", "tls {\ncertificate = \"ca.pem\"\nkey = \"ca.pem\"\n}", "do not fit"},
	{"directory", "pool {\nsearch = 0\n}", "Number out of range"},
	{"directory", "pool {\nbind = 1025\n}", "Number out of range"},
	{"directory", "pool {\nsearch = 1.5\n}", "whole number"},
	{"directory", "pool {\nlifetime = \"15m\"\n}", "Duration out of range"},

	{"policy", `mode = "strict"`, "enforce, observe"},
	{"policy", `search_bases = ["people"]`, "Not a DN"},
	{"policy", `sign_ons_per_minute = 0`, "Number out of range"},
	{"policy", `sign_ons_per_person_per_minute = 0`, "Number out of range"},
	{"policy", `user_type_changes_per_hour = 0`, "Number out of range"},
	{"policy", "groups {\nmax = 0\n}", "Number out of range"},
	{"policy", "groups {\nsearch_bases = [\"x\"]\n}", "Not a DN"},
	{"policy", "wrong_passwords {\nmost = 1001\n}", "Number out of range"},
	{"policy", "wrong_passwords {\nwithin = \"59s\"\n}", "Duration out of range"},
	{"", "audit {\nmax_size_mb = 0\n}", "Number out of range"},
	{"", "audit {\nkeep = 1001\n}", "Number out of range"},
	{"", "metrics {\n}", "Missing listen"},
	{"", "metrics {\nlisten = \"0.0.0.0:1\"\n}", "Not a loopback address"},
	{"", "log {\nlevel = \"loud\"\n}", "trace, debug, info, warn, error"},
	{"", "log {\nformat = \"xml\"\n}", "text, json"},
	{"", "cloud {\nurl = \"https://x\"\n}", "Duplicate cloud block"},
	{"", "extra {\n}", "Unsupported block type"},
	{"", "extra = 1", "Unsupported argument"},
}

// Each value that cannot be is one mistake, told with its line, what to write, and
// without a secret.
func TestEveryMistake(t *testing.T) {
	dir := beside(t)
	for _, c := range wrong {
		src := whole(c.in, c.more)
		_, err := Parse(filepath.Join(dir, "gateway.hcl"), []byte(src))
		var m *Mistakes
		if !errors.As(err, &m) {
			t.Errorf("%s %s: %v", c.in, c.more, err)
			continue
		}
		text := strings.Join(strings.Fields(m.Error()), " ")
		if m.Count != 1 || !strings.Contains(text, c.says) || !strings.Contains(text, "gateway.hcl") {
			t.Errorf("%s %s, want %q:\n%s", c.in, c.more, c.says, m)
		}
		if strings.Contains(text, "hunter2") {
			t.Errorf("a password is shown:\n%s", m)
		}
	}
}

// Everything that is wrong is told at once, in the order of the file.
func TestMistakesTogether(t *testing.T) {
	src := whole("directory", "timeout = \"x\"\npool {\nsearch = 0\n}\ntls {\nmin_version = \"1\"\n}")
	src = strings.Replace(src, "https://id.example.com", "http://id.example.com", 1) + "log {\nlevel = \"loud\"\n}\n"
	_, err := Parse("gateway.hcl", []byte(src))
	var m *Mistakes
	if !errors.As(err, &m) || m.Count != 5 {
		t.Fatalf("%v", err)
	}
	at := 0
	for _, summary := range []string{"Unprotected cloud", "Not a duration", "Number out of range", "1.2, 1.3", "loud"} {
		i := strings.Index(m.Error()[at:], summary)
		if i < 0 {
			t.Fatalf("%q is not told, or too early:\n%s", summary, m)
		}
		at += i
	}
	if !strings.HasSuffix(m.Error(), "gateway.hcl: 5 mistakes.\n") || m.Path != "gateway.hcl" {
		t.Errorf("%q of %s", m.Error()[at:], m.Path)
	}
}
