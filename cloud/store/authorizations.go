package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// ErrReused says that a code or a refresh token was used before. What came of it
// is worth nothing any more.
var ErrReused = errors.New("used before; all that came of it was taken back")

// Authorization is an application's wish to have somebody sign on. It is kept from when somebody has.
type Authorization struct {
	ID, EnvironmentID, ApplicationID string
	Request                          []byte // JSON, of the room that made it
	SignedOn                         SignedOn
	CreatedAt, ExpiresAt             time.Time
}

// SignedOn is who signed on, and how.
type SignedOn struct {
	UserID, SignOnID string // empty: nobody has yet
	Method           Method // of the sign-on
	Methods          string // of ByIDP, as RFC 8176 has them, parted by blanks; empty: not said
	ProviderID       string // of ByIDP
	At               time.Time
	Factor           Factor `json:",omitempty"` // that was proven beside it; empty: none was
	SignOffs         int    // of the user when the session began; it is kept in no authorization and no token
}

// SignedOnUser returns the user of a sign-on that may still be built upon. ErrNotFound when the
// user is gone or disabled, or the identity provider is that it came through.
// Whoever uses something that came of a sign-on asks here, each time.
func (r reader) SignedOnUser(ctx context.Context, env string, by SignedOn) (User, error) {
	return r.signedOn(ctx, env, by, r.User)
}

// SignedOnPerson is SignedOnUser in one statement, without what only people look at: the last sign-on, and who
// vouches for the user, and what correlates them.
func (r reader) SignedOnPerson(ctx context.Context, env string, by SignedOn) (User, error) {
	return r.signedOn(ctx, env, by, r.person)
}

func (r reader) signedOn(
	ctx context.Context, env string, by SignedOn, read func(ctx context.Context, env, id string) (User, error),
) (User, error) {
	if by.ProviderID != "" {
		p, err := r.IdentityProvider(ctx, env, by.ProviderID)
		if err == nil && !p.Enabled {
			err = ErrNotFound
		}
		if err != nil {
			return User{}, err
		}
	}
	u, err := read(ctx, env, by.UserID)
	if err == nil && !u.MaySignOn() {
		err = ErrNotFound
	}
	return u, err
}

const authorizationColumns = `
	SELECT id, environment_id, application_id, request, user_id, sign_on_id, method, signed_on_at, created_at,
		expires_at, methods, provider_id, factor
	FROM authorizations`

// scanAuthorization leaves the hash of the code out: it is looked up by, and never
// shown.
func scanAuthorization(r row) (a Authorization, err error) {
	var request string
	err = r.Scan(
		&a.ID,
		&a.EnvironmentID,
		&a.ApplicationID,
		&request,
		&a.SignedOn.UserID,
		&a.SignedOn.SignOnID,
		&a.SignedOn.Method,
		at{&a.SignedOn.At},
		at{&a.CreatedAt},
		at{&a.ExpiresAt},
		&a.SignedOn.Methods,
		&a.SignedOn.ProviderID,
		&a.SignedOn.Factor,
	)
	a.Request = []byte(request)
	return a, err
}

// CodeLife is how long a code is good from when it was made (RFC 6749 section 4.1.2).
const CodeLife = time.Minute

