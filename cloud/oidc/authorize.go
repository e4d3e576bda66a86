package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"ldap-gateway/cloud/applications"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/vault"
)

// authorize begins a sign-on, of which nothing is kept here. Until it is known where
// the application is to be told, errors are the person's; from then on the application's.
func (p *provider) authorize(w http.ResponseWriter, r *http.Request) error {
	form, err := formOf(r)
	if err != nil {
		return err
	}
	if strings.HasPrefix(form.Get("request_uri"), pushedPrefix) {
		return p.pushed(w, r, form)
	}
	a, err := p.asking(r.Context(), form)
	if err != nil {
		return err
	}
	wish := request{RedirectURI: form.Get("redirect_uri"), State: form.Get("state")}
	if err := p.read(r.Context(), &wish, a, form); err != nil {
		p.sendBack(w, r, wish, err)
		return nil
	}
	return p.toSignOn(w, r, a, wish)
}

// toSignOn sends the browser to sign on for a wish.
func (p *provider) toSignOn(w http.ResponseWriter, r *http.Request, a store.Application, wish request) error {
	id, err := p.begin(p.wishes(), a, wish, requestLife)
	if err != nil {
		p.sendBack(w, r, wish, err)
		return nil
	}
	http.Redirect(w, r, p.client(a).LoginURL(id), http.StatusFound)
	return nil
}

// mostLocales is how many languages of an application's wish are looked at.
const mostLocales = 8

// formOf returns what was sent, in the address and in the body.
func formOf(r *http.Request) (url.Values, error) {
	if err := r.ParseForm(); err != nil {
		return nil, refused("What was sent cannot be read.").WithParent(err)
	}
	return r.Form, nil
}

// asking returns the application that sends a browser, when it may be told at the address
// that it names.
func (p *provider) asking(ctx context.Context, form url.Values) (store.Application, error) {
	for _, name := range []string{"client_id", "redirect_uri"} {
		switch len(form[name]) {
		case 1:
		case 0:
			return store.Application{}, refused("The application sent no %s.", name)
		default:
			return store.Application{}, refused("The application sent more than one %s.", name)
		}
	}
	a, err := p.application(ctx, form.Get("client_id"))
	if errors.Is(err, store.ErrNotFound) {
		return a, refused("The application that sent you here is not known, or is disabled (client_id).")
	}
	if err != nil {
		return a, err
	}
	to := form.Get("redirect_uri")
	if op.ValidateAuthReqRedirectURI(client{Application: a}, to, oidc.ResponseTypeCode) != nil {
		return a, refused("The application wants you to come back to an address that is not registered for it " +
			"(redirect_uri).")
	}
	return a, nil
}

// read takes the application's wish from what it sent. How it is to be told comes first:
// the errors that follow are told that way.
func (p *provider) read(ctx context.Context, wish *request, a store.Application, form url.Values) (err error) {
	mode := form.Get("response_mode")
	if !slices.Contains(responseModes, mode) && mode != "" {
		return refused("The response_mode must be one of %s.", strings.Join(responseModes, ", "))
	}
	wish.ResponseMode = mode
	if mode == "" && strings.Contains(form.Get("response_type"), "token") { // of a flow that there is not
		wish.ResponseMode = string(oidc.ResponseModeFragment)
	}
	for name, values := range form {
		if len(values) > 1 && name != "resource" { // RFC 6749 section 3.1
			return refused("There is more than one %s.", clean(name))
		}
	}
	if err := offered(form); err != nil {
		return err
	}
	wish.Scopes = scopesOf(form.Get("scope"))
	if !slices.Contains(wish.Scopes, oidc.ScopeOpenID) {
		return oidc.ErrInvalidScope().WithDescription("The scope openid is required.")
	}
	wish.Nonce, wish.LoginHint = form.Get("nonce"), form.Get("login_hint")
	wish.ACR, wish.Prompt = strings.Fields(form.Get("acr_values")), strings.Fields(form.Get("prompt"))
	wish.Locales = strings.Fields(form.Get("ui_locales"))
	if len(wish.Locales) > mostLocales {
		wish.Locales = wish.Locales[:mostLocales]
	}
	if slices.Contains(wish.Prompt, oidc.PromptNone) && len(wish.Prompt) > 1 {
		return refused("The prompt none stands alone.")
	}
	if wish.MaxAge, err = maxAge(form.Get("max_age")); err != nil {
		return err
	}
	wish.Challenge, wish.Method = form.Get("code_challenge"), form.Get("code_challenge_method")
	if err := checkChallenge(a, wish); err != nil {
		return err
	}
	if wish.Resources, err = resources(form, a.OpenID.Audiences); err != nil {
		return err
	}
	wish.Subject, err = p.hinted(ctx, form.Get("id_token_hint"))
	return err
}

