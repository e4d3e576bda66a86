package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"ldap-gateway/cloud"
)

// secretFile is a file for a secret that is to be made: it is there before the secret, so that none is lost for
// want of a place.
type secretFile struct{ *os.File }

// newSecretFile makes the file, which only its owner can read. It makes none without a name, and refuses one that
// is there.
func newSecretFile(name string) (*secretFile, error) {
	if name == "" {
		return &secretFile{}, nil
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("%w: --client-file: %s is there already", cloud.ErrUsage, name)
	}
	if err != nil {
		return nil, fmt.Errorf("--client-file: %w", err)
	}
	return &secretFile{file}, nil
}

// keep writes what the file is for.
func (f *secretFile) keep(v any) error {
	err := json.NewEncoder(f).Encode(v)
	err = errors.Join(err, f.Sync(), f.Close())
	f.File = nil
	return err
}

// drop removes the file unless it was kept.
func (f *secretFile) drop() {
	if f.File != nil {
		_ = f.Close()
		_ = os.Remove(f.Name())
	}
}
