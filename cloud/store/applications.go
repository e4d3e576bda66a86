package store

import (
	"context"
	"time"
)

// The types of applications, as OpenID Connect's clients are.
const (
	WebApplication    = "WEB_APP"    // keeps a secret
	NativeApplication = "NATIVE_APP" // on somebody's machine; has no secret
	SinglePage        = "SINGLE_PAGE_APP"
)

// Application is a program that has people sign on here.
type Application struct {
	ID, EnvironmentID, Name, Description string
	Type                                 string
	Enabled                              bool
	SecretHash                           []byte // nil: none was made
	SecretSealed                         []byte // by the vault, to be read again; nil: only its hash is kept
	RedirectURIs, SignOffURIs            []string
	Refresh                              bool // may have refresh tokens
	AskForTicket                         bool // browsers are asked for a Kerberos ticket before the form
	Groups                               GroupsClaim
	Kept                                 ApplicationKept
	CreatedAt, UpdatedAt                 time.Time
}

// The values that a groups claim can have.
const (
	GroupNames        = "NAMES"         // the group's name: its DN when it comes from a directory
	GroupDisplayNames = "DISPLAY_NAMES" // not unique: two groups may have one
	GroupIDs          = "IDS"
	GroupObjects      = "OBJECTS" // ID, both names and source of each
)

// GroupsClaim says which of a person's groups an application learns.
//
// Two sources may have groups of one name. So without Sources there are those of
// gateways alone, or where the environment has no gateway, those of the identity provider
// that it began with: a group in Allow by its ID is there whoever it is of.
type GroupsClaim struct {
	Value   string   `json:"value"`
	Allow   []string `json:"allow,omitempty"`   // patterns with * on the name, or IDs; none: all
	Sources []string `json:"sources,omitempty"` // IDs of gateways and identity providers, besides the cloud's own groups
}

const applicationColumns = `
	SELECT id, environment_id, name, description, type, enabled, secret_hash, redirect_uris, sign_off_uris,
		refresh, ask_for_ticket, groups_claim, secret_sealed, kept, created_at, updated_at
	FROM applications`

// scanApplication reads an empty secret as nil, which means that there is none.
func scanApplication(r row) (a Application, err error) {
	err = r.Scan(
		&a.ID,
		&a.EnvironmentID,
		&a.Name,
		&a.Description,
		&a.Type,
		&a.Enabled,
		fromBase64{&a.SecretHash},
		fromJSON{&a.RedirectURIs},
		fromJSON{&a.SignOffURIs},
		&a.Refresh,
		&a.AskForTicket,
		fromJSON{&a.Groups},
		fromBase64{&a.SecretSealed},
		fromJSON{&a.Kept},
		at{&a.CreatedAt},
		at{&a.UpdatedAt},
	)
	return a, err
}

// CreateApplication adds a and fills in its ID and times. ErrConflict when the
// name is taken.
func (s *Store) CreateApplication(ctx context.Context, a *Application) error {
	return s.Provision(ctx, func(tx *Tx) error {
		if err := newID(&a.ID); err != nil {
			return err
		}
		stamp(&a.CreatedAt)
		a.UpdatedAt = a.CreatedAt
		_, err := tx.c.exec(ctx, `
			INSERT INTO applications (id, environment_id, name, name_folded, description, type, enabled, secret_hash,
				redirect_uris, sign_off_uris, refresh, ask_for_ticket, groups_claim, secret_sealed, kept, created_at, updated_at)
			VALUES `+placeholders(1, 1, 17),
			a.ID,
			a.EnvironmentID,
			a.Name,
			Fold(a.Name),
			a.Description,
			a.Type,
			a.Enabled,
			inBase64(a.SecretHash),
			inJSON(a.RedirectURIs),
			inJSON(a.SignOffURIs),
			a.Refresh,
			a.AskForTicket,
			inJSON(a.Groups),
			inBase64(a.SecretSealed),
			inJSON(a.Kept),
			micros(a.CreatedAt),
			micros(a.UpdatedAt),
		)
		return err
	})
}

// Application returns an application, or ErrNotFound.
func (r reader) Application(ctx context.Context, env, id string) (Application, error) {
	return queryOne(ctx, r.c, scanApplication, applicationColumns+` WHERE environment_id = $1 AND id = $2`, env, id)
}

