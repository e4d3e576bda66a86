package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"ldap-gateway/cloud/applications"
	"ldap-gateway/cloud/store"
)

// The authentication contexts that there are: by acrTicket an application asks for a
// Kerberos ticket before the form, and by the last two for a second factor, of which one is named as
// research and education do (REFEDS MFA Profile 1.2).
const (
	acrTicket   = "kerberos"
	acrPassword = "password"
	acrFactor   = "mfa"
	acrREFEDS   = "https://refeds.org/profile/mfa"
)

// contexts are all of them.
var contexts = []string{acrTicket, acrPassword, acrFactor, acrREFEDS}

// request is what the application asked for.
type request struct {
	Scopes       []string
	Resources    []string // the APIs that tokens are to be for
	RedirectURI  string
	State        string
	Nonce        string
	ResponseMode string
	Challenge    string // of PKCE; empty: none was sent
	Method       string // of the challenge; empty: S256
	Subject      string // who it must be; empty: whoever signs on
	Prompt       []string
	MaxAge       *uint // seconds
	LoginHint    string
	ACR          []string
	Locales      []string // that the person prefers, RFC 5646
}

// wantsFactor tells whether the context that the application prefers, of those that there are, is one with
// a second factor.
func (r request) wantsFactor() bool {
	i := slices.IndexFunc(r.ACR, func(c string) bool { return slices.Contains(contexts, c) })
	return i >= 0 && (r.ACR[i] == acrFactor || r.ACR[i] == acrREFEDS)
}

// Flow returns one that is under way; store.ErrNotFound when there is none, or it
// has taken too long.
func (s *Server) Flow(ctx context.Context, env, id string) (applications.Flow, error) {
	a, r, err := s.wish(env, id)
	if err != nil {
		return applications.Flow{}, err
	}
	app, err := s.application(ctx, env, a.ApplicationID)
	if err != nil {
		return applications.Flow{}, err
	}
	f := flowOf(app, r)
	f.ID = id
	if f.Subject != "" && f.LoginHint == "" {
		u, err := s.Store.User(ctx, env, f.Subject)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return applications.Flow{}, err
		}
		f.LoginHint = u.Username
	}
	return f, nil
}

// flowOf is a wish of an application as the sign-on page knows it, without an ID.
func flowOf(a store.Application, wish request) applications.Flow {
	f := applications.Flow{
		Application:  a.Name,
		LoginHint:    wish.LoginHint,
		Subject:      wish.Subject,
		Choose:       slices.Contains(wish.Prompt, oidc.PromptSelectAccount),
		Consent:      slices.Contains(wish.Prompt, oidc.PromptConsent),
		Scopes:       wish.Scopes,
		Silent:       slices.Contains(wish.Prompt, oidc.PromptNone),
		MaxAge:       -1,
		AskForTicket: a.AskForTicket || slices.Contains(wish.ACR, acrTicket),
		Anew:         slices.Contains(wish.Prompt, oidc.PromptLogin),
		Locales:      wish.Locales,
		Access:       a.AccessRule(),
		Policies:     a.Kept.PolicyIDs(),
		ACR:          slices.DeleteFunc(slices.Clone(wish.ACR), func(c string) bool { return slices.Contains(contexts, c) }),
		Factor:       wish.wantsFactor(),
	}
	if wish.MaxAge != nil {
		f.MaxAge = time.Duration(*wish.MaxAge) * time.Second
	}
	if f.Anew {
		f.MaxAge = 0
	}
	return f
}

// wishes are what browsers carry while somebody signs on.
func (s *Server) wishes() applications.Wishes {
	return applications.Wishes{Vault: s.Vault, Protocol: "OpenID Connect"}
}

// wish returns a flow with what the application asked for; store.ErrNotFound when it is over.
func (s *Server) wish(env, id string) (a store.Authorization, r request, err error) {
	a, err = s.wishes().Open(env, id, s.now())
	if err == nil {
		err = json.Unmarshal(a.Request, &r)
	}
	return a, r, err
}

// Complete says who signed on, and returns where the browser is to go.
func (s *Server) Complete(env, id string, by store.SignedOn) (next string, err error) {
	a, err := s.wishes().Open(env, id, s.now())
	if err != nil {
		return "", fmt.Errorf("complete the sign-on: %w", err)
	}
	return "/" + env + "/as/authorize/callback?id=" + s.wishes().SignedOn(a, by), nil
}

// told returns a refusal in the words of OpenID Connect Core section 3.1.2.6.
func told(why applications.Refusal) error {
	if why == applications.Declined {
		return oidc.ErrAccessDenied().WithDescription("The person did not want to go on.")
	}
	return oidc.ErrLoginRequired().WithDescription("Nobody who would do has signed on in this browser.")
}

// Refuse sends the browser back to the application without a sign-on.
func (s *Server) Refuse(w http.ResponseWriter, r *http.Request, env, id string, why applications.Refusal) error {
	p, err := s.provider(r.Context(), env)
	if err != nil {
		return err
	}
	a, req, err := s.wish(env, id)
	if err == nil {
		err = p.stillAt(r.Context(), a, req)
	}
	var no *oidc.Error
	if errors.As(err, &no) {
		p.failPerson(w, r, err)
		return nil
	}
	if err != nil {
		return err
	}
	p.sendBack(w, r, req, told(why))
	return nil
}

// authRequest is an authorization as the library knows it.
type authRequest struct {
	store.Authorization
	request
}

var _ op.AuthRequest = (*authRequest)(nil)

// GetID implements op.AuthRequest, as those below do.
func (a *authRequest) GetID() string { return a.ID }

// GetACR returns the context of the sign-on; empty for one through a provider, whose
// contexts are its own. One with a second factor is named as the application asked for it.
func (a *authRequest) GetACR() string {
	if a.SignedOn.Factor != "" {
		if slices.Contains(a.ACR, acrREFEDS) && !slices.Contains(a.ACR, acrFactor) {
			return acrREFEDS
		}
		return acrFactor
	}
	return map[store.Method]string{store.ByPassword: acrPassword, store.ByKerberos: acrTicket}[a.SignedOn.Method]
}

// GetAMR returns how the person signed on, in the words of RFC 8176.
func (a *authRequest) GetAMR() []string { return amr(a.SignedOn) }

// GetAudience returns the application.
func (a *authRequest) GetAudience() []string { return []string{a.ApplicationID} }

// GetAuthTime returns when the person signed on.
func (a *authRequest) GetAuthTime() time.Time { return a.SignedOn.At }

// GetClientID returns the application.
func (a *authRequest) GetClientID() string { return a.ApplicationID }

// GetCodeChallenge returns what the verifier of the code must match; nil for any.
func (a *authRequest) GetCodeChallenge() *oidc.CodeChallenge {
	return a.challenge()
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
// provider says that is trusted with it, and nothing for one that is not. A second factor adds what it
// was, if the RFC has a word for that, and "mfa".
func amr(by store.SignedOn) (all []string) {
	switch by.Method {
	case store.ByPassword:
		all = []string{"pwd"}
	case store.ByKerberos:
		all = []string{"wia"}
	default:
		all = strings.Fields(by.Methods)
	}
	switch by.Factor {
	case "":
		return all
	case store.FactorOneTime, store.FactorHardware, store.FactorSoftware:
		all = append(all, string(by.Factor))
	}
	if !slices.Contains(all, "mfa") {
		all = append(all, "mfa")
	}
	return all
}
