package relying

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"ldap-gateway/cloud/evidence"
)

// mostSubject is the length of a subject, in characters (Core section 2).
const mostSubject = 255

// mostAge is how long ago an ID token may have been issued, which is done while we wait
// for it: what is older was made for something else, or by a clock that is far off.
const mostAge = 10 * time.Minute

// identify checks the ID token.
// The signature is checked before anything in it is read.
func (c *Client) identify(ctx context.Context, k Kept, token *oauth2.Token) (e evidence.Evidence, err error) {
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return e, evidence.Refuse(evidence.Shape, "there is no ID token: is the scope openid stated?")
	}
	payload, err := c.Keys.VerifySignature(ctx, raw) // the library keeps no cause
	if err != nil {
		return e, err
	}
	claims, err := decode(payload)
	if err != nil {
		return e, evidence.Refuse(evidence.Shape, "the ID token: %v", err)
	}
	id, err := c.verify(ctx, raw, claims)
	if err != nil {
		return e, err
	}
	if err := c.look(k, id, claims); err != nil {
		return e, err
	}
	// at_hash may be missing in this flow (Core section 3.1.3.6), and has to be right
	// when it is there.
	if claims["at_hash"] != nil && id.VerifyAccessToken(token.AccessToken) != nil {
		return e, evidence.Refuse(evidence.Signature, "the access token is not the one that the ID token came with")
	}
	// A claim that is not there is a zero time or nil, and proves nothing.
	return evidence.Evidence{
		Subject:  id.Subject,
		Claims:   []map[string]any{claims},
		At:       seconds(claims["auth_time"]),
		Methods:  texts(claims["amr"]),
		Contexts: texts(claims["acr"]),
		Key:      keyID(raw),
		Skew:     id.IssuedAt.Sub(c.Now()).Truncate(time.Second),
		Name:     c.Name,
	}, nil
}

// standard are the claims that the library reads.
var standard = []string{"iss", "sub", "aud", "exp", "iat", "nbf", "nonce", "at_hash"}

// proven is the standard's part of one token whose signature Keys has verified.
type proven struct {
	token string
	part  []byte
}

var _ gooidc.KeySet = proven{}

// VerifySignature returns the part of the one token that was verified.
// It verifies nothing itself: that was done.
func (p proven) VerifySignature(_ context.Context, jwt string) ([]byte, error) {
	if jwt != p.token {
		return nil, evidence.Refuse(evidence.Signature, "another token was verified")
	}
	return p.part, nil
}

// verify has the library check a token whose signature was. It is given the standard's
// claims alone, each by its exact name: what it would make of the others, as of claim
// sources that are malformed, proves nothing about the person.
func (c *Client) verify(ctx context.Context, raw string, claims map[string]any) (*gooidc.IDToken, error) {
	if err := typed(claims); err != nil {
		return nil, err
	}
	part := map[string]any{}
	for _, name := range standard {
		if v := claims[name]; v != nil {
			part[name] = v
		}
	}
	text, err := json.Marshal(part)
	if err != nil {
		return nil, evidence.Refuse(evidence.Shape, "the ID token: %v", err)
	}
	early := func() time.Time { return c.Now().Add(-skew) } // what has ended less than skew ago has not
	verifier := gooidc.NewVerifier(c.Issuer, proven{raw, text}, &gooidc.Config{
		ClientID:             c.ClientID,
		SupportedSigningAlgs: names(algorithms),
		Now:                  early,
	})
	id, err := verifier.Verify(ctx, raw)
	if err != nil {
		return nil, c.unverified(claims, err)
	}
	return id, nil
}

// typed refuses claims that count and are not of the type that the standard states
// (Core section 2, RFC 7519 section 4.1). Null is as good as none.
func typed(claims map[string]any) error {
	for _, name := range []string{"sub", "nonce", "at_hash", "azp"} {
		if _, ok := claims[name].(string); !ok && claims[name] != nil {
			return evidence.Refuse(evidence.BadClaim, "%s is no text", name)
		}
	}
	for _, name := range []string{"exp", "iat", "nbf"} {
		needed := name != "nbf" || claims[name] != nil
		if _, ok := claims[name].(json.Number); !ok && needed {
			return evidence.Refuse(evidence.BadClaim, "%s is missing, or no number", name)
		}
	}
	if seconds(claims["iat"]).IsZero() {
		return evidence.Refuse(evidence.BadClaim, "iat is no time")
	}
	return nil
}

// look checks of an ID token what the library leaves to us.
func (c *Client) look(k Kept, id *gooidc.IDToken, claims map[string]any) error {
	azp, stated := claims["azp"].(string)
	switch {
	// A nonce of ours is never empty: an empty one would be everybody's.
	case k.Nonce == "" || id.Nonce != k.Nonce:
		return evidence.Refuse(evidence.WrongRequest, "the nonce is another")
	case id.IssuedAt.After(c.Now().Add(skew)):
		return evidence.Refuse(evidence.TooEarly, "the ID token was issued at %s, in the future", id.IssuedAt.UTC())
	case id.IssuedAt.Before(c.Now().Add(-mostAge)):
		return evidence.Refuse(evidence.TooLate, "the ID token was issued at %s", id.IssuedAt.UTC())
	case stated && azp != c.ClientID:
		return evidence.Refuse(evidence.WrongAudience, "the ID token was made for %.200q", azp)
	case len(id.Audience) > 1 && !stated:
		return evidence.Refuse(evidence.WrongAudience, "the ID token was made for one of %.200q", id.Audience)
	case seconds(claims["auth_time"]).After(c.Now().Add(skew)):
		return evidence.Refuse(evidence.TooEarly, "auth_time is %v, in the future", claims["auth_time"])
	// Without auth_time it is the zero time, which is too old: an age that was asked
	// for must be told (Core section 2).
	case !k.Since.IsZero() && seconds(claims["auth_time"]).Before(k.Since.Add(-skew)):
		return evidence.Refuse(evidence.OldProof, "auth_time is %v", claims["auth_time"])
	}
	return evidence.CheckSubject(id.Subject, mostSubject)
}

// unverified makes the library's refusal a kind. The signature was right.
// What the library says in words is told apart by looking again.
func (c *Client) unverified(claims map[string]any, err error) error {
	var expired *gooidc.TokenExpiredError
	if errors.As(err, &expired) {
		return evidence.Refuse(evidence.TooLate, "the ID token ended at %s", expired.Expiry.UTC())
	}
	kind := evidence.BadClaim
	switch {
	case claims["iss"] != c.Issuer:
		kind = evidence.WrongIssuer
	case !slices.Contains(texts(claims["aud"]), c.ClientID):
		kind = evidence.WrongAudience
	case seconds(claims["nbf"]).After(c.Now()):
		kind = evidence.TooEarly
	}
	return &evidence.Refusal{Kind: kind, Detail: "the ID token is refused", Cause: err}
}
