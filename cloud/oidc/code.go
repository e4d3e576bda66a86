package oidc

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/google/uuid"
	"github.com/zitadel/oidc/v3/pkg/oidc"

	"ldap-gateway/cloud/applications"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/vault"
)

// shortWish is how many bytes a wish may have that is answered at once. A longer one goes the long way, so
// that one that browsers cannot carry is refused whoever comes with it.
const shortWish = 1024

// atOnce gives a code to who has signed on in the browser and need not be asked anything. When it tells that
// nothing was answered, the sign-on page is to look.
func (p *provider) atOnce(
	w http.ResponseWriter, r *http.Request, a store.Application, wish request,
) (answered bool, err error) {
	z, err := p.authorization(a, wish, requestLife)
	if err != nil || len(z.Request) > shortWish {
		return false, err
	}
	by, ok := p.Sessions.AtOnce(r.Context(), p.env, flowOf(a, wish), p.now())
	if !ok {
		return false, nil
	}
	id, err := uuid.NewV7()
	if err != nil {
		return false, err
	}
	z.ID, z.SignedOn = id.String(), by
	return p.give(w, r, z, wish)
}

// callback gives a code to the browser that signed on, and to no other: whoever
// made somebody else sign on for a request of theirs has another one.
func (p *provider) callback(w http.ResponseWriter, r *http.Request) error {
	id := r.URL.Query().Get("id")
	a, wish, err := p.wish(p.env, id)
	if errors.Is(err, store.ErrNotFound) {
		return errOver
	}
	if err != nil {
		return err
	}
	if err := p.stillAt(r.Context(), a, wish); err != nil {
		return err
	}
	by, ok := p.Sessions.Person(r.Context(), p.env)
	here := ok && by.SignOnID == a.SignedOn.SignOnID && by.UserID == a.SignedOn.UserID
	if here && wish.Subject != "" && wish.Subject != by.UserID {
		p.sendBack(w, r, wish, oidc.ErrLoginRequired().WithDescription(
			"Somebody else signed on than the id_token_hint names."))
		return nil
	}
	if here {
		a.SignedOn = by
		if answered, err := p.give(w, r, a, wish); answered || err != nil {
			return err
		}
	}
	http.Redirect(w, r, p.pageURL(p.env)+"?flow="+url.QueryEscape(id), http.StatusSeeOther)
	return nil
}

// give has the browser bring the application a code for who signed on. It is the one place that makes codes, so
// what must be true of whoever signed on is looked at here. It answers nothing when more is asked for by now than
// they gave: the sign-on page asks for the rest, and where no page may be shown the application is told that
// nobody is there.
func (p *provider) give(
	w http.ResponseWriter, r *http.Request, a store.Authorization, wish request,
) (answered bool, err error) {
	u, app, err := p.enabled(r.Context(), a.SignedOn, a.ApplicationID)
	if err != nil {
		return false, noClient(err)
	}
	f := flowOf(app, wish)
	met, err := applications.Meets(r.Context(), p.Store, f, u, a.SignedOn)
	switch {
	case err != nil:
		return false, err
	case !met && f.Silent:
		p.sendBack(w, r, wish, told(applications.Nobody))
		return true, nil
	case !met:
		return false, nil
	}
	err = p.admitted(r.Context(), app, u)
	switch {
	case errors.Is(err, errNotAdmitted):
		return true, p.notAdmitted(w, r, wish, app, a.SignedOn)
	case err != nil:
		return false, err
	}
	switch err = p.giveCode(w, r, a, wish); {
	case errors.Is(err, store.ErrNotFound) && f.Silent:
		p.sendBack(w, r, wish, told(applications.Nobody))
		return true, nil
	case errors.Is(err, store.ErrNotFound):
		return false, nil
	}
	return true, err
}

// giveCode keeps what was asked for and by whom, and has the browser bring the application a code for it.
// store.ErrNotFound when the person was signed off, or disabled, a moment before.
func (p *provider) giveCode(w http.ResponseWriter, r *http.Request, a store.Authorization, wish request) error {
	code, hash := vault.NewSecret()
	a.CreatedAt = p.now()
	if end := p.now().Add(store.CodeLife); a.ExpiresAt.Before(end) {
		a.ExpiresAt = end
	}
	if err := p.Store.CreateAuthorization(r.Context(), &a, hash); err != nil {
		if errors.Is(err, store.ErrNotFound) {
			return err
		}
		if errors.Is(err, store.ErrConflict) { // it has its code
			return errOver
		}
		p.sendBack(w, r, wish, err)
		return nil
	}
	p.deliver(w, r, wish, url.Values{"code": {code}})
	return nil
}
