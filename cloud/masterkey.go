package cloud

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"ldap-gateway/cloud/administrators"
	"ldap-gateway/cloud/alerts"
	"ldap-gateway/cloud/idp"
	"ldap-gateway/cloud/kerberos"
	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/oidc"
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

// ErrOtherKey says that a master key is another database's.
var ErrOtherKey = errors.New("this master key is not that of this database: nothing that is sealed in it" +
	" can be opened. Bring back the one that belongs to it, or name it with --master-key")

// purposes are what values are sealed for, by the tables of store.SomeSealed.
func purposes() map[string]string {
	return map[string]string{
		"signing_keys":       oidc.PurposeKey,
		"ec_signing_keys":    oidc.PurposeKey,
		"kerberos_keys":      kerberos.PurposeKey,
		"administrators":     administrators.PurposeOneTime,
		"alert_channels":     alerts.PurposeSecret,
		"applications":       management.PurposeSecret,
		"identity_providers": idp.PurposeSecret,
		"certificates":       idp.PurposeKey,
		"acme":               acmePurpose,
	}
}

// ofDatabase wants something that is sealed in a database to be opened by a vault; ErrOtherKey when
// nothing is. Where nothing is sealed every key will do. One value that was damaged stops nobody.
func ofDatabase(ctx context.Context, db *store.Store, keys *vault.Vault) error {
	all, err := db.SomeSealed(ctx)
	if err != nil || len(all) == 0 {
		return err
	}
	for _, s := range all {
		if _, err := keys.Open(purposes()[s.Table], s.Owner, s.Value); err == nil {
			return nil
		}
	}
	return ErrOtherKey
}
