package api

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"time"

	"ldap-gateway/cloud/fault"
	m "ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
)

// certificateBody is a certificate, or a key of ours with its own.
type certificateBody struct {
	Links         links       `json:"_links"`
	ID            string      `json:"id"`
	Environment   reference   `json:"environment"`
	Name          string      `json:"name"`
	Algorithm     string      `json:"algorithm"`
	KeyLength     int         `json:"keyLength"` // bits
	SignatureAlgo string      `json:"signatureAlgorithm"`
	StartsAt      time.Time   `json:"startsAt"`
	ExpiresAt     time.Time   `json:"expiresAt"`
	Days          int         `json:"validityPeriod"` // from the one to the other
	IssuerDN      string      `json:"issuerDN"`
	SubjectDN     string      `json:"subjectDN"`
	SerialNumber  json.Number `json:"serialNumber" jsonschema:"type=integer"` // of up to 20 bytes
	Status        string      `json:"status"`
	UsageType     string      `json:"usageType"`
	Default       bool        `json:"default"`
	X509          []byte      `json:"x509Certificate,omitempty"` // ours: DER in base64
	CreatedAt     time.Time   `json:"createdAt"`
}

// showCertificate shows one below a collection, certificates or keys.
// It is an error of ours when what is kept is no certificate: it was read before it was
// kept.
func (s *Server) showCertificate(c *call, in string, of store.Certificate) (certificateBody, error) {
	parsed, err := x509.ParseCertificate(of.DER)
	if err != nil {
		return certificateBody{}, err
	}
	b := certificateBody{
		Links:         c.self(in, of.ID),
		ID:            of.ID,
		Environment:   reference{c.env},
		Name:          of.Name,
		SignatureAlgo: signatureNamed(parsed.SignatureAlgorithm),
		StartsAt:      parsed.NotBefore.UTC(),
		ExpiresAt:     parsed.NotAfter.UTC(),
		Days:          int(parsed.NotAfter.Sub(parsed.NotBefore).Round(24*time.Hour) / (24 * time.Hour)),
		IssuerDN:      parsed.Issuer.String(),
		SubjectDN:     parsed.Subject.String(),
		SerialNumber:  json.Number(parsed.SerialNumber.String()),
		Status:        statusOf(parsed, s.now()),
		UsageType:     of.Usage,
		Default:       of.Default,
		X509:          of.DER,
		CreatedAt:     of.CreatedAt,
	}
	switch key := parsed.PublicKey.(type) {
	case *rsa.PublicKey:
		b.Algorithm, b.KeyLength = "RSA", key.N.BitLen()
	case *ecdsa.PublicKey:
		b.Algorithm, b.KeyLength = "EC", key.Curve.Params().BitSize
	}
	return b, nil
}

// signatureNamed is a signature as compatible clients name it: SHA256withRSA. One that they
// have no name for is told by Go's.
func signatureNamed(a x509.SignatureAlgorithm) string {
	name := a.String()
	if hash, key, two := strings.Cut(name, "-SHA"); two && hash == "ECDSA" {
		return "SHA" + key + "withECDSA"
	}
	if hash, key, two := strings.Cut(name, "-"); two && (key == "RSA") {
		return hash + "withRSA"
	}
	return name
}

// statusOf tells by the dates alone. Whether it was revoked nobody asks.
func statusOf(c *x509.Certificate, now time.Time) string {
	switch {
	case now.Before(c.NotBefore):
		return "NOT_YET_VALID"
	case !now.Before(c.NotAfter):
		return "EXPIRED"
	}
	return "VALID"
}

// own tells whether a collection is that of our keys.
// What tells them apart is whether there is a sealed key with it.
func own(in string) bool { return in == keysPath }

// The collections: certificates of others, and keys of ours.
const (
	certificatesPath = "certificates"
	keysPath         = "keys"
)

// listCertificates answers with a page of one collection. Both are in one table, so a
// page may have less than its limit, or nothing, and another after it.
func (s *Server) listCertificates(in string) endpoint {
	return func(c *call) (reply, error) {
		page, err := c.page("id", "name", "usageType")
		if err != nil {
			return reply{}, err
		}
		all, next, err := s.Store.Certificates(c.Context(), c.env, page)
		if err != nil {
			return reply{}, err
		}
		bodies := make([]certificateBody, 0, len(all))
		for _, one := range all {
			if own(in) != (len(one.Sealed) > 0) {
				continue
			}
			b, err := s.showCertificate(c, in, one)
			if err != nil {
				return reply{}, err
			}
			is, err := holds(page.Where, b)
			if err != nil {
				return reply{}, err
			}
			if is {
				bodies = append(bodies, b)
			}
		}
		return listed(c, in, bodies, next, func(b certificateBody) certificateBody { return b })
	}
}

// certificate returns the one of the path, when it is in the collection.
// It is store.ErrNotFound when it is in the other one.
func (s *Server) certificate(c *call, in string) (store.Certificate, error) {
	one, err := s.Store.Certificate(c.Context(), c.env, c.PathValue("id"))
	if err == nil && own(in) != (len(one.Sealed) > 0) {
		err = store.ErrNotFound
	}
	return one, err
}

// getCertificate answers with one, never with its key: that is in no body.
func (s *Server) getCertificate(in string) endpoint {
	return func(c *call) (reply, error) {
		one, err := s.certificate(c, in)
		if err != nil {
			return reply{}, err
		}
		b, err := s.showCertificate(c, in, one)
		return reply{http.StatusOK, b}, err
	}
}

