package oidc

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"ldap-gateway/cloud/idp/relying"
	"ldap-gateway/cloud/store"

	"github.com/hashicorp/go-hclog"
)

// assertionType is how an application says that it proves itself by a key (RFC 7523 section 2.2).
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// The bounds of what an application proves itself by. It is remembered for as long as it is
// good, so that it is good once.
const (
	mostAssertion = 8 << 10 // bytes
	mostJTI       = 500     // bytes
	assertionLife = time.Hour
	assertionSkew = time.Minute
	mostSeconds   = 100_000_000_000 // since 1970: beyond the year 5000
)

// asserted is what such a proof says.
type asserted struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience audience `json:"aud"`
	Expires  *float64 `json:"exp"` // seconds
	Issued   *float64 `json:"iat"`
	Begins   *float64 `json:"nbf"`
	ID       string   `json:"jti"`
}

// audience is one text or several (RFC 7519 section 4.1.3).
type audience []string

// UnmarshalJSON reads either.
func (a *audience) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(a))
}

// claimed reads what a proof says of whose it is, before anything is proven.
func claimed(assertion string) (a asserted, err error) {
	parts := strings.Split(assertion, ".")
	if len(assertion) > mostAssertion || len(parts) != 3 {
		return a, unproven("The client_assertion is no signed JWT of at most 8 KB.")
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(text, &a) != nil {
		return a, unproven("The client_assertion is no signed JWT.")
	}
	return a, nil
}

// byKey returns the application whose request is proven by a key of its own.
func (p *provider) byKey(r *http.Request, form credentials) (store.Application, error) {
	if r.PostForm.Get("client_assertion_type") != assertionType {
		return store.Application{}, unproven("The client_assertion_type must be " + assertionType + ".")
	}
	if form.secret != "" || r.Header.Get("Authorization") != "" {
		return store.Application{}, refused("There is more than one way of client authentication.")
	}
	said, err := claimed(r.PostForm.Get("client_assertion"))
	if err != nil {
		return store.Application{}, err
	}
	if said.Issuer == "" || said.Issuer != said.Subject || form.id != "" && form.id != said.Issuer {
		return store.Application{}, unproven("In the client_assertion, iss and sub must be the client_id.")
	}
	a, err := p.application(r.Context(), said.Issuer)
	if err != nil {
		return a, noClient(err)
	}
	if !a.ProvesByKey() {
		return a, unproven("The application is not registered to prove itself by a key (private_key_jwt).")
	}
	if err := p.proven(r.Context(), a, r.PostForm.Get("client_assertion")); err != nil {
		return a, err
	}
	return a, p.usedOnce(r.Context(), a, r.URL.Path, said)
}

// proven tells whether one of the application's keys has signed a proof. Why not is in the
// log: the keys may be at an address that only an administrator knows.
func (p *provider) proven(ctx context.Context, a store.Application, assertion string) error {
	var err error
	if a.OpenID.JWKSURL != "" {
		_, err = p.keysAt(a.OpenID.JWKSURL).VerifySignature(ctx, assertion)
	} else {
		var keys relying.FixedKeys
		if keys, err = relying.ParseKeys(a.OpenID.JWKS); err == nil {
			_, err = keys.VerifySignature(ctx, assertion)
		}
	}
	if err != nil {
		p.Logger.Log(p.lines.Level("key", hclog.Warn), "an application's proof is not signed by a key of its own",
			"environment", p.env, "application", a.ID, "error", err)
		return unproven("The client_assertion is not signed by a key of the application's.").WithParent(err)
	}
	return nil
}

// usedOnce tells whether a proof is for here, for now, and was never used.
func (p *provider) usedOnce(ctx context.Context, a store.Application, path string, said asserted) error {
	own := []string{p.Issuer(p.env), p.Issuer(p.env) + "/token", p.URL + path}
	now := p.now()
	at := func(seconds *float64) time.Time { return time.Unix(int64(*seconds), 0) }
	switch {
	case !slices.ContainsFunc(said.Audience, func(text string) bool { return slices.Contains(own, text) }):
		return unproven("The client_assertion is for somebody else: its aud must be " + own[0] + " or the endpoint.")
	case said.Expires == nil:
		return unproven("The client_assertion has no exp.")
	case *said.Expires < 0 || *said.Expires > mostSeconds:
		return unproven("The exp of the client_assertion is no time in seconds since 1970: perhaps it is in milliseconds.")
	case at(said.Expires).Before(now.Add(-assertionSkew)):
		return unproven("The client_assertion is over: see whether the application's clock is right.")
	case at(said.Expires).After(now.Add(assertionLife + assertionSkew)):
		return unproven("The client_assertion is good for too long: an hour at most.")
	case said.Begins != nil && *said.Begins > float64(now.Add(assertionSkew).Unix()),
		said.Issued != nil && *said.Issued > float64(now.Add(assertionSkew).Unix()):
		return unproven("The client_assertion is of the future: see whether the application's clock is right.")
	case said.ID == "" || len(said.ID) > mostJTI:
		return unproven("The client_assertion has no jti, or one that is too long.")
	}
	once := sha256.Sum256([]byte("client assertion\x00" + a.ID + "\x00" + said.ID))
	err := p.Store.UseProof(ctx, p.env, once[:], at(said.Expires).Add(2*assertionSkew))
	if errors.Is(err, store.ErrUsed) {
		return unproven("The client_assertion was used before: make a new one for each request.")
	}
	return err
}

// mostAddresses bounds for how many addresses keys are remembered.
const mostAddresses = 1000

// addresses remember the keys of applications that are at addresses. Safe for concurrent use.
type addresses struct {
	mu   sync.Mutex
	keys map[string]*relying.Keys
}

// keysAt returns the keys at an address, as every application of the environment reads them.
func (p *provider) keysAt(address string) *relying.Keys {
	p.addresses.mu.Lock()
	defer p.addresses.mu.Unlock()
	if k, known := p.addresses.keys[address]; known {
		return k
	}
	if p.addresses.keys == nil || len(p.addresses.keys) >= mostAddresses { // those of before are read again
		p.addresses.keys = map[string]*relying.Keys{}
	}
	k := relying.NewKeys(address, p.HTTP, p.now)
	p.addresses.keys[address] = k
	return k
}
