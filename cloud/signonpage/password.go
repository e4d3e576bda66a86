package signonpage

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"ldap-gateway/cloud/applications"
	"ldap-gateway/cloud/signon"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloud/web"
	"ldap-gateway/cloudlink/wire"
)

// password takes the form.
func (k *call) password() error {
	flow, err := k.flow()
	if err != nil {
		return err
	}
	username := strings.TrimSpace(k.PostForm.Get("username"))
	way, err := k.plan(flow)
	if err != nil {
		return err
	}
	if !way.TakesPasswords() {
		return k.showForm(http.StatusOK, flow, "Choose how to sign on.", username)
	}
	so, err := k.signOn(username, k.PostForm.Get("password"), way)
	if errors.Is(err, throttle.ErrFull) {
		return k.showForm(web.Later(k.w), flow, busy, username)
	}
	if err != nil {
		return err
	}
	switch {
	case so.Outcome == wire.OutcomeOK.String():
		return k.signedOn(flow, so)
	case k.Passwords.OffersChange(k.Context(), so):
		return k.tellToChange(flow, username, so)
	}
	return k.showForm(k.status(so.Outcome), flow, so.Message, username)
}

// status is that of the page after an outcome that was not OK, and has it say when to try again
// where later it may end otherwise.
func (k *call) status(outcome string) int {
	switch outcome {
	case wire.OutcomeBusy.String():
		k.w.Header().Set("Retry-After", "60")
		return http.StatusTooManyRequests
	case wire.OutcomeDirectoryUnavailable.String(), wire.OutcomeTimeout.String():
		return web.Later(k.w)
	}
	return http.StatusOK
}

// signOn takes one try. A browser is known from then on by which somebody has signed on.
func (k *call) signOn(username, password string, way *plan) (store.SignOn, error) {
	r := signon.Request{
		EnvironmentID: k.env.ID,
		Username:      username,
		Password:      []byte(password),
		Address:       k.address(),
		Browser:       k.known(),
		Policy:        way.signOnPolicy(),
	}
	so, err := k.Passwords.SignOn(k.Context(), r)
	if err == nil && so.Outcome == wire.OutcomeOK.String() {
		cookie := k.knownCookie()
		cookie.Value = k.Passwords.KnownBrowser(r)
		http.SetCookie(k.w, &cookie)
	}
	return so, err
}

// knownCookie is the cookie by which a browser is known; of several people who share it, that of
// the last.
func (k *call) knownCookie() http.Cookie {
	like := web.Cookie("ldap-cloud-known-"+k.env.ID, "/"+k.env.ID, k.Sessions.secure)
	return http.Cookie{
		Name:     like.Name,
		Path:     like.Path,
		Secure:   like.Secure,
		HttpOnly: true,
		SameSite: like.SameSite,
		MaxAge:   int(throttle.KnownLife.Seconds()),
	}
}

// known returns what a browser keeps by which somebody has signed on. Nothing of it is believed here.
func (k *call) known() string {
	c, err := k.Cookie(k.knownCookie().Name)
	if err != nil {
		return ""
	}
	return c.Value
}

// signedOn keeps who it was and goes on, unless more is wanted of them.
func (k *call) signedOn(flow applications.Flow, so store.SignOn) error {
	by := signedOn(so)
	if on, err := k.begin(flow, by, time.Time{}); err != nil || !on {
		return err
	}
	return k.goOn(flow, by)
}

// goOn leads on who has just signed on by a form. The next page is a page and no redirect:
// browsers hold a form's redirects to form-action, wherever the application goes.
func (k *call) goOn(flow applications.Flow, by store.SignedOn) error {
	if flow.ID == "" {
		http.Redirect(k.w, k.Request, k.here(flow, nil), http.StatusSeeOther)
		return nil
	}
	consents, err := k.consents(flow, by)
	if err != nil {
		return err
	}
	if consents {
		return k.confirm(flow, by, "")
	}
	return k.complete(flow, by)
}

// complete says who it is, and leads on by a page.
func (k *call) complete(flow applications.Flow, by store.SignedOn) error {
	next, on, err := k.answer(flow, by)
	if err != nil || !on {
		return err
	}
	return k.lead(flow, next)
}

