package wire

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// nonceSize is how long a nonce is, the cloud's as any other.
const nonceSize = 16

// NonceLife is how long a nonce of the cloud is good for, by the cloud's own clock:
// whatever time a proof with it claims, it is none afterwards.
const NonceLife = 2 * AssertionLife

// Nonces gives out the nonces that proofs of instances carry, and knows them again
// without having kept any: each is the second it was given in, something random, and
// a keyed hash of both. All nodes of a cloud have one key.
type Nonces struct {
	key []byte
}

// NewNonces returns the nonces of a key; without one, those of a random key.
func NewNonces(key []byte) Nonces {
	if len(key) == 0 {
		key = make([]byte, 32)
		rand.Read(key) // never fails: crypto/rand ends the program instead
	}
	return Nonces{key}
}

// Give returns a fresh nonce.
func (n Nonces) Give(now time.Time) []byte {
	given := make([]byte, 8)
	rand.Read(given) // so that no two are alike
	binary.BigEndian.PutUint32(given, uint32(now.Unix()))
	return n.sealed(given)
}

// Age returns how long ago a nonce was given, and whether it is one of these.
func (n Nonces) Age(nonce []byte, now time.Time) (age time.Duration, ours bool) {
	if len(nonce) != nonceSize || !hmac.Equal(nonce, n.sealed(nonce[:8])) {
		return 0, false
	}
	return now.Sub(time.Unix(int64(binary.BigEndian.Uint32(nonce)), 0)), true
}

// sealed returns the nonce that begins with given.
func (n Nonces) sealed(given []byte) []byte {
	mac := hmac.New(sha256.New, n.key)
	mac.Write([]byte("ldap-gateway nonce v1\x00"))
	mac.Write(given)
	return append(append(make([]byte, 0, nonceSize), given...), mac.Sum(nil)[:nonceSize-len(given)]...)
}
