package alerts

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"math/big"
	"slices"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/storetest"
)

// TestCertificatesOfApplicationsThatEnd are told with what to do, and no others.
func TestCertificatesOfApplicationsThatEnd(t *testing.T) {
	ctx := t.Context()
	db, err := store.Open(ctx, storetest.File(t))
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(err)
	defer db.Close()
	env := store.Environment{Name: "e"}
	must(db.CreateEnvironment(ctx, &env))
	now := time.Now()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	add := func(days int, sealed []byte) string {
		like := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(0, 0, days)}
		der, err := x509.CreateCertificate(rand.Reader, like, like, key.Public(), key)
		must(err)
		c := store.Certificate{EnvironmentID: env.ID, Name: "c", Usage: "SIGNING", DER: der, Sealed: sealed}
		must(db.CreateCertificate(ctx, &c))
		return c.ID
	}
	ours, old := add(100, []byte("x")), add(5, []byte("x"))
	good, ending, ended := add(100, nil), add(20, nil), add(-3, nil)
	for name, c := range map[string]struct {
		key      string // of the environment
		protocol store.ProviderType
		disabled bool
		provider store.ServiceProvider
		codes    []string
	}{
		"well":           {ours, store.SAML, false, store.ServiceProvider{CertificateIDs: []string{good}}, nil},
		"no certificate": {ours, store.SAML, false, store.ServiceProvider{CertificateIDs: []string{"gone"}}, nil},
		"key ends":       {old, store.SAML, false, store.ServiceProvider{}, []string{"signingKeyEnds"}},
		"own key":        {ours, store.SAML, false, store.ServiceProvider{KeyID: old}, []string{"signingKeyEnds"}},
		"another key":    {old, store.SAML, false, store.ServiceProvider{KeyID: ours}, nil},
		"requests":       {ours, store.SAML, false, store.ServiceProvider{CertificateIDs: []string{good, ending}}, []string{"applicationCertificateEnds"}},
		"has ended":      {ours, store.SAML, false, store.ServiceProvider{CertificateIDs: []string{ended}}, []string{"applicationCertificateEnds"}},
		"encryption":     {ours, store.SAML, false, store.ServiceProvider{EncryptedWith: ending}, []string{"applicationCertificateEnds"}},
		"disabled":       {old, store.SAML, true, store.ServiceProvider{}, nil},
		"OpenID Connect": {old, store.OpenIDConnect, false, store.ServiceProvider{}, nil},
	} {
		must(db.SetDefaultKey(ctx, env.ID, c.key))
		c.provider.EntityID = map[bool]string{true: "https://sp.example"}[c.protocol == store.SAML]
		a := store.Application{EnvironmentID: env.ID, Name: name, Protocol: c.protocol, Enabled: !c.disabled, SAML: c.provider}
		must(db.CreateApplication(ctx, &a))
		all, err := (&Watch{Store: db}).ofApplications(ctx, env.ID)
		must(err)
		var codes []string
		for _, one := range all {
			if codes = append(codes, one.Code); one.Remedy == "" || one.Key == "" {
				t.Errorf("%s: %+v", name, one)
			}
		}
		if !slices.Equal(codes, c.codes) {
			t.Errorf("%s: %q", name, codes)
		}
		must(db.DeleteApplication(ctx, env.ID, a.ID))
	}
}
