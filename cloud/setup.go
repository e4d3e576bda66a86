package cloud

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"time"

	"ldap-gateway/cloud/api"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/vault"
)

// Setup is what a new cloud starts with. The secrets in it are shown once.
type Setup struct {
	EnvironmentID string `json:"environmentId"`
	ClientID      string `json:"clientId"`
	ClientSecret  string `json:"clientSecret"`
	ConsoleURL    string `json:"consoleURL"`
	Administrator string `json:"administrator"`
	AdminSetup    string `json:"adminSetup"` // one-time secret by which the administrator sets a password
}

// ErrInitialised says that a database holds a cloud already.
var ErrInitialised = errors.New("there is a cloud already")

// Init makes a cloud in a database, as Database returns it: an environment, its
// default population, an administrator who has yet to set a password, and an API
// client. The master key is made in the file that is named, or in the data folder.
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
	population := store.Population{EnvironmentID: env.ID, Name: "Default", Description: "Where users go whom no user type sends elsewhere", Default: true, CreatedAt: now, UpdatedAt: now}
	if err := db.CreatePopulation(ctx, &population); err != nil {
		return s, err
	}
	s = Setup{EnvironmentID: env.ID, ConsoleURL: url + "/console/", Administrator: "admin", AdminSetup: secret(15), ClientSecret: secret(32)}
	if err := db.CreateAdministrator(ctx, &store.Administrator{EnvironmentID: env.ID, Name: s.Administrator, SetupHash: digest(s.AdminSetup), CreatedAt: now}); err != nil {
		return s, err
	}
	client := store.Client{EnvironmentID: env.ID, Name: "first client", SecretHash: api.HashSecret(s.ClientSecret), CreatedAt: now}
	err = db.CreateClient(ctx, &client)
	s.ClientID = client.ID
	return s, err
}

// secret returns n random bytes as text.
func secret(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// digest is how a random secret is kept: it has too much in it to be guessed
// from its hash, so the hash needs no salt and no time.
func digest(s string) []byte {
	sum := sha256.Sum256([]byte(s))
	return sum[:]
}
