package throttle

import (
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
)

// sampleLength is the time within which a sample keeps so many of a kind.
const sampleLength = time.Hour

// Sample decides what of the things that strangers bring about is written down, so that
// no number of them fills a disk: the first of each kind within an hour. The zero value
// is good; safe for concurrent use.
type Sample struct {
	Bound *Bound // is told of what is not written down; nil: nobody is

	once   sync.Once
	window Window
}

// Keep tells whether one more of a kind is to be written, of which most are within an
// hour; first tells that it is the first that is not.
func (s *Sample) Keep(now time.Time, kind string, most int) (keep, first bool) {
	s.once.Do(func() { s.window.Length = sampleLength })
	if s.window.Begin(now, Limit{Key: kind, Most: most}) == 0 {
		return true, false
	}
	s.Bound.Bite(now, "")
	return false, s.window.Begin(now, Limit{Key: kind + "\x00over", Most: 1}) == 0
}

// linesPerHour is how many lines of one kind a log has within an hour of what strangers
// bring about.
const linesPerHour = 600

// Level returns at which level a line of a kind is logged that strangers bring about:
// usual for the first so many within an hour, and Debug for those beyond.
func (s *Sample) Level(kind string, usual hclog.Level) hclog.Level {
	if keep, _ := s.Keep(time.Now(), kind, linesPerHour); keep {
		return usual
	}
	return hclog.Debug
}
