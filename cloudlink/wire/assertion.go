package wire

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
)

// AssertionScheme is the HTTP authentication scheme (RFC 9110 section 11.1) of
// the header that opens a link: "Authorization: Instance ASSERTION".
const AssertionScheme = "Instance"

// AssertionLife is how long an assertion is good for, either side of its time.
const AssertionLife = 2 * time.Minute

// ErrAssertion says that an assertion is malformed, not for this cloud, or not
// signed by the instance that it names.
var ErrAssertion = errors.New("bad assertion")

// ErrAssertionTime says that an assertion is of another time than ours: one of
// the two clocks is wrong, or it is a replay.
var ErrAssertionTime = errors.New("assertion of another time")

// Assertion proves possession of an instance's key, once, to one cloud. The
// cloud remembers Nonce until the assertion has expired. It is one that the cloud
// gave a moment ago, which it refuses when it is old, whatever time is claimed. One
// that is not its own it takes by the time alone, as agents of before send it, until
// the instance has sent one that was.
type Assertion struct {
	Instance string `cbor:"1,keyasint"`
	Audience string `cbor:"2,keyasint"` // the cloud's URL as the agent's file has it, without a trailing slash
	Time     int64  `cbor:"3,keyasint"` // seconds since 1970
	Nonce    []byte `cbor:"4,keyasint"` // 16 bytes: of Status, or random
	Epoch    uint64 `cbor:"5,keyasint"` // that the instance has kept; tells a copy of its state
}

// signedAssertion is what travels: the exact bytes that were signed beside the signature.
type signedAssertion struct {
	Assertion []byte `cbor:"1,keyasint"`
	Signature []byte `cbor:"2,keyasint"`
}

// assertionDomain keeps a signature made here from meaning anything elsewhere.
const assertionDomain = "ldap-gateway assertion v1\x00"

// NewAssertion returns an assertion of instance, at an epoch, for the cloud at
// audience, with a fresh nonce.
func NewAssertion(instance, audience string, epoch uint64, now time.Time) Assertion {
	nonce := make([]byte, nonceSize)
	rand.Read(nonce) // never fails: crypto/rand ends the program instead
	return Assertion{
		Instance: instance,
		Audience: strings.TrimRight(audience, "/"),
		Time:     now.Unix(),
		Nonce:    nonce,
		Epoch:    epoch,
	}
}

// With returns a with the nonce that a cloud gave.
func (a Assertion) With(nonce []byte) Assertion {
	a.Nonce = nonce
	return a
}

// Sign returns the value of the Authorization header for a.
func (a Assertion) Sign(key ed25519.PrivateKey) (string, error) {
	b, err := Marshal(a)
	if err != nil {
		return "", err
	}
	signed, err := Marshal(signedAssertion{b, ed25519.Sign(key, append([]byte(assertionDomain), b...))})
	return AssertionScheme + " " + base64.RawURLEncoding.EncodeToString(signed), err
}

// OpenAssertion reads an Authorization header and checks all of it: form,
// audience, time and, with the key that keyOf returns for the instance, the
// signature. It does not know whether the nonce was used before, nor whether it was
// given by a cloud: see Nonces. Errors wrap
// ErrAssertion or ErrAssertionTime, or are those of keyOf.
func OpenAssertion(
	header string, audiences []string, now time.Time, keyOf func(instance string) (ed25519.PublicKey, error),
) (Assertion, error) {
	signed, a, err := parseAssertion(header)
	if err != nil {
		return Assertion{}, err
	}
	if !contains(audiences, a.Audience) {
		return Assertion{}, fmt.Errorf("%w: it is meant for %q", ErrAssertion, a.Audience)
	}
	key, err := keyOf(a.Instance)
	if err != nil {
		return Assertion{}, err
	}
	if len(key) != ed25519.PublicKeySize ||
		!ed25519.Verify(key, append([]byte(assertionDomain), signed.Assertion...), signed.Signature) {
		return Assertion{}, fmt.Errorf("%w: wrong signature", ErrAssertion)
	}
	if d := now.Sub(time.Unix(a.Time, 0)); d.Abs() > AssertionLife {
		return Assertion{}, fmt.Errorf("%w: the clocks differ by %s", ErrAssertionTime, d.Abs().Round(time.Second))
	}
	return a, nil
}

func parseAssertion(header string) (s signedAssertion, a Assertion, err error) {
	scheme, value, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, AssertionScheme) || len(value) > 4096 {
		return s, a, fmt.Errorf("%w: no %s authorization", ErrAssertion, AssertionScheme)
	}
	b, err := base64.RawURLEncoding.DecodeString(value)
	if err == nil {
		err = Unmarshal(b, &s)
	}
	if err == nil {
		err = Unmarshal(s.Assertion, &a)
	}
	if err == nil && len(a.Nonce) != nonceSize {
		err = errors.New("nonce is not 16 bytes")
	}
	if err != nil {
		return s, a, fmt.Errorf("%w: %w", ErrAssertion, err)
	}
	return s, a, nil
}

// KnownBy tells whether a cloud that knows itself by some URLs takes proofs for another.
func KnownBy(urls []string, url string) bool { return contains(urls, strings.TrimRight(url, "/")) }

func contains(list []string, s string) bool {
	for _, x := range list {
		if strings.EqualFold(strings.TrimRight(x, "/"), s) {
			return true
		}
	}
	return false
}
