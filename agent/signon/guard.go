package signon

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"sync"
	"time"

	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/configs"
	"ldap-gateway/directory"
	"ldap-gateway/directory/dn"
)

// guardMost bounds the people that a guard remembers.
const guardMost = 100_000

// guardLines is after how many lines the journal is written anew.
const guardLines = 20_000

// Journal keeps what a Guard counted, so that it outlives the program. People are
// named by a hash.
type Journal interface {
	Load(since, now time.Time) (all map[string][]time.Time, doubted time.Time, err error)
	Wrong(who string, at time.Time) error
	Right(who string) error
	Replace(all map[string][]time.Time, doubted time.Time) error
}

// Guard counts wrong passwords by person, so that guessing through the gateway
// ends before the directory locks the account. It counts what the directory
// counts: binds that it refused because of the password. A bind under way may
// become one, so no more are under way than may still go wrong.
//
// It counts for this instance. Where several serve one gateway, each counts for
// itself: policy.wrong_passwords is to be what the directory allows, divided.
type Guard struct {
	mu      sync.Mutex
	people  map[string]*suspect // by the hash of dn.Key
	journal Journal             // nil: a restart forgets
	kept    kept
	doubted time.Time // when counts of anybody may have been lost last
}

// suspect is who gave wrong passwords, or may be about to.
type suspect struct {
	wrong []time.Time   // oldest first
	tries int           // under way
	ended chan struct{} // closed when one of them has; nil: nobody waits for it
}

// mostWrong is the highest number that configs lets the directory hear of.
const mostWrong = 1000

// mostWithin is the longest time that configs lets a wrong password count.
const mostWithin = 24 * time.Hour

// Remember has the guard go on from what a journal kept, and keep it there from
// now on. An error says that it could not be read or written: the guard counts
// all the same, and forgets at the end of the program, unless a later count finds that
// the journal can be used. One that cannot be read is not replaced. What it may
// have lost was anybody's: as long as that would count, everybody has one try.
func (g *Guard) Remember(j Journal) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.journal, g.kept = j, kept{read: g.read, rewrite: g.rewrite, most: guardLines}
	g.kept.mend()
	return g.kept.lost
}

// read takes in what the journal kept; the caller holds mu.
func (g *Guard) read() error {
	now := time.Now()
	all, doubted, err := g.journal.Load(now.Add(-mostWithin), now)
	if err != nil {
		doubted = now
	}
	if doubted.After(g.doubted) {
		g.doubted = doubted
	}
	for who, times := range all {
		p := g.person(who)
		p.wrong = slices.SortedFunc(slices.Values(append(times, p.wrong...)), time.Time.Compare)
		p.wrong = p.wrong[max(0, len(p.wrong)-mostWrong):]
	}
	return err
}

// Lost returns why counts would not outlive the program; nil when they do.
func (g *Guard) Lost() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.kept.lost
}

// rewrite begins the journal anew with what still counts; the caller holds mu.
func (g *Guard) rewrite() (lines int, err error) {
	all, oldest := map[string][]time.Time{}, time.Now().Add(-mostWithin)
	for who, p := range g.people {
		young := slices.DeleteFunc(slices.Clone(p.wrong), func(at time.Time) bool { return at.Before(oldest) })
		if len(young) > 0 {
			all[who] = young
		}
	}
	return 0, g.journal.Replace(all, g.doubted)
}

// who names a person in the guard and in its journal.
func who(entry string) string {
	sum := sha256.Sum256([]byte(dn.Key(entry)))
	return hex.EncodeToString(sum[:16])
}

// enter lets one more try begin, once those under way leave room for it; leave
// ends it. Otherwise it returns how long nothing is asked about the person, or
// the error of a context that ended first.
func (g *Guard) enter(ctx context.Context, entry string, limit configs.WrongPasswords) (wait time.Duration, err error) {
	for {
		wait, ended := g.try(who(entry), limit)
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

// leaves returns how many wrong passwords may come from where one was typed. The last is for a browser
// by which the person has signed on: whoever guesses from another keeps them out of none.
func leaves(limit configs.WrongPasswords, typed wire.Browser) configs.WrongPasswords {
	if typed == wire.BrowserStrange && limit.Most > 1 {
		limit.Most--
	}
	return limit
}

// try is enter without waiting: it returns what to wait for.
func (g *Guard) try(key string, limit configs.WrongPasswords) (wait time.Duration, ended <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, now := g.person(key), time.Now()
	for len(p.wrong) > 0 && now.Sub(p.wrong[0]) >= limit.Within {
		p.wrong = p.wrong[1:]
	}
	wrong, doubt := len(p.wrong), g.doubted.Add(limit.Within).Sub(now)
	if doubt > 0 { // all but one may have been lost
		wrong = max(wrong, limit.Most-1+g.sinceDoubt(p))
	}
	switch {
	case limit.Most > 0 && len(p.wrong) >= limit.Most:
		return p.wrong[len(p.wrong)-limit.Most].Add(limit.Within).Sub(now), nil
	case limit.Most > 0 && wrong >= limit.Most:
		return doubt, nil
	case limit.Most > 0 && wrong+p.tries >= limit.Most:
		if p.ended == nil {
			p.ended = make(chan struct{})
		}
		return 0, p.ended
	}
	p.tries++
	return 0, nil
}

// sinceDoubt counts the wrong passwords of a person that were surely all; the caller
// holds mu.
func (g *Guard) sinceDoubt(p *suspect) (n int) {
	for _, at := range p.wrong {
		if !at.Before(g.doubted) {
			n++
		}
	}
	return n
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
func (g *Guard) leave(entry string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := who(entry)
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
func (g *Guard) count(entry string, err error) {
	if !errors.Is(err, directory.ErrInvalidCredentials) && !errors.Is(err, directory.ErrAnswerLost) {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	key, now := who(entry), time.Now()
	p := g.person(key)
	p.wrong = append(p.wrong, now)
	p.wrong = p.wrong[max(0, len(p.wrong)-mostWrong):]
	g.kept.add(func() error { return g.journal.Wrong(key, now) })
}

// forget takes back what was counted, as the directory does after a right password.
func (g *Guard) forget(entry string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := who(entry)
	p, known := g.people[key]
	if !known {
		return
	}
	if len(p.wrong) > 0 {
		g.kept.add(func() error { return g.journal.Right(key) })
	}
	p.wrong = nil
	if p.tries == 0 {
		delete(g.people, key)
	}
}