// Applications lists by name.
func (r reader) Applications(ctx context.Context, env string, page Page) ([]Application, string, error) {
	l := list{query: applicationColumns, key: "name_folded", id: "id"}
	l.where("environment_id = ?", env)
	if err := l.matching(page.Where, applicationField); err != nil {
		return nil, "", err
	}
	return queryPage(ctx, r.c, l, page, scanApplication, func(a Application) (any, string) { return Fold(a.Name), a.ID })
}

// UpdateApplication writes a and fills in when. ErrConflict when the name is taken.
// Everything but the ID and when it was made is written, the hash of the secret too:
// the caller has read it in the same transaction.
func (s *Store) UpdateApplication(ctx context.Context, a *Application) error {
	return s.Provision(ctx, func(tx *Tx) error {
		a.UpdatedAt = now()
		return tx.c.execOne(ctx, `
			UPDATE applications
			SET name = $1, name_folded = $2, description = $3, type = $4, enabled = $5, secret_hash = $6,
				redirect_uris = $7, sign_off_uris = $8, refresh = $9, ask_for_ticket = $10, groups_claim = $11,
				updated_at = $12, secret_sealed = $15, kept = $16
			WHERE environment_id = $13 AND id = $14`,
			a.Name,
			Fold(a.Name),
			a.Description,
			a.Type,
			a.Enabled,
			inBase64(a.SecretHash),
			inJSON(a.RedirectURIs),
			inJSON(a.SignOffURIs),
			a.Refresh,
			a.AskForTicket,
			inJSON(a.Groups),
			micros(a.UpdatedAt),
			a.EnvironmentID,
			a.ID,
			inBase64(a.SecretSealed),
			inJSON(a.Kept),
		)
	})
}

// DeleteApplication removes an application; its tokens are worth nothing from then on.
// ErrNotFound when there is none.
func (s *Store) DeleteApplication(ctx context.Context, env, id string) error {
	return s.Provision(ctx, func(tx *Tx) error {
		return tx.c.execOne(ctx, `DELETE FROM applications WHERE environment_id = $1 AND id = $2`, env, id)
	})
}

// SigningKey is a private key for tokens, sealed.
type SigningKey struct {
	ID, EnvironmentID string
	Sealed            []byte
	CreatedAt         time.Time
}

// scanSigningKey reads the key as it is sealed; only the vault opens it.
func scanSigningKey(r row) (k SigningKey, err error) {
	err = r.Scan(&k.ID, &k.EnvironmentID, fromBase64{&k.Sealed}, at{&k.CreatedAt})
	return k, err
}

// SigningKeys returns the keys of an environment, the newest first.
func (r reader) SigningKeys(ctx context.Context, env string) ([]SigningKey, error) {
	return queryAll(ctx, r.c, scanSigningKey, `
		SELECT id, environment_id, sealed, created_at
		FROM signing_keys
		WHERE environment_id = $1
		ORDER BY created_at DESC, id DESC`,
		env)
}

// AddSigningKey adds k, unless there is one that is newer than after: of several
// nodes that find the newest too old, one adds a key. It forgets those made before
// oldest.
// The private key comes sealed, and its public half is published for as long as tokens
// that it signed may be about: see oldest.
func (s *Store) AddSigningKey(ctx context.Context, k SigningKey, after, oldest time.Time) error {
	return s.Provision(ctx, func(tx *Tx) error {
		all, err := tx.SigningKeys(ctx, k.EnvironmentID)
		if err != nil || len(all) > 0 && all[0].CreatedAt.After(after) {
			return err
		}
		if _, err := tx.c.exec(ctx, `DELETE FROM signing_keys WHERE environment_id = $1 AND created_at < $2`,
			k.EnvironmentID, micros(oldest)); err != nil {
			return err
		}
		_, err = tx.c.exec(ctx, `INSERT INTO signing_keys (id, environment_id, sealed, created_at) VALUES ($1, $2, $3, $4)`,
			k.ID, k.EnvironmentID, inBase64(k.Sealed), micros(k.CreatedAt))
		return err
	})
}
