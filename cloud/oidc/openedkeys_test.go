package oidc

import (
	"errors"
	"testing"

	"ldap-gateway/cloud/store"
)

// A key is opened once for as long as it is kept as it was; one that cannot be opened is
// tried each time.
func TestKeysAreOpenedOnce(t *testing.T) {
	var o openedKeys
	opened := 0
	open := func() (signingKey, error) { opened++; return signingKey{id: "k"}, nil }
	for i, c := range []struct {
		id, sealed string
		want       int
	}{{"k", "a", 1}, {"k", "a", 1}, {"l", "a", 2}, {"k", "a", 2}, {"k", "b", 3}, {"k", "b", 3}, {"k", "a", 4}} {
		if _, err := o.of(store.SigningKey{ID: c.id, Sealed: []byte(c.sealed)}, open); err != nil || opened != c.want {
			t.Errorf("%d: opened %d times, want %d, %v", i, opened, c.want, err)
		}
	}
	failed := errors.New("sealed by another")
	for range 2 {
		_, err := o.of(store.SigningKey{ID: "m"}, func() (signingKey, error) { opened++; return signingKey{}, failed })
		if !errors.Is(err, failed) {
			t.Error(err)
		}
	}
	if opened != 6 {
		t.Errorf("opened %d times in all", opened)
	}
	for i := range 100 {
		_, _ = o.of(store.SigningKey{ID: string(rune('A' + i))}, open)
	}
	if len(o.byID) > mostOpened {
		t.Errorf("%d are kept", len(o.byID))
	}
}
