package signonpage

import (
	"errors"
	"net/http"
	"net/url"

	"ldap-gateway/cloud/applications"
	"ldap-gateway/cloud/idp"
	"ldap-gateway/cloud/oidc"
	"ldap-gateway/cloud/store"
)

// off is what a person sees who has signed off.
type off struct {
	Provider string // where they may still be signed on; empty: nowhere
	Address  string // that ends that, too; empty: there is none
	Again    string
	Other    string // for somebody else
}

// signOff ends the session here; what applications hold lives on, since nobody asked
// them, and so does the session at a provider, which the page leads to.
// Where an application sent the browser, the page leads back to it.
func (k *call) signOff() error {
	l, err := k.leaving(k.PostForm)
	if err != nil {
		return err
	}
	p, err := k.signedOnAt()
	if err != nil {
		return err
	}
	by, ok := k.Sessions.Person(k.Context(), k.env.ID)
	if err := k.Sessions.End(k.Context(), k.env.ID); err != nil {
		return err
	}
	there := l.To
	if there == "" {
		there = "/" + k.env.ID + idp.SignedOffPath + "?" + url.Values{"provider": {p.ID}}.Encode()
	}
	next := there
	if ok {
		if next, err = k.Flows.SignedOff(k.Request, k.env.ID, by, there); err != nil {
			return err
		}
	}
	if next == there && l.To == "" {
		return k.showOff(k.offOf(p))
	}
	return k.render(http.StatusOK, "next.html", "You are signed off", map[string]string{
		"Next":        next,
		"Application": l.Application,
	})
}

// offOf says where somebody may still be signed on who came through a provider.
func (k *call) offOf(p store.IdentityProvider) (o off) {
	if p.ID != "" {
		o.Provider, o.Address = p.Name, k.Providers.SignOffURL(p)
	}
	return o
}

// leave asks whether to sign off, for an application.
type leave struct {
	Application string
	User        store.User
	Form        map[string]string // what the application sent
	Stay        string
}

// signedOff is where a provider sends the browser back to, and an application one that is
// to be signed off. Somebody who is signed on here is told so, whoever sent them, and
// asked: another site may have.
func (k *call) signedOff() error {
	by, ok := k.Sessions.Person(k.Context(), k.env.ID)
	if !ok {
		p, err := k.Store.IdentityProvider(k.Context(), k.env.ID, k.Form.Get("provider"))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return k.showOff(k.offOf(p))
	}
	if !k.Form.Has("client_id") {
		return k.again(applications.Flow{MaxAge: -1}, by)
	}
	l, err := k.leaving(k.Form)
	if err != nil {
		return err
	}
	asks := leave{Application: l.Application, Form: map[string]string{}, Stay: k.here(applications.Flow{}, nil)}
	for _, name := range []string{"client_id", "post_logout_redirect_uri", "state"} {
		asks.Form[name] = k.Form.Get(name)
	}
	if asks.User, err = k.Store.User(k.Context(), k.env.ID, by.UserID); err != nil {
		return err
	}
	return k.render(http.StatusOK, "leave.html", "Sign off?", asks)
}

// leaving returns what an application wants that sent the browser here; store.ErrNotFound
// for what was not checked where the browser came from.
func (k *call) leaving(form url.Values) (oidc.Leaving, error) {
	l, err := k.Flows.Leaving(k.Context(), k.env.ID, form)
	if err != nil && !errors.Is(err, store.ErrUnavailable) {
		err = store.ErrNotFound
	}
	return l, err
}

func (k *call) showOff(o off) error {
	o.Again = k.here(applications.Flow{}, nil)
	o.Other = k.here(applications.Flow{}, url.Values{"anew": {"1"}})
	return k.render(http.StatusOK, "off.html", "You are signed off", o)
}

// signedOnAt returns the provider through which the person has signed on; one without a
// name when it was none, or is not known any more.
func (k *call) signedOnAt() (p store.IdentityProvider, err error) {
	by, ok := k.Sessions.Person(k.Context(), k.env.ID)
	if !ok {
		return p, nil
	}
	so, err := k.Store.SignOn(k.Context(), k.env.ID, by.SignOnID)
	if err == nil && so.ProviderID != "" {
		p, err = k.Store.IdentityProvider(k.Context(), k.env.ID, so.ProviderID)
	}
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return p, err
}
