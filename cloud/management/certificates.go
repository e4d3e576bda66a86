package management

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"slices"
	"time"

	"github.com/google/uuid"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/idp"
	"ldap-gateway/cloud/idp/samlsp"
	"ldap-gateway/cloud/store"
)

// Usages of certificates, in the words of the API.
const (
	Signing    = "SIGNING"
	Encryption = "ENCRYPTION"
)

// Our own keys, unless somebody asks for others: the days that their certificates are
// good, and their bits.
const (
	keyDays  = 5 * 365
	keyBits  = 3072
	mostDays = 20 * 365
)

// AddCertificate keeps somebody else's certificate, in PEM or DER. Without a name it
// has that of its subject.
// It proves nothing by being here: a provider has to name it. The same one may be added
// twice.
func (s *Service) AddCertificate(
	ctx context.Context, by By, name, usage string, file []byte,
) (c store.Certificate, err error) {
	parsed, err := readCertificate(file)
	if err != nil {
		return c, err
	}
	if usage != Signing && usage != Encryption {
		return c, fault.Of(fault.Usage, fault.Invalid, "The usage is SIGNING or ENCRYPTION.")
	}
	err = s.act(ctx, by, AddCertificate, func(t *turn) error {
		c, err = t.addCertificate(ctx, name, usage, parsed)
		return err
	})
	return c, err
}

// addCertificate is for the one of a file and for those of metadata alike.
func (t *turn) addCertificate(
	ctx context.Context, name, usage string, parsed *x509.Certificate,
) (c store.Certificate, err error) {
	c = store.Certificate{EnvironmentID: t.env(), Name: name, Usage: usage, DER: parsed.Raw}
	if c.Name == "" {
		c.Name = parsed.Subject.String()
	}
	if err := checkLength(fault.Name, "A name", "", c.Name, maxGroupName).Err(); err != nil {
		return c, err
	}
	if err := t.CreateCertificate(ctx, &c); err != nil {
		return c, err
	}
	t.did(note{
		action:  "certificate.created",
		subject: "certificate:" + c.ID,
		text:    "certificate " + c.Name + " was added",
		more:    factsOfCertificate(c, parsed),
	})
	return c, nil
}

// factsOfCertificate has what tells one from another, and never the key.
func factsOfCertificate(c store.Certificate, parsed *x509.Certificate) facts {
	return facts{
		"name":   c.Name,
		"usage":  c.Usage,
		"serial": parsed.SerialNumber.String(),
		"ends":   parsed.NotAfter.UTC(),
		"own":    len(c.Sealed) > 0,
	}
}

// readCertificate reads one certificate, in PEM or DER.
// Of a file with several the first counts. A private key in PEM is refused by name, so
// that nobody believes that it is of use here.
func readCertificate(file []byte) (*x509.Certificate, error) {
	der := file
	if block, _ := pem.Decode(file); block != nil {
		if block.Type != "CERTIFICATE" {
			return nil, fault.Of(fault.CertificateFile, fault.Invalid, "This file has a "+block.Type+" and no certificate.")
		}
		der = block.Bytes
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fault.Of(fault.CertificateFile, fault.Invalid, "This file is no certificate in PEM or DER.")
	}
	return c, nil
}

// KeyDraft is a key of ours as it is to be made. What is 0 or empty is as usual.
type KeyDraft struct {
	Name string
	Bits int
	Days int // that its certificate is good
}

// complete fills in what is usual.
func (d *KeyDraft) complete() {
	d.Name = cmp.Or(d.Name, "ldap-cloud")
	d.Bits = cmp.Or(d.Bits, keyBits)
	d.Days = cmp.Or(d.Days, keyDays)
}

// check is for a draft that is complete: what was left out is as usual by then.
func (d KeyDraft) check() error {
	l := checkLength(fault.Name, "A name", "", d.Name, maxName)
	if !slices.Contains([]int{2048, 3072, 4096}, d.Bits) {
		l = append(l, wrong(fault.KeyLength, 0, "A key has 2048, 3072 or 4096 bits.")...)
	}
	if d.Days < 1 || d.Days > mostDays {
		l = append(l, wrong(fault.KeyLife, 0, "A key is good for 1 to %d days.", mostDays)...)
	}
	return l.Err()
}

// MakeKey makes a key of ours with a certificate that it signed itself, to sign
// requests and to decrypt answers with.
func (s *Service) MakeKey(ctx context.Context, by By, d KeyDraft) (c store.Certificate, err error) {
	d.complete()
	if err := d.check(); err != nil {
		return c, err
	}
	if !May(by.Role, MakeKey) {
		return c, ErrRole // before the work of making one
	}
	made, err := newKey(d, s.now())
	if err != nil {
		return c, err
	}
	err = s.act(ctx, by, MakeKey, func(t *turn) error {
		c, err = t.addKey(ctx, made)
		return err
	})
	return c, err
}

