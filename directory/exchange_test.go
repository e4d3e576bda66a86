package directory

import (
	"errors"
	"strings"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
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
				if _, err := e.answered(part(op), c.length); err != nil {
					t.Fatalf("%s, part %d of %x: %v", name, i, op, err)
				}
			}
			if _, err := e.answered(part(op), c.length); !errors.Is(err, errEndless) {
				t.Errorf("%s, %x: %v", name, op, err)
			}
			other := []byte{0x02, 1, 2, op, 3, 0x0a, 1, 0}
			if _, err := e.answered(other, c.length); err != nil {
				t.Errorf("%s, %x: another answer: %v", name, op, err)
			}
		}
	}
}

// TestElementsAreCounted: a message of many tiny values is refused wherever it is cut in
// reading, one of few large ones or of as many as real entries have is not.
func TestElementsAreCounted(t *testing.T) {
	entry := func(values, size int) []byte {
		set := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
		for range values {
			set.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, strings.Repeat("x", size), ""))
		}
		return set.Bytes()
	}
	for _, c := range []struct {
		values, size int
		want         error
	}{
		{40_000, 0, nil}, {40_000, 200, nil}, {3, 1 << 20, nil}, {60_000, 0, errTooMuch}, {60_000, 40, errTooMuch}, {1_000_000, 0, errTooMuch},
	} {
		message := entry(c.values, c.size)
		for _, piece := range []int{1, 7, 4096, len(message)} {
			var e elements
			var err error
			for from := 0; from < len(message) && err == nil; from += piece {
				err = e.feed(message[from:min(len(message), from+piece)])
			}
			if !errors.Is(err, c.want) {
				t.Errorf("%d values of %d octets, read by %d: %v, counted %d", c.values, c.size, piece, err, e.count)
			}
		}
	}
	for _, odd := range [][]byte{{0x1f, 1}, {0x04, 0x80}, {0x04, 0x85, 1, 1, 1, 1, 1}, {0x3f, 0}} {
		if err := new(elements).feed(odd); !errors.Is(err, errNotLDAP) {
			t.Errorf("%x: %v", odd, err)
		}
	}
}
