package vault

import (
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// TestTextsOfManyAtOnce: what is carried for one is never what was carried for another, whatever its
// length, and what is no text of ours between them spoils none.
func TestTextsOfManyAtOnce(t *testing.T) {
	v, err := New(make([]byte, keySize))
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for j := range 50 {
				plain := strings.Repeat(fmt.Sprintf("%d of %d ", j, i), j*i)
				text := v.SealText("wish", "one", []byte(plain))
				if got, err := v.OpenText("wish", "one", text); err != nil || string(got) != plain {
					t.Errorf("%d bytes became %d: %v", len(plain), len(got), err)
				}
				if got, err := v.OpenText("wish", "two", text); err == nil {
					t.Errorf("opened for another: %q", got)
				}
				// Sealed by us, and not shortened: it cannot be read, and leaves nothing behind.
				if _, err := v.OpenText("wish", "one", sealedAsItIs(v, "\xff"+plain)); err == nil {
					t.Error("what was not shortened is read")
				}
			}
		})
	}
	all.Wait()
}

func BenchmarkTexts(b *testing.B) {
	v, err := New(make([]byte, keySize))
	if err != nil {
		b.Fatal(err)
	}
	plain := []byte(strings.Repeat("what an application wants ", 20))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.OpenText("wish", "one", v.SealText("wish", "one", plain)); err != nil {
			b.Fatal(err)
		}
	}
}

func sealedAsItIs(v *Vault, plain string) string {
	return base64.RawURLEncoding.EncodeToString(v.Seal("wish", "one", []byte(plain)))
}
