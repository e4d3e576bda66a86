package oidc

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloud/web"
)

// pushPath is where applications push what they would have the browser carry, below the
// issuer.
const pushPath = "/par"

// pushedPrefix is before the ID of a wish that was pushed (RFC 9126 section 2.2).
const pushedPrefix = "urn:ietf:params:oauth:request_uri:"

// pushedLife is how long a wish that was pushed waits for its browser.
const pushedLife = 90 * time.Second

// push takes an application's wish ahead of the browser (RFC 9126), after the application
// has proven itself. What is wrong with the wish is told there and then. It counts as the
// beginning of a sign-on, since an application without a secret proves nothing.
func (p *provider) push(begun *throttle.Window, w http.ResponseWriter, r *http.Request) error {
	network := throttle.Network(web.Address(r))
	if wait := begun.Begin(p.now(), throttle.Limit{Key: network, Most: beginsPerAddress}); wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())+1))
		answer(w, http.StatusTooManyRequests, map[string]string{
			"error": unavailable, "error_description": "Too many sign-ons begin at this address. Wait a minute.",
		})
		return nil
	}
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
	wish := request{RedirectURI: form.Get("redirect_uri"), State: form.Get("state"), Pushed: true}
	if err := p.read(r.Context(), &wish, a, form); err != nil {
		return err
	}
	id, err := p.begin(r.Context(), a, wish, pushedLife)
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
	z, err := p.Store.Authorization(r.Context(), p.env, id, p.now())
	var wish request
	if err == nil {
		err = json.Unmarshal(z.Request, &wish)
	}
	if errors.Is(err, store.ErrNotFound) || err == nil && (!wish.Pushed || z.ApplicationID != form.Get("client_id")) {
		return refused("What the application pushed has taken too long, or is another's (request_uri).")
	}
	if err != nil {
		return err
	}
	// The application may have been changed meanwhile.
	a, err := p.asking(r.Context(), url.Values{"client_id": {z.ApplicationID}, "redirect_uri": {wish.RedirectURI}})
	if err != nil {
		return err
	}
	wish.Pushed = false
	return p.toSignOn(w, r, a, wish)
}
