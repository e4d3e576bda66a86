package idp

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"time"

	"ldap-gateway/cloud/evidence"
	"ldap-gateway/cloud/idp/samlsp"
	"ldap-gateway/cloud/store"
)

// Cookies returns the value of the browser's cookie with a suffix; empty: there is none.
type Cookies func(suffix string) string

// Answer is one of OpenID Connect, as the browser that began brings it.
type Answer struct {
	At      string // what the address ended with, of a provider that has one of its own
	Query   url.Values
	Cookies Cookies
	Address string // of the browser
}

// Callback takes an answer of OpenID Connect. Its error is a *Refused, or of the store.
// The cookie is opened first: what no browser of ours has begun costs nothing else.
func (d *Desk) Callback(ctx context.Context, env string, answer Answer) (a Arrived, err error) {
	begun := d.now()
	j, err := d.open(env, answer.Query.Get("state"), answer.Cookies)
	if err != nil {
		return a, d.refuse(ctx, env, j, err)
	}
	p, e, err := d.proven(ctx, env, j, answer)
	if err != nil {
		return a, d.refuse(ctx, env, j, err)
	}
	return d.arrive(ctx, visit{env, p, j, e, answer.Address, begun})
}

// proven makes OpenID Connect's answer evidence. The journey is used up before the
// provider is asked anything: a code that is tried again is tried nowhere.
func (d *Desk) proven(
	ctx context.Context, env string, j journey, answer Answer,
) (p store.IdentityProvider, e evidence.Evidence, err error) {
	if p, err = d.enabled(ctx, env, j); err != nil {
		return p, e, err
	}
	if p.Type != store.OpenIDConnect {
		return p, e, evidence.Refuse(evidence.WrongRequest, "the sign-on was begun by SAML")
	}
	// An answer at another address may be another provider's, brought here to have its
	// code told to this one (RFC 9700 section 4.4).
	if answer.At != ownCallback(p) {
		return p, e, evidence.Refuse(evidence.WrongIssuer, "the answer came to the address of another provider's")
	}
	if err := d.once(ctx, j.Until, env, "journey", j.Key); err != nil {
		return p, e, err
	}
	c, err := d.client(ctx, p)
	if err != nil {
		return p, e, err
	}
	e, err = c.Finish(ctx, j.OIDC, answer.Query)
	return p, e, err
}

// enabled returns the journey's provider while it may sign people on.
// A trial may go by one that is not enabled yet: that is what it is for.
func (d *Desk) enabled(ctx context.Context, env string, j journey) (store.IdentityProvider, error) {
	p, err := d.provider(ctx, env, j.Provider)
	if err == nil && !p.Enabled && !j.Wish.Trial {
		err = ErrOff
	}
	return p, err
}

// once uses up something until a time; a refusal when it was before, on any node.
// It is remembered past its time by as much as clocks may differ.
func (d *Desk) once(ctx context.Context, until time.Time, parts ...string) error {
	err := d.Store.UseAssertion(ctx, nonce(parts...), until.Add(samlsp.MostSkew))
	if errors.Is(err, store.ErrUsed) {
		return evidence.Refuse(evidence.Replayed, "the answer was taken before")
	}
	return err
}

// arrival is what Accept keeps for Arrive.
// It is kept sealed, and for minutes: it has what a provider says of a person.
type arrival struct {
	Provider string
	Request  string // ID
	Relay    string // empty: the provider lost it
	Evidence evidence.Evidence
}

// Accept takes an answer of SAML as it came in the form, proves it, and returns the key
// that the browser comes back with. Nobody is signed on by it. An answer that nobody
// asked for is refused; one that is refused for another reason has a key as well, since
// only the browser that began knows what it was for. The error is a *Refused, or of the
// store.
func (d *Desk) Accept(ctx context.Context, env string, form url.Values) (key string, err error) {
	a, err := d.accept(ctx, env, form)
	if err != nil {
		err = d.refuse(ctx, env, journey{Provider: a.Provider}, err)
		var r *Refused
		if a.Provider != "" && errors.As(err, &r) {
			return d.refusedKey(env, a.Request, r)
		}
		return "", err
	}
	b, err := json.Marshal(a)
	if err != nil {
		return "", err
	}
	key = secret()
	sealed := d.Vault.Seal(purposeArrival, env, b)
	return key, d.Store.KeepArrival(ctx, env, key, sealed, d.now().Add(arrivalTime))
}

