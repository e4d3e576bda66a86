package console

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"ldap-gateway/cloud/administrators"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
)

// lacksFactor tells whether whoever calls must set up a second factor before
// they may go to this page: an administrator of the console's own.
// The pages of one's own account stay open, or nobody could set one up, and so does the
// way out.
func (c *console) lacksFactor(k *call) (bool, error) {
	if section(k.URL.Path) == "account" || k.URL.Path == "/console/sign-out" {
		return false, nil
	}
	if !k.admin.own() { // of them the sign-on page has asked for it: see toGive
		return false, nil
	}
	env, err := c.Store.Environment(k.Context(), k.env())
	if err != nil || !env.Settings.SecondFactor {
		return false, err
	}
	has, err := c.hasFactor(k, *k.admin)
	return !has, err
}

// secondForm asks who has proven a password for the rest.
type secondForm struct {
	Name, Next, Error string
	OneTime, Passkeys bool
	Recovery          bool // there are codes for who has lost them
	PasskeySite       administrators.PasskeySite
}

// askSecond remembers that somebody knows a password. It opens nothing yet.
// The token is another one from here on: whoever planted the old one does not come
// along.
func (c *console) askSecond(k *call, p person, next string) error {
	if err := c.renew(k); err != nil {
		return err
	}
	// The first proof must still hold when the second one comes.
	if err := c.keepProofs(k, p); err != nil {
		return err
	}
	c.sessions.Put(k.Context(), pendingKey, p.Name)
	c.sessions.Put(k.Context(), nextKey, backTo(next))
	return k.goTo("/console/sign-in/second")
}

// pending returns who has proven a password; store.ErrNotFound when nobody has.
func (c *console) pending(k *call) (p person, form secondForm, err error) {
	if p, err = c.pendingPerson(k); err == nil {
		err = c.stillProven(k, p)
	}
	if err != nil {
		return p, form, err
	}
	form = secondForm{Name: p.Name, Next: c.sessions.GetString(k.Context(), nextKey), OneTime: len(p.TOTP) > 0}
	keys, err := c.Store.Passkeys(k.Context(), p.ID)
	if err != nil {
		return p, form, err
	}
	form.Passkeys, form.PasskeySite = len(keys) > 0, c.Proofs.PasskeySite()
	codes, err := c.Store.RecoveryCodes(k.Context(), p.ID)
	form.Recovery = codes.Left > 0
	return p, form, err
}

// pendingPerson returns the administrator who has given the first proof in this session, as the store
// has them now: one who was deleted meanwhile is store.ErrNotFound.
func (c *console) pendingPerson(k *call) (person, error) {
	name := c.sessions.GetString(k.Context(), pendingKey)
	if name == "" {
		return person{}, store.ErrNotFound
	}
	admin, err := c.Store.Administrator(k.Context(), name)
	return person{Administrator: admin}, err
}

// showSecond sends who has given no first proof to the start.
func (c *console) showSecond(k *call) error {
	_, form, err := c.pending(k)
	if errors.Is(err, store.ErrNotFound) {
		return k.goTo("/console/sign-in")
	}
	if err != nil {
		return err
	}
	return k.render(http.StatusOK, "second", "Second factor", form)
}

// doSecond takes the one-time password, or a recovery code. Tries are counted for the person and the
// address, apart from those of the password: who knows the password cannot go through
// the million codes.
func (c *console) doSecond(k *call) error {
	p, form, err := c.pending(k)
	if errors.Is(err, store.ErrNotFound) {
		return k.goTo("/console/sign-in")
	}
	if err != nil {
		return err
	}
	// Who goes through one-time passwords keeps nobody from a recovery code, which cannot be guessed.
	proof := administrators.OneTime
	if _, is := administrators.RecoveryCode(k.posted("code")); is {
		proof = administrators.Recovery
	}
	guess := k.guessOf(proof, p.Name, p.account())
	var how, recovered string
	form.Error, err = k.try(guess, func() (err error) {
		how, recovered, err = c.checkSecond(k, p, k.posted("code"))
		return err
	})
	if form.Error != "" {
		return k.render(http.StatusTooManyRequests, "second", "Second factor", form)
	}
	if errors.Is(err, administrators.ErrProof) {
		c.stranger("an administrator's second factor was refused", "administrator", p.Name, "address", k.address())
		form.Error = "That is not the current one-time password, or it was used already. Wait for the next."
		if recovered != "" {
			form.Error = "That is none of your recovery codes, or it was used already."
		}
		return k.render(http.StatusForbidden, "second", "Second factor", form)
	}
	if err != nil {
		return err
	}
	if err := c.begin(k, &p, how); err != nil {
		return err
	}
	if recovered != "" {
		return k.done(accountPath, recovered)
	}
	return k.goTo(backTo(form.Next))
}