// createCertificate keeps the file of a multipart form (RFC 7578).
// The usage is signing unless the form says otherwise, and the name that of its
// subject.
func (s *Server) createCertificate(c *call) (reply, error) {
	file, usage, err := c.upload()
	if err != nil {
		return reply{}, err
	}
	one, err := s.Management.AddCertificate(c.Context(), c.by(), "", usage, file)
	if err != nil {
		return reply{}, err
	}
	b, err := s.showCertificate(c, certificatesPath, one)
	return reply{http.StatusCreated, b}, err
}

// keyMade is what a client may say of a key that is to be made.
type keyMade struct {
	Name           string `json:"name"`
	Algorithm      string `json:"algorithm,omitempty"`          // RSA
	KeyLength      int    `json:"keyLength,omitempty"`          // bits
	SignatureAlgo  string `json:"signatureAlgorithm,omitempty"` // SHA256withRSA
	UsageType      string `json:"usageType,omitempty"`          // SIGNING
	SubjectDN      string `json:"subjectDN,omitempty"`          // CN and the name
	IssuerDN       string `json:"issuerDN,omitempty"`           // the same
	SerialNumber   any    `json:"serialNumber,omitempty"`       // chosen here
	StartsAt       string `json:"startsAt,omitempty"`           // now
	ExpiresAt      string `json:"expiresAt,omitempty"`          // by validityPeriod
	ValidityPeriod int    `json:"validityPeriod,omitempty"`     // days
	Default        bool   `json:"default,omitempty"`            // signs for applications that name none
}

// others returns a fault for each thing that a key of ours never has.
// They are told and not passed over: who asks for a key with a serial number must not
// believe that it has it.
func (f keyMade) others() (details []detail) {
	own := []string{"", "CN=" + f.Name}
	for _, p := range []struct {
		name, value string
		ours        []string
	}{
		{"algorithm", f.Algorithm, []string{"", "RSA"}},
		{"signatureAlgorithm", f.SignatureAlgo, []string{"", "SHA256withRSA", "SHA256-RSA"}},
		{"usageType", f.UsageType, []string{"", m.Signing}},
		{"subjectDN", f.SubjectDN, own},
		{"issuerDN", f.IssuerDN, own},
		{"startsAt", f.StartsAt, []string{""}},
		{"expiresAt", f.ExpiresAt, []string{""}},
	} {
		if slices.Contains(p.ours, p.value) {
			continue
		}
		may := "Leave it out."
		if usual := p.ours[len(p.ours)-1]; usual != "" {
			may = "It is " + usual + ", or left out."
		}
		details = append(details, wrong(p.name, "A key of ours has its own %s. %s", p.name, may))
	}
	if f.SerialNumber != nil {
		details = append(details, wrong("serialNumber", "A key of ours has its own serialNumber. Leave it out."))
	}
	return details
}

// createKey makes a key here. It cannot be brought, and none is ever shown.
func (s *Server) createKey(c *call) (reply, error) {
	var form keyMade
	if err := c.read(&form); err != nil {
		return reply{}, err
	}
	if err := invalid(form.others()...); err != nil {
		return reply{}, err
	}
	d := m.KeyDraft{Name: form.Name, Bits: form.KeyLength, Days: form.ValidityPeriod}
	one, err := s.Management.MakeKey(c.Context(), c.by(), d)
	if err != nil {
		return reply{}, err
	}
	if form.Default {
		if one, err = s.Management.ChooseKey(c.Context(), c.by(), one.ID); err != nil {
			return reply{}, err
		}
	}
	b, err := s.showCertificate(c, keysPath, one)
	return reply{http.StatusCreated, b}, err
}

// keyChosen is what may be changed of a key.
type keyChosen struct {
	Default bool `json:"default"`
}

// putKey has a key sign for the applications that name none. Everything else of a key stays.
func (s *Server) putKey(c *call) (reply, error) {
	var form keyChosen
	if err := c.read(&form); err != nil {
		return reply{}, err
	}
	if !form.Default {
		return reply{}, invalid(wrong("default", "It must be true: another key is made the default in its place."))
	}
	one, err := s.Management.ChooseKey(c.Context(), c.by(), c.PathValue("id"))
	if err != nil {
		return reply{}, err
	}
	shown, err := s.showCertificate(c, keysPath, one)
	return reply{http.StatusOK, shown}, err
}

// deleteCertificate answers with 204; 409 while a provider uses it. An If-Match is held
// against what reading it in the same collection answers.
func (s *Server) deleteCertificate(in string) endpoint {
	return func(c *call) (reply, error) {
		return gone(s.Management.DeleteCertificate(c.Context(), c.by(), c.PathValue("id"), func(one store.Certificate) error {
			if own(in) != (len(one.Sealed) > 0) {
				return store.ErrNotFound
			}
			b, err := s.showCertificate(c, in, one)
			return errors.Join(err, c.fresh(b))
		}))
	}
}

// upload reads the parts file and usageType.
// Parts of other names are passed over. All of them together are bounded by maxBody.
func (c *call) upload() (file []byte, usage string, err error) {
	wrongKind := refused(http.StatusUnsupportedMediaType, "The body must be multipart/form-data with file and usageType.")
	kind, parameters, err := mime.ParseMediaType(c.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		return nil, "", wrongKind
	}
	parts := multipart.NewReader(c.Body, parameters["boundary"])
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, "", unread(err)
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return nil, "", unread(err)
		}
		switch part.FormName() {
		case "file":
			file = value
		case "usageType":
			usage = string(value)
		}
	}
	if file == nil {
		return nil, "", fault.Of(fault.CertificateFile, fault.Missing, "Send the certificate as the part file.")
	}
	if usage == "" {
		usage = m.Signing
	}
	return file, usage, nil
}