// responseModes are the ways in which an application is told.
var responseModes = []string{
	string(oidc.ResponseModeQuery), string(oidc.ResponseModeFragment), string(oidc.ResponseModeFormPost),
}

// offered refuses what there is not here, in the words of OpenID Connect Core section
// 3.1.2.6.
func offered(form url.Values) error {
	switch {
	case form.Get("request") != "":
		return oidc.ErrRequestNotSupported().WithDescription("Send parameters and no request object.")
	case form.Get("request_uri") != "":
		return &oidc.Error{ErrorType: requestURINotSupported, Description: "Send parameters and no request_uri."}
	case form.Get("registration") != "":
		return &oidc.Error{ErrorType: registrationNotSupported, Description: "Applications are registered by administrators."}
	case form.Get("response_type") == "":
		return refused("The response_type is missing: it must be code.")
	case form.Get("response_type") != string(oidc.ResponseTypeCode):
		return &oidc.Error{ErrorType: unsupportedResponseType, Description: "The response_type must be code."}
	}
	return nil
}

// clean leaves of a name what an error_description may have (RFC 6749 section 4.1.2.1).
func clean(name string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			return '?'
		}
		return c
	}, cut(name))
}

// supportedScopes are all that an application may ask by.
var supportedScopes = []string{
	oidc.ScopeOpenID, oidc.ScopeProfile, oidc.ScopeEmail, scopeGroups, oidc.ScopeOfflineAccess,
}

// scopesOf returns those scopes that there are, each once: others are passed over, and
// the answer says which were taken (RFC 6749 section 3.3).
func scopesOf(text string) (scopes []string) {
	for _, s := range strings.Fields(text) {
		if slices.Contains(supportedScopes, s) && !slices.Contains(scopes, s) {
			scopes = append(scopes, s)
		}
	}
	return scopes
}

// maxAge returns how old a sign-on may be, in seconds; nil for any age.
func maxAge(text string) (*uint, error) {
	if text == "" {
		return nil, nil
	}
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return nil, refused("The max_age is no number of seconds.")
	}
	seconds := uint(n)
	return &seconds, nil
}

// hinted returns the person of an ID token of ours, however old it is; empty without one.
func (p *provider) hinted(ctx context.Context, token string) (user string, err error) {
	if token == "" {
		return "", nil
	}
	claims, err := op.VerifyIDTokenHint[*oidc.IDTokenClaims](ctx, token, p.op.IDTokenHintVerifier(ctx))
	if err != nil && !errors.As(err, &op.IDTokenHintExpiredError{}) {
		if errors.Is(err, store.ErrUnavailable) {
			return "", err
		}
		return "", oidc.ErrLoginRequired().WithDescription("The id_token_hint is no ID token of this issuer.").WithParent(err)
	}
	return claims.GetSubject(), nil
}

// begin returns a wish as it is carried for a while.
func (p *provider) begin(
	by applications.Wishes, a store.Application, wish request, life time.Duration,
) (string, error) {
	b, err := json.Marshal(wish)
	if err != nil {
		return "", err
	}
	text, err := by.Begin(&store.Authorization{
		EnvironmentID: p.env,
		ApplicationID: a.ID,
		Request:       b,
		CreatedAt:     p.now(),
		ExpiresAt:     p.now().Add(life),
	})
	if errors.Is(err, applications.ErrWishTooLong) {
		err = refused("The request is too long: keep state and nonce short.")
	}
	return text, err
}

