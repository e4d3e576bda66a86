package administrators

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestHashSurvivesWritingAndReading(t *testing.T) {
	d := &Authenticator{}
	hash, err := d.HashPassword(t.Context(), Known("1"), "a fine long pass phrase")
	if err != nil {
		t.Fatal(err)
	}
	again, _ := d.HashPassword(t.Context(), Known("1"), "a fine long pass phrase")
	if hash == again || strings.Contains(hash, "phrase") {
		t.Errorf("%s %s", hash, again)
	}
	for password, want := range map[string]bool{
		"a fine long pass phrase": true,
		"a fine long pass phrasE": false,
		"":                        false,
	} {
		if good, err := d.CheckPassword(t.Context(), Known("1"), hash, password); err != nil || good != want {
			t.Errorf("%q: %v %v", password, good, err)
		}
	}
	// A hash of other parameters is still good: they are in it.
	cheap := cost{8, 1, 1, []byte("12345678"), make([]byte, 16)}
	cheap.key = cheap.derive("x")
	if good, err := d.CheckPassword(t.Context(), Known("1"), cheap.String(), "x"); err != nil || !good {
		t.Errorf("%v %v", good, err)
	}
	for _, bad := range []string{"x", "$argon2i$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5a2V5", strings.Replace(hash, "v=19", "v=16", 1),
		strings.Replace(hash, "t=3", "t=0", 1), hash[:40], strings.ReplaceAll(hash, "p=4$", "p=4$!")} {
		if _, err := d.CheckPassword(t.Context(), Known("1"), bad, "x"); !errors.Is(err, errHash) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestHashingWaitsForItsTurn(t *testing.T) {
	d := &Authenticator{}
	d.once.Do(d.begin)
	for _, who := range []string{"1", "2"} {
		leave, err := d.Hashing.Enter(t.Context(), Known(who))
		if err != nil {
			t.Fatal(err)
		}
		defer leave()
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := d.CheckPassword(ctx, Known("3"), "", "x")
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
