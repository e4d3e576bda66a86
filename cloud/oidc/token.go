package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/zitadel/oidc/v3/pkg/oidc"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/vault"
)

// postedForm reads what a program posts, in which nothing is there twice (RFC 6749
// section 3.2).
func postedForm(r *http.Request) (url.Values, error) {
	if err := r.ParseForm(); err != nil {
		return nil, refused("The body is no form.").WithParent(err)
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/x-www-form-urlencoded" {
		return nil, refused("The body must be of application/x-www-form-urlencoded.")
	}
	for name, values := range r.PostForm {
		if len(values) > 1 && name != "resource" && name != "audience" {
			return nil, refused("There is more than one %s.", clean(name))
		}
	}
	return r.PostForm, nil
}

// token takes codes and refresh tokens; the client credentials grant is the API's.
func (p *provider) token(w http.ResponseWriter, r *http.Request) error {
	form, err := postedForm(r)
	if err != nil {
		return err
	}
	var redeem func(context.Context, store.Application, url.Values) (*oidc.AccessTokenResponse, error)
	switch oidc.GrantType(form.Get("grant_type")) {
	case oidc.GrantTypeCode:
		redeem = p.redeemCode
	case oidc.GrantTypeRefreshToken:
		redeem = p.redeemRefresh
	case oidc.GrantTypeClientCredentials:
		return p.programs(w, r)
	case "":
		return refused("The grant_type is missing.")
	default:
		return oidc.ErrUnsupportedGrantType().WithDescription(
			"Use authorization_code, refresh_token or client_credentials.")
	}
	a, err := p.authenticated(r)
	if err != nil {
		return err
	}
	only(a, w, r)
	tokens, err := redeem(r.Context(), a, form)
	if err != nil {
		return err
	}
	w.Header().Set("Pragma", "no-cache") // RFC 6749 section 5.1
	answer(w, http.StatusOK, tokens)
	return nil
}

// programs hands the client credentials grant to the API, unless an application asks by
// it: that has proven itself, and may do something else.
func (p *provider) programs(w http.ResponseWriter, r *http.Request) error {
	if _, err := p.authenticated(r); err == nil {
		return oidc.ErrUnauthorizedClient().WithDescription(
			"An application signs people on, and has no grant of its own: make a client for a program.")
	}
	p.Clients.ServeHTTP(w, r)
	return nil
}

// redeemCode gives tokens for a code, and uses the code up whatever comes after: a wrong
// verifier costs it too.
func (p *provider) redeemCode(
	ctx context.Context, a store.Application, form url.Values,
) (*oidc.AccessTokenResponse, error) {
	code := form.Get("code")
	if code == "" {
		return nil, refused("The code is missing.")
	}
	now := p.now()
	z, err := p.Store.UseCode(ctx, p.env, vault.HashSecret(code), now, now.Add(refreshLife))
	if errors.Is(err, store.ErrReused) {
		p.Logger.Warn("a code was used twice: its tokens were taken back", "environment", p.env)
		return nil, notGood("The code was used before.")
	}
	if err == nil && z.ApplicationID != a.ID {
		return nil, notGood("The code is another application's.")
	}
	if err == nil {
		_, _, err = p.granted(ctx, z.SignedOn, z.ApplicationID)
	}
	if errors.Is(err, errNotAdmitted) {
		return nil, notGood(notAdmitted)
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil, notGood("The code is not good, or not any more.")
	}
	if err != nil {
		return nil, err
	}
	var wish request
	if err := json.Unmarshal(z.Request, &wish); err != nil {
		return nil, err
	}
	if form.Get("redirect_uri") != wish.RedirectURI {
		return nil, notGood("The redirect_uri is not that of the code.")
	}
	if err := checkVerifier(a, wish, form.Get("code_verifier")); err != nil {
		return nil, err
	}
	if wish.Resources, err = fewer(form, a, wish.Resources); err != nil {
		return nil, err
	}
	return p.issue(ctx, a, &authRequest{z, wish}, wish.Resources, code, "")
}

// redeemRefresh gives tokens for a refresh token. One that was used up is found too:
// CreateAccessAndRefreshTokens sees that.
func (p *provider) redeemRefresh(
	ctx context.Context, a store.Application, form url.Values,
) (*oidc.AccessTokenResponse, error) {
	refresh := form.Get("refresh_token")
	if refresh == "" {
		return nil, refused("The refresh_token is missing.")
	}
	if !a.Refresh {
		return nil, oidc.ErrUnauthorizedClient().WithDescription("The application may not have refresh tokens.")
	}
	t, err := p.Store.TokenByRefresh(ctx, p.env, vault.HashSecret(refresh), p.now())
	if err == nil {
		_, _, err = p.granted(ctx, t.SignedOn, t.ApplicationID)
	}
	if errors.Is(err, errNotAdmitted) && t.ApplicationID == a.ID {
		return nil, notGood(notAdmitted)
	}
	if errors.Is(err, store.ErrNotFound) || err == nil && t.ApplicationID != a.ID {
		return nil, notGood("The refresh token is not good, or not any more.")
	}
	if err != nil {
		return nil, err
	}
	again := &refreshRequest{t}
	if scopes := strings.Fields(form.Get("scope")); len(scopes) > 0 {
		for _, s := range scopes {
			if !slices.Contains(t.Scopes, s) {
				return nil, oidc.ErrInvalidScope().WithDescription("The scope %s was not granted.", clean(s))
			}
		}
		again.SetCurrentScopes(scopes)
	}
	if again.Resources, err = fewer(form, a, t.Resources); err != nil {
		return nil, err
	}
	return p.issue(ctx, a, again, again.Resources, "", refresh)
}

// client is an application as the library knows it.
func (p *provider) client(a store.Application) client { return client{a, p.pageURL(p.env)} }

// notAdmitted tells an application that it is for others, since its groups or the person's changed.
const notAdmitted = "The person may not use this application."

// notGood is what was granted and is not any more.
func notGood(why string) *oidc.Error { return oidc.ErrInvalidGrant().WithDescription("%s", why) }
