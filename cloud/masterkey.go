package cloud

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/vault"
)

// errMasterKey says that nobody has said where the master key is.
var errMasterKey = errors.New("a cloud on PostgreSQL needs its master key in a file, the same on every node:" +
	` name it with --master-key; "init" makes it`)

// masterKeyPath returns where the master key is: in the file that is named, in a
// systemd credential, or in the data folder beside the database.
func masterKeyPath(named, database string) (string, error) {
	if named != "" {
		return named, nil
	}
	// A credential counts before the folder: the operator has chosen it, too.
	if folder := os.Getenv("CREDENTIALS_DIRECTORY"); folder != "" {
		path := filepath.Join(folder, vault.FileName)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	if store.IsPostgres(database) {
		return "", errMasterKey
	}
	return filepath.Join(filepath.Dir(database), vault.FileName), nil
}

// openVault opens the vault of a cloud that "init" made.
// It never makes one: what is sealed would be lost with another key, without a word.
func openVault(named, database string) (*vault.Vault, error) {
	path, err := masterKeyPath(named, database)
	if err != nil {
		return nil, err
	}
	v, err := vault.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf(
			"%w: bring it back from your backup, or name it with --master-key."+
				" What is sealed in the database cannot be opened with another",
			err,
		)
	}
	return v, err
}
