package state

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
)

const wrongFile = "wrong-passwords"

// WrongPasswords is the file of wrong passwords that were passed on: who, as a hash,
// and when. Safe for concurrent use.
type WrongPasswords struct{ lines }

// WrongPasswords returns the file of a folder; nothing is opened yet.
func (f Folder) WrongPasswords() *WrongPasswords {
	return &WrongPasswords{lines{folder: f, name: wrongFile}}
}

// Load returns the times for each person since a moment, oldest first; a time that is
// still to come counts as now. What cannot be read is left out; no file is no times.
func (w *WrongPasswords) Load(since, now time.Time) (map[string][]time.Time, error) {
	b, err := os.ReadFile(w.path())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	out := map[string][]time.Time{}
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		var at int64
		var who string
		switch n, _ := fmt.Sscanf(s.Text(), "%d %64s", &at, &who); {
		case strings.HasPrefix(s.Text(), "right "):
			delete(out, strings.TrimPrefix(s.Text(), "right "))
		case n == 2 && time.Unix(at, 0).After(now): // the clock was ahead, or was set back
			out[who] = append(out[who], now)
		case n == 2 && time.Unix(at, 0).After(since):
			out[who] = append(out[who], time.Unix(at, 0))
		}
	}
	return out, err
}

// Wrong adds one for a person.
func (w *WrongPasswords) Wrong(who string, at time.Time) error {
	return w.add(fmt.Sprintf("%d %s\n", at.Unix(), who))
}

// Right takes back what was added for a person.
func (w *WrongPasswords) Right(who string) error { return w.add("right " + who + "\n") }

// Replace makes the file hold these times and no others.
func (w *WrongPasswords) Replace(all map[string][]time.Time) error {
	var out bytes.Buffer
	for who, times := range all {
		for _, at := range times {
			fmt.Fprintf(&out, "%d %s\n", at.Unix(), who)
		}
	}
	return w.replace(out.Bytes())
}
