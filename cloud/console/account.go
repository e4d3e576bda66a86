package console

import (
	"encoding/json"
	"errors"
	"net/http"

	"ldap-gateway/cloud/administrators"
	"ldap-gateway/cloud/store"
)

const accountPath = "/console/account"

// accountPage is what somebody may settle about their own way in.
type accountPage struct {
	Own         bool   // an administrator of the console's own
	Factors     string // address where somebody else settles the second factor
	RoleName    string
	OneTime     bool
	Passkeys    []store.Passkey
	PasskeySite administrators.PasskeySite
	Factor      bool // has what recovery codes stand in for
	Recovery    store.RecoveryCodes
	Minimum     int
	Errors      map[string]string
}

func (c *console) showAccount(k *call) error {
	return c.renderAccount(k, http.StatusOK, nil)
}

// renderAccount shows the page of one's own proofs. The faults of all its forms come in
// one map: "current", "password" and "again" of the password, "drop" of the one-time
// passwords, "passkey" of a passkey's removal.
func (c *console) renderAccount(k *call, status int, wrong map[string]string) (err error) {
	page := accountPage{
		Own:         k.admin.own(),
		Factors:     "/" + k.env() + "/signon/factors",
		RoleName:    roleName(k.admin.Role),
		OneTime:     len(k.admin.TOTP) > 0,
		PasskeySite: c.Proofs.PasskeySite(),
		Minimum:     administrators.MinPassword,
		Errors:      wrong,
	}
	if page.Passkeys, err = c.Store.Passkeys(k.Context(), k.admin.ID); err != nil {
		return err
	}
	page.Factor = page.OneTime || len(page.Passkeys) > 0
	if page.Recovery, err = c.Store.RecoveryCodes(k.Context(), k.admin.ID); err != nil {
		return err
	}
	return k.render(status, "account", "Your account", page)
}

// roleName is a role in words.
// It is empty for what is no role.
func roleName(r store.Role) string {
	return map[store.Role]string{
		store.RoleOwner:         "Owner",
		store.RoleIdentityAdmin: "Identity administrator",
		store.RoleHelpDesk:      "Help desk",
		store.RoleReadOnly:      "Read only",
		store.RoleSignOn:        "Signs people on",
	}[r]
}

// ownOnly refuses who signed in with an account of the organisation.
// It is for what only the console's own have here: a password, and the second factor. That of the others
// is settled on the sign-on page, once for all.
func (k *call) ownOnly() error {
	if k.admin.own() {
		return nil
	}
	return &refusal{http.StatusBadRequest, "Not here", "You signed in with your organisation's account: " +
		"its password is settled there, and its second factor on the page of your own."}
}

// proveAgain has an administrator give the password once more before a proof is
// changed. The message is for people; empty when it is right.
// Tries are counted with those at sign-in, so that a screen left alone is no way to
// guess the password without end. A right one takes its own back.
func (c *console) proveAgain(k *call, password string) (message string, err error) {
	if err := k.ownOnly(); err != nil {
		return "", err
	}
	guess := k.guessOf(administrators.Password, k.admin.Name, k.admin.account())
	message, err = k.try(guess, func() error {
		return c.checkPassword(k, administrators.Known(k.admin.account()), k.admin.PasswordHash, password)
	})
	if errors.Is(err, administrators.ErrProof) {
		return "That is not your password.", nil
	}
	return message, err
}

// changed ends a change of somebody's proofs: this session goes on with the new
// ones, the others of the same person end. It leads to a page of the account.
func (c *console) changed(k *call, to, sentence string) error {
	// What the call has is from before the change: its mark would end this session,
	// too.
	p, err := c.asTheyAre(k)
	if err != nil {
		return err
	}
	if err := c.keepProofs(k, p); err != nil {
		return err
	}
	if err := c.countCodes(k); err != nil {
		return err
	}
	return k.done(to, sentence+" Your other sessions have ended.")
}

// asTheyAre returns who uses the console as the store has them now.
// It is store.ErrNotFound when a role by group has gone meanwhile.
func (c *console) asTheyAre(k *call) (person, error) {
	if !k.admin.own() {
		return c.user(k, k.env(), store.SignedOn{UserID: k.admin.UserID, ProviderID: k.admin.ProviderID})
	}
	a, err := c.Store.AdministratorByID(k.Context(), k.env(), k.admin.ID)
	return person{Administrator: a}, err
}

// changePassword asks for the password of now first, so that nobody at a screen left
// alone takes the account over. When that one is wrong, nothing is said of the new one.
func (c *console) changePassword(k *call) error {
	message, err := c.proveAgain(k, k.PostForm.Get("current"))
	if err != nil {
		return err
	}
	wrong := checkNewPassword(k.PostForm.Get("password"), k.PostForm.Get("again"))
	if message != "" {
		wrong = map[string]string{"current": message}
	}
	if len(wrong) > 0 {
		return c.renderAccount(k, http.StatusUnprocessableEntity, wrong)
	}
	hash, err := c.Proofs.HashPassword(k.Context(), administrators.Known(k.admin.account()), k.PostForm.Get("password"))
	if err != nil {
		return err
	}
	// management gets the hash alone, so no activity can have the password in it.
	if err := c.Management.ChangeOwnPassword(k.Context(), k.by(), hash); err != nil {
		return err
	}
	return c.changed(k, accountPath, "Your password was changed.")
}

// oneTimePage shows a new secret until it is kept.
type oneTimePage struct {
	Secret string
	Errors map[string]string
}

