package wire

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

func TestRefusalsAreClosed(t *testing.T) {
	seen := map[string]bool{}
	for r := RefusalOther; r <= RefusalSomeRule; r++ {
		if !r.Known() || seen[r.String()] || r.String() == "" {
			t.Errorf("%d %q", r, r)
		}
		seen[r.String()] = true
	}
	if PasswordRefusal(0).Known() || PasswordRefusal(8).Known() || PasswordRefusal(8).String() != "refusal 8" {
		t.Error("the set is not closed")
	}
}

func TestPasswordsOfAChangeAreSealedApart(t *testing.T) {
	private, public, err := NewSealKey()
	if err != nil {
		t.Fatal(err)
	}
	sealer, opener := sealing(t, private, public)
	sealed := sealer.Seal(OldPassword("c1"), []byte("hunter2"))
	if got, err := opener.Open(OldPassword("c1"), sealed); err != nil || string(got) != "hunter2" {
		t.Fatal(got, err)
	}
	for name, purpose := range map[string]string{"the-new-one": NewPassword("c1"), "another-change": OldPassword("c2"), "a-sign-on": "c1"} {
		t.Run(name, func(t *testing.T) {
			if _, err := opener.Open(purpose, sealed); !errors.Is(err, ErrSealed) {
				t.Error(err)
			}
		})
	}
}

func TestChangeInWordsHasNoPasswords(t *testing.T) {
	secret := Sealed{Key: []byte{1}, Nonce: []byte{2}, Ciphertext: []byte("sealed")}
	f, err := NewFrame(KindChangePassword, 9, 0, ChangePassword{ID: "c1", Identifier: "alice", Old: secret, New: secret})
	if err != nil {
		t.Fatal(err)
	}
	if s := f.String(); !strings.HasPrefix(s, `changePassword #9 {1: "c1"`) || !strings.Contains(s, `"alice"`) ||
		strings.Contains(s, hex.EncodeToString(secret.Ciphertext)) {
		t.Error(s)
	}
}
