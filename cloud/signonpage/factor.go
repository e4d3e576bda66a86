package signonpage

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"ldap-gateway/cloud/applications"
	"ldap-gateway/cloud/factors"
	"ldap-gateway/cloud/store"
)

// lacks tells whether somebody is to give a second factor before they go on to what they came for, and has
// not, by what is wanted at this moment: see [applications.Rule.Lacks]. The console asks everybody who has one,
// or all where its setting says so, and who wants to change theirs gives it anew.
// Nobody goes on anywhere but past this: see begin, again, answer and owner.
func (k *call) lacks(flow applications.Flow, by store.SignedOn) (bool, error) {
	then := k.then()
	if flow.ID == "" && then == thenConsole && by.Factor == "" && k.env.Settings.SecondFactor {
		return true, nil
	}
	if flow.ID == "" && (then == thenConsole && by.Factor == "" || then == thenFactors && !k.freshFactor(by)) {
		have, err := k.Store.PersonFactors(k.Context(), k.env.ID, by.UserID)
		if err != nil || have.Any() {
			return true, err
		}
	}
	u, err := k.person(by)
	if err != nil || by.Factor != "" {
		return false, err
	}
	r, err := k.rule(flow)
	return r.Lacks(flow, u, by), err
}

// person returns the user who has signed on, read once for a request.
func (k *call) person(by store.SignedOn) (u store.User, err error) {
	if k.user.ID != by.UserID {
		k.user, err = k.Store.User(k.Context(), k.env.ID, by.UserID)
	}
	return k.user, err
}

// freshFactor tells whether who is signed on has given a factor of ours a moment ago.
func (k *call) freshFactor(by store.SignedOn) bool {
	has := k.Sessions.kept(k.Context(), k.env.ID)
	return has.SignOnID == by.SignOnID && k.Sessions.fresh(has.FactorAt)
}

// begin keeps who has just given the first proof. When a second one is wanted, it keeps no more than
// that, and on is false: the browser is led to the page that asks, or where no page may be shown, the
// application has its answer.
func (k *call) begin(flow applications.Flow, by store.SignedOn, until time.Time) (on bool, err error) {
	u, err := k.person(by)
	if err != nil {
		return false, err
	}
	lacks, err := k.lacks(flow, by)
	switch {
	case err != nil:
		return false, err
	case !lacks:
		if by.Factor != "" {
			err = k.Factors.Provided(k.Context(), factors.Who{User: u, SignOnID: by.SignOnID, Address: k.address()})
		}
		if err == nil {
			err = k.Sessions.keep(k.Request, u, kept{SignedOn: by, Until: until, For: k.purpose(flow)})
		}
		return err == nil, err
	case !flow.Silent:
		if err := k.Sessions.keepHalf(k.Request, u, by, until, k.purpose(flow)); err != nil {
			return false, err
		}
		if err := k.noteMissing(flow, u, by); err != nil {
			return false, err
		}
	}
	return false, k.askFactor(flow)
}

// noteMissing has an administrator see who is turned away by a policy, for want of a second factor.
func (k *call) noteMissing(flow applications.Flow, u store.User, by store.SignedOn) error {
	r, err := k.rule(flow)
	if err != nil || !r.Policy.TurnsAway() {
		return err
	}
	have, err := k.Factors.Of(k.Context(), u)
	if err != nil || have.Any() {
		return err
	}
	who := factors.Who{User: u, SignOnID: by.SignOnID, Address: k.address()}
	return k.Factors.Missing(k.Context(), who, r.Policy.Name)
}

// purpose is what somebody gives a proof for: an application, or where they go of their own.
func (k *call) purpose(flow applications.Flow) string { return cmp.Or(flow.ID, k.then()) }

// askFactor leads to the page that asks for a second factor. An application that wants no page gets its
// answer.
func (k *call) askFactor(flow applications.Flow) error {
	if flow.Silent {
		return k.Flows.Refuse(k.w, k.Request, k.env.ID, flow.ID, applications.Nobody)
	}
	http.Redirect(k.w, k.Request, k.path("/factor", flow, nil), http.StatusSeeOther)
	return nil
}

// answer tells the application who has signed on, and returns where the browser goes on. When a second factor
// is wanted first, on is false, and the answer was given: the browser is led to the page that asks.
func (k *call) answer(flow applications.Flow, by store.SignedOn) (next string, on bool, err error) {
	lacks, err := k.lacks(flow, by)
	switch {
	case err != nil:
		return "", false, err
	case lacks:
		return "", false, k.askFactor(flow)
	}
	next, err = k.Flows.Complete(k.env.ID, flow.ID, by)
	return next, err == nil, err
}