// newOneTime makes a secret anew each time that the page is asked for, and keeps it in
// the session only: nothing is asked of the administrator at sign-in before a code has
// shown that their telephone has it.
func (c *console) newOneTime(k *call) error {
	if err := k.ownOnly(); err != nil {
		return err
	}
	key, err := c.Proofs.NewOneTime(k.admin.Administrator)
	if err != nil {
		return err
	}
	// The whole URL waits, as the picture is drawn from it at another request.
	c.sessions.Put(k.Context(), oneTimeKey, key.URL())
	return c.renderOneTime(k, http.StatusOK, key.Secret(), nil)
}

// renderOneTime shows the secret that waits, the same again after a wrong code.
// It has to be the same, since the telephone may have it by then.
func (c *console) renderOneTime(k *call, status int, secret string, wrong map[string]string) error {
	page := oneTimePage{Secret: secret, Errors: wrong}
	return k.render(status, "one-time", "One-time passwords", page)
}

// drawOneTime answers with the picture of the new secret.
// It is store.ErrNotFound when no secret waits, as after it was put in use.
func (c *console) drawOneTime(k *call) error {
	key, err := administrators.OneTimeOf(c.sessions.GetString(k.Context(), oneTimeKey))
	if err != nil {
		return store.ErrNotFound
	}
	picture, err := administrators.PictureOf(key)
	if err != nil {
		return err
	}
	k.w.Header().Set("Content-Type", "image/png")
	_, _ = k.w.Write(picture) // the browser is gone: nobody to tell
	return nil
}

// keepOneTime puts the waiting secret in use, once a code of it and the password are
// right. A session that has no such secret, as after a second click, goes back to
// the page that makes one. It ends the person's other sessions.
func (c *console) keepOneTime(k *call) error {
	key, err := administrators.OneTimeOf(c.sessions.GetString(k.Context(), oneTimeKey))
	if err != nil {
		return k.goTo("/console/account/one-time")
	}
	message, err := c.proveAgain(k, k.PostForm.Get("password"))
	if err != nil {
		return err
	}
	if message != "" {
		wrong := map[string]string{"password": message}
		return c.renderOneTime(k, http.StatusUnprocessableEntity, key.Secret(), wrong)
	}
	sealed, step, err := c.Proofs.SealOneTime(k.admin.ID, key, k.posted("code"))
	if err == nil {
		err = c.Management.KeepOwnOneTime(k.Context(), k.by(), sealed, step)
	}
	// A code that was used before proves as little as a wrong one, and is answered like
	// it.
	if errors.Is(err, administrators.ErrProof) || errors.Is(err, store.ErrUsed) {
		message := "That is not what the app shows now. Is the clock of your phone right?"
		return c.renderOneTime(k, http.StatusUnprocessableEntity, key.Secret(), map[string]string{"code": message})
	}
	if err != nil {
		return err
	}
	c.sessions.Remove(k.Context(), oneTimeKey)
	c.sessions.Remove(k.Context(), weakKey)
	to, err := c.afterFactor(k)
	if err != nil {
		return err
	}
	return c.changed(k, to, "From now on you are asked for a one-time password after your password.")
}

// dropOneTime takes one's own one-time passwords away and ends the other sessions.
// Where the environment wants a second factor, the next page asks for another.
func (c *console) dropOneTime(k *call) error {
	message, err := c.proveAgain(k, k.PostForm.Get("password"))
	if err != nil {
		return err
	}
	if message != "" {
		return c.renderAccount(k, http.StatusUnprocessableEntity, map[string]string{"drop": message})
	}
	if err := c.Management.DropOwnOneTime(k.Context(), k.by()); err != nil {
		return err
	}
	return c.changed(k, accountPath, "You are not asked for one-time passwords any more.")
}

// askNewPasskey begins what the browser's script ends at keepPasskey: the challenge
// waits in the session.
// A script asks, so what is wrong is told it in JSON.
func (c *console) askNewPasskey(k *call) error {
	if err := k.ownOnly(); err != nil {
		return k.told(err)
	}
	return k.ask(c.Proofs.AskNewPasskey(k.Context(), k.admin.Administrator))
}

// keepPasskey answers a script, not a form: what is wrong is said in JSON, with the
// status that a page would have. The challenge is gone from the session before anything
// is looked at, so that each answer is tried once.
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
		const text = "Give the passkey a name of at most 100 characters, so that you know it again."
		return k.told(&refusal{http.StatusUnprocessableEntity, "", text})
	}
	p, err := c.Proofs.NewPasskey(k.Context(), k.admin.Administrator, state, form.Answer, form.Name)
	if err == nil {
		err = c.Management.AddOwnPasskey(k.Context(), k.by(), &p)
	}
	if err != nil {
		return k.told(err)
	}
	// The mark counts the passkeys that the store has now, so the new one is in it.
	if err := c.keepProofs(k, *k.admin); err != nil {
		return err
	}
	c.sessions.Remove(k.Context(), weakKey)
	c.sessions.Put(
		k.Context(),
		noticeKey,
		"The passkey "+p.Name+" was added. You can sign in with it alone. Your other sessions have ended.",
	)
	to, err := c.afterFactor(k)
	if err != nil {
		return err
	}
	// A script is told where to go on: a redirect it would follow itself, and show
	// nothing.
	return k.answerJSON(http.StatusOK, map[string]string{"next": to})
}

// dropPasskey takes a passkey away, which ends the other sessions: one of them may have
// been begun with it.
func (c *console) dropPasskey(k *call) error {
	message, err := c.proveAgain(k, k.PostForm.Get("password"))
	if err != nil {
		return err
	}
	if message != "" {
		return c.renderAccount(k, http.StatusUnprocessableEntity, map[string]string{"passkey": message})
	}
	if err := c.Management.DropOwnPasskey(k.Context(), k.by(), k.posted("id")); err != nil {
		return err
	}
	return c.changed(k, accountPath, "The passkey was removed.")
}
