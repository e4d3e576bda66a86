package signon

import "time"

// kept is a file that outlives the program and holds what is remembered in memory. Who
// has it holds its own mutex.
type kept struct {
	read    func() error                // takes in what the file held; nil: that was done
	rewrite func() (lines int, _ error) // begins the file anew, whole or not at all
	most    int                         // lines, before it is begun anew
	lines   int
	lost    error // why the file lacks something; nil: it does not
	tried   time.Time
}

// mendEvery is how long nothing is tried after a file could not be begun anew.
const mendEvery = time.Second

// add adds a line. What is lost of it, or damaged by it, is made good by beginning the
// file anew; until then none is added.
func (k *kept) add(line func() error) {
	if k.rewrite == nil {
		return // nothing is kept
	}
	if k.lost == nil && k.lines < k.most {
		k.lines++
		if k.lost = line(); k.lost == nil {
			return
		}
	}
	if now := time.Now(); k.lost == nil || now.Sub(k.tried).Abs() >= mendEvery {
		k.mend()
	}
}

// mend begins the file anew, and never one that could not be read.
func (k *kept) mend() {
	k.tried = time.Now()
	if k.read != nil {
		if k.lost = k.read(); k.lost != nil {
			return
		}
		k.read = nil
	}
	k.lines, k.lost = k.rewrite()
}
