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

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"ldap-gateway/cloud/applications"
	"ldap-gateway/cloud/store"
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

// toSignOn gives a code to who has signed on, when there is nothing to ask them, and else sends the browser to
// sign on for a wish.
func (p *provider) toSignOn(w http.ResponseWriter, r *http.Request, a store.Application, wish request) error {
	if given, err := p.atOnce(w, r, a, wish); given || err != nil {
		return err
	}
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

// locales are the languages that an application wishes for.
func locales(form url.Values) []string {
	all := strings.Fields(form.Get("ui_locales"))
	return all[:min(len(all), mostLocales)]
}

// formOf returns what was sent, in the address and in the body.
func formOf(r *http.Request) (url.Values, error) {
	if err := r.ParseForm(); err != nil {
		return nil, forPeople(err, "What was sent cannot be read.")
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
			return store.Application{}, forPeople(nil, "The application sent no %s.", name)
		default:
			return store.Application{}, forPeople(nil, "The application sent more than one %s.", name)
		}
	}
	a, err := p.application(ctx, form.Get("client_id"))
	if errors.Is(err, store.ErrNotFound) {
		return a, forPeople(err, "The application that sent you here is not known, or is disabled.")
	}
	if err != nil {
		return a, err
	}
	to := form.Get("redirect_uri")
	if op.ValidateAuthReqRedirectURI(client{Application: a}, to, oidc.ResponseTypeCode) != nil {
		return a, forPeople(nil, "The application wants you to come back to an address that is not registered for it (%s).",
			"redirect_uri")
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
	wish.Locales = locales(form)
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
	z, err := p.authorization(a, wish, life)
	if err != nil {
		return "", err
	}
	text, err := by.Begin(&z)
	if errors.Is(err, applications.ErrWishTooLong) {
		err = refused("The request is too long: keep state and nonce short.")
	}
	return text, err
}

// authorization is a wish for which nobody has signed on yet.
func (p *provider) authorization(
	a store.Application, wish request, life time.Duration,
) (z store.Authorization, err error) {
	b, err := json.Marshal(wish)
	return store.Authorization{
		EnvironmentID: p.env,
		ApplicationID: a.ID,
		Request:       b,
		CreatedAt:     p.now(),
		ExpiresAt:     p.now().Add(life),
	}, err
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
	return p.refusals.Deny(w, r, &applications.Denial{Application: a, UserID: by.UserID, Locales: wish.Locales})
}

// stillAt refuses a wish whose application is gone, or does not have the address any more that it
// is to be told at: it may have been taken away meanwhile.
func (p *provider) stillAt(ctx context.Context, a store.Authorization, wish request) error {
	_, err := p.asking(ctx, url.Values{"client_id": {a.ApplicationID}, "redirect_uri": {wish.RedirectURI}})
	return err
}