// owner returns who may see and change what is the person's own: who is signed on and has given all that
// the default policy asks for.
func (k *call) owner() (by store.SignedOn, ok bool, err error) {
	by, ok = k.Sessions.Person(k.Context(), k.env.ID)
	if !ok {
		return by, false, nil
	}
	lacks, err := k.lacks(applications.Flow{}, by)
	return by, !lacks, err
}

// candidate is whom the page asks for a second factor.
type candidate struct {
	kept
	user store.User
	half bool // has given the first proof a moment ago, and no more
	have store.PersonFactors
}

// candidate returns them; false when nobody is asked.
func (k *call) candidate() (c candidate, ok bool, err error) {
	if c.kept, c.user, c.half = k.Sessions.half(k.Context(), k.env.ID); !c.half {
		if _, is := k.Sessions.Person(k.Context(), k.env.ID); !is {
			return c, false, nil
		}
		c.kept = k.Sessions.kept(k.Context(), k.env.ID)
		if c.user, err = k.person(c.SignedOn); err != nil {
			return c, false, err
		}
	}
	c.have, err = k.Factors.Of(k.Context(), c.user)
	return c, err == nil, err
}

// who is of whom a proof is taken. Proven says that they have given a factor a moment ago.
func (k *call) who(c candidate) factors.Who {
	return factors.Who{
		User:     c.user,
		SignOnID: c.SignOnID,
		Address:  k.address(),
		Proven:   !c.half && k.Sessions.fresh(c.FactorAt),
		Own:      k.Form.Get("flow") == "" && k.then() == thenFactors,
	}
}

// factorPage asks for a second factor.
type factorPage struct {
	Flow, Then, Application string
	User                    store.User
	Error                   string
	OneTime, Recovery       bool   // what the person has
	Codes                   bool   // a recovery code is asked for
	Passkeys                bool   // they have some
	Passkey                 string // what the browser is asked, as JSON; empty: no passkey is
	PasskeySite             factors.PasskeySite
	Other, Instead          string // addresses: for somebody else, and to use a recovery code
}

// asked returns whom the page asks, and for what. When it is false, the answer was given: nobody is
// asked, or no more is wanted, or no page may be shown.
func (k *call) asked() (flow applications.Flow, c candidate, ok bool, err error) {
	if flow, err = k.flow(); err != nil {
		return flow, c, false, err
	}
	if flow.Silent {
		return flow, c, false, k.askFactor(flow)
	}
	if c, ok, err = k.candidate(); err != nil {
		return flow, c, false, err
	}
	if released, err := k.release(flow, c); err != nil || released {
		return flow, c, false, err
	}
	if ok && !c.half && c.have.Any() {
		ok, err = k.lacks(flow, c.SignedOn)
	}
	if err == nil && !ok {
		err = k.nobodyAsked(flow)
	}
	return flow, c, ok, err
}

// nobodyAsked answers who is asked for nothing here: they begin again, or go on. Who has taken too long since the
// first proof is told so.
func (k *call) nobodyAsked(flow applications.Flow) error {
	if !k.Sessions.late(k.Context(), k.env.ID) {
		http.Redirect(k.w, k.Request, k.here(flow, nil), http.StatusSeeOther)
		return nil
	}
	page := latePage{Application: flow.Application, Again: k.here(flow, nil)}
	if flow.ID != "" {
		page.Decline = k.declining(flow)
	}
	return k.render(http.StatusForbidden, "late.html", "That took too long", page)
}

// latePage is for who has given no second factor for too long.
type latePage struct {
	Application    string // empty: for nobody but the person
	Again, Decline string // addresses; without the latter nobody waits
}

// release has somebody go on who gave the first proof for this, when no more than that is wanted any more.
// When it is true, the answer was given.
func (k *call) release(flow applications.Flow, c candidate) (bool, error) {
	if !c.half || c.For != k.purpose(flow) {
		return false, nil
	}
	if lacks, err := k.lacks(flow, c.SignedOn); err != nil || lacks {
		return false, err
	}
	if on, err := k.begin(flow, c.SignedOn, c.Until); err != nil || !on {
		return true, err
	}
	return true, k.onward(flow, c.SignedOn, true)
}

// showFactor asks for a second factor; who has none is led to set one up.
func (k *call) showFactor() error {
	flow, c, ok, err := k.asked()
	if err != nil || !ok {
		return err
	}
	if !c.have.Any() {
		http.Redirect(k.w, k.Request, k.path("/factor/new", flow, nil), http.StatusSeeOther)
		return nil
	}
	return k.renderFactor(http.StatusOK, flow, c, "")
}

