package administrators

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"strings"
)

// recoveryCodes is how many are made at once.
const recoveryCodes = 10

// recoveryLength is of a code without what it is written with: 16 letters and digits of
// base32 (RFC 4648) have 80 random bits.
const recoveryLength = 16

// NewRecoveryCodes returns codes by which an administrator gets in who has lost the second
// factor, each good once, as they are written down, and what is kept of them.
func NewRecoveryCodes() (codes []string, hashes [][]byte) {
	for range recoveryCodes {
		b := make([]byte, recoveryLength*5/8)
		rand.Read(b) // never fails
		c := strings.ToLower(base32.StdEncoding.EncodeToString(b))
		codes = append(codes, c[:4]+"-"+c[4:8]+"-"+c[8:12]+"-"+c[12:])
		hashes = append(hashes, recoveryHash(c))
	}
	return codes, hashes
}

// recoveryHash is what is kept of a code, which has too much in it to be guessed from its
// hash: that needs no salt and no time.
func recoveryHash(code string) []byte {
	sum := sha256.Sum256([]byte(code))
	return sum[:]
}

// RecoveryCode returns the hash of a recovery code as people type it; false when it is
// none by its length, as a one-time password is.
func RecoveryCode(typed string) (hash []byte, is bool) {
	code := strings.ToLower(strings.Join(strings.FieldsFunc(typed, func(r rune) bool { return r == '-' || r == ' ' }), ""))
	return recoveryHash(code), len(code) == recoveryLength
}
