package state

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"strconv"
	"strings"
	"time"
)

const (
	answeredFile = "answered"
	answeredEnd  = "end" // the last line, of a program that ended well

	mostMillis = 1e13 // in the year 2286; it is two numbers in one, the first of them cut
)

// Answered is the file of requests that went as far as a bind: each by a hash, and
// when its password was sealed, by the cloud's clock in milliseconds. What is older
// than the file goes back is named by one moment, its floor. Safe for concurrent use.
type Answered struct{ lines }

// Answered returns the file of a folder; nothing is opened yet.
func (f Folder) Answered() *Answered { return &Answered{lines{folder: f, name: answeredFile}} }

// Load gives each request, oldest first, and returns the floor. A line that is damaged
// or cut is left out. It may have been any, as may one be missing from a file that was
// not ended: then the floor is now, or the youngest request when that is later. No file
// is none; the error is an *UnreadableError.
func (a *Answered) Load(now time.Time, each func(who [16]byte, at uint64)) (floor uint64, err error) {
	youngest, ended := uint64(max(0, now.UnixMilli())), false
	whole, err := a.read(func(line string) bool {
		number, name, _ := strings.Cut(line, " ")
		at, noNumber := strconv.ParseUint(number, 10, 64)
		who, isHash := hashOf(name)
		ended = line == answeredEnd
		switch {
		case ended:
		case at >= mostMillis:
			return false
		case noNumber == nil && name == "floor":
			floor = max(floor, at)
		case noNumber == nil && isHash:
			youngest = max(youngest, at)
			each(who, at)
		default:
			return false
		}
		return true
	})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, nil
	case !whole || !ended:
		floor = max(floor, youngest)
	}
	return floor, err
}

// Add adds one.
func (a *Answered) Add(who [16]byte, at uint64) error { return a.add(fmt.Sprintf("%d %x\n", at, who)) }

// End says that all was added, to the last one.
func (a *Answered) End() error { return a.add(answeredEnd + "\n") }

// Replace makes the file hold these and no others.
func (a *Answered) Replace(floor uint64, all iter.Seq2[[16]byte, uint64]) error {
	var out bytes.Buffer
	fmt.Fprintf(&out, "%d floor\n", floor)
	for who, at := range all {
		fmt.Fprintf(&out, "%d %x\n", at, who)
	}
	return a.replace(out.Bytes())
}
