package wire

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hpke"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// ErrUnknownKey says that a password was sealed with a key that this recipient
// has never seen or has forgotten. Nothing was tried with it.
var ErrUnknownKey = errors.New("unknown sealing key")

// ErrSealed says that a sealed password does not open: it was sealed for
// another sign-on or another instance, or it was altered.
var ErrSealed = errors.New("sealed for something else, or altered")

const (
	sealDomain = "ldap-gateway password v1"
	// keepKeys bounds the keys that a recipient remembers; senders rotate hourly.
	keepKeys = 256
)

// NewSealKey makes a password-recipient key pair (HPKE with X-Wing, RFC 9180)
// and returns both halves encoded.
func NewSealKey() (private, public []byte, err error) {
	k, err := hpke.MLKEM768X25519().GenerateKey()
	if err != nil {
		return nil, nil, err
	}
	private, err = k.Bytes()
	return private, k.PublicKey().Bytes(), err
}

// SealPublicKey returns the public half of an encoded private key.
func SealPublicKey(private []byte) ([]byte, error) {
	k, err := hpke.MLKEM768X25519().NewPrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("seal key: %w", err)
	}
	return k.PublicKey().Bytes(), nil
}

// Sealer seals passwords for one instance. It sets up one HPKE context, takes a
// key from it, and seals each password under that key. Safe for concurrent use.
type Sealer struct {
	key, encap []byte
	aead       cipher.AEAD
	prefix     [4]byte
	count      atomic.Uint64
	known      atomic.Bool
}

// NewSealer prepares to seal for the instance whose public key is given.
func NewSealer(instance string, public []byte) (*Sealer, error) {
	pk, err := hpke.MLKEM768X25519().NewPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("seal key: %w", err)
	}
	encap, sender, err := hpke.NewSender(pk, hpke.HKDFSHA256(), hpke.ExportOnly(), sealInfo(instance))
	if err != nil {
		return nil, fmt.Errorf("seal key: %w", err)
	}
	secret, err := sender.Export(sealDomain, 32)
	if err != nil {
		return nil, fmt.Errorf("seal key: %w", err)
	}
	s := &Sealer{key: keyName(encap), encap: encap, aead: newAEAD(secret)}
	rand.Read(s.prefix[:])
	return s, nil
}

// Seal returns password for the given sign-on only, as version 1 of the wire has it:
// without a time. Until Known was called the result carries what the recipient needs
// to make the key.
func (s *Sealer) Seal(signOn string, password []byte) Sealed { return s.seal(signOn, 0, password) }

// SealAt is Seal for a moment: the recipient learns it, and nobody else can alter it.
func (s *Sealer) SealAt(signOn string, at time.Time, password []byte) Sealed {
	return s.seal(signOn, uint64(max(1, at.UnixMilli())), password)
}

func (s *Sealer) seal(signOn string, at uint64, password []byte) Sealed {
	nonce := make([]byte, 12)
	copy(nonce, s.prefix[:])
	binary.BigEndian.PutUint64(nonce[4:], s.count.Add(1))
	out := Sealed{
		Key:        s.key,
		Nonce:      nonce,
		Ciphertext: s.aead.Seal(nil, nonce, password, bound(signOn, at)),
		At:         at,
	}
	if !s.known.Load() {
		out.Encap = s.encap
	}
	return out
}

// Known records whether the recipient has the key.
func (s *Sealer) Known(known bool) { s.known.Store(known) }

// Opener opens what was sealed for one instance. Safe for concurrent use.
type Opener struct {
	private hpke.PrivateKey
	info    []byte

	mu    sync.Mutex
	keys  map[string]cipher.AEAD
	order []string // of keys, oldest first
}

// NewOpener returns an opener with an instance's private key.
func NewOpener(instance string, private []byte) (*Opener, error) {
	k, err := hpke.MLKEM768X25519().NewPrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("seal key: %w", err)
	}
	return &Opener{private: k, info: sealInfo(instance), keys: map[string]cipher.AEAD{}}, nil
}

// Open returns the password sealed for the given sign-on. It returns
// ErrUnknownKey or ErrSealed.
func (o *Opener) Open(signOn string, s Sealed) ([]byte, error) {
	aead, err := o.aead(s)
	if err != nil {
		return nil, err
	}
	if len(s.Nonce) != aead.NonceSize() {
		return nil, ErrSealed
	}
	if s.At == 0 && strings.HasPrefix(signOn, timed) {
		return nil, ErrSealed // a time would be taken for a part of the ID
	}
	password, err := aead.Open(nil, s.Nonce, s.Ciphertext, bound(signOn, s.At))
	if err != nil {
		return nil, ErrSealed
	}
	return password, nil
}

// timed begins what a password with a time is bound to; no ID begins with it.
const timed = "\x00at"

// bound is what a sealed password is bound to: its sign-on and, if it has one, its time.
func bound(signOn string, at uint64) []byte {
	if at == 0 {
		return []byte(signOn)
	}
	return append(binary.BigEndian.AppendUint64([]byte(timed), at), signOn...)
}

func (o *Opener) aead(s Sealed) (cipher.AEAD, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if a, ok := o.keys[string(s.Key)]; ok {
		return a, nil
	}
	if len(s.Encap) == 0 {
		return nil, ErrUnknownKey
	}
	if !bytes.Equal(keyName(s.Encap), s.Key) {
		return nil, ErrSealed
	}
	r, err := hpke.NewRecipient(s.Encap, o.private, hpke.HKDFSHA256(), hpke.ExportOnly(), o.info)
	if err != nil {
		return nil, ErrSealed
	}
	secret, err := r.Export(sealDomain, 32)
	if err != nil {
		return nil, ErrSealed
	}
	a := newAEAD(secret)
	o.remember(string(s.Key), a)
	return a, nil
}

// remember keeps a under key and forgets the oldest beyond keepKeys.
func (o *Opener) remember(key string, a cipher.AEAD) {
	o.keys[key] = a
	o.order = append(o.order, key)
	if len(o.order) > keepKeys {
		delete(o.keys, o.order[0])
		o.order = o.order[1:]
	}
}

func sealInfo(instance string) []byte { return []byte(sealDomain + "\x00" + instance) }

func keyName(encap []byte) []byte {
	sum := sha256.Sum256(encap)
	return sum[:16]
}

func newAEAD(secret []byte) cipher.AEAD {
	return must(cipher.NewGCM(must(aes.NewCipher(secret))))
}
