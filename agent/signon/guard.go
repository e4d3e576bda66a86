package signon

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"ldap-gateway/configs"
	"ldap-gateway/directory"
)

// guardMost bounds the people that a guard remembers.
const guardMost = 100_000

// Guard counts wrong passwords by person, so that guessing through the gateway
// ends before the directory locks the account. It counts what the directory
// counts: binds that it refused because of the password. A bind under way may
// become one, so no more are under way than may still go wrong.
//
// It counts for this instance. Where several serve one gateway, each counts for
// itself: policy.wrong_passwords is to be what the directory allows, divided.
type Guard struct {
	mu     sync.Mutex
	people map[string]*suspect // by DN
}

// suspect is who gave wrong passwords, or may be about to.
type suspect struct {
	wrong []time.Time   // oldest first
	tries int           // under way
	ended chan struct{} // closed when one of them has; nil: nobody waits for it
}

// enter lets one more try begin, once those under way leave room for it; leave
// ends it. Otherwise it returns how long nothing is asked about the person, or
// the error of a context that ended first.
func (g *Guard) enter(ctx context.Context, dn string, limit configs.WrongPasswords) (wait time.Duration, err error) {
	for {
		wait, ended := g.try(strings.ToLower(dn), limit)
		if ended == nil {
			return wait, nil
		}
		select {
		case <-ended:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// try is enter without waiting: it returns what to wait for.
func (g *Guard) try(key string, limit configs.WrongPasswords) (wait time.Duration, ended <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, now := g.person(key), time.Now()
	for len(p.wrong) > 0 && now.Sub(p.wrong[0]) >= limit.Within {
		p.wrong = p.wrong[1:]
	}
	switch {
	case limit.Most > 0 && len(p.wrong) >= limit.Most:
		return p.wrong[len(p.wrong)-limit.Most].Add(limit.Within).Sub(now), nil
	case limit.Most > 0 && len(p.wrong)+p.tries >= limit.Most:
		if p.ended == nil {
			p.ended = make(chan struct{})
		}
		return 0, p.ended
	}
	p.tries++
	return 0, nil
}

// person returns what is known of one; the caller holds mu.
func (g *Guard) person(key string) *suspect {
	p, known := g.people[key]
	if known {
		return p
	}
	if g.people == nil || len(g.people) >= guardMost {
		g.people = map[string]*suspect{}
	}
	p = &suspect{}
	g.people[key] = p
	return p
}

// leave ends a try that enter let begin.
func (g *Guard) leave(dn string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := strings.ToLower(dn)
	p, known := g.people[key]
	if !known {
		return // forgotten, as too many people were known
	}
	p.tries = max(0, p.tries-1)
	if p.ended != nil {
		close(p.ended)
		p.ended = nil
	}
	if p.tries == 0 && len(p.wrong) == 0 {
		delete(g.people, key)
	}
}

// count notes how a bind ended.
func (g *Guard) count(dn string, err error) {
	if !errors.Is(err, directory.ErrInvalidCredentials) && !errors.Is(err, directory.ErrAnswerLost) {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.person(strings.ToLower(dn))
	p.wrong = append(p.wrong, time.Now())
}

// forget takes back what was counted, as the directory does after a right password.
func (g *Guard) forget(dn string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := strings.ToLower(dn)
	if p, known := g.people[key]; known {
		p.wrong = nil
		if p.tries == 0 {
			delete(g.people, key)
		}
	}
}
