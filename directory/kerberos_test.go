package directory_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ldap-gateway/directory"
	"ldap-gateway/directory/directorytest"
	"ldap-gateway/directory/kdctest"
	"ldap-gateway/directory/sambatest"
	"ldap-gateway/directory/slapdtest"
)

const account = "svc-gateway@" + kdctest.Realm

// kerberized is a slapd with a KDC, and how to search it with a key table.
func kerberized(t *testing.T, cfg kdctest.Config) (*kdctest.Server, *slapdtest.Server, directory.Config) {
	t.Helper()
	cfg.Principals = append(cfg.Principals, kdctest.Principal{Name: "svc-gateway"},
		kdctest.Principal{Name: "ldap/localhost"})
	kdc := kdctest.Start(t, cfg)
	s := slapdtest.Start(t,
		slapdtest.Config{LDIF: person("alice"), Keytab: kdc.Keytab("ldap/localhost"), KerberosConf: kdc.ConfFile()})
	return kdc, s, directory.Config{
		Servers: []string{
			strings.Replace(s.TLSURL(), "127.0.0.1", "localhost", 1),
		}, BaseDN: suffix, TLS: directory.TLS{RootCAs: s.CA()},
		Kerberos: &directory.Kerberos{Principal: account, Keytab: kdc.Keytab("svc-gateway"), ConfFile: kdc.ConfFile()},
	}
}

// readsAlice opens a client and finds alice, or returns why not.
func readsAlice(t *testing.T, cfg directory.Config) error {
	t.Helper()
	c, err := directory.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_, err = c.FindUser(t.Context(), compile(t, persons()), "alice")
	return err
}

func TestKerberosServiceBind(t *testing.T) {
	kdc, s, cfg := kerberized(t, kdctest.Config{})
	for name, change := range map[string]func(*directory.Config){
		"krb5-conf": func(*directory.Config) {},
		"kdc": func(c *directory.Config) {
			c.Kerberos = &directory.Kerberos{Principal: account, Keytab: c.Kerberos.Keytab, KDCs: []string{kdc.Address()}}
		},
		"default-realm": func(c *directory.Config) {
			k := *c.Kerberos
			k.Principal = "svc-gateway"
			c.Kerberos = &k
		},
		"service-named": func(c *directory.Config) {
			k := *c.Kerberos
			k.Service = "ldap/localhost"
			c.Kerberos, c.Servers = &k, []string{s.TLSURL()}
		},
	} {
		t.Run(name, func(t *testing.T) {
			asked := cfg
			change(&asked)
			if err := readsAlice(t, asked); err != nil {
				t.Error(err)
			}
		})
	}
	s.Stop()
	if !strings.Contains(s.Log(), `mech=GSSAPI`) ||
		strings.Contains(s.Log(), `mech=SIMPLE`) && s.Binds(slapdtest.ReaderDN) > 1 {
		t.Errorf("slapd's log:\n%s", s.Log())
	}
}

// What is wrong is told apart: the files, the KDC, the account, the name of the service.
func TestKerberosMistakes(t *testing.T) {
	kdc, _, cfg := kerberized(t,
		kdctest.Config{Principals: []kdctest.Principal{{Name: "disabled", Options: "-allow_tix"}, {Name: "other"}}})
	junk := filepath.Join(t.TempDir(), "junk")
	if err := os.WriteFile(junk, []byte("[libdefaults\n ="), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change  func(*directory.Kerberos)
		refused bool
		remedy  string
	}{
		"no-keytab":      {func(k *directory.Kerberos) { k.Keytab = "/none" }, false, "key table"},
		"keytab-is-none": {func(k *directory.Kerberos) { k.Keytab = junk }, false, "key table"},
		"no-krb5-conf":   {func(k *directory.Kerberos) { k.ConfFile = "/none" }, false, "krb5_conf"},
		"kdc-away":       {func(k *directory.Kerberos) { k.KDCs = []string{"127.0.0.1:1"} }, false, "port 88"},
		"no-such-name":   {func(k *directory.Kerberos) { k.Principal = "nobody@" + kdctest.Realm }, true, "newest key"},
		"other-name":     {func(k *directory.Kerberos) { k.Principal = "other@" + kdctest.Realm }, true, "newest key"},
		"disabled":       {func(k *directory.Kerberos) { k.Principal, k.Keytab = "disabled@"+kdctest.Realm, kdc.Keytab("disabled") }, true, "newest key"},
		"no-service":     {func(k *directory.Kerberos) { k.Service = "ldap/elsewhere" }, false, "service_principal"},
	} {
		t.Run(name, func(t *testing.T) {
			k := *cfg.Kerberos
			c.change(&k)
			asked := cfg
			asked.Kerberos = &k
			err := readsAlice(t, asked)
			var ticket *directory.KerberosError
			if !errors.Is(err, directory.ErrUnavailable) || !errors.As(err, &ticket) || ticket.Refused != c.refused ||
				!strings.Contains(ticket.Remedy, c.remedy) {
				t.Errorf("%v", err)
			}
		})
	}
}