// CreateAuthorization adds a wish that somebody has signed on for, with the hash of the code that is
// good for it from CreatedAt for CodeLife; nil: it is answered and used with this. It fills in ID and time, and
// forgets those that have expired. ErrConflict when there is one of its ID: a wish is answered
// once, while its row is kept. ErrNotFound without its application.
func (s *Store) CreateAuthorization(ctx context.Context, a *Authorization, code []byte) error {
	return s.ProvisionIn(ctx, a.EnvironmentID, func(tx *Tx) error {
		if err := newID(&a.ID); err != nil {
			return err
		}
		stamp(&a.CreatedAt)
		if err := tx.forgetExpired(ctx, "authorizations", a.EnvironmentID, now()); err != nil {
			return err
		}
		if err := tx.stillSignedOn(ctx, a.EnvironmentID, a.SignedOn); err != nil {
			return err
		}
		var used int64
		if code == nil {
			used = micros(now())
		}
		_, err := tx.c.exec(ctx, `
			INSERT INTO authorizations (id, environment_id, application_id, request, user_id, sign_on_id, method,
				signed_on_at, methods, provider_id, factor, code_hash, used_at, created_at, expires_at)
			VALUES `+placeholders(1, 1, 15),
			a.ID,
			a.EnvironmentID,
			a.ApplicationID,
			string(a.Request),
			a.SignedOn.UserID,
			a.SignedOn.SignOnID,
			a.SignedOn.Method,
			micros(a.SignedOn.At),
			a.SignedOn.Methods,
			a.SignedOn.ProviderID,
			a.SignedOn.Factor,
			inBase64(code),
			used,
			micros(a.CreatedAt),
			micros(a.ExpiresAt),
		)
		return err
	})
}

// stillSignedOn is ErrNotFound when a user has been signed off everywhere since, as by disabling, or is gone: what is
// looked at before a transaction may have changed by its turn.
func (tx *Tx) stillSignedOn(ctx context.Context, env string, by SignedOn) error {
	if by.UserID == "" {
		return nil
	}
	_, err := queryOne(ctx, tx.c, value[string], `
		SELECT id FROM users
		WHERE environment_id = $1 AND id = $2 AND sign_offs = $3`,
		env, by.UserID, by.SignOffs)
	return err
}

// forgetExpired deletes some of what has expired in an environment, the oldest first: more
// than are made, in time. Others' rows are left to them, whose turn this is not, or to the sweep. No more than a
// hundred are looked at; a limit that is an argument PostgreSQL takes for a tenth of the table, and reads all of it.
func (tx *Tx) forgetExpired(ctx context.Context, table, env string, now time.Time) error {
	_, err := tx.c.exec(ctx, `
		DELETE FROM `+table+`
		WHERE id IN (
			SELECT id
			FROM (SELECT id, environment_id FROM `+table+` WHERE expires_at < $2 ORDER BY expires_at LIMIT 100) AS expired
			WHERE environment_id = $1 LIMIT `+strconv.Itoa(forgotten)+`)`,
		env, micros(now))
	return err
}

// usedTwice stands in used_at when a code was, or was taken back.
const usedTwice = -1

// UseCode returns the authorization of a code, once, and keeps it in mind until
// remember, so that a second use is ErrReused and takes back the tokens that the
// first one brought. ErrNotFound when there is no such code that is good at now.
// Of parallel uses one wins: the update that marks the code as used finds one row for
// one of them. The other is taken for a thief's (RFC 6749 section 4.1.2), since nobody
// can tell the two apart.
func (s *Store) UseCode(
	ctx context.Context, env string, hash []byte, now, remember time.Time,
) (a Authorization, err error) {
	reused := false
	err = s.ProvisionIn(ctx, env, func(tx *Tx) error {
		reused = false
		code := inBase64(hash)
		// That it is not empty says again what the index says of itself: else it is not used.
		a, err = queryOne(ctx, tx.c, scanAuthorization, authorizationColumns+`
			WHERE environment_id = $1 AND code_hash = $2 AND code_hash <> ''`,
			env, code)
		if err != nil {
			return err
		}
		n, err := tx.c.exec(ctx, `
			UPDATE authorizations
			SET used_at = $1, expires_at = $2
			WHERE id = $3 AND used_at = 0 AND expires_at > $1 AND created_at > $4`,
			micros(now), micros(remember), a.ID, micros(now.Add(-CodeLife)))
		if err != nil || n == 1 {
			return err
		}
		used, err := queryOne(ctx, tx.c, value[int64], `SELECT used_at FROM authorizations WHERE id = $1`, a.ID)
		if err != nil || used == 0 {
			return errors.Join(err, ErrNotFound)
		}
		reused = true
		if err := tx.c.execOne(ctx, `UPDATE authorizations SET used_at = $1 WHERE id = $2`, usedTwice, a.ID); err != nil {
			return err
		}
		return tx.revokeTokens(ctx, env, a.ID)
	})
	switch {
	case err != nil:
		return Authorization{}, err
	case reused:
		return Authorization{}, ErrReused
	}
	return a, nil
}

