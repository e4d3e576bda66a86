package console

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"unicode/utf8"

	"ldap-gateway/cloud/administrators"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloud/web"
)

// setupForm is the page on which an administrator sets a password for the
// first time.
type setupForm struct {
	Name    string
	Secret  string // as it was sent, so that a password too short does not lose it
	Minimum int
	Error   string            // of the form as a whole
	Errors  map[string]string // by field
}

// showSetup shows the form to anybody: the secret is what opens it. The address can
// have the name but never the secret, as logs and histories keep addresses.
func (c *console) showSetup(k *call) error {
	return k.render(http.StatusOK, "setup", "Set your password", setupForm{
		Name:    k.query("name"),
		Minimum: administrators.MinPassword,
	})
}

// doSetup looks at the new password before it tries the secret, so that a password too
// short costs no try and does not use the secret up. Whoever had the secret is known by this
// browser from here on: what strangers tried, or try now, keeps them out of no sign-in.
func (c *console) doSetup(k *call) error {
	form := setupForm{
		Name:    k.posted("name"),
		Secret:  k.posted("secret"),
		Minimum: administrators.MinPassword,
		Errors:  checkNewPassword(k.PostForm.Get("password"), k.PostForm.Get("again")),
	}
	if len(form.Errors) > 0 {
		return k.render(http.StatusUnprocessableEntity, "setup", "Set your password", form)
	}
	guess := k.guessOf("set-up secret", form.Name, "")
	var admin store.Administrator
	wait, err := k.try(guess, func() (err error) {
		admin, err = c.Proofs.SetUp(k.Context(), form.Name, form.Secret, k.PostForm.Get("password"), k.address())
		return err
	})
	if form.Error = wait; form.Error != "" {
		return k.render(http.StatusTooManyRequests, "setup", "Set your password", form)
	}
	if errors.Is(err, administrators.ErrProof) {
		c.unproven(k, "set-up", form.Name)
		form.Secret = ""
		form.Error = "The name or the set-up secret is wrong, or the secret was used already, or its time is over. " +
			"Whoever runs the server gets a new link by \"ldap-cloud administrator reset\"."
		return k.render(http.StatusForbidden, "setup", "Set your password", form)
	}
	if errors.Is(err, throttle.ErrFull) {
		form.Error = "Many people sign in at this moment. Wait two seconds and try again."
		return k.render(web.Later(k.w), "setup", "Set your password", form)
	}
	if err != nil {
		return err
	}
	c.forget(k, admin)
	k.knowBrowser(&person{Administrator: admin})
	return k.goTo("/console/sign-in?after=setup&name=" + url.QueryEscape(admin.Name))
}

// checkNewPassword tells what is wrong with a new password, by field.
// The least counts characters, as people do; the most counts bytes.
func checkNewPassword(password, again string) map[string]string {
	switch n := utf8.RuneCountInString(password); {
	case n < administrators.MinPassword:
		return map[string]string{
			"password": fmt.Sprintf("It has %s; it needs at least %d.", plural(n, "character"), administrators.MinPassword),
		}
	case len(password) > administrators.MaxPassword:
		return map[string]string{"password": fmt.Sprintf("It is longer than %d bytes.", administrators.MaxPassword)}
	case password != again:
		return map[string]string{"again": "The two passwords are not the same. Type both again."}
	}
	return nil
}
