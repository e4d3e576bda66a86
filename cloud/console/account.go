package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"image/png"
	"net/http"

	"ldap-gateway/cloud/administrators"
	"ldap-gateway/cloud/store"
)

// accountPage is what somebody may settle about their own way in.
type accountPage struct {
	Own         bool // an administrator of the console's own
	RoleName    string
	OneTime     bool
	Passkeys    []store.Passkey
	PasskeySite string
	Minimum     int
	Errors      map[string]string
}

func (c *console) showAccount(k *call) error {
	return c.renderAccount(k, http.StatusOK, nil)
}

func (c *console) renderAccount(k *call, status int, faults map[string]string) (err error) {
	page := accountPage{Own: k.admin.own(), RoleName: roleName(k.admin.Role), OneTime: len(k.admin.TOTP) > 0, PasskeySite: c.Proofs.PasskeySite(), Minimum: administrators.MinPassword, Errors: faults}
	if page.Passkeys, err = c.Store.Passkeys(k.Context(), k.admin.ID); err != nil {
		return err
	}
	return k.render(status, "account", "Your account", page)
}

// roleName is a role in words.
func roleName(r store.Role) string {
	return map[store.Role]string{store.RoleOwner: "Owner", store.RoleIdentityAdmin: "Identity administrator", store.RoleReadOnly: "Read only", store.RoleSignOn: "Signs people on"}[r]
}

// ownOnly refuses who signed in with an account of the organisation.
func (k *call) ownOnly() error {
	if k.admin.own() {
		return nil
	}
	return &refusal{http.StatusBadRequest, "Not here", "You signed in with your organisation's account: its password and factors are settled there."}
}

// proveAgain has an administrator give the password once more before a proof is
// changed. The message is for people; empty when it is right.
func (c *console) proveAgain(k *call, password string) (message string, err error) {
	if err := k.ownOnly(); err != nil {
		return "", err
	}
	guess := k.guessOf("password", k.admin.Name)
	if message = k.throttled(guess); message != "" {
		return message, nil
	}
	good, err := c.Proofs.CheckPassword(k.Context(), k.admin.PasswordHash, password)
	if err != nil || !good {
		return "That is not your password.", err
	}
	c.right(guess)
	return "", nil
}

// notingSelf returns the store, which adds to what is written what
// administrators did about their own way in.
func (k *call) notingSelf(action, text string) *store.Store {
	return k.noting(func() note { return note{action, "administrator:" + k.admin.ID, text, nil} })
}

// changed ends a change of an administrator's proofs: this session goes on with
// the new ones, the others of the same person end.
func (c *console) changed(k *call, sentence string) error {
	if err := c.keepProofs(k, k.admin.Administrator); err != nil {
		return err
	}
	return k.done("/console/account", sentence+" Your other sessions have ended.")
}

func (c *console) changePassword(k *call) error {
	message, err := c.proveAgain(k, k.PostForm.Get("current"))
	if err != nil {
		return err
	}
	faults := checkNewPassword(k.PostForm.Get("password"), k.PostForm.Get("again"))
	if message != "" {
		faults = map[string]string{"current": message}
	}
	if len(faults) > 0 {
		return c.renderAccount(k, http.StatusUnprocessableEntity, faults)
	}
	if k.admin.PasswordHash, err = c.Proofs.HashPassword(k.Context(), k.PostForm.Get("password")); err != nil {
		return err
	}
	if err := k.notingSelf("administrator.updated", "the password was changed").UpdateAdministrator(k.Context(), &k.admin.Administrator); err != nil {
		return err
	}
	return c.changed(k, "Your password was changed.")
}

// oneTimePage shows a new secret until it is kept.
type oneTimePage struct {
	Secret string
	Errors map[string]string
}

func (c *console) newOneTime(k *call) error {
	if err := k.ownOnly(); err != nil {
		return err
	}
	key, err := c.Proofs.NewOneTime(k.admin.Administrator)
	if err != nil {
		return err
	}
	c.sessions.Put(k.Context(), oneTimeKey, key.URL())
	return k.render(http.StatusOK, "one-time", "One-time passwords", oneTimePage{Secret: key.Secret()})
}

