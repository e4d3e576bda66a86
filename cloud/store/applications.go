package store

import (
	"cmp"
	"context"
	"strings"
	"time"
)

// The types of applications.
const (
	WebApplication    = "WEB_APP"    // keeps a secret
	NativeApplication = "NATIVE_APP" // on somebody's machine; has no secret
	SinglePage        = "SINGLE_PAGE_APP"
	CustomApplication = "CUSTOM_APP" // of SAML, where WebApplication is the same
)

// How an application must use PKCE (RFC 7636), in the words of compatible clients.
const (
	PKCEOptional = "OPTIONAL"      // what is sent is verified; only with a secret
	PKCERequired = "REQUIRED"      // by any method
	PKCES256     = "S256_REQUIRED" // by the method S256; it is so unless said otherwise
)

// OpenID is what an application's way of OpenID Connect is, besides its addresses. What
// is empty is the strictest.
type OpenID struct {
	PKCE          string `json:"pkce,omitempty"`
	Preset        string `json:"preset,omitempty"`        // by which it was made; decides nothing
	EmailVerified bool   `json:"emailVerified,omitempty"` // it is told that e-mail addresses are people's own

	// BackChannel is where it is told that a session has ended; empty: nowhere.
	BackChannel string `json:"backChannel,omitempty"`

	// An application may be an API, or call some: APIs have identifiers (RFC 8707).
	Resources []string `json:"resources,omitempty"` // of its own: it may ask about tokens for them
	Audiences []string `json:"audiences,omitempty"` // of others: it may have tokens for them
	JWT       bool     `json:"jwt,omitempty"`       // its access tokens can be read by those (RFC 9068)
	Algorithm string   `json:"algorithm,omitempty"` // that signs for it; empty: RS256, which every application knows

	// The public keys that it proves itself by (private_key_jwt), as a set in JSON or at an
	// address; without both it has a secret, unless its type can keep none.
	JWKS    string `json:"jwks,omitempty"`
	JWKSURL string `json:"jwksUrl,omitempty"`

	AccessRule
}

// AccessRule says who may sign on to an application, by IDs of groups: each is of one source,
// whatever another source calls its own.
type AccessRule struct {
	Access    []string `json:"access,omitempty"`    // groups whose people may; none: everybody
	AccessAll bool     `json:"accessAll,omitempty"` // they must be in all of them
}

// Admits tells whether somebody who is in groups, by their IDs, may sign on.
func (r AccessRule) Admits(in map[string]bool) bool {
	n := 0
	for _, id := range r.Access {
		if in[id] {
			n++
		}
	}
	return n == len(r.Access) || n > 0 && !r.AccessAll
}

// Application is a program that has people sign on here.
type Application struct {
	ID, EnvironmentID, Name, Description string
	Protocol                             ProviderType // empty: OpenID Connect
	Type                                 string
	Enabled                              bool
	SecretHash                           []byte // nil: none was made
	SecretSealed                         []byte // by the vault, to be read again; nil: only its hash is kept
	Former                               FormerSecret
	RedirectURIs, SignOffURIs            []string
	Refresh                              bool // may have refresh tokens
	AskForTicket                         bool // browsers are asked for a Kerberos ticket before the form
	Groups                               GroupsClaim
	OpenID                               OpenID
	SAML                                 ServiceProvider
	Kept                                 ApplicationKept
	CreatedAt, UpdatedAt                 time.Time
}

// FormerSecret is the secret that an application or an API client had before its present one, which is good
// besides until a time, so that a program can be given the new one without a break.
type FormerSecret struct {
	Hash   []byte    `json:"hash,omitempty"` // nil: there is none
	Sealed []byte    `json:"sealed,omitempty"`
	Until  time.Time `json:"until,omitzero"`
}

// Good tells whether it is, at a moment.
func (f FormerSecret) Good(now time.Time) bool { return f.Hash != nil && f.Until.After(now) }

// Public tells whether an application is one that can keep no secret.
func (a Application) Public() bool { return a.Type != WebApplication }

// AccessRule is who may sign on to the application, by whichever protocol it speaks.
func (a Application) AccessRule() AccessRule {
	if a.Protocol == SAML {
		return a.SAML.AccessRule
	}
	return a.OpenID.AccessRule
}

// ProvesByKey tells whether the application proves itself by a key, and not by a secret.
func (a Application) ProvesByKey() bool {
	return !a.Public() && (a.OpenID.JWKS != "" || a.OpenID.JWKSURL != "")
}

// Algorithm is that by which tokens are signed for the application.
func (a Application) Algorithm() string { return cmp.Or(a.OpenID.Algorithm, RS256) }

// PKCE is how the application must use PKCE. One without a secret is never let off,
// whatever was kept of it.
func (a Application) PKCE() string {
	switch how := a.OpenID.PKCE; {
	case how == PKCERequired, how == PKCEOptional && !a.Public():
		return how
	}
	return PKCES256
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
	// Bytes is how many an ID token may have of them, as JSON: 0 for DefaultGroupBytes,
	// NoGroupBytes for none of them ever.
	Bytes int `json:"bytes,omitempty"`
}

// How many bytes of groups an ID token has. Cookies, headers and addresses carry ID
// tokens, whose base64 is a third longer, and most servers take 8 KB of those in all.
const (
	NoGroupBytes      = -1
	DefaultGroupBytes = 2 << 10
	MostGroupBytes    = 64 << 10
)

