package cloud

import (
	"cmp"
	"context"
	"errors"
	"time"

	"ldap-gateway/cloud/administrators"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/vault"
)

// Setup is what a new cloud starts with. The secrets in it are shown once.
type Setup struct {
	EnvironmentID string `json:"environmentId"`
	ClientID      string `json:"clientId,omitempty"`
	ClientSecret  string `json:"clientSecret,omitempty"`
	ConsoleURL    string `json:"consoleURL"`
	Administrator string `json:"administrator"`
	AdminSetup    string `json:"adminSetup,omitempty"` // one-time secret by which the administrator sets a password
	SetupURL      string `json:"setupURL,omitempty"`   // where that is done, with the secret in the fragment
}

// ErrInitialised says that a database holds a cloud already.
var ErrInitialised = errors.New("there is a cloud already")

// Init makes a cloud in a database, as Database returns it: an environment, its
// default population, an administrator who has yet to set a password, and an API
// client, both owners. The master key is made in the file that is named, or in the data folder.
// When there is one already it is ErrInitialised, and nothing of that is changed.
// Nodes may do so at the same moment: one of them makes it.
func Init(ctx context.Context, database, masterKey, environment, url string) (s Setup, err error) {
	err = initialise(ctx, database, masterKey, func(db *store.Store) error {
		if s, err = fill(ctx, db, environment, url); err != nil {
			return err
		}
		client := store.Client{EnvironmentID: s.EnvironmentID, Name: "first client", Role: store.RoleOwner}
		s.ClientSecret, client.SecretHash = vault.NewSecret()
		err := db.CreateClient(ctx, &client)
		s.ClientID = client.ID
		return err
	})
	return s, err
}

// InitUnattended is Init where nobody may read what a program prints but its log: there is
// no API client, and the secrets in its Setup, empty, are had by ResetAdministrator.
func InitUnattended(ctx context.Context, database, masterKey, environment, url string) (s Setup, err error) {
	err = initialise(ctx, database, masterKey, func(db *store.Store) error {
		s, err = fill(ctx, db, environment, url)
		return err
	})
	s.AdminSetup, s.SetupURL = "", ""
	return s, err
}

// initialise has fill make a cloud in a database where there is none, and its master key.
// All of it is made or nothing.
func initialise(ctx context.Context, database, masterKey string, fill func(*store.Store) error) (err error) {
	master, err := masterKeyPath(masterKey, database)
	if err != nil {
		return err
	}
	db, err := createDatabase(ctx, database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := vault.OpenOrCreate(master); err != nil {
		return err
	}
	return db.Provision(ctx, func(tx *store.Tx) error {
		if all, err := tx.Environments(ctx); err != nil || len(all) > 0 {
			return cmp.Or(err, ErrInitialised) // by another node
		}
		return fill(tx.Store())
	})
}

// fill makes what every new cloud starts with in an empty database.
func fill(ctx context.Context, db *store.Store, environment, url string) (s Setup, err error) {
	now := time.Now()
	env := store.Environment{Name: environment, CreatedAt: now, UpdatedAt: now}
	if err := db.CreateEnvironment(ctx, &env); err != nil {
		return s, err
	}
	population := store.Population{
		EnvironmentID: env.ID,
		Name:          "Default",
		Description:   "Where users go whom no user type sends elsewhere",
		Default:       true,
		CreatedAt:     now,
		UpdatedAt:     now,
	}
	if err := db.CreatePopulation(ctx, &population); err != nil {
		return s, err
	}
	s = Setup{EnvironmentID: env.ID, ConsoleURL: url + "/console/", Administrator: "admin"}
	admin := store.Administrator{EnvironmentID: env.ID, Name: s.Administrator, CreatedAt: now}
	s.AdminSetup, admin.SetupHash = administrators.NewSetupSecret()
	s.SetupURL = administrators.SetupLink(url, s.Administrator, s.AdminSetup)
	admin.SetupUntil = now.Add(administrators.SetupOnServer)
	return s, db.CreateAdministrator(ctx, &admin)
}