func (k *call) renderFactor(status int, flow applications.Flow, c candidate, problem string) error {
	page := factorPage{
		Flow:        flow.ID,
		Then:        k.then(),
		Application: flow.Application,
		User:        c.user,
		Error:       problem,
		OneTime:     len(c.have.OneTime) > 0,
		Passkeys:    len(c.have.Passkeys) > 0,
		PasskeySite: k.Factors.PasskeySite(),
		Recovery:    c.have.Recovery.Left > 0,
		Other:       k.here(flow, url.Values{"anew": {"1"}}),
		Instead:     k.path("/factor", flow, url.Values{"recovery": {"1"}}),
	}
	if page.Codes = page.Recovery && k.Form.Has("recovery"); page.Codes {
		return k.render(status, "factor.html", "One more step", page)
	}
	if len(c.have.Passkeys) > 0 {
		asks, err := k.Factors.AskPasskey(c.user, c.have)
		if err != nil && !errors.Is(err, factors.ErrNoPasskeys) {
			return err
		}
		if err == nil {
			k.Sessions.manager.Put(k.Context(), passkeyKey(k.env.ID), asks.State)
		}
		page.Passkey = string(asks.Options)
	}
	return k.render(status, "factor.html", "One more step", page)
}

// giveFactor takes a one-time password, a recovery code or a passkey.
func (k *call) giveFactor() error {
	flow, c, ok, err := k.asked()
	if err != nil || !ok {
		return err
	}
	var f store.Factor
	wrong := "That is not the one-time password of now, or it was used already. Wait for the next."
	switch answer := k.PostForm.Get("answer"); {
	case k.PostForm.Has("answer"):
		wrong = "That passkey is not one of yours, or the page was open for too long. Try again."
		state := k.Sessions.manager.PopBytes(k.Context(), passkeyKey(k.env.ID))
		f, err = k.Factors.CheckPasskey(k.Context(), k.who(c), state, []byte(answer))
	default:
		if k.Form.Has("recovery") {
			wrong = "That is none of your recovery codes, or it was used already."
			if !factors.IsRecoveryCode(k.PostForm.Get("code")) { // a slip, which counts as no guess of anything
				return k.renderFactor(http.StatusForbidden, flow, c, wrong)
			}
		}
		f, err = k.Factors.Check(k.Context(), k.who(c), k.PostForm.Get("code"))
	}
	var wait *factors.WaitError
	switch {
	case errors.As(err, &wait):
		k.toWait(wait)
		return k.renderFactor(http.StatusTooManyRequests, flow, c, tooManyTries)
	case errors.Is(err, factors.ErrWrong):
		return k.renderFactor(http.StatusForbidden, flow, c, wrong)
	case err != nil:
		return err
	}
	return k.factored(flow, c, f)
}

// toWait has an answer say when to try again.
func (k *call) toWait(w *factors.WaitError) {
	k.w.Header().Set("Retry-After", strconv.Itoa(int((w.Wait+time.Second-1)/time.Second)))
}

// tooManyTries is for who is to wait.
const tooManyTries = "There were too many wrong tries. Wait an hour, or use another way."

// factored signs on who has given the second factor, and goes on; who has never kept recovery codes is shown some
// first.
func (k *call) factored(flow applications.Flow, c candidate, f store.Factor) error {
	c.Factor, c.FactorAt = f, k.Sessions.now()
	if err := k.Sessions.keep(k.Request, c.user, c.kept); err != nil {
		return err
	}
	if c.have.Recovery.Made == 0 {
		http.Redirect(k.w, k.Request, k.path("/factor/codes", flow, nil), http.StatusSeeOther)
		return nil
	}
	return k.onward(flow, c.SignedOn, c.For == k.purpose(flow))
}

// onward goes on for who has given all that was asked for. Fresh says that they have signed on for just
// this; who has not is looked at as anybody who was signed on before: whether that will do for the
// application, and whether they want to go on there.
func (k *call) onward(flow applications.Flow, by store.SignedOn, fresh bool) error {
	way, err := k.plan(flow)
	switch {
	case err != nil:
		return err
	case flow.ID != "" && !way.Admits(by):
		http.Redirect(k.w, k.Request, k.here(flow, url.Values{"choose": {"1"}}), http.StatusSeeOther)
		return nil
	case flow.ID == "" || fresh:
		return k.goOn(flow, by)
	}
	return k.lead(flow, k.here(flow, nil))
}