// accept returns the provider as soon as it is known, also with an error, so that the
// refusal is noted with it.
func (d *Desk) accept(ctx context.Context, env string, form url.Values) (a arrival, err error) {
	text := strings.Map(withoutBlanks, form.Get("SAMLResponse"))
	doc, err := base64.StdEncoding.DecodeString(text)
	if err != nil || text == "" {
		return a, evidence.Refuse(evidence.Shape, "there is no response in base64")
	}
	if a.Request, err = samlsp.Answers(doc); err != nil {
		return a, err
	}
	if a.Provider, err = d.asked(env, a.Request); err != nil {
		return a, err
	}
	p, err := d.provider(ctx, env, a.Provider)
	if err != nil {
		return a, err
	}
	s, err := d.service(ctx, p)
	if err != nil {
		return a, err
	}
	a.Relay = form.Get("RelayState")
	a.Evidence, err = s.Finish(samlsp.Kept{ID: a.Request}, doc)
	return a, err
}

// withoutBlanks drops what providers put into base64 to break its lines.
func withoutBlanks(r rune) rune {
	if strings.ContainsRune(" \t\r\n", r) {
		return -1
	}
	return r
}

// Arrive takes what Accept proved, for the browser that began. Its error is a *Refused,
// or of the store.
// A key is good once. One that was made of a refusal tells that, and signs nobody on.
func (d *Desk) Arrive(
	ctx context.Context, env, key string, cookies func() []string, address string,
) (a Arrived, err error) {
	if sealed, is := strings.CutPrefix(key, refusedMark); is {
		return a, d.arriveRefused(env, sealed, cookies())
	}
	begun := d.now()
	sealed, err := d.Store.TakeArrival(ctx, env, key, begun)
	if errors.Is(err, store.ErrNotFound) {
		return a, d.refuse(ctx, env, journey{}, evidence.Refuse(evidence.WrongRequest, "nothing waits under this key"))
	}
	var from arrival
	if err == nil {
		sealed, err = d.Vault.Open(purposeArrival, env, sealed)
	}
	if err == nil {
		err = json.Unmarshal(sealed, &from)
	}
	if err != nil {
		return a, err
	}
	j, err := d.ownJourney(env, from, cookies())
	if err != nil {
		return a, d.refuse(ctx, env, journey{Provider: from.Provider}, err)
	}
	p, err := d.enabled(ctx, env, j)
	if err == nil {
		err = fresh(p, from.Evidence, j)
	}
	// The key was good once, and this is what is good once of the journey.
	if err == nil {
		err = d.once(ctx, j.Until, env, "journey", j.Key) // a request is answered once
	}
	if err != nil {
		return a, d.refuse(ctx, env, j, err)
	}
	return d.arrive(ctx, visit{env, p, j, from.Evidence, address, begun})
}

// ownJourney finds, among the browser's cookies, the one that a SAML answer is to.
// Of a cookie that is another provider's, or to another request, it is not said that
// there is one.
func (d *Desk) ownJourney(env string, from arrival, sealed []string) (journey, error) {
	for _, value := range sealed {
		j, ok := d.opened(env, value)
		if !ok || j.SAML.ID != from.Request || j.Provider != from.Provider {
			continue
		}
		switch {
		case from.Relay != "" && from.Relay != j.Key:
			return journey{}, evidence.Refuse(evidence.WrongRequest, "RelayState is another than was sent")
		case !d.now().Before(j.Until):
			return journey{}, evidence.Refuse(evidence.WrongRequest, "the person took longer than %s", journeyTime)
		}
		return j, nil
	}
	return journey{}, evidence.Refuse(evidence.WrongRequest, "this browser has not begun this sign-on")
}

// fresh refuses a proof that is older than the application takes. Accept did not know.
// The skew of clocks that the provider's setting says is allowed for.
func fresh(p store.IdentityProvider, e evidence.Evidence, j journey) error {
	skew := samlsp.UsualSkew
	if s := p.Config.SAML; s != nil {
		skew = samlsp.SkewOf(time.Duration(s.SkewSeconds) * time.Second)
	}
	if !j.SAML.Since.IsZero() && e.At.Before(j.SAML.Since.Add(-skew)) {
		return evidence.Refuse(evidence.OldProof, "the person proved it at %s", e.At.UTC())
	}
	return nil
}
