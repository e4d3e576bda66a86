package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"ldap-gateway/cloud/store"
)

// logoutEvent is what a logout token says has happened (OpenID Connect Back-Channel Logout
// 1.0 section 2.4).
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// logoutType is the type of such tokens, by which none is taken for an ID token.
const logoutType = "logout+jwt"

// How long a logout token is good, and how long applications have to take it: the person
// who signs off waits for them, all at once.
const (
	logoutLife = 2 * time.Minute
	tellTime   = 3 * time.Second
)

// sessionClaim names the session that an ID token is of.
const sessionClaim = "sid"

// SignedOff is Ended for a session that its browser ended, and returns where that is to go:
// see Leave.
func (s *Server) SignedOff(r *http.Request, env string, by store.SignedOn, then string) (next string, err error) {
	if err := s.Ended(r.Context(), env, by); err != nil || s.Leave == nil {
		return then, err
	}
	return s.Leave(r, env, by, then)
}

// Ended tells the applications of a session that it has ended, those that want to know.
// What an application does not take is in the log: the session has ended here, whatever they
// do.
func (s *Server) Ended(ctx context.Context, env string, by store.SignedOn) error {
	p, err := s.provider(ctx, env)
	if err != nil {
		return err
	}
	all, err := s.Store.SignedOnAt(ctx, env, by.SignOnID)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, tellTime)
	defer cancel()
	var told sync.WaitGroup
	for _, a := range all {
		if a.OpenID.BackChannel == "" || !a.Enabled {
			continue
		}
		told.Go(func() {
			if err := p.tell(ctx, a, by); err != nil {
				s.Logger.Warn("an application was not told that a session has ended",
					"environment", env, "application", a.ID, "name", a.Name, "error", err)
			}
		})
	}
	told.Wait()
	return nil
}

// tell posts a logout token to an application.
func (p *provider) tell(ctx context.Context, a store.Application, by store.SignedOn) error {
	if p.HTTP == nil {
		return errors.New("nothing is reached from here")
	}
	token, err := p.signed(ctx, a, logoutType, map[string]any{
		"iss":        p.Issuer(p.env),
		"sub":        by.UserID,
		"aud":        a.ID,
		"iat":        p.now().Unix(),
		"exp":        p.now().Add(logoutLife).Unix(),
		"jti":        uuid.NewString(),
		"events":     map[string]any{logoutEvent: struct{}{}},
		sessionClaim: by.SignOnID,
	})
	if err != nil {
		return err
	}
	body := strings.NewReader(url.Values{"logout_token": {token}}.Encode())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.OpenID.BackChannel, body)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := p.HTTP.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK && answer.StatusCode != http.StatusNoContent {
		return fmt.Errorf("it answered %s", answer.Status)
	}
	return nil
}
