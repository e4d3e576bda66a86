package console

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"

	"ldap-gateway/cloud/store"
)

// call is one request and its answer.
type call struct {
	*http.Request
	console *console
	w       http.ResponseWriter
	admin   *person // nil: nobody has signed in
}

// person is who uses the console: one of its own administrators, or a user whose
// groups give a role. Of a user there are name, environment and role only.
type person struct {
	store.Administrator
	UserID string // empty: an administrator
}

// actor is who did something, as activities have it.
func (p *person) actor() string {
	if p.UserID != "" {
		return "user:" + p.UserID
	}
	return "admin:" + p.Name
}

// own tells whether this is one of the console's own administrators.
func (p *person) own() bool { return p.UserID == "" }

// endpoint answers one request, or returns why it cannot.
type endpoint func(k *call) error

// page makes an endpoint a handler.
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
func (k *call) parse() error {
	err := k.ParseForm()
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return &refusal{http.StatusRequestEntityTooLarge, "Too large", "What was sent is larger than any form of this console. Go back and shorten it."}
	case err != nil:
		return &refusal{http.StatusBadRequest, "Not understood", "What was sent is not a form. Go back and try again."}
	}
	return nil
}

// env is the environment that everything in this call is looked up in.
func (k *call) env() string { return k.admin.EnvironmentID }

// posted returns a field of the form, without blanks around it.
func (k *call) posted(name string) string { return strings.TrimSpace(k.PostForm.Get(name)) }

// query returns a parameter of the address, without blanks around it.
func (k *call) query(name string) string { return strings.TrimSpace(k.URL.Query().Get(name)) }

// goTo answers with another page to read.
func (k *call) goTo(path string) error {
	http.Redirect(k.w, k.Request, path, http.StatusSeeOther)
	return nil
}

// done is goTo with a sentence that the next page shows once.
func (k *call) done(path, notice string) error {
	k.console.sessions.Put(k.Context(), noticeKey, notice)
	return k.goTo(path)
}

// under joins the parts of a path below /console/, escaping each.
func under(parts ...string) string {
	path := strings.Builder{}
	path.WriteString("/console")
	for _, p := range parts {
		path.WriteString("/" + url.PathEscape(p))
	}
	return path.String()
}

// address is where the request came from.
func (k *call) address() string {
	host, _, err := net.SplitHostPort(k.RemoteAddr)
	if err != nil {
		return k.RemoteAddr
	}
	return host
}

// note is what an administrator did, and to what.
type note struct {
	action, subject, text string
	detail                map[string]any
}

// activity is a note as it is kept.
func (k *call) activity(n note) store.Activity {
	return store.Activity{EnvironmentID: k.env(), At: k.console.now(), Action: n.action, Actor: k.admin.actor(), Subject: n.subject,
		Text: n.text + " by " + k.admin.Name, Detail: n.detail}
}

// noting returns the store, which adds to what is written that this
// administrator did it; of is called when the rest is written.
func (k *call) noting(of func() note) *store.Store {
	return k.console.Store.Noting(func() store.Activity { return k.activity(of()) })
}

// did records what was done already. That it could not is logged and not told.
func (k *call) did(action, subject, text string, detail map[string]any) {
	if err := k.console.Store.AddActivity(context.WithoutCancel(k.Context()), k.activity(note{action, subject, text, detail})); err != nil {
		k.console.log().Error("activity was not recorded", "action", action, "subject", subject, "error", err)
	}
}

// refusal is an error that says itself what a person should know.
type refusal struct {
	status      int
	title, text string
}

// Error implements error.
func (r *refusal) Error() string { return cmp.Or(r.text, r.title) }

var (
	errCrossOrigin = &refusal{http.StatusForbidden, "Refused", "This request came from another site, so it was not carried out. Open the console itself and try again."}
	errRole        = &refusal{http.StatusForbidden, "Not yours to do", "Your role does not allow this. An owner of this environment can give you another, under Settings."}
	errGone        = &refusal{http.StatusNotFound, "Not found", "There is nothing here. It may have been deleted meanwhile."}
	errCursor      = &refusal{http.StatusBadRequest, "Not a page of this list", "Start the list anew."}
)

// refusalOf returns what a person should know of an error; nil when the error
// is nobody's fault but ours.
func refusalOf(err error) *refusal {
	var r *refusal
	switch {
	case errors.As(err, &r):
		return r
	case errors.Is(err, store.ErrNotFound):
		return errGone
	case errors.Is(err, store.ErrCursor):
		return errCursor
	}
	return nil
}
