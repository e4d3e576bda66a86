package directory

import (
	"errors"
	"sync"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// OpBind is what ResultError.Op says of a bind with a user's password.
const OpBind = "bind"

const opServiceBind = "service bind"

// refusal remembers that the directory refused the service account, for the whole
// client: trying it again at once, or at the next server, could lock the account.
type refusal struct {
	mu    sync.Mutex
	err   error
	count int
	until time.Time
}

func (r *refusal) standing() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil && time.Now().Before(r.until) {
		return r.err
	}
	return nil
}

func (r *refusal) note(err error) {
	if !refusedBind(err) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Now().After(r.until) {
		r.until = time.Now().Add(min(5*time.Second<<min(r.count, 8), 5*time.Minute))
		r.count++
	}
	r.err = err
}

func (r *refusal) clear() {
	r.mu.Lock()
	r.err, r.count = nil, 0
	r.mu.Unlock()
}

// refusedBind says whether the service bind was refused for its credentials.
func refusedBind(err error) bool {
	var e *ResultError
	return errors.As(err, &e) && e.Op == opServiceBind && e.Code == ldap.LDAPResultInvalidCredentials
}