// A KDC that refuses the service account is not asked again at once, for another server
// or another sign-on: that could lock the account.
func TestRefusedKeyIsNotTriedAgainAtOnce(t *testing.T) {
	kdc, s, cfg := kerberized(t, kdctest.Config{})
	kdc.Admin("modprinc +requires_preauth svc-gateway") // as everywhere
	kdc.Admin("cpw -randkey svc-gateway")               // the key table's is an old one now
	cfg.Servers = append(cfg.Servers, s.URL())
	c, err := directory.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	for range 3 {
		var ticket *directory.KerberosError
		if _, err := c.FindUser(t.Context(), compile(t, persons()), "alice"); !errors.As(err, &ticket) || !ticket.Refused {
			t.Errorf("%v", err)
		}
	}
	if n := strings.Count(kdc.Log(), "PREAUTH_FAILED"); n != 1 {
		t.Errorf("tried %d times:\n%s", n, kdc.Log())
	}
}

// A key that is changed is used from the next connection on, and tickets that have
// expired hurt nobody.
func TestKerberosOutlivesItsTickets(t *testing.T) {
	kdc, s, cfg := kerberized(t, kdctest.Config{TicketLife: 2 * time.Second})
	c, err := directory.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	finds := func(when string) {
		t.Helper()
		if _, err := c.FindUser(t.Context(), compile(t, persons()), "alice"); err != nil {
			t.Fatalf("%s: %v", when, err)
		}
	}
	finds("at first")
	from := time.Now()
	eventually(t, "the tickets have expired", func() bool { return time.Since(from) > 3*time.Second })
	finds("after its tickets expired")
	s.Restart()
	eventually(t, "it binds again", func() bool {
		_, err := c.FindUser(t.Context(), compile(t, persons()), "alice")
		return err == nil
	})
	kdc.Admin("cpw -randkey svc-gateway")
	fresh, err := os.ReadFile(kdc.Keytab("svc-gateway"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cfg.Kerberos.Keytab, fresh, 0o600); err != nil {
		t.Fatal(err)
	}
	s.Restart()
	eventually(t, "it binds with the new key", func() bool {
		_, err := c.FindUser(t.Context(), compile(t, persons()), "alice")
		return err == nil
	})
}

// Samba takes a bind under TLS that is not sealed only when it is told to; otherwise its
// refusal is a mistake of the configuration, and no wrong password.
func TestKerberosWithActiveDirectory(t *testing.T) {
	for name, over := range map[string]bool{"allowed": true, "signing-required": false} {
		t.Run(name, func(t *testing.T) {
			s := sambatest.Start(t, sambatest.Config{SASLOverTLS: over})
			cfg := directory.Config{
				Servers: []string{s.TLSURL()},
				BaseDN:  sambatest.Suffix,
				TLS:     directory.TLS{RootCAs: s.CA(), ServerName: sambatest.Host},
				Kerberos: &directory.Kerberos{
					Principal: "reader@" + sambatest.Realm,
					Keytab:    s.Keytab(),
					KDCs:      []string{s.KDC()},
					Service:   "ldap/" + sambatest.Host,
				},
			}
			c, err := directory.Open(cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			row := row(t, c.Check(t.Context()), 0, "service bind")
			if over && (row.State != directory.OK || !strings.Contains(row.Detail, "reader@"+sambatest.Realm+" by GSSAPI")) {
				t.Errorf("%+v", row)
			}
			if !over && (row.State != directory.Failed || !strings.Contains(row.Remedy, "allow_sasl_over_tls")) {
				t.Errorf("%+v", row)
			}
		})
	}
}

func TestOneServiceAccount(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  directory.Config
		says string
	}{
		"dn-and-kerberos":   {directory.Config{BindDN: "cn=x", BindPassword: "x", Kerberos: &directory.Kerberos{Principal: "a@B", Keytab: "k", ConfFile: "c"}}, "only one of them"},
		"own-and-kerberos":  {directory.Config{OwnIdentity: true, Kerberos: &directory.Kerberos{Principal: "a@B", Keytab: "k", ConfFile: "c"}}, "only one of them"},
		"no-keytab":         {directory.Config{Kerberos: &directory.Kerberos{Principal: "a@B", ConfFile: "c"}}, "key table"},
		"neither-kdc":       {directory.Config{Kerberos: &directory.Kerberos{Principal: "a@B", Keytab: "k"}}, "neither KDCs nor"},
		"kdc-without-realm": {directory.Config{Kerberos: &directory.Kerberos{Principal: "a", Keytab: "k", KDCs: []string{"x"}}}, "with its realm"},
	} {
		t.Run(name, func(t *testing.T) {
			c.cfg.Servers, c.cfg.BaseDN = []string{"ldaps://x"}, suffix
			if _, err := directory.Open(c.cfg); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v", err)
			}
		})
	}
}

// A domain controller that insists on channel binding has not judged any password.
func TestChannelBindingIsNoWrongPassword(t *testing.T) {
	s := inProcess(t, person("alice"))
	refusal := directorytest.ActiveDirectoryRefusal("80090346")
	for _, dn := range []string{aliceDN, slapdtest.ReaderDN} {
		s.SetBindFault(dn, directorytest.Fault{Result: &refusal})
	}
	c := open(t, s.CA(), s.TLSURL())
	var result *directory.ResultError
	if err := c.Bind(t.Context(), aliceDN, "password"); errors.Is(err, directory.ErrInvalidCredentials) ||
		!errors.As(err, &result) ||
		!strings.Contains(result.Remedy, "channel binding") {
		t.Errorf("%v", err)
	}
	if r := row(t, c.Check(t.Context()), 0, "service bind"); r.State != directory.Failed ||
		!strings.Contains(r.Remedy, "channel binding") {
		t.Errorf("%+v", r)
	}
}
