package signonpage

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"ldap-gateway/cloud/applications"
	"ldap-gateway/cloud/factors"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloud/web"
	"ldap-gateway/cloudlink/wire"
)

// told is who has been told in this browser, for a right password, to choose another one.
type told struct {
	Username, UserID, SignOnID string // no user: nobody who is known
	At                         time.Time
	Proven                     bool // has given the second factor that they have
}

func toldKey(env string) string { return "told to change " + env }

// tellToChange shows the form for another password to who has to choose one. It asks for the old one
// again: no page has it in it.
func (k *call) tellToChange(flow applications.Flow, username string, so store.SignOn) error {
	t := told{Username: username, SignOnID: so.ID, At: k.Sessions.now()}
	u, err := k.Store.PersonByUsername(k.Context(), k.env.ID, store.Typed(username))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	t.UserID = u.ID
	code, err := k.wantsCode(t)
	if err != nil {
		return err
	}
	if err := k.keepTold(t); err != nil {
		return err
	}
	form := passwordForm{
		Flow:     flow.ID,
		Then:     k.then(),
		Username: username,
		SignOn:   so.ID,
		Why:      why(so.Outcome),
		Code:     code,
	}
	return k.renderChange(http.StatusOK, form)
}

func (k *call) keepTold(t told) error {
	b, err := json.Marshal(t)
	if err == nil {
		k.Sessions.manager.Put(k.Context(), toldKey(k.env.ID), b)
	}
	return err
}

// wantsCode tells whether somebody has a second factor that they have not given for this change.
func (k *call) wantsCode(t told) (bool, error) {
	if t.UserID == "" || t.Proven {
		return false, nil
	}
	have, err := k.Store.PersonFactors(k.Context(), k.env.ID, t.UserID)
	return have.Any(), err
}

// mayChoose tells whether the password of a username may be changed in this browser: its person is
// signed on, with all that is wanted of them, or has shown the old one a moment ago. Who has a second
// factor gives it too, if they have not: a password that somebody knows changes nothing of theirs.
func (k *call) mayChoose(username string) (t told, ok bool, err error) {
	like := func(name string) bool { return store.Fold(store.Typed(name)) == store.Fold(store.Typed(username)) }
	if json.Unmarshal(k.Sessions.manager.GetBytes(k.Context(), toldKey(k.env.ID)), &t) == nil && like(t.Username) &&
		k.Sessions.fresh(t.At) {
		return t, true, nil
	}
	by, on, err := k.owner()
	if err != nil || !on {
		return told{}, false, err
	}
	u, err := k.Store.User(k.Context(), k.env.ID, by.UserID)
	if err != nil || !like(u.Username) {
		return told{}, false, err
	}
	return k.toldOf(by, u), true, nil
}

// toldOf is somebody who is signed on.
func (k *call) toldOf(by store.SignedOn, u store.User) told {
	return told{u.Username, u.ID, by.SignOnID, k.Sessions.now(), by.Factor != ""}
}

// guarded tells whether more than the password is wanted of who changes that of a username: the policy asks
// for a second factor, or they have one. Nobody hears of it who has not shown the password.
func (k *call) guarded(username string) (bool, error) {
	r, err := k.rule(applications.Flow{}) // whatever application they come from: it is their password
	if err != nil || r.Policy.AsksFactor() {
		return err == nil, err
	}
	u, err := k.Store.PersonByUsername(k.Context(), k.env.ID, store.Typed(username))
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil || u.Kept.MFA {
		return err == nil, err
	}
	have, err := k.Store.PersonFactors(k.Context(), k.env.ID, u.ID)
	return have.Any(), err
}

// proveFirst has the old password looked at, and nothing changed by it: who has a second factor is asked
// for that, and who is to set one up signs on first.
func (k *call) proveFirst(flow applications.Flow, f passwordForm, way *plan) error {
	so, err := k.signOn(f.Username, k.PostForm.Get("password"), way)
	if errors.Is(err, throttle.ErrFull) {
		f.Error = busy
		return k.renderChange(web.Later(k.w), f)
	}
	if err != nil {
		return err
	}
	switch {
	case k.Passwords.OffersChange(k.Context(), so):
		return k.tellToChange(flow, f.Username, so)
	case so.Outcome != wire.OutcomeOK.String():
		f.Error = so.Message
		return k.renderChange(k.status(so.Outcome), f)
	}
	t := told{Username: f.Username, UserID: so.UserID, SignOnID: so.ID, At: k.Sessions.now()}
	if f.Code, err = k.wantsCode(t); err != nil {
		return err
	}
	if !f.Code {
		http.Redirect(k.w, k.Request, "/"+k.env.ID+"/signon?then="+thenPassword, http.StatusSeeOther)
		return nil
	}
	if err := k.keepTold(t); err != nil {
		return err
	}
	return k.renderChange(http.StatusOK, f)
}

// proves takes the second factor of who has one and was told to change the password. When it is false,
// the answer was given.
func (k *call) proves(t told, f passwordForm) (bool, error) {
	wants, err := k.wantsCode(t)
	if err != nil || !wants {
		return err == nil, err
	}
	u, err := k.Store.User(k.Context(), k.env.ID, t.UserID)
	if err != nil {
		return false, err
	}
	who := factors.Who{User: u, SignOnID: t.SignOnID, Address: k.address()}
	_, err = k.Factors.Check(k.Context(), who, k.PostForm.Get("code"))
	f.Code = true
	var wait *factors.WaitError
	switch {
	case errors.As(err, &wait):
		k.toWait(wait)
		f.Error = tooManyTries
		return false, k.renderChange(http.StatusTooManyRequests, f)
	case errors.Is(err, factors.ErrWrong):
		f.Error = "That is not the one-time password of now, or it was used already. Wait for the next."
		return false, k.renderChange(http.StatusForbidden, f)
	case err != nil:
		return false, err
	}
	t.Proven = true
	return true, k.keepTold(t)
}
