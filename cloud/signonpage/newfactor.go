package signonpage

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"

	"ldap-gateway/cloud/applications"
	"ldap-gateway/cloud/factors"
	"ldap-gateway/cloud/store"
)

// newFactorPage has the person set up a second factor.
type newFactorPage struct {
	Flow, Then, Application string
	User                    store.User
	Error                   string
	First                   bool   // they have none yet
	Own                     bool   // they want to, and nothing asks for it
	Replaces                bool   // they have one-time passwords already
	Secret, Picture         string // of one-time passwords
	Passkey                 string // what the browser is asked, as JSON; empty: none can be made
	PasskeySite             factors.PasskeySite
	Other                   string // address for somebody else, or back
}

// settingUp returns who may set up a factor now: who has none and has proven who they are a moment ago,
// or has given one that they have. When it is false, the answer was given.
func (k *call) settingUp() (flow applications.Flow, c candidate, ok bool, err error) {
	if flow, err = k.flow(); err != nil {
		return flow, c, false, err
	}
	if c, ok, err = k.candidate(); err != nil {
		return flow, c, false, err
	}
	if released, err := k.release(flow, c); err != nil || released {
		return flow, c, false, err
	}
	if away, err := k.turnedAway(flow, c); err != nil || away {
		return flow, c, false, err
	}
	to := ""
	switch {
	case flow.Silent:
		return flow, c, false, k.askFactor(flow)
	case !ok:
		return flow, c, false, k.nobodyAsked(flow)
	case c.have.Any() && !k.who(c).Proven && k.Method == http.MethodPost && c.half:
		return flow, c, false, k.tellMeanwhile(flow, c)
	case c.have.Any() && !k.who(c).Proven:
		to = k.path("/factor", flow, nil)
	case !c.have.Any() && !k.Sessions.fresh(c.Began):
		to = k.here(flow, url.Values{"anew": {"1"}})
	}
	if to != "" {
		http.Redirect(k.w, k.Request, to, http.StatusSeeOther)
	}
	return flow, c, to == "", err
}

// missingPage says that nobody goes further without a second factor, to who has none.
type missingPage struct {
	Application string // empty: for nobody but the person
	User        store.User
	Decline     string // address; empty: nobody waits
	Other       string // address for somebody else
}

// turnedAway tells whether who has no second factor is to set none up, as the policy says. When it is true, the
// answer was given.
func (k *call) turnedAway(flow applications.Flow, c candidate) (bool, error) {
	if c.UserID == "" || c.have.Any() || c.Factor != "" {
		return false, nil
	}
	r, err := k.rule(flow)
	if err != nil || !r.Policy.TurnsAway() {
		return false, err
	}
	page := missingPage{Application: flow.Application, User: c.user, Other: k.here(flow, url.Values{"anew": {"1"}})}
	if flow.ID != "" {
		page.Decline = k.declining(flow)
	}
	return true, k.render(http.StatusForbidden, "missing.html", "You need a second factor", page)
}

// tellMeanwhile says that a factor was set up in another window, or elsewhere, and that this one was not kept: who
// has not given it is asked for it, and who has goes on.
func (k *call) tellMeanwhile(flow applications.Flow, c candidate) (err error) {
	if c.have, err = k.Factors.Of(k.Context(), c.user); err != nil {
		return err
	}
	if !k.who(c).Proven {
		return k.renderFactor(http.StatusConflict, flow, c,
			"A second factor was set up meanwhile, in another window or elsewhere, and nothing was kept here. Give that one.")
	}
	return k.render(http.StatusConflict, "meanwhile.html", "Already set up", map[string]string{
		"On":   k.here(flow, nil),
		"Name": flow.Application,
	})
}

// showNewFactor shows what an authenticator app reads, and offers to make a passkey. The secret is the same in every
// window of the browser until it is kept, once it was shown to work: whoever reads one, and types what comes of it
// in another, has read the right one.
func (k *call) showNewFactor() error {
	flow, c, ok, err := k.settingUp()
	if err != nil || !ok {
		return err
	}
	if !k.Sessions.manager.Exists(k.Context(), oneTimeKey(k.env.ID)) {
		key, err := k.Factors.NewOneTime(cmp.Or(k.env.Name, "ldap-cloud"), c.user)
		if err != nil {
			return err
		}
		k.Sessions.manager.Put(k.Context(), oneTimeKey(k.env.ID), key.URL())
	}
	return k.renderNewFactor(http.StatusOK, flow, c, "")
}

