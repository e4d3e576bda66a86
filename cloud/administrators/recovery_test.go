package administrators

import (
	"slices"
	"strings"
	"testing"
)

// A recovery code is known however it is typed, and what is none is not looked up.
func TestRecoveryCodesAsTyped(t *testing.T) {
	codes, hashes := NewRecoveryCodes()
	if len(codes) != 10 || len(slices.Compact(slices.Sorted(slices.Values(codes)))) != 10 {
		t.Errorf("%q", codes)
	}
	bare := strings.ReplaceAll(codes[0], "-", "")
	for _, typed := range []string{codes[0], bare, strings.ToUpper(codes[0]), " " + bare[:8] + "  " + bare[8:] + " "} {
		if hash, is := RecoveryCode(typed); !is || string(hash) != string(hashes[0]) {
			t.Errorf("%q is not known", typed)
		}
	}
	for _, typed := range []string{"", "123456", "123 456", bare[1:], bare + "a", codes[0] + codes[1]} {
		if _, is := RecoveryCode(typed); is {
			t.Errorf("%q is taken for one", typed)
		}
	}
	if strings.Contains(string(hashes[0]), bare) {
		t.Error("it is kept in the clear")
	}
}
