package state

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"
)

const (
	wrongFile = "wrong-passwords"
	anybody   = "anybody" // in the place of who

	mostSeconds = mostMillis / 1000
)

// WrongPasswords is the file of wrong passwords that were passed on: who, as a hash,
// and when. Safe for concurrent use.
type WrongPasswords struct{ lines }

// WrongPasswords returns the file of a folder; nothing is opened yet.
func (f Folder) WrongPasswords() *WrongPasswords {
	return &WrongPasswords{lines{folder: f, name: wrongFile}}
}

// Load returns the times for each person since a moment, oldest first, and when it was
// last in doubt whether they are all of anybody's; zero: never. A time that is still to
// come counts as now. A line that is damaged or cut may have been anybody's: that is
// in doubt from now on. No file is no times; the error is an *UnreadableError.
func (w *WrongPasswords) Load(since, now time.Time) (all map[string][]time.Time, doubted time.Time, err error) {
	all = map[string][]time.Time{}
	whole, err := w.read(func(line string) bool {
		number, who, _ := strings.Cut(line, " ")
		seconds, noNumber := strconv.ParseInt(number, 10, 64)
		at := time.Unix(seconds, 0)
		if at.After(now) { // the clock was ahead, or was set back
			at = now
		}
		_, isHash := hashOf(who)
		switch {
		case number == "right" && isHash:
			delete(all, who)
		case noNumber != nil || seconds >= mostSeconds || !isHash && who != anybody:
			return false
		case !at.After(since):
		case who == anybody:
			doubted = at
		default:
			all[who] = append(all[who], at)
		}
		return true
	})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, doubted, nil
	case !whole:
		doubted = now
	}
	return all, doubted, err
}

// Wrong adds one for a person, who is 16 bytes in hexadecimal.
func (w *WrongPasswords) Wrong(who string, at time.Time) error {
	return w.add(fmt.Sprintf("%d %s\n", at.Unix(), who))
}

// Right takes back what was added for a person.
func (w *WrongPasswords) Right(who string) error { return w.add("right " + who + "\n") }

// Replace makes the file hold these times and no others, and when they were last in
// doubt; zero: never.
func (w *WrongPasswords) Replace(all map[string][]time.Time, doubted time.Time) error {
	var out bytes.Buffer
	fmt.Fprintf(&out, "%d %s\n", max(0, doubted.Unix()), anybody) // also of never: no file is empty
	for who, times := range all {
		for _, at := range times {
			fmt.Fprintf(&out, "%d %s\n", at.Unix(), who)
		}
	}
	return w.replace(out.Bytes())
}
