package directory

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// OpBind is what ResultError.Op says of a bind with a user's password.
const OpBind = "bind"

const opServiceBind = "service bind"

// refusal remembers that the directory refused the service account, for the whole
// client: trying it again at once, or at the next server, could lock the account.
//
// Until the directory has accepted the account, and after a refusal, only one dial at
// a time is made; otherwise all of them would try a wrong password at once.
type refusal struct {
	gate     chan struct{} // holds one token while a dial is under way
	accepted atomic.Bool   // and not refused since

	mu    sync.Mutex
	err   error
	count int
	until time.Time
}

// enter waits for its turn when there are turns. It returns the refusal that stands,
// or what to call when the dial is over, and whether it had to wait for another dial.
func (r *refusal) enter(ctx context.Context) (leave func(), waited bool, err error) {
	if r.accepted.Load() {
		return func() {}, false, nil
	}
	select {
	case r.gate <- struct{}{}:
	default:
		waited = true
		select {
		case r.gate <- struct{}{}:
		case <-ctx.Done():
			return nil, waited, ctx.Err()
		}
	}
	leave = func() { <-r.gate }
	if err := r.standing(); err != nil {
		leave()
		return nil, waited, err
	}
	return leave, waited, nil
}

func (r *refusal) standing() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Now().Before(r.until) {
		return r.err
	}
	return nil
}

// note takes the outcome of a dial that failed.
func (r *refusal) note(err error) {
	if !refusedBind(err) {
		return
	}
	r.accepted.Store(false)
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Now().After(r.until) {
		r.until = time.Now().Add(min(5*time.Second<<min(r.count, 8), 5*time.Minute))
		r.count++
	}
	r.err = err
}

func (r *refusal) clear() {
	r.accepted.Store(true)
	r.mu.Lock()
	r.err, r.count = nil, 0
	r.mu.Unlock()
}

// refusedBind says whether the service bind was refused for its credentials, by the
// directory or by the KDC.
func refusedBind(err error) bool {
	var e *ResultError
	var ticket *KerberosError
	return errors.As(err, &e) && e.Op == opServiceBind && e.Code == ldap.LDAPResultInvalidCredentials ||
		errors.As(err, &ticket) && ticket.Refused
}