// drawOneTime answers with the picture of the new secret.
func (c *console) drawOneTime(k *call) error {
	key, err := administrators.OneTimeOf(c.sessions.GetString(k.Context(), oneTimeKey))
	if err != nil {
		return store.ErrNotFound
	}
	picture, err := key.Image(240, 240)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		return err
	}
	k.w.Header().Set("Content-Type", "image/png")
	_, _ = k.w.Write(out.Bytes()) // the browser is gone: nobody to tell
	return nil
}

func (c *console) keepOneTime(k *call) error {
	key, err := administrators.OneTimeOf(c.sessions.GetString(k.Context(), oneTimeKey))
	if err != nil || k.ownOnly() != nil {
		return k.goTo("/console/account/one-time")
	}
	message, err := c.proveAgain(k, k.PostForm.Get("password"))
	if err != nil {
		return err
	}
	page := oneTimePage{Secret: key.Secret(), Errors: map[string]string{}}
	if message != "" {
		page.Errors["password"] = message
	} else if err := c.Proofs.KeepOneTime(k.Context(), &k.admin.Administrator, key, k.posted("code")); errors.Is(err, administrators.ErrProof) {
		page.Errors["code"] = "That is not what the program shows now. Is the clock of your telephone right?"
	} else if err != nil {
		return err
	}
	if len(page.Errors) > 0 {
		return k.render(http.StatusUnprocessableEntity, "one-time", "One-time passwords", page)
	}
	if err := k.notingSelf("administrator.updated", "one-time passwords were set up").UpdateAdministrator(k.Context(), &k.admin.Administrator); err != nil {
		return err
	}
	c.sessions.Remove(k.Context(), oneTimeKey)
	c.sessions.Remove(k.Context(), weakKey)
	return c.changed(k, "From now on you are asked for a one-time password after your password.")
}

func (c *console) dropOneTime(k *call) error {
	message, err := c.proveAgain(k, k.PostForm.Get("password"))
	if err != nil {
		return err
	}
	if message != "" {
		return c.renderAccount(k, http.StatusUnprocessableEntity, map[string]string{"drop": message})
	}
	k.admin.TOTP = nil
	if err := k.notingSelf("administrator.updated", "one-time passwords were given up").UpdateAdministrator(k.Context(), &k.admin.Administrator); err != nil {
		return err
	}
	return c.changed(k, "You are not asked for one-time passwords any more.")
}

func (c *console) askNewPasskey(k *call) error {
	if err := k.ownOnly(); err != nil {
		return k.told(err)
	}
	return k.ask(c.Proofs.AskNewPasskey(k.Context(), k.admin.Administrator))
}

func (c *console) keepPasskey(k *call) error {
	var form struct {
		Answer   json.RawMessage `json:"answer"`
		Name     string          `json:"name"`
		Password string          `json:"password"`
	}
	state, err := k.answered(&form)
	if err != nil {
		return k.told(err)
	}
	message, err := c.proveAgain(k, form.Password)
	if err == nil && message != "" {
		err = &refusal{http.StatusForbidden, "", message}
	}
	if err != nil {
		return k.told(err)
	}
	if form.Name == "" || len(form.Name) > 100 {
		return k.told(&refusal{http.StatusUnprocessableEntity, "", "Give the passkey a name of at most 100 characters, so that you know it again."})
	}
	p, err := c.Proofs.NewPasskey(k.Context(), k.admin.Administrator, state, form.Answer, form.Name)
	if err == nil {
		err = k.notingSelf("administrator.updated", "a passkey was added").AddPasskey(k.Context(), &p)
	}
	if err != nil {
		return k.told(err)
	}
	if err := c.keepProofs(k, k.admin.Administrator); err != nil {
		return err
	}
	c.sessions.Remove(k.Context(), weakKey)
	c.sessions.Put(k.Context(), noticeKey, "The passkey "+p.Name+" was added. You can sign in with it alone. Your other sessions have ended.")
	return k.answerJSON(http.StatusOK, map[string]string{"next": "/console/account"})
}

func (c *console) dropPasskey(k *call) error {
	message, err := c.proveAgain(k, k.PostForm.Get("password"))
	if err != nil {
		return err
	}
	if message != "" {
		return c.renderAccount(k, http.StatusUnprocessableEntity, map[string]string{"passkey": message})
	}
	if err := k.notingSelf("administrator.updated", "a passkey was removed").DeletePasskey(k.Context(), k.admin.ID, k.posted("id")); err != nil {
		return err
	}
	return c.changed(k, "The passkey was removed.")
}
