package agent

import (
	"errors"
	"strings"
	"sync"
	"time"

	"ldap-gateway/configs"
	"ldap-gateway/directory"
)

// guardMost bounds the people that a guard remembers.
const guardMost = 100_000

// guard counts wrong passwords by person, so that guessing through the gateway
// ends before the directory locks the account. It counts what the directory
// counts: binds that it refused because of the password.
type guard struct {
	mu     sync.Mutex
	people map[string][]time.Time // wrong passwords by DN, oldest first
}

// wait returns how long nothing is asked about the person; zero when it may be.
func (g *guard) wait(dn string, limit configs.WrongPasswords) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := strings.ToLower(dn)
	now := time.Now()
	recent := g.people[key]
	for len(recent) > 0 && now.Sub(recent[0]) >= limit.Within {
		recent = recent[1:]
	}
	if len(recent) == 0 {
		delete(g.people, key)
		return 0
	}
	g.people[key] = recent
	if limit.Most == 0 || len(recent) < limit.Most {
		return 0
	}
	return recent[len(recent)-limit.Most].Add(limit.Within).Sub(now)
}

// count notes how a bind ended.
func (g *guard) count(dn string, err error) {
	if !errors.Is(err, directory.ErrInvalidCredentials) && !errors.Is(err, directory.ErrAnswerLost) {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.people == nil || len(g.people) >= guardMost {
		g.people = map[string][]time.Time{}
	}
	key := strings.ToLower(dn)
	g.people[key] = append(g.people[key], time.Now())
}

// forget takes back what was counted, as the directory does after a right password.
func (g *guard) forget(dn string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.people, strings.ToLower(dn))
}
