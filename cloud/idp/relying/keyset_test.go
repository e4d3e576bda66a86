package relying_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"ldap-gateway/cloud/evidence"
	"ldap-gateway/cloud/idp/relying"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// verifier is what proves a text, of whichever keys.
type verifier interface {
	VerifySignature(ctx context.Context, jwt string) ([]byte, error)
}

// set is keys as somebody publishes them.
func set(keys ...jose.JSONWebKey) string {
	all := jose.JSONWebKeySet{}
	for _, k := range keys {
		if s, ok := k.Key.(crypto.Signer); ok {
			k.Key = s.Public()
		}
		all.Keys = append(all.Keys, k)
	}
	return string(must(json.Marshal(all)))
}

// published are keys at an address, and how often they were read there.
func published(t *testing.T, text string) (*relying.Keys, *atomic.Int64) {
	reads := &atomic.Int64{}
	at := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reads.Add(1)
		_, _ = w.Write([]byte(text))
	}))
	t.Cleanup(at.Close)
	return relying.NewKeys(at.URL, http.DefaultClient, time.Now), reads
}

// signedBy is a text that a key signs, whose header names a key ID, or none.
func signedBy(key any, algorithm jose.SignatureAlgorithm, id string) string {
	by := jose.SigningKey{Algorithm: algorithm, Key: jose.JSONWebKey{Key: key, KeyID: id}}
	return must(must(must(jose.NewSigner(by, nil)).Sign([]byte(`{}`))).CompactSerialize())
}

// kindOf is how a text was refused; empty when it was not.
func kindOf(_ []byte, err error) evidence.Kind {
	var refusal *evidence.Refusal
	if errors.As(err, &refusal) {
		return refusal.Kind
	}
	return ""
}

// TestWhichKeyProves: stated or read, a key proves what its ID, its type and its algorithm
// are for, and one that has no ID proves what names any.
func TestWhichKeyProves(t *testing.T) {
	good, other := must(rsa.GenerateKey(rand.Reader, 2048)), must(rsa.GenerateKey(rand.Reader, 2048))
	curve := must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	weak := must(rsa.GenerateKey(rand.Reader, 1024))
	type some = []jose.JSONWebKey
	key := func(key any, id string) jose.JSONWebKey { return jose.JSONWebKey{Key: key, KeyID: id} }
	of := func(algorithm string) jose.JSONWebKey {
		return jose.JSONWebKey{Key: good, KeyID: "1", Algorithm: algorithm}
	}
	byGood := signedBy(good, jose.RS256, "1")
	for name, c := range map[string]struct {
		keys some
		text string
		want evidence.Kind
	}{
		"the one":                 {some{key(other, "2"), key(good, "1")}, byGood, ""},
		"no ID in either":         {some{key(other, ""), key(good, "")}, signedBy(good, jose.RS256, ""), ""},
		"no ID in the header":     {some{key(other, "2"), key(good, "1")}, signedBy(good, jose.PS256, ""), ""},
		"no ID in the key":        {some{key(other, "2"), key(good, "")}, byGood, ""},
		"another ID":              {some{key(good, "2")}, byGood, evidence.UnknownKey},
		"one of each type":        {some{key(curve, "1"), key(good, "1")}, byGood, ""},
		"a curve":                 {some{key(good, "1"), key(curve, "1")}, signedBy(curve, jose.ES384, "1"), ""},
		"another has the ID":      {some{key(other, "1"), key(good, "")}, byGood, evidence.Signature},
		"two of one ID":           {some{key(other, "1"), key(good, "1")}, byGood, evidence.Signature},
		"nobody's":                {some{key(other, ""), key(other, "")}, signedBy(good, jose.RS256, ""), evidence.Signature},
		"for the algorithm":       {some{of("RS384")}, signedBy(good, jose.RS384, "1"), ""},
		"for another algorithm":   {some{of("PS256")}, byGood, evidence.Signature},
		"a small one beside (ID)": {some{key(good, "1")}, signedBy(weak, jose.RS256, "2"), evidence.UnknownKey},
	} {
		fixed, err := relying.ParseKeys(set(c.keys...))
		if err != nil {
			t.Fatal(name, err)
		}
		read, _ := published(t, set(c.keys...))
		for how, v := range map[string]verifier{"stated": fixed, "read": read} {
			if got := kindOf(v.VerifySignature(t.Context(), c.text)); got != c.want {
				t.Errorf("%s, %s: %q, want %q", name, how, got, c.want)
			}
		}
	}
}

