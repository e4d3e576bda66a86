package idp

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"ldap-gateway/cloud/evidence"
	"ldap-gateway/cloud/idp/relying"
	"ldap-gateway/cloud/idp/samlsp"
	"ldap-gateway/cloud/store"
)

// What the vault seals. The owner is the environment, or the provider.
const (
	purposeJourney = "idp-journey"
	purposeRequest = "idp-request"
	purposeArrival = "idp-arrival"
	purposeRefusal = "idp-refusal"
	PurposeSecret  = "idp-secret" // client secrets; the owner is the provider
	PurposeKey     = "idp-key"    // private keys; the owner is the certificate
)

// suffixSize is how much of a journey's key names its cookie: several may be under way.
const suffixSize = 12

// journey is a sign-on under way. The browser has it, sealed.
type journey struct {
	Key      string // state of OpenID Connect, RelayState of SAML
	Provider string
	Wish     Wish
	OIDC     relying.Kept
	SAML     samlsp.Kept
	Until    time.Time
}

// seal makes a journey a cookie.
// Everything is in the cookie, so that a node has nothing to keep for who never comes
// back.
func (d *Desk) seal(env string, j journey) (Cookie, error) {
	b, err := json.Marshal(j)
	if err != nil {
		return Cookie{}, err
	}
	return Cookie{
		Suffix: j.Key[:suffixSize],
		Value:  d.Vault.SealText(purposeJourney, env, b),
		Life:   journeyTime,
	}, nil
}

// open finds the journey of a key among the browser's cookies. Its time may be over.
// Whoever has the cookie of another journey has not begun this one.
func (d *Desk) open(env, key string, cookies Cookies) (j journey, err error) {
	if len(key) < suffixSize {
		return j, evidence.Refuse(evidence.WrongRequest, "the answer names no sign-on of ours")
	}
	j, ok := d.opened(env, cookies(key[:suffixSize]))
	switch {
	case !ok || subtle.ConstantTimeCompare([]byte(j.Key), []byte(key)) != 1:
		return journey{}, evidence.Refuse(evidence.WrongRequest, "this browser has not begun this sign-on")
	case !d.now().Before(j.Until):
		return journey{}, evidence.Refuse(evidence.WrongRequest, "the person took longer than %s", journeyTime)
	}
	return j, nil
}

// opened opens a cookie's value; false when it is none of ours.
// One of another environment is sealed for that, and is none.
func (d *Desk) opened(env, value string) (j journey, ok bool) {
	plain, err := d.Vault.OpenText(purposeJourney, env, value)
	return j, err == nil && json.Unmarshal(plain, &j) == nil
}

// requestID makes the ID of a SAML request. It says by its seal which provider was
// asked, so that an answer that comes without a cookie need not be looked for.
func (d *Desk) requestID(p store.IdentityProvider, until time.Time) string {
	id, _ := uuid.Parse(p.ID) // of one that is no UUID it is nil, and nobody is found by it
	b := binary.BigEndian.AppendUint64(id[:], uint64(until.Unix()))
	sealed := d.Vault.Seal(purposeRequest, p.EnvironmentID, b)
	return "_" + base64.RawURLEncoding.EncodeToString(sealed)
}

// asked returns which provider a request went to that we made and whose time is not over.
// It has 24 bytes: the provider's ID and, in seconds, until when it may be answered.
func (d *Desk) asked(env, request string) (provider string, err error) {
	wrong := evidence.Refuse(evidence.WrongRequest, "the answer is to no request of ours")
	if len(request) < 2 || request[0] != '_' {
		return "", wrong
	}
	sealed, err := base64.RawURLEncoding.DecodeString(request[1:])
	if err != nil {
		return "", wrong
	}
	b, err := d.Vault.Open(purposeRequest, env, sealed)
	if err != nil || len(b) != 24 {
		return "", wrong
	}
	if until := time.Unix(int64(binary.BigEndian.Uint64(b[16:])), 0); !d.now().Before(until) {
		return "", evidence.Refuse(evidence.WrongRequest, "the person took longer than %s", journeyTime)
	}
	return uuid.UUID(b[:16]).String(), nil
}

// nonce is what is remembered of something that is good once.
// Each part goes in with its length, so that two lists never make one text.
func nonce(parts ...string) []byte {
	h := sha256.New()
	for _, p := range parts {
		_, _ = h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(p))))
		_, _ = h.Write([]byte(p))
	}
	return h.Sum(nil)
}
