package administrators

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"

	"ldap-gateway/cloud/throttle"
)

// The cost of a password: the second recommendation of RFC 9106 section 4. It
// is written into each hash, so that it may grow without spoiling older ones.
const (
	argonTime    = 3
	argonMemory  = 64 << 10 // KiB
	argonThreads = 4
	argonSalt    = 16
	argonKey     = 32
)

// The lengths of a password in characters and bytes. The upper one bounds what
// a request can make us hash.
const (
	MinPassword = 12
	MaxPassword = 512
)

// cost is what it takes to turn a password into its key.
type cost struct {
	memory, time uint32
	threads      uint8
	salt, key    []byte
}

// decoy is the hash that a name without one is checked against. No password
// leads to a key of zeroes.
func decoy() cost {
	return cost{argonMemory, argonTime, argonThreads, make([]byte, argonSalt), make([]byte, argonKey)}
}

var errHash = errors.New("not a password hash of this program")

// parseHash reads what HashPassword wrote.
func parseHash(text string) (c cost, err error) {
	var version int
	var rest string // %s would run over the separator: the two texts come as one
	if _, err := fmt.Sscanf(
		text,
		"$argon2id$v=%d$m=%d,t=%d,p=%d$%s",
		&version,
		&c.memory,
		&c.time,
		&c.threads,
		&rest,
	); err != nil {
		return cost{}, errHash
	}
	salt, key, _ := strings.Cut(rest, "$")
	c.salt, err = base64.RawStdEncoding.DecodeString(salt)
	if err == nil {
		c.key, err = base64.RawStdEncoding.DecodeString(key)
	}
	if err != nil || version != argon2.Version || len(c.key) < 16 || len(c.salt) < 8 || c.time == 0 || c.threads == 0 {
		return cost{}, errHash
	}
	return c, nil
}

// String returns the hash in the usual form of Argon2's own program.
func (c cost) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.memory, c.time, c.threads,
		base64.RawStdEncoding.EncodeToString(c.salt), base64.RawStdEncoding.EncodeToString(c.key))
}

// derive returns the key of a password.
func (c cost) derive(password string) []byte {
	return argon2.IDKey([]byte(password), c.salt, c.time, c.memory, c.threads, uint32(len(c.key)))
}

// HashPassword returns a new hash of a password. Its error is the context's, or
// throttle.ErrFull when too many wait.
func (d *Authenticator) HashPassword(ctx context.Context, who throttle.Who, password string) (string, error) {
	h := decoy()
	rand.Read(h.salt) // never fails
	var err error
	h.key, err = d.hash(ctx, who, h, password)
	return h.String(), err
}

// CheckPassword tells whether a password is the one of a hash. It works as long
// for an empty hash. Its error is the context's, throttle.ErrFull when too many wait, or says
// that the hash is none. A turn that ends well is not counted.
func (d *Authenticator) CheckPassword(ctx context.Context, who throttle.Who, hash, password string) (bool, error) {
	if len(password) > MaxPassword {
		return false, nil
	}
	h := decoy()
	if hash != "" {
		var err error
		if h, err = parseHash(hash); err != nil {
			return false, err
		}
	}
	key, err := d.hash(ctx, who, h, password)
	good := err == nil && hash != "" && subtle.ConstantTimeCompare(key, h.key) == 1
	if good {
		d.Hashing.Forgive(who)
	}
	return good, err
}

// hash waits for its turn, and returns the key of a password.
func (d *Authenticator) hash(ctx context.Context, who throttle.Who, c cost, password string) ([]byte, error) {
	d.once.Do(d.begin)
	leave, err := d.Hashing.Enter(ctx, who)
	if err != nil {
		return nil, err
	}
	defer leave()
	return d.derive(c, password), nil
}

// begin sets up the queue, and what is counted.
func (d *Authenticator) begin() {
	d.refusals.Bound = d.Bounds.Of(throttle.Unwritten)
	if d.Hashing == nil {
		d.Hashing = NewQueue(nil)
	}
	if d.derive == nil {
		d.derive = cost.derive
	}
}
