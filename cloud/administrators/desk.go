package administrators

import (
	"errors"
	"sync"
	"time"

	"ldap-gateway/cloud/store"
)

// Sealer keeps secrets so that the database does not show them; *vault.Vault does.
type Sealer interface {
	Seal(purpose, owner string, secret []byte) []byte
	Open(purpose, owner string, sealed []byte) ([]byte, error)
}

// Desk checks proofs. Safe for concurrent use.
type Desk struct {
	Store *store.Store
	Vault Sealer
	URLs  []string         // that people open the console by
	Now   func() time.Time // of one-time passwords; nil: time.Now

	once    sync.Once
	hashing chan struct{} // a place for each password that may be hashed at once
}

// ErrProof says that what was shown proves nothing.
var ErrProof = errors.New("not proven")

func (d *Desk) now() time.Time {
	if d.Now == nil {
		return time.Now()
	}
	return d.Now()
}
