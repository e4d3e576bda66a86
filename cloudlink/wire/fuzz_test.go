package wire

import (
	"bytes"
	"reflect"
	"testing"
)

// FuzzBodies reads a body as every kind of message: what is read is written as the
// same message again, and is bounded when it is about one person.
func FuzzBodies(f *testing.F) {
	for _, body := range samples() {
		b, err := Marshal(body)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for kind, sample := range samples() {
			read := reflect.New(reflect.TypeOf(sample))
			if Unmarshal(b, read.Interface()) != nil {
				continue
			}
			again, err := Marshal(read.Elem().Interface())
			if err != nil {
				t.Fatalf("%s cannot be written: %v", kind, err)
			}
			second := reflect.New(reflect.TypeOf(sample))
			if err := Unmarshal(again, second.Interface()); err != nil {
				t.Fatalf("%s cannot be read again: %v", kind, err)
			}
			if third, _ := Marshal(second.Elem().Interface()); !bytes.Equal(again, third) {
				t.Fatalf("%s is another message each time", kind)
			}
			if m, ok := read.Elem().Interface().(SignOn); ok && size(t, m.Bounded()) > 128<<10 {
				t.Fatalf("%d bytes of a request are kept", size(t, m.Bounded()))
			}
		}
	})
}

func size(t *testing.T, m SignOn) int {
	t.Helper()
	b, err := Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return len(b)
}
