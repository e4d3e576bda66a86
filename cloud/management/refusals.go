package management

import (
	"errors"
	"fmt"

	"ldap-gateway/cloud/store"
)

// ErrRole says that the actor's role does not allow an action.
var ErrRole = errors.New("the role does not allow this")

// HigherError says that a right that the actor does not have hangs on what was to
// be changed, or was to be given.
type HigherError struct {
	What string     // for people, as in "the group Operators"
	Role store.Role // that it takes
}

// Error implements error.
func (e *HigherError) Error() string {
	return fmt.Sprintf("%s carries the role %s, and only who has that role may change it", e.What, e.Role)
}

// DependentsError says that users depend on what was to go, that groups go with it, or that
// something names it.
type DependentsError struct {
	Provider bool // it is an identity provider, whose people are linked; else it checks passwords
	Users    int
	Some     []store.User      // the first ten
	Groups   int               // just-in-time groups, of an identity provider
	Roles    []store.NamedRole // those of them that give a role
	Named    []Naming
	Final    bool // it does not go by force: what names it is to be changed before
}

// Error implements error.
func (e *DependentsError) Error() string {
	if len(e.Named) > 0 && e.Users+e.Groups == 0 {
		return e.Named[0].String()
	}
	if e.Provider {
		return fmt.Sprintf("%d users and %d groups depend on it", e.Users, e.Groups)
	}
	return fmt.Sprintf("%d users depend on it", e.Users)
}

// Unwrap makes it a store.ErrDependents.
func (e *DependentsError) Unwrap() error { return store.ErrDependents }

// Refusal is a rule that an action would break, in a sentence for people.
type Refusal struct{ Text string }

// Error implements error.
func (r *Refusal) Error() string { return r.Text }

// What rules refuse.
var (
	// ErrNoSecret: some applications prove themselves by PKCE alone, or by a key.
	ErrNoSecret = &Refusal{"This application has no secret: it proves itself by PKCE alone, or by a key."}
	// ErrSecretHashed: secrets were kept as hashes alone before they were sealed.
	ErrSecretHashed = &Refusal{"Only a hash of this secret was kept, as it was made by an older version. Make a new one."}
	// ErrMoving: what becomes of people is decided once.
	ErrMoving = &Refusal{"Users are being moved from or to this gateway. Try again when that is done, in a moment."}
	// ErrRevoked: an instance that was revoked has no keys to change.
	ErrRevoked = &Refusal{"This instance was revoked: its key is refused, and there is none to change. " +
		"Pair the machine anew."}
	// ErrNotOwn: whose account is their organisation's has no password here.
	ErrNotOwn = &Refusal{"You signed in with your organisation's account: its password is settled there."}
)
