package oidc

import (
	"context"
	"errors"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/vault"
)

// storage is a provider as the library calls it.
type storage struct {
	*provider
	algorithm   string // that signs; empty: RS256
	groupsToken string // that opens groups of whom an ID token is made for, and nothing else
}

var (
	_ op.Storage                   = (*storage)(nil)
	_ op.CanSetUserinfoFromRequest = (*storage)(nil)
)

var errNotHere = errors.New("not offered here")

// CreateAuthRequest is not asked: authorize keeps wishes itself.
func (s *storage) CreateAuthRequest(context.Context, *oidc.AuthRequest, string) (op.AuthRequest, error) {
	return nil, errNotHere
}

// AuthRequestByID is not asked, as those below are not.
func (s *storage) AuthRequestByID(context.Context, string) (op.AuthRequest, error) {
	return nil, errNotHere
}

// AuthRequestByCode is not: token uses codes up.
func (s *storage) AuthRequestByCode(context.Context, string) (op.AuthRequest, error) {
	return nil, errNotHere
}

// SaveAuthCode is not: callback makes codes.
func (s *storage) SaveAuthCode(context.Context, string, string) error { return errNotHere }

// DeleteAuthRequest keeps it: a second use of its code must be known as one.
func (s *storage) DeleteAuthRequest(context.Context, string) error { return nil }

// CreateAccessToken implements op.Storage.
func (s *storage) CreateAccessToken(ctx context.Context, r op.TokenRequest) (id string, expires time.Time, err error) {
	t, err := s.tokenFor(r)
	if err != nil {
		return "", time.Time{}, err
	}
	t.ExpiresAt = t.AccessUntil
	err = s.Store.AddToken(ctx, &t, nil, s.now())
	return t.ID, t.AccessUntil, goneMeanwhile(err)
}

// CreateAccessAndRefreshTokens implements op.Storage. The refresh token in hand,
// if there is one, is used up.
func (s *storage) CreateAccessAndRefreshTokens(
	ctx context.Context, r op.TokenRequest, current string,
) (id, refresh string, expires time.Time, err error) {
	t, err := s.tokenFor(r)
	if err != nil {
		return "", "", time.Time{}, err
	}
	refresh, _ = vault.NewSecret()
	t.RefreshHash, t.ExpiresAt = vault.HashSecret(refresh), s.now().Add(refreshLife)
	var replaces []byte
	if current != "" {
		replaces = vault.HashSecret(current)
	}
	err = s.Store.AddToken(ctx, &t, replaces, s.now())
	if errors.Is(err, store.ErrReused) {
		s.Logger.Warn(
			"a refresh token was used twice: all that came of it was taken back",
			"environment",
			s.env,
			"application",
			t.ApplicationID,
		)
		err = oidc.ErrInvalidGrant().WithDescription("The refresh token was used before.")
	}
	return t.ID, refresh, t.AccessUntil, goneMeanwhile(err)
}

// goneMeanwhile says in the words of RFC 6749 that the person or the application of a
// token was deleted while it was made.
func goneMeanwhile(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return oidc.ErrInvalidGrant().WithDescription("The person may not sign on any more.").WithParent(err)
	}
	return err
}

// tokenFor is for the two kinds of requests that there are here; errNotHere for any
// other of the library's.
func (s *storage) tokenFor(r op.TokenRequest) (store.Token, error) {
	t := store.Token{EnvironmentID: s.env, AccessUntil: s.now().Add(accessLife)}
	switch r := r.(type) {
	case *authRequest:
		t.ApplicationID, t.AuthorizationID, t.Scopes, t.SignedOn = r.ApplicationID, r.ID, r.Scopes, r.SignedOn
		t.Resources = r.Resources
	case *refreshRequest:
		t.ApplicationID, t.AuthorizationID, t.Scopes, t.SignedOn = r.ApplicationID, r.AuthorizationID, r.Scopes, r.SignedOn
		t.Resources = r.Resources
	default:
		return t, errNotHere
	}
	return t, nil
}

// TokenRequestByRefreshToken is not asked: token finds refresh tokens itself.
func (s *storage) TokenRequestByRefreshToken(context.Context, string) (op.RefreshTokenRequest, error) {
	return nil, errNotHere
}

// TerminateSession is not: signOff ends sessions.
func (s *storage) TerminateSession(context.Context, string, string) error { return errNotHere }

// RevokeToken is not: revoke takes tokens back.
func (s *storage) RevokeToken(context.Context, string, string, string) *oidc.Error {
	return oidc.ErrServerError().WithParent(errNotHere)
}

// GetRefreshTokenInfo is not, either.
func (s *storage) GetRefreshTokenInfo(context.Context, string, string) (user, id string, err error) {
	return "", "", errNotHere
}

// GetClientByClientID is not: authenticated finds applications.
func (s *storage) GetClientByClientID(context.Context, string) (op.Client, error) {
	return nil, errNotHere
}

// AuthorizeClientIDSecret is not, either.
func (s *storage) AuthorizeClientIDSecret(context.Context, string, string) error { return errNotHere }

// GetPrivateClaimsFromScopes is for access tokens that can be read; there are none.
func (s *storage) GetPrivateClaimsFromScopes(context.Context, string, string, []string) (map[string]any, error) {
	return nil, nil
}

// GetKeyByIDAndClientID is for assertions signed by applications.
func (s *storage) GetKeyByIDAndClientID(context.Context, string, string) (*jose.JSONWebKey, error) {
	return nil, errNotHere
}

// ValidateJWTProfileScopes is for assertions signed by applications.
func (s *storage) ValidateJWTProfileScopes(context.Context, string, []string) ([]string, error) {
	return nil, errNotHere
}

// Health tells whether the database answers.
func (s *storage) Health(ctx context.Context) error { return s.Store.Ping(ctx) }

// refreshRequest is what a refresh token stands for.
type refreshRequest struct{ store.Token }

// GetAMR implements op.RefreshTokenRequest, as those below do.
func (r *refreshRequest) GetAMR() []string { return amr(r.SignedOn) }

// GetAudience returns the application.
func (r *refreshRequest) GetAudience() []string { return []string{r.ApplicationID} }

// GetAuthTime returns when the person signed on.
func (r *refreshRequest) GetAuthTime() time.Time { return r.SignedOn.At }

// GetClientID returns the application.
func (r *refreshRequest) GetClientID() string { return r.ApplicationID }

// GetScopes returns what was granted.
func (r *refreshRequest) GetScopes() []string { return r.Scopes }

// GetSubject returns the person.
func (r *refreshRequest) GetSubject() string { return r.SignedOn.UserID }

// SetCurrentScopes narrows them.
// Only of the tokens that are made now: what was granted stays in the store.
func (r *refreshRequest) SetCurrentScopes(scopes []string) { r.Scopes = scopes }
