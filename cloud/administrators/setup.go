package administrators

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// NewSetupSecret returns a one-time secret by which an administrator sets a first
// password, and what is kept of it. It has 120 random bits.
func NewSetupSecret() (secret string, hash []byte) {
	b := make([]byte, 15)
	rand.Read(b) // never fails
	secret = base64.RawURLEncoding.EncodeToString(b)
	return secret, SetupHash(secret)
}

// SetupHash is what is kept of a set-up secret: that has too much in it to be
// guessed from its hash, so the hash needs no salt and no time.
func SetupHash(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}
