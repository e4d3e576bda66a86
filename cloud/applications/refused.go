package applications

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/google/uuid"
	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
)

// Sentence is one for people: pages know its text in other languages, and fill in the values.
type Sentence struct {
	Text   string
	Values []any
	// Heading is of the page; empty: the person is not signed on, and is to begin again.
	Heading string
}

// String is the sentence in English, for administrators and programs.
func (s Sentence) String() string { return fmt.Sprintf(s.Text, s.Values...) }

// Place is where an administrator finds why something was refused.
type Place int

// The places that there are.
const (
	NoPlace    Place = iota // too much was refused at this time
	InLog                   // of the cloud
	InActivity              // and in the log
)

// Found is how an administrator finds it, as a page says.
type Found struct {
	At      Place
	ID      string
	Locales []string // languages that the application wishes for, the best first
}

// Refused is what an application sent that is not taken.
type Refused struct {
	EnvironmentID string
	Application   string // its ID, as far as it is known or was sent
	Status        int    // of HTTP
	Why           Sentence
	More          string // what administrators are to know besides: whatever a stranger makes of it
	Err           error  // for the log
	Locales       []string
}

// How much is written within an hour. Whoever knows what an application is called can have it refused.
const (
	refusedPerHour = 3  // of one application, for one cause
	refusedInAll   = 60 // of one environment
	deniedPerHour  = 3  // of one person at one application
)

// Refusals tells people why there is no sign-on for an application, and has administrators find it.
// Safe for concurrent use.
type Refusals struct {
	Store  *store.Store
	Pages  Pages
	Logger hclog.Logger
	Now    func() time.Time // nil: time.Now
	Bounds *throttle.Bounds // of what is not written; nil: nobody counts

	once    sync.Once
	written throttle.Sample // activities
	lines   throttle.Sample // of the log
}

func (s *Refusals) now() time.Time {
	s.once.Do(func() {
		s.written.Bound, s.lines.Bound = s.Bounds.Of(throttle.Unwritten), s.Bounds.Of(throttle.Lines)
	})
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// Refuse shows why what an application sent is not taken, in a page that leads an administrator to what was sent.
func (s *Refusals) Refuse(w http.ResponseWriter, r *http.Request, f Refused) {
	id := uuid.NewString()
	at := s.log("an application's request was refused",
		"id", id, "environment", f.EnvironmentID, "path", r.URL.Path, "application", clean(f.Application),
		"more", clean(f.More), "error", clean(f.Err.Error()))
	switch kept, err := s.keep(r.Context(), f, id); {
	case err != nil:
		s.Logger.Error("a refusal was not written", "id", id, "error", err)
	case kept:
		at = InActivity
	}
	s.Pages.Refused(w, r, f.Status, f.Why, Found{at, id, f.Locales})
}

// keep writes a refusal, as far as there is room for it.
func (s *Refusals) keep(ctx context.Context, f Refused, id string) (bool, error) {
	a, err := s.Store.Application(ctx, f.EnvironmentID, clean(f.Application))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	now := s.now()
	if keep, _ := s.written.Keep(now, "refused "+f.EnvironmentID+" "+a.ID+" "+f.Why.Text, refusedPerHour); !keep {
		return false, nil
	}
	if keep, _ := s.written.Keep(now, "refused "+f.EnvironmentID, refusedInAll); !keep {
		return false, nil
	}
	of := store.Activity{
		EnvironmentID: f.EnvironmentID,
		Action:        "application.refused",
		Actor:         "system",
		Subject:       "environment:" + f.EnvironmentID,
		Text:          "a request of an application that is not known was refused: ",
	}
	if a.ID != "" {
		of.Subject, of.Text = "application:"+a.ID, "a request of application "+a.Name+" was refused: "
	}
	of.Text += clean(f.Why.String())
	if f.More != "" {
		of.Text += " " + clean(f.More)
	}
	of.Text += " (" + id + ")"
	return true, s.Store.AddActivity(ctx, of)
}

// Deny tells somebody that an application is for others, and an administrator of it.
func (s *Refusals) Deny(w http.ResponseWriter, r *http.Request, d *Denial) error {
	id := uuid.NewString()
	at := s.log("somebody may not use an application", "id", id, "path", r.URL.Path, "error", d)
	if keep, _ := s.written.Keep(s.now(), "denied "+d.Application.ID+" "+d.UserID, deniedPerHour); keep {
		if err := d.Note(r.Context(), s.Store, id); err != nil {
			return err
		}
		at = InActivity
	}
	s.Pages.Denied(w, r, d.Application.Name, Found{at, id, d.Locales})
	return nil
}

// log writes a line as far as there is room for it, and tells whether there was.
func (s *Refusals) log(line string, values ...any) Place {
	s.now()
	level := s.lines.Level(line, hclog.Warn)
	s.Logger.Log(level, line, values...)
	if level == hclog.Warn {
		return InLog
	}
	return NoPlace
}

// mostSent is how much of what a stranger sent is in one value that is kept, in bytes.
const mostSent = 500

// clean leaves of what a stranger sent what can be kept and read in one line.
func clean(text string) string {
	text = strings.ToValidUTF8(text[:min(len(text), mostSent)], "?")
	return strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) {
			return c
		}
		return '?'
	}, text)
}
