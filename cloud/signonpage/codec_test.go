package signonpage

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
)

// TestCodec: a session comes back as it went, whatever is in it and whichever version wrote it, is the same bytes
// each time, and what no session has is refused.
func TestCodec(t *testing.T) {
	until := time.Now().UTC()
	for name, values := range map[string]map[string]any{
		"empty":  {},
		"bytes":  {"a": []byte{0, 255}, "b": []byte("{}")},
		"texts":  {"a": "", "b": "ü\x00\"", "c": "<script>"},
		"truths": {"a": true, "b": false},
		"mixed":  {"e": []byte(`{"UserID":"1"}`), "off e": true, "asked e": "x", "half e": []byte("{"), "told e": []byte("1")},
	} {
		for version, write := range map[string]scs.Codec{"this": codec{}, "before": scs.GobCodec{}} {
			b, err := write.Encode(until, values)
			check(t, err)
			deadline, got, err := codec{}.Decode(b)
			check(t, err)
			if !deadline.Equal(until) || len(got) != len(values) || len(values) > 0 && !reflect.DeepEqual(got, values) {
				t.Errorf("%s by %s: %v %v", name, version, deadline, got)
			}
		}
		first, err := codec{}.Encode(until, values)
		check(t, err)
		for range 20 {
			if again, _ := (codec{}).Encode(until, values); !bytes.Equal(first, again) {
				t.Fatalf("%s: other bytes each time", name)
			}
		}
	}
	if _, err := (codec{}).Encode(until, map[string]any{"n": 1}); err == nil {
		t.Error("a number was kept")
	}
	for _, broken := range [][]byte{nil, []byte("{"), []byte("\x00\x01")} {
		if _, _, err := (codec{}).Decode(broken); err == nil {
			t.Errorf("%q was read", broken)
		}
	}
}
