package signon

import (
	"sync"
	"time"

	"ldap-gateway/directory/dn"
)

// Persons counts the sign-ons of each person, minute by minute.
type Persons struct {
	mu     sync.Mutex
	people map[string]minute // by dn.Key
}

// minute begins with a person's first sign-on in it.
type minute struct {
	from  time.Time
	count int
}

// allow counts one sign-on of the person at dn, and tells whether it is within
// the limit; a limit of zero allows all.
func (p *Persons) allow(entry string, limit int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	key, now := dn.Key(entry), time.Now()
	m := p.people[key]
	if now.Sub(m.from) >= time.Minute {
		m = minute{from: now}
	}
	if limit > 0 && m.count >= limit {
		return false
	}
	if p.people == nil || len(p.people) >= guardMost {
		p.people = map[string]minute{}
	}
	m.count++
	p.people[key] = m
	return true
}