// Token is an access token, with the refresh token that came with it.
type Token struct {
	ID, EnvironmentID, ApplicationID string
	AuthorizationID                  string // that it all began with
	Scopes                           []string
	Resources                        []string // the APIs that it is for; none: this cloud alone
	SignedOn                         SignedOn // without the sign-on's ID
	RefreshHash                      []byte   // nil: none
	AccessUntil, ExpiresAt           time.Time
}

// PeopleCounted is up to how many people are counted that something concerns.
const PeopleCounted = 10_000

// TokenUsers returns ten of the users for whom an application holds tokens that are good still, and
// how many there are: PeopleCounted and one, if they are more.
func (r reader) TokenUsers(ctx context.Context, env, application string) (some []User, n int, err error) {
	n, err = queryOne(ctx, r.c, value[int], fmt.Sprintf(`
		SELECT count(*)
		FROM (SELECT 1 FROM application_tokens
			WHERE environment_id = $1 AND application_id = $2 GROUP BY user_id LIMIT %d) AS counted`, PeopleCounted+1),
		env, application)
	if err != nil {
		return nil, 0, err
	}
	ids, err := queryAll(ctx, r.c, value[string], `
		SELECT DISTINCT user_id
		FROM application_tokens
		WHERE environment_id = $1 AND application_id = $2
		ORDER BY user_id LIMIT 10`, env, application)
	for _, id := range ids {
		u, err := r.User(ctx, env, id)
		if err != nil {
			return nil, 0, err
		}
		some = append(some, u)
	}
	return some, n, err
}

const tokenColumns = `
	SELECT id, environment_id, application_id, authorization_id, user_id, scopes, method, signed_on_at,
		refresh_hash, access_until, expires_at, methods, provider_id, resources, factor
	FROM application_tokens`

// scanToken leaves out whether the refresh token was used: a look-up must find one that
// was, for its second use to be noticed.
func scanToken(r row) (t Token, err error) {
	err = r.Scan(
		&t.ID,
		&t.EnvironmentID,
		&t.ApplicationID,
		&t.AuthorizationID,
		&t.SignedOn.UserID,
		fromJSON{&t.Scopes},
		&t.SignedOn.Method,
		at{&t.SignedOn.At},
		fromBase64{&t.RefreshHash},
		at{&t.AccessUntil},
		at{&t.ExpiresAt},
		&t.SignedOn.Methods,
		&t.SignedOn.ProviderID,
		fromJSON{&t.Resources},
		&t.SignedOn.Factor,
	)
	return t, err
}

