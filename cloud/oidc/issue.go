package oidc

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"ldap-gateway/cloud/store"
)

// jwtType is the type of access tokens that can be read (RFC 9068 section 2.1), by which
// no ID token is taken for one.
const jwtType = "at+jwt"

// resources returns the APIs that an application asks tokens for, of those that it may
// have them for (RFC 8707); without a word it has them for none.
func resources(form url.Values, may []string) ([]string, error) {
	asked := form["resource"]
	for _, r := range asked {
		if !slices.Contains(may, r) {
			return nil, oidc.ErrInvalidTarget().WithDescription("The application may have no tokens for this resource.")
		}
	}
	return asked, nil
}

// fewer is resources for what was granted, as far as the application may still have it;
// without a word all of that.
func fewer(form url.Values, a store.Application, granted []string) ([]string, error) {
	may := slices.DeleteFunc(slices.Clone(granted), func(r string) bool {
		return !slices.Contains(a.OpenID.Audiences, r)
	})
	if !form.Has("resource") {
		return may, nil
	}
	return resources(form, may)
}

// issue makes the tokens of a grant: of a code, or in the place of a refresh token.
func (p *provider) issue(
	ctx context.Context, a store.Application, grant op.IDTokenRequest, audience []string, code, refresh string,
) (*oidc.AccessTokenResponse, error) {
	s := &storage{provider: p, algorithm: a.Algorithm()}
	id, fresh, until, err := s.tokens(ctx, a, grant, refresh)
	if err != nil {
		return nil, err
	}
	access, err := p.accessToken(ctx, a, grant, audience, id, until)
	if err != nil {
		return nil, err
	}
	if s.groupsToken, err = op.CreateBearerToken(groupsOnly+id, grant.GetSubject(), p.op.Crypto()); err != nil {
		return nil, err
	}
	c := p.client(a)
	idToken, err := op.CreateIDToken(ctx, p.Issuer(p.env), grant, c.IDTokenLifetime(), access, code, s, c)
	if err != nil {
		return nil, err
	}
	return &oidc.AccessTokenResponse{
		AccessToken:  access,
		IDToken:      idToken,
		RefreshToken: fresh,
		TokenType:    oidc.BearerToken,
		ExpiresIn:    uint64(max(0, until.Sub(p.now())).Seconds()),
		Scope:        grant.GetScopes(),
	}, nil
}

// tokens keeps what is made: an access token, and a refresh token where the application
// may have one and asked for it.
func (s *storage) tokens(
	ctx context.Context, a store.Application, grant op.IDTokenRequest, refresh string,
) (id, fresh string, until time.Time, err error) {
	if refresh != "" || a.Refresh && slices.Contains(grant.GetScopes(), oidc.ScopeOfflineAccess) {
		return s.CreateAccessAndRefreshTokens(ctx, grant, refresh)
	}
	id, until, err = s.CreateAccessToken(ctx, grant)
	return id, "", until, err
}

// accessToken is one that says nothing to whoever reads it, unless the application is for
// APIs that read it by themselves.
func (p *provider) accessToken(
	ctx context.Context, a store.Application, grant op.IDTokenRequest, audience []string, id string, until time.Time,
) (string, error) {
	if !a.OpenID.JWT {
		return op.CreateBearerToken(id, grant.GetSubject(), p.op.Crypto())
	}
	by, err := signedOn(grant)
	if err != nil {
		return "", err
	}
	info, claims := new(oidc.UserInfo), map[string]any{}
	if slices.Contains(grant.GetScopes(), scopeGroups) {
		if err := p.fill(ctx, info, by, a.ID, []string{scopeGroups}, short); err != nil {
			return "", err
		}
	}
	for _, name := range []string{scopeGroups, overflowClaim, "_claim_names", sourcesClaim} {
		if value, there := info.Claims[name]; there { // no claim of the application's own is for APIs
			claims[name] = value
		}
	}
	if len(audience) == 0 {
		audience = []string{p.Issuer(p.env)}
	}
	for name, value := range map[string]any{
		"iss":       p.Issuer(p.env),
		"sub":       grant.GetSubject(),
		"aud":       audience,
		"client_id": a.ID,
		"jti":       id,
		"iat":       p.now().Unix(),
		"exp":       until.Unix(),
		"auth_time": by.At.Unix(),
		"amr":       grant.GetAMR(),
		"scope":     strings.Join(grant.GetScopes(), " "),
	} {
		claims[name] = value
	}
	return p.signed(ctx, a, jwtType, claims)
}

// signed returns claims as a JWT of a type, for an application.
func (p *provider) signed(
	ctx context.Context, a store.Application, kind jose.ContentType, claims map[string]any,
) (string, error) {
	key, err := (&storage{provider: p, algorithm: a.Algorithm()}).SigningKey(ctx)
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{
		Algorithm: key.SignatureAlgorithm(),
		Key:       jose.JSONWebKey{Key: key.Key(), KeyID: key.ID()},
	}, (&jose.SignerOptions{}).WithType(kind))
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	sealed, err := signer.Sign(text)
	if err != nil {
		return "", err
	}
	return sealed.CompactSerialize()
}

// readable returns the ID and the person of an access token that can be read; false when it is
// none of ours. Whether it is still good the store says.
func (p *provider) readable(ctx context.Context, access string) (id, subject string, ok bool, err error) {
	sealed, err := jose.ParseSignedCompact(access, []jose.SignatureAlgorithm{jose.RS256, jose.ES256})
	if err != nil || len(sealed.Signatures) != 1 || sealed.Signatures[0].Header.ExtraHeaders[jose.HeaderType] != jwtType {
		return "", "", false, nil
	}
	keys, err := (&storage{provider: p}).KeySet(ctx)
	if err != nil {
		return "", "", false, err
	}
	for _, k := range keys {
		text, err := sealed.Verify(k.Key())
		var claims struct{ ISS, JTI, Sub string }
		if err == nil && json.Unmarshal(text, &claims) == nil && claims.ISS == p.Issuer(p.env) {
			return claims.JTI, claims.Sub, true, nil
		}
	}
	return "", "", false, nil
}
