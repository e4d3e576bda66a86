package wire

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Paths of the cloud's end of the link, below its URL.
const (
	PathStatus  = "/link/v1"         // GET: Status
	PathPair    = "/link/v1/pair"    // POST PairRequest: PairAnswer, or Refusal
	PathShow    = "/link/v1/show"    // POST PairRequest without a code: PairTicket, or Refusal
	PathAwait   = "/link/v1/await"   // POST PairAwait: PairAnswer, empty until somebody has decided, or Refusal
	PathConnect = "/link/v1/connect" // GET, websocket; Refusal when it is not opened
	PathUnpair  = "/link/v1/unpair"  // POST, with an assertion whose audience is this path's URL: Unpaired, or Refusal
)

// Status is what anyone may know of the cloud's end; JSON.
type Status struct {
	Service  string    `json:"service"` // "ldap-cloud"
	Time     time.Time `json:"time"`
	Versions []uint16  `json:"versions"` // of the wire
	// Nonce is for the next proof of an instance, used once and soon: see Assertion.
	// Empty from a cloud that gives none.
	Nonce []byte `json:"nonce,omitempty"`
}

// GaveNonce tells whether the cloud gave a nonce that a proof can carry.
func (s Status) GaveNonce() bool { return len(s.Nonce) == nonceSize }

// PairRequest asks to make an instance of whoever has the code; JSON.
type PairRequest struct {
	Code      string `json:"code"`
	PublicKey []byte `json:"publicKey"` // Ed25519
	SealKey   []byte `json:"sealKey"`   // HPKE X-Wing
	Hostname  string `json:"hostname,omitempty"`
	Software  string `json:"software,omitempty"`
	// Cloud is the URL that the agent's proofs will be for; empty from an agent of before.
	Cloud string `json:"cloud,omitempty"`
	// Proof is a signature over PairProof: whoever asks has the private key.
	Proof []byte `json:"proof"`
}

// PairTicket is for an agent that shows a code and waits for its approval, as in
// RFC 8628; JSON.
type PairTicket struct {
	Ticket  string    `json:"ticket"` // secret, to ask with
	Code    string    `json:"code"`   // to be shown
	Expires time.Time `json:"expires"`
	Seconds int       `json:"seconds"` // between two questions
}

// PairAwait asks whether somebody has decided; JSON.
type PairAwait struct {
	Ticket string `json:"ticket"`
}

// PairAnswer is the credential's public part; JSON.
type PairAnswer struct {
	Instance    string `json:"instance"`
	Gateway     string `json:"gateway"`
	GatewayName string `json:"gatewayName"`
	Environment string `json:"environment"` // name
	Fingerprint string `json:"fingerprint"`
}

// Unpaired says that the instance which asked is one no longer; JSON.
type Unpaired struct {
	Instance string `json:"instance"`
}

// PairProof returns the bytes that the proof of a pairing request signs.
func PairProof(code string, publicKey, sealKey []byte) []byte {
	h := sha256.New()
	h.Write([]byte("ldap-gateway pairing v1\x00"))
	h.Write([]byte(NormalCode(code) + "\x00"))
	h.Write(publicKey)
	h.Write(sealKey)
	return h.Sum(nil)
}

// RotateProof returns the bytes that both signatures of a rotation sign.
func RotateProof(instance string, publicKey, sealKey []byte) []byte {
	h := sha256.New()
	h.Write([]byte("ldap-gateway rotation v1\x00"))
	h.Write([]byte(instance + "\x00"))
	h.Write(publicKey)
	h.Write(sealKey)
	return h.Sum(nil)
}

// Check tells whether the rotation of an instance's keys is well formed and
// signed by the key that it has and by the one that it wants.
func (r Rotate) Check(instance string, have ed25519.PublicKey) error {
	proof := RotateProof(instance, r.PublicKey, r.SealKey)
	if len(r.PublicKey) != ed25519.PublicKeySize || !ed25519.Verify(have, proof, r.Old) ||
		!ed25519.Verify(r.PublicKey, proof, r.New) {
		return errors.New("the signatures do not fit the keys")
	}
	_, err := NewSealer(instance, r.SealKey)
	return err
}

