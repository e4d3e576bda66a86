package applications_test

import (
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/applications"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/vault"
)

func openVault(t *testing.T, key byte) *vault.Vault {
	t.Helper()
	v, err := vault.New([]byte(strings.Repeat(string(rune(key)), 32)))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestWishes: what a browser carries is what was asked for, in its time, for its protocol,
// environment and cloud, and nothing else is.
func TestWishes(t *testing.T) {
	now := time.Now().UTC()
	w := applications.Wishes{Vault: openVault(t, 1), Protocol: "one"}
	a := store.Authorization{
		EnvironmentID: "env", ApplicationID: "app", Request: []byte(`{"State":"\u00fc"}`), CreatedAt: now, ExpiresAt: now.Add(time.Minute),
	}
	text, err := w.Begin(&a)
	if err != nil || a.ID == "" {
		t.Fatalf("%+v %v", a, err)
	}
	same := func(text string, by store.SignedOn) {
		t.Helper()
		got, err := w.Open("env", text, now)
		if err != nil || got.ID != a.ID || string(got.Request) != string(a.Request) || !got.CreatedAt.Equal(now) || got.SignedOn != by ||
			got.EnvironmentID != "env" || got.ApplicationID != "app" || !got.ExpiresAt.Equal(a.ExpiresAt) {
			t.Errorf("%+v, %v", got, err)
		}
	}
	same(text, store.SignedOn{})
	by := store.SignedOn{UserID: "u", SignOnID: "s", Method: store.ByIDP, Methods: "pwd", ProviderID: "p", At: now}
	same(w.SignedOn(a, by), by)
	for name, open := range map[string]func() (store.Authorization, error){
		"late":        func() (store.Authorization, error) { return w.Open("env", text, a.ExpiresAt) },
		"environment": func() (store.Authorization, error) { return w.Open("other", text, now) },
		"protocol": func() (store.Authorization, error) {
			return applications.Wishes{Vault: w.Vault, Protocol: "two"}.Open("env", text, now)
		},
		"cloud": func() (store.Authorization, error) {
			return applications.Wishes{Vault: openVault(t, 2), Protocol: "one"}.Open("env", text, now)
		},
		"nothing":  func() (store.Authorization, error) { return w.Open("env", "", now) },
		"an ID":    func() (store.Authorization, error) { return w.Open("env", a.ID, now) },
		"altered":  func() (store.Authorization, error) { return w.Open("env", text[:40]+"A"+text[41:]+"A", now) },
		"cut":      func() (store.Authorization, error) { return w.Open("env", text[:len(text)/2], now) },
		"unsealed": func() (store.Authorization, error) { return w.Open("env", `{"ID":"x"}`, now) },
	} {
		if got, err := open(); !errors.Is(err, store.ErrNotFound) || got.ID != "" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// TestWishesAreShort: one that is too long for what browsers and proxies carry is refused before it
// is under way, by what it takes there.
func TestWishesAreShort(t *testing.T) {
	w := applications.Wishes{Vault: openVault(t, 1), Protocol: "one"}
	for length, want := range map[int]error{1000: nil, 2000: nil, 4000: applications.ErrWishTooLong, 100_000: applications.ErrWishTooLong} {
		for repeats := range 2 {
			request := rand.Text()
			for len(request) < length {
				request += map[int]string{0: rand.Text(), 1: "again "}[repeats]
			}
			text, err := w.Begin(&store.Authorization{Request: []byte(request)})
			if repeats == 1 && length <= 8000 {
				want = nil // it is short on its way
			}
			if !errors.Is(err, want) || err == nil && len(text) > applications.MostWish {
				t.Errorf("%d bytes in %d letters: %v", length, len(text), err)
			}
		}
	}
}
