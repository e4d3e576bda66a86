package oidc

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"slices"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/vault"
)

// storage is a provider as the library calls it.
type storage struct{ *provider }

var (
	_ op.Storage                        = (*storage)(nil)
	_ op.CanSetUserinfoFromRequest      = (*storage)(nil)
	_ op.CanTerminateSessionFromRequest = (*storage)(nil)
)

var errNotHere = errors.New("not offered here")

// CreateAuthRequest keeps an application's wish. PKCE is asked of every
// application, and S256 at that (RFC 9700 section 2.1.1).
func (s *storage) CreateAuthRequest(ctx context.Context, r *oidc.AuthRequest, _ string) (op.AuthRequest, error) {
	if r.CodeChallenge == "" || r.CodeChallengeMethod != oidc.CodeChallengeMethodS256 {
		return nil, oidc.ErrInvalidRequest().WithDescription("A code_challenge with the method S256 is required.")
	}
	if !slices.Contains(r.Scopes, oidc.ScopeOpenID) {
		return nil, oidc.ErrInvalidScope().WithDescription("The scope openid is required.")
	}
	req := request{
		Scopes:       r.Scopes,
		RedirectURI:  r.RedirectURI,
		State:        r.State,
		Nonce:        r.Nonce,
		ResponseMode: string(r.ResponseMode),
		Challenge:    r.CodeChallenge,
		Prompt:       r.Prompt,
		MaxAge:       r.MaxAge,
		LoginHint:    r.LoginHint,
		ACR:          r.ACRValues,
	}
	b, err := json.Marshal(req)
	if err != nil {
		return nil, err
	}
	if len(b) > mostRequest {
		return nil, oidc.ErrInvalidRequest().WithDescription("The request is too long: keep state and nonce short.")
	}
	a := store.Authorization{
		EnvironmentID: s.env,
		ApplicationID: r.ClientID,
		Request:       b,
		CreatedAt:     s.now(),
		ExpiresAt:     s.now().Add(requestLife),
	}
	if err := s.Store.CreateAuthorization(ctx, &a); err != nil {
		return nil, err
	}
	return &authRequest{a, req}, nil
}

// AuthRequestByID returns one that is under way.
func (s *storage) AuthRequestByID(ctx context.Context, id string) (op.AuthRequest, error) {
	a, r, err := s.authorization(ctx, s.env, id)
	if err != nil {
		return nil, err
	}
	return &authRequest{a, r}, nil
}

// AuthRequestByCode uses the code up, whatever comes after: a wrong verifier or
// a wrong secret costs it too.
func (s *storage) AuthRequestByCode(ctx context.Context, code string) (op.AuthRequest, error) {
	now := s.now()
	a, err := s.Store.UseCode(ctx, s.env, vault.HashSecret(code), now, now.Add(refreshLife))
	if errors.Is(err, store.ErrReused) {
		s.Logger.Warn("a code was used twice: its tokens were taken back", "environment", s.env)
	}
	if err != nil {
		return nil, err
	}
	if _, _, err := s.granted(ctx, a.SignedOn, a.ApplicationID); err != nil {
		return nil, err
	}
	var r request
	if err := json.Unmarshal(a.Request, &r); err != nil {
		return nil, err
	}
	return &authRequest{a, r}, nil
}

// SaveAuthCode keeps a code's hash.
func (s *storage) SaveAuthCode(ctx context.Context, id, code string) error {
	return s.Store.SetCode(ctx, s.env, id, vault.HashSecret(code), s.now().Add(codeLife))
}

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
	case *refreshRequest:
		t.ApplicationID, t.AuthorizationID, t.Scopes, t.SignedOn = r.ApplicationID, r.AuthorizationID, r.Scopes, r.SignedOn
	default:
		return t, errNotHere
	}
	return t, nil
}

// TokenRequestByRefreshToken finds what a refresh token stands for. One that was
// used up is found too: CreateAccessAndRefreshTokens sees that.
func (s *storage) TokenRequestByRefreshToken(ctx context.Context, refresh string) (op.RefreshTokenRequest, error) {
	t, err := s.Store.TokenByRefresh(ctx, s.env, vault.HashSecret(refresh), s.now())
	if err != nil {
		return nil, err
	}
	if _, _, err := s.granted(ctx, t.SignedOn, t.ApplicationID); err != nil {
		return nil, err
	}
	return &refreshRequest{t}, nil
}

// TerminateSession takes back what an application has of a person.
func (s *storage) TerminateSession(ctx context.Context, user, application string) error {
	return s.Store.RevokeUserTokens(ctx, s.env, user, application)
}

// TerminateSessionFromRequest ends the session of the browser that asks, when an
// ID token says that it is the person's own application. Without, the sign-on
// page asks: another site may have sent the browser.
func (s *storage) TerminateSessionFromRequest(ctx context.Context, r *op.EndSessionRequest) (string, error) {
	if r.UserID == "" {
		return s.pageURL(s.env), nil
	}
	if by, ok := s.Sessions.Person(ctx, s.env); ok && by.UserID == r.UserID {
		if err := s.Sessions.End(ctx, s.env); err != nil {
			return "", err
		}
	}
	return r.RedirectURI, s.TerminateSession(ctx, r.UserID, r.ClientID)
}

// RevokeToken takes back what came with a token (RFC 7009). One that is not
// known, or another application's, is no error.
func (s *storage) RevokeToken(ctx context.Context, token, _, application string) *oidc.Error {
	t, err := s.Store.TokenByRefresh(ctx, s.env, vault.HashSecret(token), s.now())
	if errors.Is(err, store.ErrNotFound) {
		t, err = s.Store.Token(ctx, s.env, token, s.now())
	}
	if errors.Is(err, store.ErrNotFound) || err == nil && t.ApplicationID != application {
		return nil
	}
	if err == nil {
		err = s.Store.RevokeAuthorization(ctx, s.env, t.AuthorizationID)
	}
	if err != nil {
		return oidc.ErrServerError().WithParent(err)
	}
	return nil
}

// GetRefreshTokenInfo hands the token itself on as its ID; see RevokeToken.
func (s *storage) GetRefreshTokenInfo(ctx context.Context, _, token string) (user, id string, err error) {
	t, err := s.Store.TokenByRefresh(ctx, s.env, vault.HashSecret(token), s.now())
	if errors.Is(err, store.ErrNotFound) {
		return "", "", op.ErrInvalidRefreshToken
	}
	return t.SignedOn.UserID, token, err
}

// GetClientByClientID returns an application that is enabled.
func (s *storage) GetClientByClientID(ctx context.Context, id string) (op.Client, error) {
	a, err := s.application(ctx, id)
	if err != nil {
		return nil, noClient(err)
	}
	return client{a, s.pageURL(s.env)}, nil
}

// noClient is why an application is not taken in the words of RFC 6749 section 5.2; it
// parts what an application can do something about from a fault of ours.
func noClient(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return oidc.ErrInvalidClient().WithDescription("There is no such application, or it is disabled.").WithParent(err)
	}
	return oidc.ErrServerError().WithParent(err)
}

// AuthorizeClientIDSecret checks an application's secret.
func (s *storage) AuthorizeClientIDSecret(ctx context.Context, id, secret string) error {
	a, err := s.application(ctx, id)
	if err != nil {
		return noClient(err)
	}
	if a.SecretHash == nil || subtle.ConstantTimeCompare(a.SecretHash, vault.HashSecret(secret)) != 1 {
		return errors.New("the secret is not the application's")
	}
	return nil
}

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
