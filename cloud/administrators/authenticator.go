package administrators

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
)

// Sealer keeps secrets so that the database does not show them; *vault.Vault does.
type Sealer interface {
	Seal(purpose, owner string, secret []byte) []byte
	Open(purpose, owner string, sealed []byte) ([]byte, error)
}

// Authenticator checks proofs. Safe for concurrent use.
type Authenticator struct {
	Store *store.Store
	Vault Sealer
	URLs  []string         // that people open the console by
	Now   func() time.Time // of one-time passwords; nil: time.Now
	// Hashing has passwords that are hashed, each in 64 MiB; nil: NewQueue's.
	Hashing *throttle.Queue
	Bounds  *throttle.Bounds // of what is not written; nil: nobody counts

	once     sync.Once
	derive   func(c cost, password string) []byte // nil: cost.derive; tests have another
	refusals throttle.Sample                      // that are written
}

// ErrProof says that what was shown proves nothing.
var ErrProof = errors.New("not proven")

// Mark stands for the password, the one-time passwords and the passkeys of an
// administrator: it is another one as soon as one of them is. It gives none away.
// A session keeps it and ends when it is another: so whoever changes a password ends
// what was opened by the old one, on every node and without a list of sessions.
func (d *Authenticator) Mark(ctx context.Context, a store.Administrator) (string, error) {
	keys, err := d.Store.Passkeys(ctx, a.ID)
	sum := sha256.New()
	fmt.Fprintf(sum, "%q %q", a.PasswordHash, a.TOTP)
	for _, p := range keys {
		fmt.Fprintf(sum, " %q", p.ID)
	}
	return hex.EncodeToString(sum.Sum(nil)), err
}

// now is the time of day, which tests set.
func (d *Authenticator) now() time.Time {
	if d.Now == nil {
		return time.Now()
	}
	return d.Now()
}
