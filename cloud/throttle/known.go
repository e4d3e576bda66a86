package throttle

import (
	"encoding/base64"
	"encoding/binary"
	"time"
)

// KnownLife is how long a browser is known by which somebody has signed on.
const KnownLife = 90 * 24 * time.Hour

// Sealer keeps what browsers carry so that nobody else makes it; *vault.Vault does.
type Sealer interface {
	Seal(purpose, owner string, secret []byte) []byte
	Open(purpose, owner string, sealed []byte) ([]byte, error)
}

// Known has browsers be known by which somebody has signed on. What they keep opens nothing: it
// only has tries by such browsers be counted apart from those of strangers, so that nobody is locked
// out by them. Whoever counts is to count all browsers of one owner together: who signs on again and
// again has no more tries by that.
type Known struct {
	Seals   Sealer
	Purpose string // as in "known browsers of people"
}

// Mark returns what a browser is to keep by which an owner has just signed on.
func (k Known) Mark(owner string, now time.Time) string {
	until := binary.BigEndian.AppendUint64(nil, uint64(now.Add(KnownLife).Unix()))
	return base64.RawURLEncoding.EncodeToString(k.Seals.Seal(k.Purpose, owner, until))
}

// Knows tells whether a browser keeps that an owner has signed on by it; not when that is none of
// Mark, another's, or too old.
func (k Known) Knows(owner, kept string, now time.Time) bool {
	sealed, err := base64.RawURLEncoding.DecodeString(kept)
	if err != nil || kept == "" {
		return false
	}
	until, err := k.Seals.Open(k.Purpose, owner, sealed)
	return err == nil && len(until) == 8 && int64(binary.BigEndian.Uint64(until)) >= now.Unix()
}