// TokenBytes is how many bytes of groups an ID token may have; 0 for none.
func (g GroupsClaim) TokenBytes() int {
	switch {
	case g.Bytes == 0:
		return DefaultGroupBytes
	case g.Bytes < 0:
		return 0
	}
	return g.Bytes
}

const applicationColumns = `
	SELECT id, environment_id, name, description, type, enabled, secret_hash, redirect_uris, sign_off_uris,
		refresh, ask_for_ticket, groups_claim, openid, secret_sealed, kept, created_at, updated_at,
		protocol, saml, entity_id, former_secret
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
		fromJSON{&a.OpenID},
		fromBase64{&a.SecretSealed},
		fromJSON{&a.Kept},
		at{&a.CreatedAt},
		at{&a.UpdatedAt},
		&a.Protocol,
		fromJSON{&a.SAML},
		&a.SAML.EntityID,
		fromJSON{&a.Former},
	)
	return a, err
}

// CreateApplication adds a and fills in its ID and times. ErrConflict when the
// name or the entity ID is taken.
func (s *Store) CreateApplication(ctx context.Context, a *Application) error {
	return s.Provision(ctx, func(tx *Tx) error {
		if err := newID(&a.ID); err != nil {
			return err
		}
		stamp(&a.CreatedAt)
		a.UpdatedAt = a.CreatedAt
		a.Protocol = cmp.Or(a.Protocol, OpenIDConnect)
		_, err := tx.c.exec(ctx, `
			INSERT INTO applications (id, environment_id, name, name_folded, description, type, enabled, secret_hash,
				redirect_uris, sign_off_uris, refresh, ask_for_ticket, groups_claim, openid, secret_sealed, kept,
				created_at, updated_at, protocol, saml, entity_id, former_secret)
			VALUES `+placeholders(1, 1, 22),
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
			inJSON(a.OpenID),
			inBase64(a.SecretSealed),
			inJSON(a.Kept),
			micros(a.CreatedAt),
			micros(a.UpdatedAt),
			a.Protocol,
			inJSON(a.SAML),
			a.SAML.EntityID,
			inJSON(a.Former),
		)
		return err
	})
}

// Application returns an application, or ErrNotFound.
func (r reader) Application(ctx context.Context, env, id string) (Application, error) {
	return queryOne(ctx, r.c, scanApplication, applicationColumns+`
		WHERE environment_id = $1 AND id = $2 AND NOT going`, env, id)
}

// Applications lists by name.
func (r reader) Applications(ctx context.Context, env string, page Page) ([]Application, string, error) {
	l := list{query: applicationColumns, key: "name_folded", id: "id", word: "application"}
	l.where("environment_id = ? AND NOT going", env)
	if err := l.matching(page.Where, applicationField); err != nil {
		return nil, "", err
	}
	return queryPage(ctx, r.c, l, page, scanApplication, func(a Application) (any, string) { return Fold(a.Name), a.ID })
}

// SignedOnAt returns the applications that got tokens by a sign-on.
func (r reader) SignedOnAt(ctx context.Context, env, signOn string) ([]Application, error) {
	return queryAll(ctx, r.c, scanApplication, applicationColumns+`
		WHERE environment_id = $1 AND NOT going AND id IN (
			SELECT application_id
			FROM authorizations
			WHERE environment_id = $1 AND sign_on_id = $2 AND sign_on_id <> '' AND used_at <> 0)
		ORDER BY id`,
		env, signOn)
}

// PublicApplicationsAt returns those without a secret that may be at a host, by the text
// of their addresses: the caller looks closer.
func (r reader) PublicApplicationsAt(ctx context.Context, env, host string) ([]Application, error) {
	return queryAll(ctx, r.c, scanApplication, applicationColumns+`
		WHERE environment_id = $1 AND NOT going AND type <> $2 AND lower(redirect_uris) LIKE $3 ESCAPE '\'
		ORDER BY id`,
		env, WebApplication, "%"+escapeLike(strings.ToLower(host))+"%")
}

// UpdateApplication writes a and fills in when. ErrConflict when the name or the entity ID
// is taken. Everything but the ID, the protocol and when it was made is written, the hash of the secret too:
// the caller has read it in the same transaction.
func (s *Store) UpdateApplication(ctx context.Context, a *Application) error {
	return s.Provision(ctx, func(tx *Tx) error {
		a.UpdatedAt = now()
		return tx.c.execOne(ctx, `
			UPDATE applications
			SET name = $1, name_folded = $2, description = $3, type = $4, enabled = $5, secret_hash = $6,
				redirect_uris = $7, sign_off_uris = $8, refresh = $9, ask_for_ticket = $10, groups_claim = $11,
				openid = $12, updated_at = $13, secret_sealed = $16, kept = $17,
				saml = $18, entity_id = $19, former_secret = $20
			WHERE environment_id = $14 AND id = $15`,
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
			inJSON(a.OpenID),
			micros(a.UpdatedAt),
			a.EnvironmentID,
			a.ID,
			inBase64(a.SecretSealed),
			inJSON(a.Kept),
			inJSON(a.SAML),
			a.SAML.EntityID,
			inJSON(a.Former),
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
