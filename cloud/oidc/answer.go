package oidc

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"
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
	id := p.ours(r, err)
	return oidc.ErrServerError().WithDescription("This did not work. The server's log has the reason under %s.", id),
		http.StatusInternalServerError
}

// ours logs what is nobody's fault but ours, and returns under which ID.
func (p *provider) ours(r *http.Request, err error) (id string) {
	id = uuid.NewString()
	p.Logger.Error("request failed", "id", id, "path", r.URL.Path, "error", err)
	return id
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
// told, since it is not known where it is.
func (p *provider) failPerson(w http.ResponseWriter, r *http.Request, err error) {
	var tooLarge *http.MaxBytesError
	var e *oidc.Error
	switch {
	case errors.Is(err, store.ErrUnavailable):
		p.Logger.Error("request failed", "path", r.URL.Path, "error", err)
		p.Pages.Failure(w, r, web.Later(w), "Signing on is not possible right now. Please try again in a moment.")
	case errors.As(err, &tooLarge):
		p.Pages.Failure(w, r, http.StatusRequestEntityTooLarge, "What was sent is too large.")
	case errors.Is(err, errOver):
		p.Pages.Failure(w, r, http.StatusBadRequest,
			"This sign-on has taken too long or is over. Go back to the application and begin again.")
	case errors.As(err, &e) && e.ErrorType != oidc.ServerError:
		p.turnAway(w, r, e, err)
	default:
		p.Pages.Failure(w, r, http.StatusInternalServerError,
			"This did not work. Please try again in a moment. Your administrator finds the reason under %s.", p.ours(r, err))
	}
}

// errOver is for what has taken too long or is over: it is told to people alone.
var errOver = errors.New("the sign-on has taken too long or is over")

// personal is a refusal that a page says, in words that it knows in other languages.
type personal struct {
	program *oidc.Error // as programs are told
	why     applications.Sentence
}

// Error implements error.
func (p *personal) Error() string { return p.program.Error() }

// Unwrap returns what is told to programs.
func (p *personal) Unwrap() error { return p.program }

// forPeople is a request that is not taken as it was sent, as a page says it; cause is for the log, and may be nil.
func forPeople(cause error, text string, values ...any) error {
	return &personal{refused(text, values...).WithParent(cause), applications.Sentence{Text: text, Values: values}}
}

// signedOff is forPeople of what is wrong although the person is signed off.
func signedOff(text string, values ...any) error {
	why := applications.Sentence{Text: text, Values: values, Heading: "You are signed off"}
	return &personal{refused(text, values...), why}
}

// turnAway shows why a request is not taken. What was refused in words for programs is told in no other than that.
func (p *provider) turnAway(w http.ResponseWriter, r *http.Request, e *oidc.Error, err error) {
	f := applications.Refused{
		EnvironmentID: p.env,
		Application:   r.Form.Get("client_id"),
		Status:        http.StatusBadRequest, // and never 401: a page is no place to send credentials to
		Why:           applications.Sentence{Text: "The application sent a request that is not taken."},
		Err:           err,
		Locales:       locales(r.Form),
	}
	if e.ErrorType == oidc.AccessDenied {
		f.Status = http.StatusForbidden
	}
	var told *personal
	if errors.As(err, &told) {
		f.Why = told.why
	}
	var sent []string
	for _, name := range []string{"client_id", "redirect_uri", "post_logout_redirect_uri"} {
		if value := r.Form.Get(name); value != "" {
			sent = append(sent, name+" "+cut(value))
		}
	}
	if len(sent) > 0 {
		f.More = "It sent " + strings.Join(sent, ", ") + "."
	}
	p.refusals.Refuse(w, r, f)
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
	p.deliver(w, r, wish, url.Values{"error": {string(e.ErrorType)}, "error_description": {e.Description}})
}

// deliver hands values to the application by the browser, with its state and whose they
// are (RFC 9207).
func (p *provider) deliver(w http.ResponseWriter, r *http.Request, wish request, values url.Values) {
	if wish.State != "" {
		values.Set("state", wish.State)
	}
	values.Set("iss", p.Issuer(p.env))
	to, err := url.Parse(wish.RedirectURI)
	switch {
	case err != nil: // it was parsed when it was registered
		http.Error(w, "The redirect_uri cannot be read.", http.StatusInternalServerError)
	case wish.ResponseMode == string(oidc.ResponseModeFormPost):
		applications.Post(w, r, p.Pages, "", wish.RedirectURI, values)
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
