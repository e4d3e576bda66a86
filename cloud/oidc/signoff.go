package oidc

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"ldap-gateway/cloud/store"
)

// Leaving is an application's wish that somebody be signed off (OpenID Connect
// RP-Initiated Logout 1.0), checked.
type Leaving struct {
	Application string // its name; empty when it did not say which it is
	To          string // where the browser goes then; empty: to a page of ours

	id, user string // of the application; of the person of its ID token
	stays    bool   // To would have been an address that is not registered
}

// signOff ends the session of the browser that asks, when an ID token says that it is the
// person's own application. Without, the sign-on page asks: another site may have sent the
// browser.
func (p *provider) signOff(w http.ResponseWriter, r *http.Request) error {
	form, err := formOf(r)
	if err != nil {
		return err
	}
	l, err := p.leaving(r.Context(), form)
	if err != nil {
		return err
	}
	by, here := p.Sessions.Person(r.Context(), p.env)
	ended := here && by.UserID == l.user
	if ended {
		err = p.Sessions.End(r.Context(), p.env)
	}
	if err == nil && l.user != "" {
		err = p.Store.RevokeUserTokens(r.Context(), p.env, l.user, l.id)
	}
	if err != nil {
		return err
	}
	page := p.pageURL(p.env) + "/off"
	if l.user == "" && here { // somebody is asked
		page += "?" + url.Values{
			"client_id":                {l.id},
			"post_logout_redirect_uri": {form.Get("post_logout_redirect_uri")},
			"state":                    {form.Get("state")},
		}.Encode()
	} else if l.To != "" {
		page = l.To
	}
	if ended {
		if page, err = p.SignedOff(r, p.env, by, page); err != nil {
			return err
		}
	}
	if l.stays {
		return signedOff("You are signed off. The application wants you to come back to an address that is not "+
			"registered for it (%s).", "post_logout_redirect_uri")
	}
	http.Redirect(w, r, page, http.StatusFound)
	return nil
}

// Leaving returns what an application that has somebody signed off wants, by what came to
// signoff; its error is for people.
func (s *Server) Leaving(ctx context.Context, env string, form url.Values) (Leaving, error) {
	p, err := s.provider(ctx, env)
	if err != nil {
		return Leaving{}, err
	}
	return p.leaving(op.ContextWithIssuer(ctx, s.Issuer(env)), form)
}

// leaving checks what came. An ID token is taken however old it is, and names the
// application.
func (p *provider) leaving(ctx context.Context, form url.Values) (l Leaving, err error) {
	id := form.Get("client_id")
	if hint := form.Get("id_token_hint"); hint != "" {
		claims, err := op.VerifyIDTokenHint[*oidc.IDTokenClaims](ctx, hint, p.op.IDTokenHintVerifier(ctx))
		if err != nil && !errors.As(err, &op.IDTokenHintExpiredError{}) {
			return l, forPeople(err, "The application sent an ID token that is not of here (%s).", "id_token_hint")
		}
		if id != "" && id != claims.GetAuthorizedParty() {
			return l, forPeople(nil, "The application sent an ID token of another application (%s).", "id_token_hint")
		}
		id, l.user = claims.GetAuthorizedParty(), claims.GetSubject()
	}
	l.id = id
	if id == "" {
		return l, nil
	}
	a, err := p.application(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return l, forPeople(err, "The application that sent you here is not known, or is disabled.")
	}
	if err != nil {
		return l, err
	}
	l.Application = a.Name
	to := form.Get("post_logout_redirect_uri")
	switch {
	case to == "":
		return l, nil
	case op.ValidateEndSessionPostLogoutRedirectURI(to, p.client(a)) == nil:
		l.To = withState(to, form.Get("state"))
	case l.user != "": // is signed off all the same
		l.stays = true
	default:
		return l, forPeople(nil, "The application wants you to come back to an address that is not registered for it (%s).",
			"post_logout_redirect_uri")
	}
	return l, nil
}

// withState adds what the application wants to see again.
func withState(to, state string) string {
	u, err := url.Parse(to)
	if err != nil || state == "" {
		return to
	}
	q := u.Query()
	q.Set("state", state)
	u.RawQuery = q.Encode()
	return u.String()
}
