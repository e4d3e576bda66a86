package signonpage

import (
	"errors"
	"net/http"
	"net/url"

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
func (k *call) signOff() error {
	p, err := k.signedOnAt()
	if err != nil {
		return err
	}
	if err := k.Sessions.End(k.Context(), k.env.ID); err != nil {
		return err
	}
	o := off{Provider: p.Name}
	if p.ID != "" {
		o.Address = k.Providers.SignOffURL(p)
	}
	return k.showOff(o)
}

// signedOff is where a provider sends the browser back to. Somebody who is signed on
// here is told so, whoever sent them.
func (k *call) signedOff() error {
	if by, ok := k.Sessions.Person(k.Context(), k.env.ID); ok {
		return k.account(by)
	}
	return k.showOff(off{})
}

func (k *call) showOff(o off) error {
	o.Again = k.here(oidc.Flow{}, nil)
	o.Other = k.here(oidc.Flow{}, url.Values{"anew": {"1"}})
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
