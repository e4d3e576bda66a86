package directory

import (
	"errors"
	"testing"
)

// TestAnswersHaveAnEnd: an answer of entries, references or other parts is cut off by
// their number and by their octets, and one of another request is not.
func TestAnswersHaveAnEnd(t *testing.T) {
	part := func(op byte) []byte { return []byte{0x02, 1, 1, op, 3, 0x0a, 1, 0} }
	for _, op := range []byte{opSearchEntry, opSearchReference, opIntermediate} {
		for name, c := range map[string]struct {
			length int64
			right  int
		}{
			"small": {10, mostEntries},
			"large": {mostOctets / 4, 5},
			"one":   {mostOctets + 1, 1},
		} {
			e := exchange{}
			e.asked([]byte{0x30, 8, 0x02, 1, 1, opSearchRequest, 3, 0x0a, 1, 0})
			e.asked([]byte{0x30, 8, 0x02, 1, 2, opSearchRequest, 3, 0x0a, 1, 0})
			for i := range c.right {
				if err := e.answered(part(op), c.length); err != nil {
					t.Fatalf("%s, part %d of %x: %v", name, i, op, err)
				}
			}
			if err := e.answered(part(op), c.length); !errors.Is(err, errEndless) {
				t.Errorf("%s, %x: %v", name, op, err)
			}
			other := []byte{0x02, 1, 2, op, 3, 0x0a, 1, 0}
			if err := e.answered(other, c.length); err != nil {
				t.Errorf("%s, %x: another answer: %v", name, op, err)
			}
		}
	}
}
