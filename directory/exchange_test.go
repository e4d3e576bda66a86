package directory

import (
	"errors"
	"slices"
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
			if op == opIntermediate && name != "small" { // is refused for its own length
				continue
			}
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

// TestElementsWithinElements: as deep as answers are, they are read; deeper ones are refused wherever they are cut in
// reading, whatever stands beside them.
func TestElementsWithinElements(t *testing.T) {
	within := func(deep int, inner []byte) []byte {
		for range deep {
			inner = appendElement(nil, tagSequence, inner)
		}
		return inner
	}
	value := appendElement(nil, tagOctets, strings.Repeat("x", 300))
	var beside []byte
	for range 40 {
		beside = append(beside, within(6, value)...)
		beside = append(beside, within(3, nil)...)
	}
	for deep, want := range map[int]error{1: nil, 7: nil, mostWithin: nil, mostWithin + 1: errTooMuch, 300: errTooMuch, 30_000: errTooMuch} {
		for what, message := range map[string][]byte{
			"a value":     within(deep, value),
			"nothing":     within(deep, nil),
			"after many":  within(1, slices.Concat(beside, within(max(0, deep-1), value))),
			"before many": within(1, slices.Concat(within(max(0, deep-1), value), beside)),
		} {
			for _, piece := range []int{1, 7, len(message)} {
				var e elements
				var err error
				for from := 0; from < len(message) && err == nil; from += piece {
					err = e.feed(message[from:min(len(message), from+piece)])
				}
				if !errors.Is(err, want) {
					t.Errorf("%d deep, %s, read by %d: %v", deep, what, piece, err)
				}
			}
		}
	}
}

// TestResultsAreShort: what is no entry is refused when it is long, whoever asked: its controls are decoded once more.
func TestResultsAreShort(t *testing.T) {
	for asked, op := range map[byte]byte{
		opBindRequest: opBindResponse, opSearchRequest: opSearchDone, opExtendedRequest: opExtendedResponse,
	} {
		for text, want := range map[int]error{100: nil, mostResult - 100: nil, mostResult: errResultTooLong, 1 << 20: errResultTooLong} {
			for _, ours := range []*reply{nil, {over: make(chan struct{})}} {
				message := answerOf(resultMessage(op, 0, strings.Repeat("x", text))...)
				content, _, _ := contentOf(message, tagSequence)
				e := exchange{waiting: map[uint32]*request{1: {op: asked, ours: ours}}}
				if _, err := e.answered(content[:envelopeLength], int64(len(content))); !errors.Is(err, want) {
					t.Errorf("%#x of %d letters: %v, want %v", op, text, err, want)
				}
			}
		}
	}
	e := exchange{waiting: map[uint32]*request{1: {op: opSearchRequest}}}
	content, _, _ := contentOf(answerOf(entryMessage("uid=a", "photo="+strings.Repeat("x", 1<<20))...), tagSequence)
	if _, err := e.answered(content[:envelopeLength], int64(len(content))); err != nil {
		t.Errorf("a long entry: %v", err)
	}
}

// TestNoticesHaveAnEnd: a server says a few times that the connection ends, briefly, and not for ever.
func TestNoticesHaveAnEnd(t *testing.T) {
	notice := []byte{0x02, 1, 0, opExtendedResponse, 3, 0x0a, 1, 52}
	e := exchange{}
	for i := range mostNotices {
		if _, err := e.answered(notice, 8); err != nil {
			t.Fatalf("notice %d: %v", i, err)
		}
	}
	if _, err := e.answered(notice, 8); !errors.Is(err, errEndless) {
		t.Errorf("one more: %v", err)
	}
	if _, err := new(exchange).answered(notice, mostResult+1); !errors.Is(err, errResultTooLong) {
		t.Errorf("a long one: %v", err)
	}
}
