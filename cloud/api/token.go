package api

import (
	"context"
	"crypto/subtle"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"time"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/vault"
)

// TokenLife is how long an access token is good for.
// It is short, since a token cannot be taken back by itself: a new secret or role of
// the client does that.
const TokenLife = time.Hour

// token is the token endpoint (RFC 6749 section 4.4).
// It needs no throttle against guessing: a secret is 256 random bits. Expired tokens
// are purged by the way.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err := r.ParseForm(); err != nil || kind != "application/x-www-form-urlencoded" {
		tokenError(w, http.StatusBadRequest, "invalid_request", "The body must be a form.")
		return
	}
	if r.PostForm.Get("grant_type") != "client_credentials" {
		tokenError(w, http.StatusBadRequest, "unsupported_grant_type", "The grant_type must be client_credentials.")
		return
	}
	client, err := s.clientOf(r)
	if errors.Is(err, store.ErrNotFound) {
		w.Header().Set("WWW-Authenticate", `Basic realm="ldap-cloud"`)
		tokenError(w, http.StatusUnauthorized, "invalid_client", "The client id or secret is wrong.")
		return
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	token, hash := vault.NewSecret()
	// The store has its hash alone, so that a copy of the database opens nothing.
	if err := s.Store.CreateToken(r.Context(), hash, client.ID, client.EnvironmentID, s.now().Add(TokenLife)); err != nil {
		s.fail(w, r, err)
		return
	}
	write(w, http.StatusOK, map[string]any{
		"access_token": token,
		"token_type":   "Bearer",
		"expires_in":   int(TokenLife.Seconds()),
	})
}

// tokenError answers as RFC 6749 section 5.2 says.
func tokenError(w http.ResponseWriter, status int, code, description string) {
	write(w, status, map[string]string{"error": code, "error_description": description})
}

// clientOf returns the client that a token request has proven to be;
// store.ErrNotFound when it has not.
// A client of another environment is not found. Credentials in the header count before
// those in the form: a request must not have both (RFC 6749 section 2.3).
func (s *Server) clientOf(r *http.Request) (store.Client, error) {
	id, secret, basic := r.BasicAuth()
	if basic { // RFC 6749 section 2.3.1: both are form-encoded inside
		var err1, err2 error
		id, err1 = url.QueryUnescape(id)
		secret, err2 = url.QueryUnescape(secret)
		if err1 != nil || err2 != nil {
			return store.Client{}, store.ErrNotFound
		}
	} else {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	find := s.Store.ClientByID // where the path names no environment, the client's own is meant
	if env := r.PathValue("environmentId"); env != "" {
		find = func(ctx context.Context, id string) (store.Client, error) { return s.Store.Client(ctx, env, id) }
	}
	client, err := find(r.Context(), id)
	if err != nil {
		return store.Client{}, err
	}
	hash := vault.HashSecret(secret)
	is := func(kept []byte) bool { return kept != nil && subtle.ConstantTimeCompare(kept, hash) == 1 }
	if !is(client.SecretHash) && !(client.Former.Good(s.now()) && is(client.Former.Hash)) {
		return store.Client{}, store.ErrNotFound
	}
	return client, nil
}