// AddToken adds t and fills in its ID, and forgets those that have expired. When
// the code that it all began with was used twice meanwhile, or taken back, t is good for nothing,
// as if that had happened a moment later; ErrNotFound when its person was signed off everywhere. With
// the hash of a refresh token that t replaces, that one is used up; when it was
// before, all tokens of the authorization are taken back: ErrReused.
// With replaces two things happen in one transaction: the old refresh token is used up,
// and the new one is there. A crash between leaves the old one good (RFC 9700 section
// 4.14.2 rotates so).
func (s *Store) AddToken(ctx context.Context, t *Token, replaces []byte, now time.Time) error {
	reused := false
	err := s.ProvisionIn(ctx, t.EnvironmentID, func(tx *Tx) error {
		reused = false
		if err := newID(&t.ID); err != nil {
			return err
		}
		if err := tx.forgetExpired(ctx, "application_tokens", t.EnvironmentID, now); err != nil {
			return err
		}
		if replaces != nil {
			n, err := tx.c.exec(ctx, `
				UPDATE application_tokens
				SET refreshed_at = $1
				WHERE environment_id = $2 AND refresh_hash = $3 AND refresh_hash <> '' AND refreshed_at = 0`,
				micros(now), t.EnvironmentID, inBase64(replaces))
			if err != nil {
				return err
			}
			if reused = n == 0; reused {
				return tx.revokeTokens(ctx, t.EnvironmentID, t.AuthorizationID)
			}
		}
		used, err := queryOne(ctx, tx.c, value[int64], `SELECT used_at FROM authorizations WHERE id = $1`, t.AuthorizationID)
		if errors.Is(err, ErrNotFound) && replaces != nil {
			err = nil // refresh tokens live longer
		}
		if err != nil || used == usedTwice {
			return err
		}
		_, err = tx.c.exec(ctx, `
			INSERT INTO application_tokens (id, environment_id, application_id, user_id, authorization_id, scopes,
				method, signed_on_at, refresh_hash, refreshed_at, access_until, expires_at,
				methods, provider_id, resources, factor)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, $11, $12, $13, $14, $15)`,
			t.ID,
			t.EnvironmentID,
			t.ApplicationID,
			t.SignedOn.UserID,
			t.AuthorizationID,
			inJSON(t.Scopes),
			t.SignedOn.Method,
			micros(t.SignedOn.At),
			inBase64(t.RefreshHash),
			micros(t.AccessUntil),
			micros(t.ExpiresAt),
			t.SignedOn.Methods,
			t.SignedOn.ProviderID,
			inJSON(t.Resources),
			t.SignedOn.Factor,
		)
		return err
	})
	if err == nil && reused {
		err = ErrReused
	}
	return err
}

// Token returns an access token that is good at now, or ErrNotFound.
func (r reader) Token(ctx context.Context, env, id string, now time.Time) (Token, error) {
	return queryOne(ctx, r.c, scanToken, tokenColumns+` WHERE environment_id = $1 AND id = $2 AND access_until > $3`,
		env, id, micros(now))
}

// TokenByRefresh returns the token that a refresh token came with, used up or not;
// ErrNotFound when there is none that is good at now.
func (r reader) TokenByRefresh(ctx context.Context, env string, hash []byte, now time.Time) (Token, error) {
	return queryOne(ctx, r.c, scanToken, tokenColumns+`
		WHERE environment_id = $1 AND refresh_hash = $2 AND refresh_hash <> '' AND expires_at > $3`,
		env, inBase64(hash), micros(now))
}

// RevokeAuthorization takes back all tokens that came of an authorization.
func (s *Store) RevokeAuthorization(ctx context.Context, env, id string) error {
	return s.ProvisionIn(ctx, env, func(tx *Tx) error { return tx.revokeTokens(ctx, env, id) })
}

// RevokeUserTokens takes back a person's tokens and codes, of one application or, when that
// is empty, of all.
func (s *Store) RevokeUserTokens(ctx context.Context, env, user, application string) error {
	return s.ProvisionIn(ctx, env, func(tx *Tx) error {
		_, err := tx.c.exec(ctx, `
			DELETE FROM application_tokens
			WHERE environment_id = $1 AND user_id = $2 AND ($3 = '' OR application_id = $3)`,
			env, user, application)
		if err != nil {
			return err
		}
		_, err = tx.c.exec(ctx, `
			UPDATE authorizations
			SET used_at = $4
			WHERE environment_id = $1 AND user_id = $2 AND ($3 = '' OR application_id = $3) AND code_hash <> ''`,
			env, user, application, usedTwice)
		return err
	})
}

// revokeTokens takes back what came of one authorization; that there is nothing to take
// back is no error.
func (tx *Tx) revokeTokens(ctx context.Context, env, authorization string) error {
	_, err := tx.c.exec(ctx, `DELETE FROM application_tokens WHERE environment_id = $1 AND authorization_id = $2`,
		env, authorization)
	return err
}
