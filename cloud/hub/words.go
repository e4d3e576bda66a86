package hub

import (
	"errors"
	"time"

	"ldap-gateway/cloudlink/wire"
)

// errTalks ends a link that says too much of its own accord: each word is work for every
// node.
var errTalks = errors.New("it says more than an agent does, of its own accord")

// How much a link may say that nobody asked for: so many words at once, and so many more
// in each heartbeat. An agent says one or two.
const (
	wordsAtOnce       = 60
	wordsPerHeartbeat = 6
)

// words is what a link has left to say of its own accord. The zero value is a link that
// has said nothing.
type words struct {
	spent float64
	at    time.Time
}

// spend takes one word; false when there is none left.
func (w *words) spend(now time.Time, heartbeat time.Duration) bool {
	w.spent = max(0, w.spent-wordsPerHeartbeat*now.Sub(w.at).Seconds()/heartbeat.Seconds())
	w.at = now
	if w.spent+1 > wordsAtOnce {
		return false
	}
	w.spent++
	return true
}

// asked tells whether a frame answers something that is awaited on this link.
func (l *link) asked(f wire.Frame) bool {
	switch f.Kind {
	case wire.KindSignOnResult, wire.KindPasswordChanged, wire.KindExplained, wire.KindLooked, wire.KindUnsupported:
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.pending[f.ID].respond != nil
	case wire.KindUserTypesAnswer:
		l.mu.Lock()
		defer l.mu.Unlock()
		owed := l.owed > 0
		l.owed = max(0, l.owed-1)
		return owed
	}
	return false
}
