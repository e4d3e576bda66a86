package oidc

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"

	"github.com/zitadel/oidc/v3/pkg/oidc"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/vault"
)

// application returns one that is enabled; store.ErrNotFound when there is none.
func (p *provider) application(ctx context.Context, id string) (store.Application, error) {
	a, err := p.Server.application(ctx, p.env, id)
	if err == nil && !a.Enabled {
		err = store.ErrNotFound
	}
	return a, err
}

// application returns one of this protocol; store.ErrNotFound when there is none.
func (s *Server) application(ctx context.Context, env, id string) (store.Application, error) {
	a, err := s.Store.Current.Application(ctx, env, id)
	if err == nil && a.Protocol != store.OpenIDConnect {
		err = store.ErrNotFound
	}
	return a, err
}

// credentials are what a request shows of an application: by Basic, or in its form.
type credentials struct{ id, secret string }

// credentialsOf returns them. There must be no more than one way in a request
// (RFC 6749 section 2.3); the ID may be there besides, as long as it is the same.
func credentialsOf(r *http.Request) (credentials, error) {
	c := credentials{r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")}
	id, secret, basic := r.BasicAuth()
	if !basic {
		if r.Header.Get("Authorization") != "" {
			return c, unproven("The Authorization header is not of Basic.")
		}
		return c, nil
	}
	id, err1 := url.QueryUnescape(id)
	secret, err2 := url.QueryUnescape(secret)
	if err1 != nil || err2 != nil {
		return c, unproven("The Authorization header is not form-encoded inside (RFC 6749 section 2.3.1).")
	}
	if c.secret != "" || c.id != "" && c.id != id {
		return c, refused("There is more than one way of client authentication.")
	}
	return credentials{id, secret}, nil
}

// unproven is an application that has not shown which it is.
func unproven(why string) *oidc.Error { return oidc.ErrInvalidClient().WithDescription("%s", why) }

// authenticated returns the application that a program's request is of, after it has
// proven to be it: by its secret, by a key, or, when it can keep none, by its ID alone. Whatever
// else the request asks for comes after, so that a wrong secret costs no code.
func (p *provider) authenticated(r *http.Request) (store.Application, error) {
	c, err := credentialsOf(r)
	if err != nil {
		return store.Application{}, err
	}
	if r.PostForm.Has("client_assertion") || r.PostForm.Has("client_assertion_type") {
		return p.byKey(r, c)
	}
	if c.id == "" {
		return store.Application{}, unproven("The client_id is missing.")
	}
	a, err := p.application(r.Context(), c.id)
	if err != nil {
		return a, noClient(err)
	}
	switch {
	case a.Public():
		return a, nil
	case a.ProvesByKey():
		return a, unproven("The application proves itself by a key: its client_assertion is missing.")
	case c.secret == "":
		return a, unproven("The client_secret is missing.")
	case !p.proves(a, vault.HashSecret(c.secret)):
		return a, unproven("The client_secret is not the application's.")
	}
	return a, nil
}

// proves tells whether a secret is the application's: its present one, or the one before
// while that is good.
func (p *provider) proves(a store.Application, hash []byte) bool {
	is := func(kept []byte) bool { return kept != nil && subtle.ConstantTimeCompare(kept, hash) == 1 }
	return is(a.SecretHash) || a.Former.Good(p.now()) && is(a.Former.Hash)
}

// noClient is why an application is not taken in the words of RFC 6749 section 5.2; it
// parts what an application can do something about from a fault of ours.
func noClient(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return unproven("There is no such application, or it is disabled.").WithParent(err)
	}
	return err
}
