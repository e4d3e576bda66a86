package signon

import (
	"context"
	"sync"
	"time"

	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/directory"
	"ldap-gateway/directory/dn"
)

// Limits of questions about single groups, each of which belongs to one sign-on.
const (
	mostLooked  = 200              // groups; the others of a question are not looked at
	mostLooks   = 8                // questions at once; others are busy
	lookTime    = 2 * time.Second  // of one, and no more than most of what the cloud gives
	lookLife    = 10 * time.Second // from the sign-on to the question
	lookMemory  = 1000             // sign-ons that are remembered
	lookWeight  = 100_000          // groups of all of them
	mostDN      = 8 << 10          // bytes, of a DN, ID or stamp that is asked about
	lookReserve = 8                // the part of the time that is kept for the answer
)

// finished is a sign-on that ended well, as far as a question after it needs it.
type finished struct {
	id         string
	userType   *directory.UserType
	entry      directory.Entry
	membership directory.Membership // before the policy cut it
	at         time.Time
}

// looks remembers which sign-ons may be asked about, each once.
type looks struct {
	mu      sync.Mutex
	byID    map[string]*finished
	inOrder []*finished // the oldest first; taken ones stay until their time is over
	weight  int
	slots   chan struct{} // nil until the first question
}

// keep remembers a sign-on, and forgets the oldest beyond what is kept.
func (l *looks) keep(f *finished) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byID == nil {
		l.byID = map[string]*finished{}
	}
	l.byID[f.id] = f
	l.inOrder = append(l.inOrder, f)
	l.weight += f.weight()
	for len(l.inOrder) > lookMemory || l.weight > lookWeight || f.at.Sub(l.inOrder[0].at) > lookLife {
		oldest := l.inOrder[0]
		l.inOrder = l.inOrder[1:]
		l.weight -= oldest.weight()
		delete(l.byID, oldest.id)
		if len(l.inOrder) == 0 {
			break
		}
	}
}

func (f *finished) weight() int { return 1 + len(f.membership.Groups) }

// take returns the sign-on with this ID, once; nil when there is none that is young enough.
func (l *looks) take(id string, now time.Time) *finished {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.byID[id]
	if f == nil || now.Sub(f.at) > lookLife {
		return nil
	}
	delete(l.byID, id)
	return f
}

// enter takes one of the slots for questions; it is false when all are taken.
func (l *looks) enter() bool {
	l.mu.Lock()
	if l.slots == nil {
		l.slots = make(chan struct{}, mostLooks)
	}
	slots := l.slots
	l.mu.Unlock()
	select {
	case slots <- struct{}{}:
		return true
	default:
		return false
	}
}

func (l *looks) leave() { <-l.slots }

// Look says how the person of a sign-on that has just ended well stands to some
// groups. Only what the policy lets out is looked for.
func (s *Service) Look(ctx context.Context, m wire.Look) (wire.Looked, Trace) {
	start := time.Now()
	answer, trace := s.looked(ctx, m)
	answer.ID = m.ID
	s.log("looked at groups", trace.Asked, []any{
		logSignOn, m.ID, logUserType, m.UserType, logOutcome, answer.Outcome,
		"groups", len(m.Groups), "untellable", count(answer, wire.FindingUntellable), "took", time.Since(start),
	})
	return answer, trace
}

func (s *Service) looked(ctx context.Context, m wire.Look) (wire.Looked, Trace) {
	f := s.looks.take(m.ID, time.Now())
	switch {
	case f == nil || f.userType.ID() != m.UserType:
		return wire.Looked{Outcome: wire.OutcomeNotAllowed}, Trace{}
	case s.Rate != nil && !s.Rate.Allow(), !s.looks.enter():
		return wire.Looked{Outcome: wire.OutcomeBusy}, Trace{DN: f.entry.DN}
	}
	defer s.looks.leave()
	ctx, cancel := context.WithTimeout(ctx, timeToLook(ctx))
	defer cancel()
	return wire.Looked{Outcome: wire.OutcomeOK, Groups: s.sights(ctx, f, m.Groups)}, Trace{f.entry.DN, true}
}

// timeToLook leaves time for the answer to arrive.
func timeToLook(ctx context.Context) time.Duration {
	end, ok := ctx.Deadline()
	if !ok {
		return lookTime
	}
	left := time.Until(end)
	return min(lookTime, left-left/lookReserve)
}

// sights answers for each group, in the order asked.
func (s *Service) sights(ctx context.Context, f *finished, groups []wire.LookGroup) []wire.Sight {
	out := make([]wire.Sight, len(groups))
	var asked []directory.Asked
	var at []int // where in out the answer goes
	for i, g := range groups {
		switch {
		case unreadable(g):
			out[i] = wire.Sight{Finding: wire.FindingUntellable, Reason: wire.LookMalformed}
		case i >= mostLooked:
			out[i] = wire.Sight{Finding: wire.FindingUntellable, Reason: wire.LookTooMany}
		case s.Policy.LeaveOut(g.DN) != "":
			out[i] = wire.Sight{Finding: wire.FindingOutside} // and the directory is not asked
		default:
			asked, at = append(asked, directory.Asked{DN: g.DN, ID: g.ID, Stamp: g.Stamp}), append(at, i)
		}
	}
	for i, seen := range s.People.Evidence(ctx, f.userType, f.entry, f.membership, asked) {
		out[at[i]] = wire.Sight{Finding: findings[seen.Finding], Reason: lookReasons[seen.Obstacle], Stamp: seen.Stamp}
		if seen.DN != "" && s.Policy.LeaveOut(seen.DN) != "" { // it is kept back under its present name
			out[at[i]] = wire.Sight{Finding: wire.FindingOutside}
		}
	}
	return out
}

// unreadable tells whether a group cannot be asked for as it is named. A name that is no
// DN may be one that an agent before this one could read: that it is not let out would
// be no evidence.
func unreadable(g wire.LookGroup) bool {
	_, err := dn.Parse(g.DN)
	return err != nil || len(g.DN) > mostDN || len(g.ID) > mostDN || len(g.Stamp) > mostDN
}

var findings = map[directory.Finding]wire.Finding{
	directory.Still:      wire.FindingStill,
	directory.Seen:       wire.FindingSeen,
	directory.Renamed:    wire.FindingRenamed,
	directory.Gone:       wire.FindingGone,
	directory.Untellable: wire.FindingUntellable,
	directory.Outside:    wire.FindingOutside,
}

var lookReasons = map[directory.Obstacle]wire.LookReason{
	directory.MembersHidden:  wire.LookMembersHidden,
	directory.NotVisible:     wire.LookNotVisible,
	directory.Computed:       wire.LookComputed,
	directory.Behind:         wire.LookBehind,
	directory.ConnectionLost: wire.LookConnection,
	directory.PersonChanged:  wire.LookPerson,
	directory.OutOfTime:      wire.LookTime,
	directory.Elsewhere:      wire.LookElsewhere,
	directory.AskingFailed:   wire.LookFailed,
	directory.NoID:           wire.LookNoID,
	directory.OtherDomain:    wire.LookOtherDomain,
	directory.Malformed:      wire.LookMalformed,
}

func count(l wire.Looked, f wire.Finding) (n int) {
	for _, g := range l.Groups {
		if g.Finding == f {
			n++
		}
	}
	return n
}