// answerJSON answers a script.
func (k *call) answerJSON(status int, body any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	k.w.Header().Set("Content-Type", "application/json")
	k.w.WriteHeader(status)
	_, _ = k.w.Write(b) // the browser is gone: nobody to tell
	return nil
}

// told answers a script with what a person should know of an error.
// What a person cannot help is returned, and gets an ID under which the log has it.
func (k *call) told(err error) error {
	var known *refusal
	switch {
	case errors.Is(err, administrators.ErrProof):
		k.console.stranger("a passkey was refused", "address", k.address(), "error", err)
		return k.answerJSON(
			http.StatusForbidden,
			map[string]string{"error": "This passkey is not known here, or was not the one asked for."},
		)
	case errors.Is(err, administrators.ErrNoPasskeys):
		return k.answerJSON(
			http.StatusConflict,
			map[string]string{"error": "Browsers keep passkeys for names that they reach over TLS, and this console has none."},
		)
	case errors.As(err, &known):
		return k.answerJSON(known.status, map[string]string{"error": known.text})
	}
	return err
}

// ask sends a browser what it is asked about passkeys, and remembers it.
// An error is told the script, too.
func (k *call) ask(asked administrators.Ceremony, err error) error {
	if err != nil {
		return k.told(err)
	}
	k.console.sessions.Put(k.Context(), askedKey, asked.State)
	return k.answerJSON(http.StatusOK, json.RawMessage(asked.Options))
}

// answered returns a browser's answer about a passkey, and the question, which
// is good once.
func (k *call) answered(v any) (state []byte, err error) {
	state = k.console.sessions.PopBytes(k.Context(), askedKey)
	b, err := io.ReadAll(k.Body)
	if err == nil {
		err = json.Unmarshal(b, v)
	}
	if err != nil {
		return nil, &refusal{http.StatusBadRequest, "Not understood", "The browser's answer cannot be read."}
	}
	return state, nil
}

// asksPerMinute is how many strangers may be asked for a passkey in a minute, at one node;
// of one network a tenth. What is asked is kept for askedLife.
const (
	asksPerMinute = 100
	askedLife     = 5 * time.Minute
)

// askPasskey asks for no name: the passkey says whose it is. A stranger has a session by
// it, which is over soon.
func (c *console) askPasskey(k *call) error {
	if c.asks.Begin(c.now(), throttle.Limit{Key: throttle.Network(k.address()), Most: asksPerMinute / 10}) > 0 {
		k.w.Header().Set("Retry-After", "60")
		return k.answerJSON(http.StatusTooManyRequests, map[string]string{"error": "Too many ask at once. Wait a minute."})
	}
	if c.sessions.Token(k.Context()) == "" { // nobody's session yet
		c.sessions.SetDeadline(k.Context(), c.now().Add(askedLife))
	}
	return k.ask(c.Proofs.AskPasskey())
}

// takePasskey lets in whose passkey it is. A passkey is had and its holder was
// verified, so it is two factors. It cannot be guessed, so tries of it are not counted,
// and nobody's guesses keep out who has one: those that there were are forgotten.
func (c *console) takePasskey(k *call) error {
	var form struct {
		Answer json.RawMessage `json:"answer"`
		Next   string          `json:"next"`
	}
	state, err := k.answered(&form)
	if err != nil {
		return k.told(err)
	}
	admin, err := c.Proofs.CheckPasskey(k.Context(), state, form.Answer)
	if err == nil && admin.PasswordHash == "" {
		err = administrators.ErrProof // it was reset
	}
	if err != nil {
		return k.told(err)
	}
	c.forget(k, admin)
	next := backTo(cmp.Or(form.Next, c.sessions.GetString(k.Context(), nextKey)))
	if err := c.begin(k, &person{Administrator: admin}, "passkey"); err != nil {
		return err
	}
	return k.answerJSON(http.StatusOK, map[string]string{"next": next})
}
