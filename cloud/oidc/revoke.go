package oidc

import (
	"context"
	"errors"
	"net/http"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/vault"
)

// revoke takes back what came with a token (RFC 7009). One that is not known, or another
// application's, is no error.
func (p *provider) revoke(w http.ResponseWriter, r *http.Request) error {
	form, err := postedForm(r)
	if err != nil {
		return err
	}
	a, err := p.authenticated(r)
	if err != nil {
		return err
	}
	only(a, w, r)
	if form.Get("token") == "" {
		return refused("The token is missing.")
	}
	t, err := p.either(r.Context(), form.Get("token"))
	if errors.Is(err, store.ErrNotFound) || err == nil && t.ApplicationID != a.ID {
		return nil
	}
	if err == nil {
		err = p.Store.RevokeAuthorization(r.Context(), p.env, t.AuthorizationID)
	}
	return err
}

// either finds what a refresh token or an access token stands for; store.ErrNotFound when
// it is neither.
func (p *provider) either(ctx context.Context, token string) (store.Token, error) {
	t, err := p.Store.TokenByRefresh(ctx, p.env, vault.HashSecret(token), p.now())
	if errors.Is(err, store.ErrNotFound) {
		t, err = p.opened(ctx, token)
	}
	return t, err
}
