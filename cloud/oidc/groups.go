package oidc

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"ldap-gateway/cloud/store"
)

// groupsPath is where groups are that are not in an ID token, below the issuer.
const groupsPath = "/groups"

// groupsOnly begins the ID of a token that opens groups and nothing else: the one of the access token
// that it was given with follows, and it ends with that.
const groupsOnly = "groups-"

// groupsLife is how long signed groups are good: who asks for them looks at them at once.
const groupsLife = 5 * time.Minute

// groups answers with all groups of a person that the application may know, signed, as a
// source of distributed claims does (OpenID Connect Core section 5.6.2).
func (p *provider) groups(w http.ResponseWriter, r *http.Request) error {
	access, err := shown(r)
	if err != nil {
		return err
	}
	t, err := p.openedFor(r.Context(), access, groupsOnly)
	if errors.Is(err, store.ErrNotFound) {
		t, err = p.opened(r.Context(), access)
	}
	var u store.User
	var a store.Application
	if err == nil {
		u, a, err = p.granted(r.Context(), t.SignedOn, t.ApplicationID)
		only(a, w, r)
	}
	if errors.Is(err, store.ErrNotFound) || err == nil && !slices.Contains(t.Scopes, scopeGroups) {
		return deadToken()
	}
	if err != nil {
		return err
	}
	text, err := p.signedGroups(r.Context(), u, a)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/jwt")
	_, _ = w.Write([]byte(text)) // the client is gone: nobody to tell
	return nil
}

// signedGroups returns what an application may know of a person's groups, as a JWT.
func (p *provider) signedGroups(ctx context.Context, u store.User, a store.Application) (string, error) {
	values, err := p.groupsOf(ctx, u, a.Groups)
	if err != nil {
		return "", err
	}
	return p.signed(ctx, a, "JWT", map[string]any{
		"iss":       p.Issuer(p.env),
		"sub":       u.ID,
		"aud":       a.ID,
		"iat":       p.now().Unix(),
		"exp":       p.now().Add(groupsLife).Unix(),
		scopeGroups: values,
	})
}