// lead leads on by a page.
func (k *call) lead(flow applications.Flow, next string) error {
	return k.render(http.StatusOK, "next.html", "You are signed on", map[string]string{
		"Next":        next,
		"Application": flow.Application,
	})
}

// passwordForm asks for another password.
type passwordForm struct {
	Flow, Then, Username string
	SignOn               string // the ID of that which said so
	Why                  string // it is asked for
	Error                string
	Code                 bool // a one-time password or a recovery code is asked for
	Own                  bool // the person wants to, and nothing asks for it
}

// renderChange shows the form for another password.
func (k *call) renderChange(status int, f passwordForm) error {
	_, on := k.Sessions.Person(k.Context(), k.env.ID)
	f.Own = on && f.Flow == "" && f.SignOn == ""
	return k.render(status, "password.html", "Change your password", f)
}

// why says why a password is to be changed, to somebody who can do so here.
func why(outcome string) string {
	if outcome == wire.OutcomePasswordExpired.String() {
		return "Your password has expired. Choose a new one."
	}
	return "You have to choose a new password before you can sign on."
}

// changePassword takes the other password, and signs on with it.
// It has the old one checked by the directory, and signs on by the new one as anybody
// would: what a sign-on writes is written.
func (k *call) changePassword() error {
	flow, err := k.flow()
	if err != nil {
		return err
	}
	f := passwordForm{
		Flow:     flow.ID,
		Then:     k.then(),
		Username: strings.TrimSpace(k.PostForm.Get("username")),
		SignOn:   k.PostForm.Get("signon"),
		Why:      "Choose a new password.",
	}
	way, err := k.plan(flow)
	if err != nil {
		return err
	}
	if !way.TakesPasswords() {
		return k.showForm(http.StatusOK, flow, "Choose how to sign on.", f.Username)
	}
	t, may, err := k.mayChoose(f.Username)
	if err != nil {
		return err
	}
	if !may {
		guarded, err := k.guarded(f.Username)
		if err != nil {
			return err
		}
		if guarded {
			return k.proveFirst(flow, f, way)
		}
	}
	if f.Code, err = k.wantsCode(t); err != nil {
		return err
	}
	// A slip of the fingers would lock the person out.
	if k.PostForm.Get("new") != k.PostForm.Get("again") {
		f.Error = "The two new passwords differ."
		return k.renderChange(http.StatusOK, f)
	}
	if ok, err := k.proves(t, f); err != nil || !ok {
		return err
	}
	f.Code = false
	return k.change(flow, f, way)
}

// change has the directory take the new password, if the old one is right.
func (k *call) change(flow applications.Flow, f passwordForm, way *plan) error {
	fresh := k.PostForm.Get("new")
	c, err := k.Passwords.ChangePassword(k.Context(), signon.ChangeRequest{
		EnvironmentID: k.env.ID,
		Username:      f.Username,
		Old:           []byte(k.PostForm.Get("password")),
		New:           []byte(fresh),
		Address:       k.address(),
		Browser:       k.known(),
		Policy:        way.signOnPolicy(),
		SignOnID:      f.SignOn,
	})
	if errors.Is(err, throttle.ErrFull) {
		f.Error = busy
		return k.renderChange(web.Later(k.w), f)
	}
	if err != nil {
		return err
	}
	if !c.OK() {
		f.Error = c.Message
		return k.renderChange(k.status(c.Outcome.String()), f)
	}
	return k.signOnChanged(flow, f.Username, way, fresh)
}

// signOnChanged signs somebody on by the password that is theirs from now on.
func (k *call) signOnChanged(flow applications.Flow, username string, way *plan, fresh string) error {
	so, err := k.signOn(username, fresh, way)
	if errors.Is(err, throttle.ErrFull) {
		return k.showForm(web.Later(k.w), flow, "Your password was changed. Please sign on with it.", username)
	}
	if err != nil {
		return err
	}
	if so.Outcome != wire.OutcomeOK.String() {
		// The old one is gone, so the form for it would be of no use.
		return k.showForm(http.StatusOK, flow, "Your password was changed. Please sign on with it.", username)
	}
	k.Sessions.manager.Put(k.Context(), changedKey(k.env.ID), flow.ID == "")
	return k.signedOn(flow, so)
}