// addKey keeps a key of ours, sealed.
func (t *turn) addKey(ctx context.Context, made madeKey) (c store.Certificate, err error) {
	c = store.Certificate{
		ID:            uuid.NewString(),
		EnvironmentID: t.env(),
		Name:          made.name,
		Usage:         Signing,
		DER:           made.der,
	}
	c.Sealed = t.service.Vault.Seal(idp.PurposeKey, c.ID, made.plain)
	if err := t.CreateCertificate(ctx, &c); err != nil {
		return c, err
	}
	parsed, err := x509.ParseCertificate(made.der)
	if err != nil {
		return c, err
	}
	t.did(note{
		action:  "key.created",
		subject: "certificate:" + c.ID,
		text:    "key " + c.Name + " was made",
		more:    factsOfCertificate(c, parsed),
	})
	return c, nil
}

// madeKey is a key in PKCS #8 and its certificate.
type madeKey struct {
	name       string
	der, plain []byte
}

func newKey(d KeyDraft, now time.Time) (made madeKey, err error) {
	d.complete()
	key, err := rsa.GenerateKey(rand.Reader, d.Bits)
	if err != nil {
		return made, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return made, err
	}
	like := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: d.Name},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.AddDate(0, 0, d.Days),
		KeyUsage:     x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
	}
	made.name = d.Name
	if made.der, err = x509.CreateCertificate(rand.Reader, like, like, &key.PublicKey, key); err != nil {
		return made, err
	}
	made.plain, err = x509.MarshalPKCS8PrivateKey(key)
	return made, err
}

// DeleteCertificate removes a certificate, or a key of ours with its own. One that a
// provider uses stays.
func (s *Service) DeleteCertificate(
	ctx context.Context, by By, id string, seen func(store.Certificate) error,
) error {
	return s.act(ctx, by, DeleteCertificate, func(t *turn) error {
		c, err := t.Certificate(ctx, t.env(), id)
		if err != nil {
			return err
		}
		if err := ask(seen, c); err != nil {
			return err
		}
		users, err := t.usesOf(ctx, id)
		if err != nil {
			return err
		}
		if len(users) > 0 {
			return fault.Of(fault.Certificates, fault.Depended, "The "+users[0]+" uses it.")
		}
		if c.Default {
			return fault.Of(fault.Certificates, fault.Depended, "It signs for applications: choose another for that before.")
		}
		t.did(note{
			action:  "certificate.deleted",
			subject: "certificate:" + c.ID,
			text:    "certificate " + c.Name + " was deleted",
		})
		return t.Store.DeleteCertificate(ctx, t.env(), id)
	})
}

// usesOf lists the names of the providers and applications that use a certificate or a key.
func (t *turn) usesOf(ctx context.Context, id string) (names []string, err error) {
	all, _, err := t.IdentityProviders(ctx, t.env(), store.Page{Limit: store.MaxLimit})
	for _, p := range all {
		if slices.Contains(idp.Uses(p), id) {
			names = append(names, "identity provider "+p.Name)
		}
	}
	for page := (store.Page{Limit: store.MaxLimit}); err == nil; {
		var some []store.Application
		if some, page.Cursor, err = t.Applications(ctx, t.env(), page); err != nil {
			break
		}
		for _, a := range some {
			if slices.Contains(append([]string{a.SAML.KeyID, a.SAML.EncryptedWith}, a.SAML.CertificateIDs...), id) {
				names = append(names, "application "+a.Name)
			}
		}
		if page.Cursor == "" {
			break
		}
	}
	return names, err
}

// checkKeys refuses certificates and keys that are not there, or are of the wrong sort.
func (t *turn) checkKeys(ctx context.Context, p store.IdentityProvider) (l fault.List, err error) {
	own, algorithm := "", ""
	if o := p.Config.OIDC; o != nil {
		own = o.KeyID
	}
	if s := p.Config.SAML; s != nil {
		own, algorithm = s.KeyID, s.Algorithm
		for i, id := range s.CertificateIDs {
			c, err := t.Certificate(ctx, t.env(), id)
			switch {
			case errors.Is(err, store.ErrNotFound):
				l = append(l, wrong(fault.Certificates, i+1, "This environment has no such certificate.")...)
			case err != nil:
				return nil, err
			case len(c.Sealed) > 0:
				l = append(l, wrong(fault.Certificates, i+1, "This certificate is our own, and proves nothing of theirs.")...)
			}
		}
	}
	if own == "" {
		return l, nil
	}
	c, err := t.Certificate(ctx, t.env(), own)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if err != nil || len(c.Sealed) == 0 {
		return append(l, fault.Of(fault.OwnKey, fault.Invalid, "This environment has no such key.")...), nil
	}
	if p.Type == store.SAML && !samlsp.SignsBy(c.DER, algorithm) {
		l = append(l, fault.Of(fault.Algorithm, fault.Invalid, "The key cannot sign by this algorithm.")...)
	}
	return l, nil
}
