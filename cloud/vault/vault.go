package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
)

// FileName is the name of the master key's file in a data folder, and of the
// systemd credential that may be given instead.
const FileName = "master.key"

const keySize = 32

var (
	// ErrOpen says that bytes were not sealed here: another master key, another
	// purpose or owner, or they were altered.
	ErrOpen = errors.New("sealed with another master key, or altered")
	// ErrKeyFile says that a file holds no master key, or that others may read it.
	ErrKeyFile = errors.New("no master key")
)

// Vault seals and opens. Safe for concurrent use.
type Vault struct {
	master                  []byte
	shorteners, lengtheners sync.Pool // of SealText and OpenText
}

// New returns the vault of a master key of 32 bytes.
func New(master []byte) (*Vault, error) {
	if len(master) != keySize {
		return nil, fmt.Errorf("%w: %d bytes, not %d", ErrKeyFile, len(master), keySize)
	}
	return &Vault{master: append([]byte(nil), master...)}, nil
}

// Open reads the master key from a file. Its error wraps ErrKeyFile when the file
// is not one, and fs.ErrNotExist when there is none.
func Open(path string) (*Vault, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	// A group may read it: a service that is not the file's owner is given it so, as by
	// a Secret of Kubernetes.
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o037 != 0 {
		return nil, fmt.Errorf("%w: others may read %s, or its group write it: chmod 0600 it", ErrKeyFile, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	master, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, fmt.Errorf("%w: %s is not base64 of 32 bytes", ErrKeyFile, path)
	}
	return New(master)
}

// Create makes a master key in a new file. Its error wraps fs.ErrExist when the
// file is there already.
func Create(path string) (*Vault, error) {
	master := make([]byte, keySize)
	rand.Read(master) // never fails
	beside, err := os.CreateTemp(filepath.Dir(path), ".master-*")
	if err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	defer os.Remove(beside.Name())
	_, err = beside.WriteString(base64.StdEncoding.EncodeToString(master) + "\n")
	if err = errors.Join(err, beside.Sync(), beside.Close()); err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	if err := os.Link(beside.Name(), path); err != nil { // fails when the file is there
		return nil, fmt.Errorf("master key: %w", err)
	}
	return New(master)
}

// OpenOrCreate is Open, or Create when there is no file; of two at once one creates it.
func OpenOrCreate(path string) (*Vault, error) {
	v, err := Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		v, err = Create(path)
	}
	if errors.Is(err, fs.ErrExist) {
		return Open(path)
	}
	return v, err
}

// Seal returns secret as nobody can read it without this vault. Purpose says what
// it is, as in "kerberos"; owner whose it is, as in an ID. Both are needed to open it.
func (v *Vault) Seal(purpose, owner string, secret []byte) []byte {
	aead := v.aead(purpose)
	nonce := make([]byte, aead.NonceSize())
	rand.Read(nonce) // never fails
	return aead.Seal(nonce, nonce, secret, []byte(owner))
}

// Open returns what Seal was given. ErrOpen when sealed is not that.
func (v *Vault) Open(purpose, owner string, sealed []byte) ([]byte, error) {
	aead := v.aead(purpose)
	n := aead.NonceSize()
	if len(sealed) < n {
		return nil, ErrOpen
	}
	secret, err := aead.Open(nil, sealed[:n], sealed[n:], []byte(owner))
	if err != nil {
		return nil, ErrOpen
	}
	return secret, nil
}

// Derive returns a key of 32 bytes for a purpose that seals by itself.
func (v *Vault) Derive(purpose string) (key [keySize]byte) {
	derived, err := hkdf.Key(sha256.New, v.master, nil, "ldap-cloud "+purpose, keySize)
	if err != nil {
		panic(err) // only a key of more than 8160 bytes fails
	}
	copy(key[:], derived)
	return key
}

func (v *Vault) aead(purpose string) cipher.AEAD {
	key := v.Derive(purpose)
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // the size is right
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has the block size that GCM wants
	}
	return aead
}

// Format writes [redacted] for every verb of package fmt.
func (v *Vault) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte("[redacted]")) }
