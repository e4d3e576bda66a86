package directorytest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// Authority is a throw-away certificate authority.
type Authority struct {
	Pool *x509.CertPool // holds the authority's certificate
	PEM  []byte         // the same, as a file has it

	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// NewAuthority makes an authority that is valid for a day.
func NewAuthority() (*Authority, error) {
	a := &Authority{}
	template := certificateTemplate("Test CA")
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	der, key, err := sign(template, nil, nil)
	if err != nil {
		return nil, err
	}
	if a.certificate, err = x509.ParseCertificate(der); err != nil {
		return nil, err
	}
	a.key, a.Pool = key, x509.NewCertPool()
	a.Pool.AddCert(a.certificate)
	a.PEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return a, nil
}

// Issue makes a server certificate for DNS names and addresses. change, when not
// nil, may spoil the template first.
func (a *Authority) Issue(names []string, change func(*x509.Certificate)) (tls.Certificate, error) {
	template := certificateTemplate("server")
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	if change != nil {
		change(template)
	}
	der, key, err := sign(template, a.certificate, a.key)
	if err != nil {
		return tls.Certificate{}, err
	}
	chain := [][]byte{der}
	if a.certificate != nil {
		chain = append(chain, a.certificate.Raw)
	}
	return tls.Certificate{Certificate: chain, PrivateKey: key}, nil
}

// CertificatePEM returns the server's own certificate and its key as files have them.
func CertificatePEM(c tls.Certificate) (certificate, key []byte, err error) {
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{
		Type:  "CERTIFICATE",
		Bytes: c.Certificate[0],
	}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// SelfSigned makes a server certificate that is signed by nobody but itself.
func SelfSigned(names []string) (tls.Certificate, error) {
	a := &Authority{}
	return a.Issue(names, nil)
}

// NegativeSerial makes a self-signed server certificate with a negative serial number,
// as Samba does when it is given none.
func NegativeSerial(names []string) (tls.Certificate, error) {
	a := &Authority{}
	made, err := a.Issue(names, func(c *x509.Certificate) { c.SerialNumber = big.NewInt(0x7edcba9876543210) })
	if err != nil {
		return made, err
	}
	made.Certificate[0], err = negate(made.Certificate[0], made.PrivateKey.(*ecdsa.PrivateKey))
	return made, err
}

// negate sets the sign of the serial number, which x509.CreateCertificate refuses to
// do, and signs again.
func negate(der []byte, key *ecdsa.PrivateKey) ([]byte, error) {
	var whole struct {
		TBS       asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &whole); err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	serial := certificate.SerialNumber.Bytes()
	at := bytes.Index(whole.TBS.FullBytes, serial)
	whole.TBS.FullBytes[at] |= 0x80
	sum := sha256.Sum256(whole.TBS.FullBytes)
	signature, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
	if err != nil {
		return nil, err
	}
	whole.Signature = asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}
	return asn1.Marshal(whole)
}

func certificateTemplate(name string) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62))
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(90 * 24 * time.Hour),
	}
}

// sign signs with the parent, or with the new key itself when there is no parent.
func sign(template, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) ([]byte, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make a key: %w", err)
	}
	if parent == nil {
		parent, parentKey = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		return nil, nil, fmt.Errorf("make a certificate: %w", err)
	}
	return der, key, nil
}