// TestSmallKeys: an RSA key that is too small proves nothing, and is named; those beside it
// go on.
func TestSmallKeys(t *testing.T) {
	good := must(rsa.GenerateKey(rand.Reader, 2048))
	for bits, named := range map[int]string{1024: `"bad-1" has 1024 bits`, 2040: `"bad-1" has 2040 bits`} {
		small := must(rsa.GenerateKey(rand.Reader, bits))
		tells := func(what string, err error) {
			t.Helper()
			if err == nil || !strings.Contains(err.Error(), named) {
				t.Errorf("%s: %v", what, err)
			}
		}
		bad := jose.JSONWebKey{Key: small, KeyID: "bad-1"}
		alone, beside := set(bad), set(bad, jose.JSONWebKey{Key: good, KeyID: "good"})
		for _, text := range []string{alone, beside} {
			_, err := relying.ParseKeys(text)
			tells("stated", err)
		}
		keys, _ := published(t, alone)
		_, err := keys.Check(t.Context())
		tells("alone", err)
		keys, _ = published(t, beside)
		if got := kindOf(keys.VerifySignature(t.Context(), signedBy(good, jose.RS256, "good"))); got != "" {
			t.Errorf("beside: %q", got)
		}
		_, err = keys.VerifySignature(t.Context(), signedBy(small, jose.RS256, "bad-1"))
		tells("by it", err)
		if kindOf(nil, err) != evidence.WeakAlgorithm {
			t.Errorf("by it: %v", err)
		}
	}
}

// TestManyKeys: a hundred are read and tried; of more, none is.
func TestManyKeys(t *testing.T) {
	good := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	var keys []jose.JSONWebKey
	for range relying.MostRead - 1 {
		keys = append(keys, jose.JSONWebKey{Key: must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))})
	}
	keys = append(keys, jose.JSONWebKey{Key: good})
	most, _ := published(t, set(keys...))
	if got := kindOf(most.VerifySignature(t.Context(), signedBy(good, jose.ES256, "x"))); got != "" {
		t.Errorf("the last of %d: %q", len(keys), got)
	}
	for _, text := range []string{set(append(keys, keys[0])...), `{"keys":[` + strings.Repeat(`{},`, 100_000) + `{}]}`} {
		many, _ := published(t, text)
		_, err := many.VerifySignature(t.Context(), signedBy(good, jose.ES256, ""))
		why := errors.Unwrap(err)
		if kindOf(nil, err) != evidence.Unavailable || why == nil || !strings.Contains(why.Error(), "more than 100") {
			t.Errorf("too many: %v: %v", err, why)
		}
	}
}

// TestStrangersReadKeysOnce: texts that nobody signed have the keys read once for a while,
// whatever key ID they name.
func TestStrangersReadKeysOnce(t *testing.T) {
	good := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	forged := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	for _, id := range []string{"", "1", "2"} {
		keys, reads := published(t, set(jose.JSONWebKey{Key: good, KeyID: "1"}))
		if got := kindOf(keys.VerifySignature(t.Context(), signedBy(good, jose.ES256, "1"))); got != "" {
			t.Fatal(got)
		}
		for range 20 {
			if got := kindOf(keys.VerifySignature(t.Context(), signedBy(forged, jose.ES256, id))); got == "" {
				t.Fatal("a forged text is proven")
			}
		}
		if n := reads.Load(); n != 2 {
			t.Errorf("ID %q: read %d times", id, n)
		}
	}
}

// TestWhoHasGoneCostsNothing: nothing is verified for a request that has ended.
func TestWhoHasGoneCostsNothing(t *testing.T) {
	good := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	fixed, err := relying.ParseKeys(set(jose.JSONWebKey{Key: good}))
	if err != nil {
		t.Fatal(err)
	}
	read, _ := published(t, set(jose.JSONWebKey{Key: good}))
	gone, leave := context.WithCancel(t.Context())
	leave()
	for how, v := range map[string]verifier{"stated": fixed, "read": read} {
		_, err := v.VerifySignature(gone, signedBy(good, jose.ES256, ""))
		if kindOf(nil, err) != evidence.Unavailable || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", how, err)
		}
	}
}
