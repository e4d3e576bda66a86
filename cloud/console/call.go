package console

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/web"
)

// call is one request and its answer.
type call struct {
	*http.Request
	console *console
	w       http.ResponseWriter
	admin   *person // nil: nobody has signed in
	action  management.Action

	previous string // cursor by which the list of the page leads back; empty: it does not
}

// person is who uses the console: one of its own administrators, or a user whose
// groups give a role. Of a user there are name, environment, role and one-time passwords.
type person struct {
	store.Administrator
	UserID     string // empty: an administrator
	ProviderID string // of a user, that they signed on through; empty: none
	SignOffs   int    // of a user
	MFA        bool   // of a user: is asked for a second factor, whatever the policy says
}

// own tells whether this is one of the console's own administrators.
func (p *person) own() bool { return p.UserID == "" }

// endpoint answers one request, or returns why it cannot.
// With an error it has sent nothing yet: the answer is then the page of that error.
type endpoint func(k *call) error

// page makes an endpoint a handler.
// Whatever an endpoint returns as an error becomes a page here.
func (c *console) page(e endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k := &call{Request: r, console: c, w: w}
		if err := k.parse(); err != nil {
			c.fail(w, r, nil, err)
			return
		}
		if err := e(k); err != nil {
			c.fail(w, r, k.admin, err)
		}
	})
}

// parse reads the query and the form.
// A body of another kind, as a file that comes in parts or a script's JSON, is left for
// the endpoint to read.
func (k *call) parse() error {
	err := k.ParseForm()
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return errTooLarge
	case err != nil:
		return &refusal{http.StatusBadRequest, "Not understood", "What was sent is not a form. Go back and try again."}
	}
	return nil
}

// env is the environment that everything in this call is looked up in.
// Only pages behind signedIn may ask for it: before that nobody is known, and it
// panics.
func (k *call) env() string { return k.admin.EnvironmentID }

// posted returns a field of the form, without blanks around it.
// A password is not read by it, since blanks may be part of one.
func (k *call) posted(name string) string { return strings.TrimSpace(k.PostForm.Get(name)) }

// query returns a parameter of the address, without blanks around it.
func (k *call) query(name string) string { return strings.TrimSpace(k.URL.Query().Get(name)) }

// goTo answers with another page to read.
// It is 303 (RFC 9110 section 15.4.4), so that to load the next page again sends no
// form again.
func (k *call) goTo(path string) error {
	http.Redirect(k.w, k.Request, path, http.StatusSeeOther)
	return nil
}

// done is goTo with a sentence that the next page shows once.
// It waits in the session and not in the address, so that no link from elsewhere can
// have it said.
func (k *call) done(path, notice string) error {
	k.console.sessions.Put(k.Context(), noticeKey, notice)
	return k.goTo(path)
}

// undone is done where nothing was: the sentence says why.
func (k *call) undone(path, warning string) error {
	k.console.sessions.Put(k.Context(), warningKey, warning)
	return k.goTo(path)
}

// under joins the parts of a path below /console/, escaping each.
// So no ID, whatever is in it, leads to another page than the one that is meant.
func under(parts ...string) string {
	path := strings.Builder{}
	path.WriteString("/console")
	for _, p := range parts {
		path.WriteString("/" + url.PathEscape(p))
	}
	return path.String()
}

// address is where the request came from.
func (k *call) address() string { return web.Address(k.Request) }

// by says who makes a change.
// The address and the request's ID go into the activity, so that it is found again in
// the log of whatever stands in front of the cloud.
func (k *call) by() management.By { return k.byOf(k.admin) }

// byOf is by for who has not signed in yet.
func (k *call) byOf(p *person) management.By {
	by := p.by()
	by.Address, by.Request = k.address(), k.Header.Get("X-Request-Id")
	return by
}

// by says which person makes a change: an administrator by the ID of theirs, a person
// with an account of the organisation by that of the user. The role is the one that
// they have at this request.
func (p *person) by() management.By {
	by := management.By{
		Environment: p.EnvironmentID,
		Kind:        management.Administrator,
		ID:          p.ID,
		Name:        p.Name,
		Role:        p.Role,
	}
	if !p.own() {
		by.Kind, by.ID = management.Person, p.UserID
	}
	return by
}

// faults returns what is wrong with a form, by its fields; false when an error is
// something else.
func faults(err error) (map[string]string, bool) {
	var l fault.List
	if !errors.As(err, &l) {
		return nil, false
	}
	return messagesOf(l), true
}

// refusal is an error that says itself what a person should know.
// It is answered with its status and not logged as a failure.
type refusal struct {
	status      int
	title, text string
}

// Error implements error.
func (r *refusal) Error() string { return cmp.Or(r.text, r.title) }

var (
	errTooLarge = &refusal{http.StatusRequestEntityTooLarge, "Too large",
		"What was sent is larger than any form of this console. Go back and shorten it."}
	errCrossOrigin = &refusal{http.StatusForbidden, "Refused",
		"This request came from another site, so it was not carried out. Open the console itself and try again."}
	errRole = &refusal{http.StatusForbidden, "Not yours to do",
		"Your role does not allow this. An owner of this environment can give you another, under Settings."}
	errGone = &refusal{http.StatusNotFound, "Not found",
		"There is nothing here. It may have been deleted meanwhile."}
	errLastOwner = &refusal{http.StatusConflict, "The last owner",
		"An environment needs an owner. Make somebody else one first."}
	errCursor = &refusal{http.StatusBadRequest, "Not a page of this list", "Start the list anew."}
)

// refusalOf returns what a person should know of an error; nil when the error
// is nobody's fault but ours.
// What is of another environment is gone for the store, and so for the person.
func refusalOf(err error) *refusal {
	var r *refusal
	var higher *management.HigherError
	var rule *management.Refusal
	var wrong fault.List
	switch {
	case errors.As(err, &r):
		return r
	case errors.Is(err, management.ErrRole):
		return errRole
	case errors.As(err, &higher):
		// Errors begin small and end without a period; what people read does not.
		text := higher.Error()
		return &refusal{http.StatusForbidden, "Not yours to do", strings.ToUpper(text[:1]) + text[1:] + "."}
	case errors.As(err, &rule):
		return &refusal{http.StatusBadRequest, "Not done", rule.Text}
	case errors.As(err, &wrong):
		return &refusal{http.StatusBadRequest, "Not saved", wrong.Error()}
	case errors.Is(err, store.ErrLastOwner):
		return errLastOwner
	case errors.Is(err, store.ErrNotFound):
		return errGone
	case errors.Is(err, store.ErrCursor):
		return errCursor
	}
	return nil
}
