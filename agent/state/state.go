package state

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"ldap-gateway/cloudlink/wire"
)

// ErrNotPaired says that the folder holds no instance yet.
var ErrNotPaired = errors.New("this machine is not paired")

// ErrPermissions says that others may read what is for the owner only.
var ErrPermissions = errors.New("readable by others")

const (
	instanceFile  = "instance.json"
	userTypesFile = "usertypes.cbor"
)

// Folder is a state folder.
type Folder struct{ path string }

// At returns the folder at path. Nothing is read or made yet.
func At(path string) Folder { return Folder{path} }

// String returns the folder's path.
func (f Folder) String() string { return f.path }

// Instance is what a paired machine is.
type Instance struct {
	ID          string    `json:"instance"`
	Cloud       string    `json:"cloud"` // the URL that it was paired at
	Gateway     string    `json:"gateway"`
	GatewayName string    `json:"gatewayName"`
	Environment string    `json:"environment"`
	Fingerprint string    `json:"fingerprint"`
	PairedAt    time.Time `json:"pairedAt"`
	KeysSince   time.Time `json:"keysSince"`
	Keys        Keys      `json:"keys"`
}

// Keys are the private keys of an instance. They print as [redacted].
type Keys struct {
	signing ed25519.PrivateKey
	sealing []byte
}

// NewKeys makes the two key pairs of an instance.
func NewKeys() (Keys, error) {
	_, signing, err := ed25519.GenerateKey(nil)
	if err != nil {
		return Keys{}, err
	}
	sealing, _, err := wire.NewSealKey()
	return Keys{signing, sealing}, err
}

// Signing returns the key that proves the instance.
func (k Keys) Signing() ed25519.PrivateKey { return k.signing }

// Sealing returns the key that opens passwords sealed for the instance, encoded.
func (k Keys) Sealing() []byte { return k.sealing }

// Public returns both public halves.
func (k Keys) Public() (signing ed25519.PublicKey, sealing []byte, err error) {
	sealing, err = wire.SealPublicKey(k.sealing)
	return k.signing.Public().(ed25519.PublicKey), sealing, err
}

// Format implements fmt.Formatter for every verb.
func (Keys) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte("[redacted]")) }

// MarshalText refuses: only the folder writes keys, in its own form.
func (Keys) MarshalText() ([]byte, error) { return []byte("[redacted]"), nil }

// storedInstance is Instance as the file has it.
type storedInstance struct {
	Instance
	Keys storedKeys `json:"keys"`
}

type storedKeys struct {
	Signing atRest `json:"ed25519"`
	Sealing atRest `json:"xwing"`
}

func (k Keys) stored() storedKeys { return storedKeys{atRest(k.signing), k.sealing} }

func (s storedKeys) keys() Keys { return Keys{ed25519.PrivateKey(s.Signing), s.Sealing} }

// atRest is a secret that is protected in the file as far as the system can.
type atRest []byte

// MarshalJSON implements json.Marshaler.
func (a atRest) MarshalJSON() ([]byte, error) {
	b, err := protect(a)
	if err != nil {
		return nil, fmt.Errorf("protect a key: %w", err)
	}
	return json.Marshal(b)
}

// UnmarshalJSON implements json.Unmarshaler.
func (a *atRest) UnmarshalJSON(text []byte) error {
	var b []byte
	err := json.Unmarshal(text, &b)
	if err == nil {
		b, err = unprotect(b)
	}
	*a = b
	return err
}

// Instance reads who this instance is. It returns ErrNotPaired when it is
// nobody yet, and ErrPermissions when others could read its keys.
func (f Folder) Instance() (Instance, error) {
	path := filepath.Join(f.path, instanceFile)
	if err := private(path); err != nil {
		return Instance{}, err
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Instance{}, fmt.Errorf("%w: make a code in the console and run \"ldap-gateway pair\"", ErrNotPaired)
	}
	if err != nil {
		return Instance{}, fmt.Errorf(
			"%w: run the command as the user that the service runs as, or name its folder with --state",
			err,
		)
	}
	var s storedInstance
	if err := json.Unmarshal(b, &s); err != nil {
		return Instance{}, fmt.Errorf("%s: %w: pair again with \"ldap-gateway pair --replace\"", path, err)
	}
	if len(s.Keys.Signing) != ed25519.PrivateKeySize {
		return Instance{}, fmt.Errorf("%s holds no key: pair again with \"ldap-gateway pair --replace\"", path)
	}
	s.Instance.Keys = s.Keys.keys()
	return s.Instance, nil
}

// SaveInstance makes i what this instance is.
func (f Folder) SaveInstance(i Instance) error {
	return f.writeJSON(instanceFile, storedInstance{i, i.Keys.stored()})
}

// Forget makes this machine nobody again: what the folder knows of an instance is
// removed, its keys first. Nothing there is no error.
func (f Folder) Forget() error {
	for _, name := range []string{
		instanceFile, nextFile, wishedFile, epochFile, userTypesFile, answeredFile, policyKeyFile,
	} {
		if err := f.remove(name); err != nil {
			return err
		}
	}
	return nil
}

func (f Folder) writeJSON(name string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return f.write(name, append(b, '\n'))
}

// UserTypes reads what the cloud delivered last; nothing delivered yet is the
// zero value.
func (f Folder) UserTypes() (m wire.UserTypes, err error) {
	b, err := os.ReadFile(filepath.Join(f.path, userTypesFile))
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return m, err
	}
	return m, wire.Unmarshal(b, &m)
}

// Delivered tells whether a cloud has delivered user types; also when that cannot be
// found out.
func (f Folder) Delivered() bool {
	_, err := os.Stat(filepath.Join(f.path, userTypesFile))
	return !errors.Is(err, fs.ErrNotExist)
}

// SaveUserTypes keeps what the cloud delivered.
func (f Folder) SaveUserTypes(m wire.UserTypes) error {
	b, err := wire.Marshal(m)
	if err != nil {
		return err
	}
	return f.write(userTypesFile, b)
}

// Ready makes the folder if it is not there and proves that it can be written.
func (f Folder) Ready() error {
	if err := makeFolder(f.path); err != nil {
		return fmt.Errorf("%w: run the command as root or as the service's user, or name another folder with --state", err)
	}
	probe, err := os.CreateTemp(f.path, ".probe-*")
	if err != nil {
		return fmt.Errorf("%w: run the command as root or as the service's user, or name another folder with --state", err)
	}
	_ = probe.Close()
	return os.Remove(probe.Name())
}

// write replaces a file atomically.
func (f Folder) write(name string, b []byte) (err error) {
	if err := makeFolder(f.path); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(f.path, "."+name+"-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = tmp.Close()
			_ = os.Remove(tmp.Name())
		}
	}()
	if _, err = tmp.Write(b); err != nil {
		return err
	}
	if err = adopt(tmp, f.path); err != nil {
		return err
	}
	if err = tmp.Sync(); err != nil {
		return err
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	if err = os.Rename(tmp.Name(), filepath.Join(f.path, name)); err != nil {
		return err
	}
	return syncFolder(f.path)
}
