package oidc

import (
	"net/url"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"ldap-gateway/cloud/store"
)

// client is an application as the library knows it.
type client struct {
	store.Application
	page string // address of the sign-on page
}

var _ op.Client = client{}

// GetID implements op.Client, as those below do.
func (c client) GetID() string { return c.ID }

// RedirectURIs returns where codes may go.
func (c client) RedirectURIs() []string { return c.Application.RedirectURIs }

// PostLogoutRedirectURIs returns where browsers may go after signing off.
func (c client) PostLogoutRedirectURIs() []string { return c.SignOffURIs }

// ApplicationType decides which redirects are taken.
func (c client) ApplicationType() op.ApplicationType {
	switch c.Type {
	case store.NativeApplication:
		return op.ApplicationTypeNative
	case store.SinglePage:
		return op.ApplicationTypeUserAgent
	}
	return op.ApplicationTypeWeb
}

// AuthMethod is none for what cannot keep a secret; with a secret, Basic and form both do.
func (c client) AuthMethod() oidc.AuthMethod {
	if c.Type == store.WebApplication {
		return oidc.AuthMethodBasic
	}
	return oidc.AuthMethodNone
}

// ResponseTypes is code alone.
func (c client) ResponseTypes() []oidc.ResponseType {
	return []oidc.ResponseType{oidc.ResponseTypeCode}
}

// GrantTypes is code, and refresh tokens when the application may have them.
func (c client) GrantTypes() []oidc.GrantType {
	if c.Refresh {
		return []oidc.GrantType{oidc.GrantTypeCode, oidc.GrantTypeRefreshToken}
	}
	return []oidc.GrantType{oidc.GrantTypeCode}
}

// LoginURL returns the sign-on page for a request.
func (c client) LoginURL(id string) string { return c.page + "?flow=" + url.QueryEscape(id) }

// AccessTokenType is one that says nothing to whoever reads it.
func (c client) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeBearer }

// IDTokenLifetime is an hour.
func (c client) IDTokenLifetime() time.Duration { return accessLife }

// DevMode takes redirects by http, which are registered for this machine alone.
func (c client) DevMode() bool { return true }

// RestrictAdditionalIdTokenScopes takes nothing away.
func (c client) RestrictAdditionalIdTokenScopes() func([]string) []string {
	return func(s []string) []string { return s }
}

// RestrictAdditionalAccessTokenScopes takes nothing away.
func (c client) RestrictAdditionalAccessTokenScopes() func([]string) []string {
	return func(s []string) []string { return s }
}

// IsScopeAllowed lets "groups" through; the library would drop it.
func (c client) IsScopeAllowed(scope string) bool { return scope == scopeGroups }

// IDTokenUserinfoClaimsAssertion puts profile and e-mail into ID tokens too.
func (c client) IDTokenUserinfoClaimsAssertion() bool { return true }

// ClockSkew is not added to times: the tokens say when they were made.
func (c client) ClockSkew() time.Duration { return 0 }
