package console

import (
	"errors"
	"net/http"

	"ldap-gateway/cloud/administrators"
	"ldap-gateway/cloud/store"
)

const recoveryPath = accountPath + "/recovery"

// fewCodes is how many recovery codes left are so few that every page says so.
const fewCodes = 2

// recoveryPage offers recovery codes, or shows new ones this once.
type recoveryPage struct {
	store.RecoveryCodes
	Codes  []string
	Errors map[string]string
}

// hasFactor tells whether somebody has what a recovery code stands in for.
func (c *console) hasFactor(k *call, p person) (bool, error) {
	if len(p.TOTP) > 0 {
		return true, nil
	}
	if !p.own() {
		keys, err := c.Store.PersonPasskeys(k.Context(), p.EnvironmentID, p.UserID)
		return len(keys) > 0, err
	}
	keys, err := c.Store.Passkeys(k.Context(), p.ID)
	return len(keys) > 0, err
}

// showRecovery leads who has no second factor to where one is set up.
func (c *console) showRecovery(k *call) error {
	return c.renderRecovery(k, http.StatusOK, recoveryPage{})
}

func (c *console) renderRecovery(k *call, status int, page recoveryPage) error {
	if err := k.ownOnly(); err != nil {
		return err
	}
	has, err := c.hasFactor(k, *k.admin)
	if err != nil {
		return err
	}
	if !has {
		return k.undone(accountPath, "Recovery codes are for who has a second factor. Set one up first.")
	}
	if page.RecoveryCodes, err = c.Store.RecoveryCodes(k.Context(), k.admin.ID); err != nil {
		return err
	}
	return k.render(status, "recovery", "Recovery codes", page)
}

// makeRecovery makes new codes and shows them, this once: they are kept as hashes.
func (c *console) makeRecovery(k *call) error {
	message, err := c.proveAgain(k, k.PostForm.Get("password"))
	if err != nil {
		return err
	}
	if message != "" {
		wrong := map[string]string{"password": message}
		return c.renderRecovery(k, http.StatusUnprocessableEntity, recoveryPage{Errors: wrong})
	}
	if has, err := c.hasFactor(k, *k.admin); err != nil || !has {
		return errors.Join(err, k.goTo(accountPath))
	}
	codes, hashes := administrators.NewRecoveryCodes()
	if err := c.Management.KeepOwnRecovery(k.Context(), k.by(), hashes); err != nil {
		return err
	}
	if err := c.countCodes(k); err != nil {
		return err
	}
	return c.renderRecovery(k, http.StatusOK, recoveryPage{Codes: codes})
}

// countCodes has every page of the session say when few recovery codes are left.
func (c *console) countCodes(k *call) error {
	c.sessions.Remove(k.Context(), fewKey)
	if !k.admin.own() {
		return nil
	}
	codes, err := c.Store.RecoveryCodes(k.Context(), k.admin.ID)
	if err == nil && codes.Made > 0 && codes.Left <= fewCodes {
		c.sessions.Put(k.Context(), fewKey, "You have "+codesLeft(codes.Left)+".")
	}
	return err
}

// codesLeft says how many recovery codes are left.
func codesLeft(n int) string {
	if n == 0 {
		return "no recovery code left"
	}
	return plural(n, "recovery code") + " left"
}

// afterFactor is where to go when a second factor was set up: who has no recovery codes is
// offered some.
func (c *console) afterFactor(k *call) (string, error) {
	codes, err := c.Store.RecoveryCodes(k.Context(), k.admin.ID)
	if codes.Left > 0 {
		return accountPath, err
	}
	return recoveryPath, err
}

// checkSecond takes a one-time password or a recovery code of an administrator, once, and
// says how somebody proved who they are. It is administrators.ErrProof when it is neither.
// Recovered is what to say of a recovery code that was used; empty: it was none.
func (c *console) checkSecond(k *call, p person, code string) (how, recovered string, err error) {
	hash, is := administrators.RecoveryCode(code)
	if !is {
		return "password and one-time password", "", c.Proofs.CheckOneTime(k.Context(), p.Administrator, code)
	}
	left, err := c.Management.UseOwnRecovery(k.Context(), k.byOf(&p), hash)
	if errors.Is(err, store.ErrNotFound) {
		err = administrators.ErrProof
	}
	return "password and recovery code", "You signed in by a recovery code, and have " + codesLeft(left) +
		". If your second factor is lost, take it away here and set up another.", err
}
