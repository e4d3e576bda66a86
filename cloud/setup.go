package cloud

import (
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
	AdminSetup    string `json:"adminSetup"` // one-time secret by which the administrator sets a password
	SetupURL      string `json:"setupURL"`   // where that is done, with the secret in the fragment
}

// ErrInitialised says that a database holds a cloud already.
var ErrInitialised = errors.New("there is a cloud already")

// Init makes a cloud in a database, as Database returns it: an environment, its
// default population, an administrator who has yet to set a password, and an API
// client, both owners. The master key is made in the file that is named, or in the data folder.
// When there is one already it is ErrInitialised, and nothing of that is changed.
func Init(ctx context.Context, database, masterKey, environment, url string) (s Setup, err error) {
	master, err := masterKeyPath(masterKey, database)
	if err != nil {
		return s, err
	}
	db, err := createDatabase(ctx, database)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := vault.OpenOrCreate(master); err != nil {
		return s, err
	}
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
	admin, client := store.Administrator{
		EnvironmentID: env.ID,
		Name:          s.Administrator,
		CreatedAt:     now,
	}, store.Client{
		EnvironmentID: env.ID,
		Name:          "first client",
		Role:          store.RoleOwner,
		CreatedAt:     now,
	}
	s.AdminSetup, admin.SetupHash = administrators.NewSetupSecret()
	s.SetupURL = administrators.SetupLink(url, s.Administrator, s.AdminSetup)
	admin.SetupUntil = now.Add(administrators.SetupOnServer)
	s.ClientSecret, client.SecretHash = vault.NewSecret()
	if err := db.CreateAdministrator(ctx, &admin); err != nil {
		return s, err
	}
	err = db.CreateClient(ctx, &client)
	s.ClientID = client.ID
	return s, err
}