func (k *call) renderNewFactor(status int, flow applications.Flow, c candidate, problem string) error {
	key, err := factors.OneTimeOf(k.Sessions.manager.GetString(k.Context(), oneTimeKey(k.env.ID)))
	if err != nil { // it was kept meanwhile
		return k.tellMeanwhile(flow, c)
	}
	page := newFactorPage{
		Flow:        flow.ID,
		Then:        k.then(),
		Application: flow.Application,
		User:        c.user,
		Error:       problem,
		First:       !c.have.Any(),
		Own:         flow.ID == "" && k.then() == thenFactors && !c.half,
		Replaces:    len(c.have.OneTime) > 0,
		PasskeySite: k.Factors.PasskeySite(),
		Secret:      key.Secret(),
		Picture:     "/" + k.env.ID + "/signon/factor/new.png",
		Other:       k.here(flow, url.Values{"anew": {"1"}}),
	}
	asks, err := k.Factors.AskNewPasskey(c.user, c.have)
	switch {
	case err == nil:
		k.Sessions.manager.Put(k.Context(), newPasskeyKey(k.env.ID), asks.State)
		page.Passkey = string(asks.Options)
	case !errors.Is(err, factors.ErrNoPasskeys) && !errors.Is(err, factors.ErrMany):
		return err
	}
	return k.render(status, "newfactor.html", "Set up a second factor", page)
}

// drawOneTime answers with the picture of the secret that waits; store.ErrNotFound when none does.
func (k *call) drawOneTime() error {
	key, err := factors.OneTimeOf(k.Sessions.manager.GetString(k.Context(), oneTimeKey(k.env.ID)))
	if err != nil {
		return store.ErrNotFound
	}
	picture, err := factors.PictureOf(key)
	if err != nil {
		return err
	}
	k.w.Header().Set("Content-Type", "image/png")
	_, _ = k.w.Write(picture) // the browser is gone: nobody to tell
	return nil
}

// keepNewFactor keeps what the person set up, once they have shown that it works, and goes on.
func (k *call) keepNewFactor() error {
	flow, c, ok, err := k.settingUp()
	if err != nil || !ok {
		return err
	}
	if k.PostForm.Has("answer") {
		return k.keepPasskey(flow, c)
	}
	key, err := factors.OneTimeOf(k.Sessions.manager.GetString(k.Context(), oneTimeKey(k.env.ID)))
	if err != nil { // it was kept meanwhile, as in another window or by a second click
		return k.tellMeanwhile(flow, c)
	}
	err = k.Factors.KeepOneTime(k.Context(), k.who(c), key, k.PostForm.Get("code"))
	switch {
	case errors.Is(err, factors.ErrMeanwhile):
		return k.tellMeanwhile(flow, c)
	case errors.Is(err, factors.ErrWrong):
		return k.renderNewFactor(http.StatusForbidden, flow, c,
			"That is not what the app shows now. Is the clock of your phone right?")
	case err != nil:
		return err
	}
	return k.factored(flow, c, store.FactorOneTime)
}

// keepPasskey keeps a passkey, by the name of the browser that made it.
func (k *call) keepPasskey(flow applications.Flow, c candidate) error {
	state := k.Sessions.manager.PopBytes(k.Context(), newPasskeyKey(k.env.ID))
	name := cmp.Or(browserOf(k.UserAgent()), "Passkey")
	f, err := k.Factors.KeepPasskey(k.Context(), k.who(c), state, []byte(k.PostForm.Get("answer")), name)
	switch {
	case errors.Is(err, factors.ErrMeanwhile):
		return k.tellMeanwhile(flow, c)
	case errors.Is(err, factors.ErrWrong):
		return k.renderNewFactor(http.StatusForbidden, flow, c, "The passkey could not be made. Try again.")
	case errors.Is(err, factors.ErrMany):
		return k.renderNewFactor(http.StatusConflict, flow, c,
			"You have this passkey already, or as many as there may be. Remove one first.")
	case err != nil:
		return err
	}
	return k.factored(flow, c, f)
}