// notAdmitted tells the person that they may not use the application, or, where no page may be shown,
// the application.
func (p *provider) notAdmitted(
	w http.ResponseWriter, r *http.Request, wish request, a store.Application, by store.SignedOn,
) error {
	if slices.Contains(wish.Prompt, oidc.PromptNone) {
		p.sendBack(w, r, wish, oidc.ErrAccessDenied().WithDescription(notAdmitted))
		return nil
	}
	id := uuid.NewString()
	if keep, _ := p.denials.Keep(p.now(), "denied "+a.ID+" "+by.UserID, deniedPerHour); keep {
		if err := (&applications.Denial{Application: a, UserID: by.UserID}).Note(r.Context(), p.Store, id); err != nil {
			return err
		}
	}
	p.Pages.Failure(w, r, http.StatusForbidden, "Your account may not use %s. To sign on as somebody else, sign off here "+
		"first. Your administrator finds this under %s.", a.Name, id)
	return nil
}

// deniedPerHour is how often it is written within an hour that one person may not use one
// application.
const deniedPerHour = 3

// stillAt refuses a wish whose application is gone, or does not have the address any more that it
// is to be told at: it may have been taken away meanwhile.
func (p *provider) stillAt(ctx context.Context, a store.Authorization, wish request) error {
	_, err := p.asking(ctx, url.Values{"client_id": {a.ApplicationID}, "redirect_uri": {wish.RedirectURI}})
	return err
}

// callback gives a code to the browser that signed on, and to no other: whoever
// made somebody else sign on for a request of theirs has another one. It is the one place
// that makes codes, so what must be true of whoever signed on is looked at here.
func (p *provider) callback(w http.ResponseWriter, r *http.Request) error {
	id := r.URL.Query().Get("id")
	a, wish, err := p.wish(p.env, id)
	if errors.Is(err, store.ErrNotFound) {
		return refused("This sign-on has taken too long or is over.")
	}
	if err != nil {
		return err
	}
	if err := p.stillAt(r.Context(), a, wish); err != nil {
		return err
	}
	by, ok := p.Sessions.Person(r.Context(), p.env)
	if !ok || by.SignOnID != a.SignedOn.SignOnID || by.UserID != a.SignedOn.UserID {
		http.Redirect(w, r, p.pageURL(p.env)+"?flow="+url.QueryEscape(id), http.StatusSeeOther)
		return nil
	}
	if wish.Subject != "" && wish.Subject != by.UserID {
		p.sendBack(w, r, wish, oidc.ErrLoginRequired().WithDescription(
			"Somebody else signed on than the id_token_hint names."))
		return nil
	}
	u, app, err := p.granted(r.Context(), by, a.ApplicationID)
	if errors.Is(err, errNotAdmitted) {
		return p.notAdmitted(w, r, wish, app, by)
	}
	if err != nil {
		return noClient(err)
	}
	if met, err := p.met(w, r, id, u, by); err != nil || !met {
		return err
	}
	return p.giveCode(w, r, a, wish)
}

// met tells whether a sign-on is all that is asked for by now. When it is not, the answer was given: the sign-on
// page asks for the rest, and where no page may be shown the application is told that nobody is there.
func (p *provider) met(
	w http.ResponseWriter, r *http.Request, id string, u store.User, by store.SignedOn,
) (bool, error) {
	f, err := p.Flow(r.Context(), p.env, id)
	if err != nil {
		return false, noClient(err)
	}
	met, err := applications.Meets(r.Context(), p.Store, f, u, by)
	switch {
	case err != nil || met:
		return met, err
	case f.Silent:
		return false, p.Refuse(w, r, p.env, id, applications.Nobody)
	}
	http.Redirect(w, r, p.pageURL(p.env)+"?flow="+url.QueryEscape(id), http.StatusSeeOther)
	return false, nil
}

// giveCode keeps what was asked for and by whom, and has the browser bring the application a code for it.
func (p *provider) giveCode(w http.ResponseWriter, r *http.Request, a store.Authorization, wish request) error {
	code, hash := vault.NewSecret()
	a.CreatedAt = p.now()
	if end := p.now().Add(store.CodeLife); a.ExpiresAt.Before(end) {
		a.ExpiresAt = end
	}
	if err := p.Store.CreateAuthorization(r.Context(), &a, hash); err != nil {
		if errors.Is(err, store.ErrConflict) { // it has its code
			return refused("This sign-on has taken too long or is over.")
		}
		p.sendBack(w, r, wish, err)
		return nil
	}
	deliver(w, r, wish, url.Values{"code": {code}}, p.Issuer(p.env))
	return nil
}
