package oidc

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"ldap-gateway/cloud/applications"
	"ldap-gateway/cloud/store"
)

// pushPath is where applications push what they would have the browser carry, below the
// issuer.
const pushPath = "/par"

// pushedPrefix is before a wish that was pushed (RFC 9126 section 2.2).
const pushedPrefix = "urn:ietf:params:oauth:request_uri:"

// pushedLife is how long a wish that was pushed waits for its browser.
const pushedLife = 90 * time.Second

// pushes are wishes that were pushed.
func (s *Server) pushes() applications.Wishes {
	return applications.Wishes{Vault: s.Vault, Protocol: "OpenID Connect, pushed"}
}

// push takes an application's wish ahead of the browser (RFC 9126), after the application
// has proven itself. What is wrong with the wish is told there and then. The reference that is
// answered is the wish, sealed: nothing is kept, whoever pushes.
func (p *provider) push(w http.ResponseWriter, r *http.Request) error {
	form, err := postedForm(r)
	if err != nil {
		return err
	}
	a, err := p.authenticated(r)
	if err != nil {
		return err
	}
	only(a, w, r)
	form.Set("client_id", a.ID) // by Basic it may be left out
	if _, err := p.asking(r.Context(), form); err != nil {
		return err
	}
	wish := request{RedirectURI: form.Get("redirect_uri"), State: form.Get("state")}
	if err := p.read(r.Context(), &wish, a, form); err != nil {
		return err
	}
	id, err := p.begin(p.pushes(), a, wish, pushedLife)
	if err != nil {
		return err
	}
	answer(w, http.StatusCreated, map[string]any{
		"request_uri": pushedPrefix + id,
		"expires_in":  int(pushedLife.Seconds()),
	})
	return nil
}

// pushed begins the sign-on of a wish that was pushed. Nothing else of the address counts.
// A browser that is reloaded begins once more (RFC 9126 section 4), while the wish waits.
func (p *provider) pushed(w http.ResponseWriter, r *http.Request, form url.Values) error {
	id := strings.TrimPrefix(form.Get("request_uri"), pushedPrefix)
	z, err := p.pushes().Open(p.env, id, p.now())
	var wish request
	if err == nil {
		err = json.Unmarshal(z.Request, &wish)
	}
	if errors.Is(err, store.ErrNotFound) || err == nil && z.ApplicationID != form.Get("client_id") {
		return forPeople(nil, "What the application pushed has taken too long, or is another's (request_uri).")
	}
	if err != nil {
		return err
	}
	// The application may have been changed meanwhile.
	a, err := p.asking(r.Context(), url.Values{"client_id": {z.ApplicationID}, "redirect_uri": {wish.RedirectURI}})
	if err != nil {
		return err
	}
	return p.toSignOn(w, r, a, wish)
}
