package oidc

import (
	"bytes"
	"cmp"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"sync"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
	"github.com/zitadel/oidc/v3/pkg/op"

	"ldap-gateway/cloud/store"
)

// How long keys sign, how long they are published before they do, and how long
// they are published in all.
const (
	keyLife      = 30 * 24 * time.Hour
	keyLead      = time.Hour
	keyPublished = 90 * 24 * time.Hour
	keyBits      = 2048 // RSA
)

// algorithms are those that sign, the first for applications that say nothing: every one knows
// it (OpenID Connect Core section 15.1). There is a key of each at any time, so that it is
// known for long when an application chooses it.
var algorithms = [...]string{store.RS256, store.ES256}

// PurposeKey is what the vault seals private keys for; the owner is the key's ID.
const PurposeKey = "token signing"

// signingKey is a private key as the library knows it.
type signingKey struct {
	id  string
	key crypto.Signer
}

// SignatureAlgorithm implements op.SigningKey, as those below do.
func (k signingKey) SignatureAlgorithm() jose.SignatureAlgorithm {
	if _, is := k.key.(*ecdsa.PrivateKey); is {
		return jose.ES256
	}
	return jose.RS256
}

// ID names the key in tokens.
func (k signingKey) ID() string { return k.id }

// Key returns the private key.
func (k signingKey) Key() any { return k.key }

// publicKey is what everybody may know of one.
type publicKey struct{ signingKey }

// Algorithm implements op.Key, as those below do.
func (k publicKey) Algorithm() jose.SignatureAlgorithm { return k.SignatureAlgorithm() }

// Use is signing.
func (k publicKey) Use() string { return "sig" }

// Key returns the public key.
func (k publicKey) Key() any { return k.key.Public() }

// SigningKey returns the key that signs now for the application: the newest that has been
// published long enough for applications to know it.
func (s *storage) SigningKey(ctx context.Context) (op.SigningKey, error) {
	all, err := s.keys(ctx, cmp.Or(s.algorithm, store.RS256))
	if err != nil {
		return nil, err
	}
	chosen := all[0]
	for _, k := range all {
		if chosen = k; s.now().Sub(k.CreatedAt) >= keyLead {
			break
		}
	}
	return s.open(chosen)
}

// SignatureAlgorithms implements op.Storage.
func (s *storage) SignatureAlgorithms(context.Context) (all []jose.SignatureAlgorithm, err error) {
	for _, name := range algorithms {
		all = append(all, jose.SignatureAlgorithm(name))
	}
	return all, nil
}

// KeySet returns the public keys. Those of the first algorithm come first, for applications
// that take the first.
func (s *storage) KeySet(ctx context.Context) (set []op.Key, err error) {
	for _, name := range algorithms {
		all, err := s.keys(ctx, name)
		if err != nil {
			return nil, err
		}
		for _, k := range all {
			opened, err := s.open(k)
			if err != nil {
				return nil, err
			}
			set = append(set, publicKey{opened})
		}
	}
	return set, nil
}

// openedKeys are private keys that were opened, by their IDs, each as long as the database
// has it as it was: to open one and to look it over costs as much as to sign twice. Safe
// for concurrent use.
type openedKeys struct {
	mu   sync.Mutex
	byID map[string]openedKey
}

// openedKey is one with how it is kept.
type openedKey struct {
	signingKey
	sealed []byte
}

// mostOpened bounds them: an environment publishes three or four of each algorithm.
const mostOpened = 16

// of returns a key that was opened before, or opens it.
func (o *openedKeys) of(k store.SigningKey, open func() (signingKey, error)) (signingKey, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if have, is := o.byID[k.ID]; is && bytes.Equal(have.sealed, k.Sealed) {
		return have.signingKey, nil
	}
	key, err := open()
	if err != nil {
		return signingKey{}, err
	}
	if o.byID == nil || len(o.byID) >= mostOpened {
		o.byID = map[string]openedKey{}
	}
	o.byID[k.ID] = openedKey{key, k.Sealed}
	return key, nil
}

// open is an error when the master key is another than the one that sealed it.
func (s *storage) open(k store.SigningKey) (signingKey, error) {
	return s.keyring.of(k, func() (signingKey, error) { return s.unseal(k) })
}

func (s *storage) unseal(k store.SigningKey) (signingKey, error) {
	b, err := s.Vault.Open(PurposeKey, k.ID, k.Sealed)
	if err != nil {
		return signingKey{}, fmt.Errorf("signing key %s: %w", k.ID, err)
	}
	if k.Algorithm == store.ES256 {
		key, err := x509.ParseECPrivateKey(b)
		return signingKey{k.ID, key}, err
	}
	key, err := x509.ParsePKCS1PrivateKey(b)
	return signingKey{k.ID, key}, err
}

// keys returns the environment's keys of an algorithm, the newest first, and makes one when
// there is none or it has signed long enough.
func (s *storage) keys(ctx context.Context, algorithm string) ([]store.SigningKey, error) {
	all, err := s.Store.SigningKeys(ctx, s.env, algorithm)
	now := s.now()
	if err != nil || len(all) > 0 && now.Sub(all[0].CreatedAt) < keyLife {
		return all, err
	}
	key, err := newKey(algorithm)
	if err != nil {
		return nil, err
	}
	k := store.SigningKey{ID: uuid.NewString(), EnvironmentID: s.env, Algorithm: algorithm, CreatedAt: now}
	k.Sealed = s.Vault.Seal(PurposeKey, k.ID, key)
	if err := s.Store.AddSigningKey(ctx, k, now.Add(-keyLife), now.Add(-keyPublished)); err != nil {
		return nil, err
	}
	return s.Store.SigningKeys(ctx, s.env, algorithm)
}

// newKey makes a private key, in DER.
func newKey(algorithm string) ([]byte, error) {
	if algorithm == store.ES256 {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		return x509.MarshalECPrivateKey(key)
	}
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, err
	}
	return x509.MarshalPKCS1PrivateKey(key), nil
}