// Check tells whether the request is well formed and proven.
func (r PairRequest) Check() error {
	if len(r.PublicKey) != ed25519.PublicKeySize ||
		!ed25519.Verify(r.PublicKey, PairProof(r.Code, r.PublicKey, r.SealKey), r.Proof) {
		return errors.New("the proof does not fit the key")
	}
	if _, err := NewSealer("", r.SealKey); err != nil {
		return err
	}
	return nil
}

// Fingerprint is what people compare on both sides: 120 bits of a hash of both
// public keys, as six groups of four letters and digits.
func Fingerprint(publicKey, sealKey []byte) string {
	h := sha256.New()
	fmt.Fprintf(h, "ldap-gateway fingerprint v1\x00%d\x00", len(publicKey))
	h.Write(publicKey)
	h.Write(sealKey)
	s := codeAlphabet.EncodeToString(h.Sum(nil)[:15])
	groups := make([]string, 0, 6)
	for ; len(s) > 0; s = s[4:] {
		groups = append(groups, s[:4])
	}
	return strings.Join(groups, "-")
}

// codeAlphabet has no I, L, O and U, which are misread (Crockford's base 32).
var codeAlphabet = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// NewCode makes a pairing code of random bytes, five bytes for eight
// characters, as people read it: "7QXK-2M9D".
func NewCode(random []byte) string {
	s := codeAlphabet.EncodeToString(random)
	return s[:len(s)/2] + "-" + s[len(s)/2:]
}

// NormalCode returns code as it is compared: upper case, without dashes and
// blanks, misread letters put right.
func NormalCode(code string) string {
	return strings.NewReplacer(
		"-",
		"",
		" ",
		"",
		"O",
		"0",
		"I",
		"1",
		"L",
		"1",
	).Replace(
		strings.ToUpper(strings.TrimSpace(code)),
	)
}

// Refusal is the body of a refusing HTTP answer on the link's paths; JSON.
type Refusal struct {
	Code       RefusalCode `json:"code"`
	Message    string      `json:"message"`              // with the remedy
	RetryAfter int         `json:"retryAfter,omitempty"` // seconds
	Time       time.Time   `json:"time"`                 // the cloud's, to tell a wrong clock by
	// Nonce is what Status has, where a link was asked for without a proof.
	Nonce []byte `json:"nonce,omitempty"`
}

// GaveNonce tells whether the cloud gave a nonce that a proof can carry.
func (r Refusal) GaveNonce() bool { return len(r.Nonce) == nonceSize }

// RefusalCode says why; decisions are made on it, never on the message.
type RefusalCode string

// The reasons of refusals.
const (
	RefusedCode      RefusalCode = "CODE"      // pairing code wrong, used, expired or denied
	RefusedThrottled RefusalCode = "THROTTLED" // too many wrong codes or connects
	RefusedAssertion RefusalCode = "ASSERTION" // not proven
	RefusedClock     RefusalCode = "CLOCK"     // assertion of another time
	RefusedNonce     RefusalCode = "NONCE"     // assertion without the cloud's nonce, of who has sent one
	RefusedReplay    RefusalCode = "REPLAY"    // assertion used before
	RefusedRevoked   RefusalCode = "REVOKED"   // the instance or its gateway is gone, for good
	RefusedCloned    RefusalCode = "CLONED"    // the state folder was copied or restored: pair again
	RefusedDisabled  RefusalCode = "DISABLED"  // the gateway is switched off
	RefusedVersion   RefusalCode = "VERSION"   // no version of the wire in common
	RefusedGoingAway RefusalCode = "GOINGAWAY" // this node is stopping: dial again
	RefusedRequest   RefusalCode = "REQUEST"   // malformed
	RefusedUpgrade   RefusalCode = "UPGRADE"   // what came is no websocket: a proxy took that away
)

// Error makes a refusal an error; the text is for the administrator.
func (r *Refusal) Error() string { return r.Message }
