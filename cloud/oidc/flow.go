package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"ldap-gateway/cloud/store"
)

// acrTicket is the authentication context by which an application asks for a
// Kerberos ticket before the form.
const acrTicket = "kerberos"

// request is what an authorization keeps of what the application asked for.
type request struct {
	Scopes       []string
	RedirectURI  string
	State        string
	Nonce        string
	ResponseMode string
	Challenge    string // S256
	Prompt       []string
	MaxAge       *uint // seconds
	LoginHint    string
	ACR          []string
}

// Flow is what the sign-on page needs to know of an application's wish.
type Flow struct {
	ID, Application string        // of the wish; the application's name
	LoginHint       string        // may be empty
	Silent          bool          // no page may be shown
	MaxAge          time.Duration // of a sign-on that is good enough; negative: any
	AskForTicket    bool          // a Kerberos ticket is to be asked for
	Anew            bool          // the person is to prove anew who they are
	ACR             []string      // contexts that the application wants of an identity provider
}

// Flow returns one that is under way; store.ErrNotFound when there is none, or it
// has taken too long.
func (s *Server) Flow(ctx context.Context, env, id string) (Flow, error) {
	a, r, err := s.authorization(ctx, env, id)
	if err != nil {
		return Flow{}, err
	}
	app, err := s.Store.Application(ctx, env, a.ApplicationID)
	if err != nil {
		return Flow{}, err
	}
	f := Flow{
		ID:           id,
		Application:  app.Name,
		LoginHint:    r.LoginHint,
		Silent:       slices.Contains(r.Prompt, oidc.PromptNone),
		MaxAge:       -1,
		AskForTicket: app.AskForTicket || slices.Contains(r.ACR, acrTicket),
		Anew:         slices.Contains(r.Prompt, oidc.PromptLogin),
		ACR:          slices.DeleteFunc(slices.Clone(r.ACR), func(c string) bool { return c == acrTicket }),
	}
	if r.MaxAge != nil {
		f.MaxAge = time.Duration(*r.MaxAge) * time.Second
	}
	return f, nil
}

// authorization returns a flow with what the application asked for; store.ErrNotFound
// when it is over.
func (s *Server) authorization(ctx context.Context, env, id string) (a store.Authorization, r request, err error) {
	a, err = s.Store.Authorization(ctx, env, id, s.now())
	if err == nil {
		err = json.Unmarshal(a.Request, &r)
	}
	return a, r, err
}

// Complete says who signed on, and returns where the browser is to go.
func (s *Server) Complete(ctx context.Context, env, id string, by store.SignedOn) (next string, err error) {
	if err := s.Store.CompleteAuthorization(ctx, env, id, by); err != nil {
		return "", fmt.Errorf("complete the sign-on: %w", err)
	}
	return "/" + env + "/as/authorize/callback?id=" + url.QueryEscape(id), nil
}

// Refuse sends the browser back to the application without a sign-on: it asked
// that no page be shown, and none would do.
func (s *Server) Refuse(w http.ResponseWriter, r *http.Request, env, id string) error {
	p, err := s.provider(r.Context(), env)
	if err != nil {
		return err
	}
	a, req, err := s.authorization(r.Context(), env, id)
	if err != nil {
		return err
	}
	nobody := oidc.ErrLoginRequired().WithDescription("Nobody has signed on in this browser.")
	op.AuthRequestError(w, r, &authRequest{a, req}, nobody, p.op)
	return nil
}

// callback gives a code to the browser that signed on, and to no other: whoever
// made somebody else sign on for a request of theirs has another one.
func (p *provider) callback(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("id")
	a, _, err := p.authorization(r.Context(), p.env, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		http.Error(
			w,
			"This sign-on has taken too long or is over. Go back to the application and begin again.",
			http.StatusBadRequest,
		)
		return
	case err != nil:
		p.fail(w, err)
		return
	}
	by, ok := p.Sessions.Person(r.Context(), p.env)
	if !ok || by.SignOnID != a.SignedOn.SignOnID || by.UserID != a.SignedOn.UserID {
		http.Redirect(w, r, p.pageURL(p.env)+"?flow="+url.QueryEscape(id), http.StatusSeeOther)
		return
	}
	p.protocol(w, r)
}

// authRequest is an authorization as the library knows it.
type authRequest struct {
	store.Authorization
	request
}

var _ op.AuthRequest = (*authRequest)(nil)

// GetID implements op.AuthRequest, as those below do.
func (a *authRequest) GetID() string { return a.ID }

// GetACR returns no context: amr says how it was.
func (a *authRequest) GetACR() string { return "" }

// GetAMR returns how the person signed on, in the words of RFC 8176.
func (a *authRequest) GetAMR() []string { return amr(a.SignedOn) }

// GetAudience returns the application.
func (a *authRequest) GetAudience() []string { return []string{a.ApplicationID} }

// GetAuthTime returns when the person signed on.
func (a *authRequest) GetAuthTime() time.Time { return a.SignedOn.At }

// GetClientID returns the application.
func (a *authRequest) GetClientID() string { return a.ApplicationID }

// GetCodeChallenge returns what the verifier of the code must hash to.
func (a *authRequest) GetCodeChallenge() *oidc.CodeChallenge {
	return &oidc.CodeChallenge{Challenge: a.Challenge, Method: oidc.CodeChallengeMethodS256}
}

// GetNonce returns what the application wants to see again in the ID token.
func (a *authRequest) GetNonce() string { return a.Nonce }

// GetRedirectURI returns where the code goes.
func (a *authRequest) GetRedirectURI() string { return a.RedirectURI }

// GetResponseType returns the only one that there is.
func (a *authRequest) GetResponseType() oidc.ResponseType { return oidc.ResponseTypeCode }

// GetResponseMode returns how the code goes there.
func (a *authRequest) GetResponseMode() oidc.ResponseMode { return oidc.ResponseMode(a.ResponseMode) }

// GetScopes returns what the application asked for.
func (a *authRequest) GetScopes() []string { return a.Scopes }

// GetState returns what the application wants to see again.
func (a *authRequest) GetState() string { return a.State }

// GetSubject returns the person; empty when nobody has signed on.
func (a *authRequest) GetSubject() string { return a.SignedOn.UserID }

// Done tells whether somebody has signed on.
func (a *authRequest) Done() bool { return a.SignedOn.UserID != "" }

// amr returns how somebody signed on in the words of RFC 8176: "pwd" for a password,
// "wia" for a ticket of the domain, which the RFC names after Windows; what an identity
// provider says that is trusted with it, and nothing for one that is not.
func amr(by store.SignedOn) []string {
	switch by.Method {
	case store.ByPassword:
		return []string{"pwd"}
	case store.ByKerberos:
		return []string{"wia"}
	}
	return strings.Fields(by.Methods)
}
