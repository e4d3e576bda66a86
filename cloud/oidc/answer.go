package oidc

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/google/uuid"
	"github.com/hashicorp/go-hclog"
	"github.com/zitadel/oidc/v3/pkg/oidc"

	"ldap-gateway/cloud/applications"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/web"
)

// The errors of RFC 6749 and its relatives that the library has no words for.
const (
	unavailable              = "temporarily_unavailable"
	unsupportedResponseType  = "unsupported_response_type"
	requestURINotSupported   = "request_uri_not_supported"
	registrationNotSupported = "registration_not_supported"
	invalidToken             = "invalid_token" // RFC 6750 section 3.1
)

// refused is a request that is not taken as it was sent.
func refused(why string, values ...any) *oidc.Error {
	return oidc.ErrInvalidRequest().WithDescription(why, values...)
}

// said returns an error in the words of OAuth, and with which status of HTTP it is told
// to a program. What is nobody's fault but ours is in the log under the ID that the
// answer has.
func (p *provider) said(r *http.Request, err error) (e *oidc.Error, status int) {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, store.ErrUnavailable):
		p.Logger.Error("request failed", "path", r.URL.Path, "error", err)
		return &oidc.Error{ErrorType: unavailable, Description: "This is not possible right now. Try again in a moment."},
			http.StatusServiceUnavailable
	case errors.As(err, &tooLarge):
		return refused("The body is too large."), http.StatusRequestEntityTooLarge
	case errors.As(err, &e) && e.ErrorType != oidc.ServerError:
		if e.ErrorType == oidc.InvalidClient {
			return e, http.StatusUnauthorized
		}
		return e, http.StatusBadRequest
	}
	id := uuid.NewString()
	p.Logger.Error("request failed", "id", id, "path", r.URL.Path, "error", err)
	return oidc.ErrServerError().WithDescription("This did not work. The server's log has the reason under %s.", id),
		http.StatusInternalServerError
}

// failProgram answers as RFC 6749 section 5.2 says.
func (p *provider) failProgram(w http.ResponseWriter, r *http.Request, err error) {
	e, status := p.said(r, err)
	switch status {
	case http.StatusServiceUnavailable:
		web.Later(w)
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Basic realm="`+p.Issuer(p.env)+`"`)
	}
	answer(w, status, map[string]string{"error": string(e.ErrorType), "error_description": e.Description})
}

// errNoToken says that nobody showed an access token.
var errNoToken = errors.New("there is no access token")

// failBearer answers as RFC 6750 section 3 says: who sent no token learns how to send
// one, and no error.
func (p *provider) failBearer(w http.ResponseWriter, r *http.Request, err error) {
	challenge := `Bearer realm="` + p.Issuer(p.env) + `"`
	if errors.Is(err, errNoToken) {
		w.Header().Set("WWW-Authenticate", challenge)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	e, status := p.said(r, err)
	if status == http.StatusServiceUnavailable {
		web.Later(w)
	}
	if e.ErrorType == invalidToken {
		status = http.StatusUnauthorized
	}
	if status < http.StatusInternalServerError {
		w.Header().Set("WWW-Authenticate",
			fmt.Sprintf("%s, error=%q, error_description=%q", challenge, e.ErrorType, e.Description))
	}
	answer(w, status, map[string]string{"error": string(e.ErrorType), "error_description": e.Description})
}

// failPerson shows a page: whoever sees it came from an application, which cannot be
// told, since it is not known where it is. The ID leads an administrator to what it sent.
func (p *provider) failPerson(w http.ResponseWriter, r *http.Request, err error) {
	e, status := p.said(r, err)
	switch {
	case status == http.StatusServiceUnavailable:
		p.Pages.Failure(w, r, web.Later(w), "Signing on is not possible right now. Please try again in a moment.")
		return
	case status == http.StatusInternalServerError:
		p.Pages.Failure(w, r, status, e.Description)
		return
	case e.ErrorType == oidc.AccessDenied:
		status = http.StatusForbidden
	case status == http.StatusUnauthorized: // a page is no place to send credentials to
		status = http.StatusBadRequest
	}
	id := uuid.NewString()
	p.Logger.Log(p.refusals.Level("page", hclog.Warn), "an application's request was refused",
		"id", id, "environment", p.env, "path", r.URL.Path, "application", cut(r.Form.Get("client_id")),
		"redirect", cut(r.Form.Get("redirect_uri")), "error", cut(err.Error()))
	p.Pages.Failure(w, r, status, "%s Go back to the application and begin again. "+
		"If that leads here once more, your administrator finds what it sent under %s.", e.Description, id)
}

// mostLogged is how much of what a stranger sent is in one value of the log, in bytes.
const mostLogged = 200

func cut(text string) string { return text[:min(len(text), mostLogged)] }

// answer sends JSON.
func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client is gone: nobody to tell
}

// sendBack tells the application what became of its request, where it asked to be told.
func (p *provider) sendBack(w http.ResponseWriter, r *http.Request, wish request, err error) {
	e, status := p.said(r, err)
	if status < http.StatusInternalServerError {
		p.Logger.Debug("an application was refused", "path", r.URL.Path, "redirect", wish.RedirectURI, "error", err)
	}
	deliver(w, r, wish, url.Values{"error": {string(e.ErrorType)}, "error_description": {e.Description}}, p.Issuer(p.env))
}

// deliver hands values to the application by the browser, with its state and whose they
// are (RFC 9207).
func deliver(w http.ResponseWriter, r *http.Request, wish request, values url.Values, issuer string) {
	if wish.State != "" {
		values.Set("state", wish.State)
	}
	values.Set("iss", issuer)
	to, err := url.Parse(wish.RedirectURI)
	switch {
	case err != nil: // it was parsed when it was registered
		http.Error(w, "The redirect_uri cannot be read.", http.StatusInternalServerError)
	case wish.ResponseMode == string(oidc.ResponseModeFormPost):
		applications.Post(w, "", wish.RedirectURI, values)
	case wish.ResponseMode == string(oidc.ResponseModeFragment):
		http.Redirect(w, r, wish.RedirectURI+"#"+values.Encode(), http.StatusFound)
	default:
		if to.RawQuery != "" { // what was registered stays as it is
			to.RawQuery += "&"
		}
		to.RawQuery += values.Encode()
		http.Redirect(w, r, to.String(), http.StatusFound)
	}
}
