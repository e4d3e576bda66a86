package state

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"strconv"
	"strings"
)

const answeredFile = "answered"

// Answered is the file of requests that went as far as a bind: each by a hash, and
// when its password was sealed, by the cloud's clock in milliseconds. What is older
// than the file goes back is named by one moment, its floor. Safe for concurrent use.
type Answered struct{ lines }

// Answered returns the file of a folder; nothing is opened yet.
func (f Folder) Answered() *Answered { return &Answered{lines{folder: f, name: answeredFile}} }

// Load gives each request, oldest first, and returns the floor. What cannot be read is
// left out; no file is none.
func (a *Answered) Load(each func(who [16]byte, at uint64)) (floor uint64, err error) {
	b, err := os.ReadFile(a.path())
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		number, name, _ := strings.Cut(s.Text(), " ")
		at, err := strconv.ParseUint(number, 10, 64)
		who, noHash := hex.DecodeString(name)
		switch {
		case err != nil:
		case name == "floor":
			floor = max(floor, at)
		case noHash == nil && len(who) == 16:
			each([16]byte(who), at)
		}
	}
	return floor, err
}

// Add adds one.
func (a *Answered) Add(who [16]byte, at uint64) error { return a.add(fmt.Sprintf("%d %x\n", at, who)) }

// Replace makes the file hold these and no others.
func (a *Answered) Replace(floor uint64, all iter.Seq2[[16]byte, uint64]) error {
	var out bytes.Buffer
	fmt.Fprintf(&out, "%d floor\n", floor)
	for who, at := range all {
		fmt.Fprintf(&out, "%d %x\n", at, who)
	}
	return a.replace(out.Bytes())
}
