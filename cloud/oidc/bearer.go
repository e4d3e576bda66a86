package oidc

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/zitadel/oidc/v3/pkg/oidc"

	"ldap-gateway/cloud/store"
)

// opened returns what an access token of ours stands for; store.ErrNotFound when it is
// none, or is not good any more.
func (p *provider) opened(ctx context.Context, access string) (store.Token, error) {
	id, subject, ok, err := p.readable(ctx, access)
	if err != nil {
		return store.Token{}, err
	}
	if !ok {
		return p.openedFor(ctx, access, "")
	}
	return p.tokenOf(ctx, id, subject)
}

// openedFor is opened of a token that says nothing to whoever reads it, and is for what its beginning
// says; for all when that is empty.
func (p *provider) openedFor(ctx context.Context, access, what string) (store.Token, error) {
	text, err := p.op.Crypto().Decrypt(access)
	id, subject, ok := strings.Cut(text, ":")
	id, meant := strings.CutPrefix(id, what)
	if err != nil || !ok || !meant {
		return store.Token{}, store.ErrNotFound
	}
	return p.tokenOf(ctx, id, subject)
}

// tokenOf returns a token by its ID, when it is of a person.
func (p *provider) tokenOf(ctx context.Context, id, subject string) (store.Token, error) {
	t, err := p.Store.Token(ctx, p.env, id, p.now())
	if err == nil && t.SignedOn.UserID != subject {
		err = store.ErrNotFound
	}
	return t, err
}

// shown returns the access token that a request shows: in its header, or in its form
// (RFC 6750 section 2). errNoToken when there is none.
func shown(r *http.Request) (string, error) {
	scheme, header, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	form := ""
	if r.Method == http.MethodPost {
		if err := r.ParseForm(); err != nil {
			return "", refused("The body is no form.").WithParent(err)
		}
		form = r.PostForm.Get("access_token")
		if len(r.PostForm["access_token"]) > 1 {
			return "", refused("There is more than one access_token.")
		}
	}
	bearer := strings.EqualFold(scheme, "Bearer")
	switch {
	case bearer && form != "":
		return "", refused("The access token is there by more than one way.")
	case bearer && strings.TrimSpace(header) != "":
		return strings.TrimSpace(header), nil
	case form != "":
		return form, nil
	}
	return "", errNoToken
}

// deadToken is what is said of an access token that opens nothing.
func deadToken() *oidc.Error {
	return &oidc.Error{ErrorType: invalidToken, Description: "The access token is not good, or not any more."}
}

// userinfo tells what the person's record is now.
func (p *provider) userinfo(w http.ResponseWriter, r *http.Request) error {
	access, err := shown(r)
	if err != nil {
		return err
	}
	info := new(oidc.UserInfo)
	t, err := p.opened(r.Context(), access)
	var a store.Application
	if err == nil {
		a, err = p.application(r.Context(), t.ApplicationID)
		only(a, w, r)
	}
	if err == nil {
		err = p.fill(r.Context(), info, t.SignedOn, t.ApplicationID, t.Scopes, whole)
	}
	if errors.Is(err, store.ErrNotFound) {
		return deadToken()
	}
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, info)
	return nil
}

// introspect tells an application of its own tokens, and an API of those for it
// (RFC 7662).
func (p *provider) introspect(w http.ResponseWriter, r *http.Request) error {
	form, err := postedForm(r)
	if err != nil {
		return err
	}
	a, err := p.authenticated(r)
	if err != nil {
		return err
	}
	if a.Public() {
		return unproven("An application without a secret may not ask about tokens.")
	}
	if form.Get("token") == "" {
		return refused("The token is missing.")
	}
	about := new(oidc.IntrospectionResponse)
	err = p.introspected(r.Context(), about, a, form.Get("token"))
	if errors.Is(err, store.ErrNotFound) {
		about, err = new(oidc.IntrospectionResponse), nil // no more than that it is not good
	}
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, about)
	return nil
}

// introspected fills in what an application may know of a token; store.ErrNotFound when
// that is nothing.
func (p *provider) introspected(
	ctx context.Context, about *oidc.IntrospectionResponse, a store.Application, token string,
) error {
	t, err := p.opened(ctx, token)
	if err != nil {
		return err
	}
	mine := func(resource string) bool { return slices.Contains(a.OpenID.Resources, resource) }
	if t.ApplicationID != a.ID && !slices.ContainsFunc(t.Resources, mine) {
		return store.ErrNotFound
	}
	if _, _, err := p.granted(ctx, t.SignedOn, t.ApplicationID); err != nil {
		return err
	}
	// Whoever asks learns the groups that it may, and not those that the token's application may.
	info := new(oidc.UserInfo)
	if err := p.fill(ctx, info, t.SignedOn, a.ID, t.Scopes, whole); err != nil {
		return err
	}
	about.Audience = t.Resources
	about.SetUserInfo(info)
	about.Active = true
	about.Scope, about.ClientID, about.TokenType = t.Scopes, t.ApplicationID, oidc.BearerToken
	about.Issuer, about.JWTID = p.Issuer(p.env), t.ID
	about.Expiration, about.AuthTime = oidc.FromTime(t.AccessUntil), oidc.FromTime(t.SignedOn.At)
	about.AuthenticationMethodsReferences = amr(t.SignedOn)
	return nil
}
