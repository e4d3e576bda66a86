package signon

import (
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// lines are those of the log that a cloud causes as often as it likes, since they cost
// it nothing: all at first, then one now and then, with how many were left out.
type lines struct {
	once      sync.Once
	sometimes rate.Sometimes
	left      atomic.Int64
}

const (
	firstLines    = 200
	linesInterval = 10 * time.Second
)

// write has one be written, or leaves it out.
func (l *lines) write(line func(more ...any)) {
	l.once.Do(func() { l.sometimes = rate.Sometimes{First: firstLines, Interval: linesInterval} })
	l.left.Add(1)
	l.sometimes.Do(func() {
		if left := l.left.Swap(0) - 1; left > 0 {
			line(logLeftOut, left)
			return
		}
		line()
	})
}

// log writes the line of a request: always when a directory was asked, which costs what
// the policy counts, else now and then.
func (s *Service) log(what string, asked bool, line []any) {
	if asked {
		s.Logger.Info(what, line...)
		return
	}
	s.refused.write(func(more ...any) { s.Logger.Info(what, append(line, more...)...) })
}
