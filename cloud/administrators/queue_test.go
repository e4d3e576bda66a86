package administrators

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"
)

// seals keeps what it is given as it is, under purpose and owner.
type seals struct{}

func (seals) Seal(purpose, owner string, secret []byte) []byte {
	return append([]byte(purpose+"|"+owner+"|"), secret...)
}

func (s seals) Open(purpose, owner string, sealed []byte) ([]byte, error) {
	begin := string(s.Seal(purpose, owner, nil))
	if len(sealed) < len(begin) || string(sealed[:len(begin)]) != begin {
		return nil, errors.New("not this one's")
	}
	return sealed[len(begin):], nil
}

// TestFewStrangersWait: of two hundred at once few wait, of one network and for one name
// fewer, and the others are told so at once. Who is known waits for none of them.
func TestFewStrangersWait(t *testing.T) {
	for name, c := range map[string]struct {
		stranger func(i int) Stranger
		waiting  int
	}{
		"from everywhere":       {func(i int) Stranger { return Stranger{fmt.Sprint(i), fmt.Sprint(i)} }, mostWaiting},
		"one name, everywhere":  {func(i int) Stranger { return Stranger{fmt.Sprint(i), "ada"} }, mostWaiting},
		"one network":           {func(i int) Stranger { return Stranger{"n", fmt.Sprint(i)} }, mostOfNetwork},
		"one name of a network": {func(int) Stranger { return Stranger{"n", "ada"} }, mostOfName},
	} {
		d := &Authenticator{}
		ctx, cancel := context.WithCancel(t.Context())
		leave, err := d.strangers.enter(ctx, Stranger{"first", "first"})
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		busy := make(chan struct{}, 200)
		for i := range 200 {
			all.Go(func() {
				if _, err := d.CheckStrangers(ctx, c.stranger(i), "", "x"); errors.Is(err, ErrBusy) {
					busy <- struct{}{}
				}
			})
		}
		for range 200 - min(c.waiting, mostWaiting-1) { // the first stands in it, too
			<-busy
		}
		if good, err := d.CheckPassword(t.Context(), "", "x"); err != nil || good {
			t.Errorf("%s: who is known: %t %v", name, good, err)
		}
		cancel()
		all.Wait()
		leave()
		if d.strangers.all != 0 || len(d.strangers.of) != 0 || len(busy) != 0 {
			t.Errorf("%s: %d wait for ever, %d too many were refused", name, d.strangers.all, len(busy))
		}
	}
}

func TestKnownBrowsers(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	d := &Authenticator{Vault: seals{}, Now: func() time.Time { return now }}
	kept := d.KnownBrowser("1")
	if d.Knows("1", kept) == "" {
		t.Error("it is not known")
	}
	for name, other := range map[string]string{"empty": "", "no base64": "%%", "cut": kept[:8], "longer": kept + "AAAA"} {
		if d.Knows("1", other) != "" {
			t.Errorf("%s is known", name)
		}
	}
	if d.Knows("2", kept) != "" {
		t.Error("it is known as another's")
	}
	now = now.Add(KnownLife + time.Second)
	if d.Knows("1", kept) != "" {
		t.Error("it is known for ever")
	}
}
