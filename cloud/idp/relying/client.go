package relying

import (
	"cmp"
	"context"
	"crypto"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"ldap-gateway/cloud/idp/evidence"
)

// The ways in which a client proves itself at the token endpoint, in the words of the
// API (OpenID Connect Core section 9).
const (
	SecretBasic = "CLIENT_SECRET_BASIC"
	SecretPost  = "CLIENT_SECRET_POST"
	SecretJWT   = "CLIENT_SECRET_JWT"
	PrivateJWT  = "PRIVATE_KEY_JWT"
	NoAuth      = "NONE"
)

// skew is how far a provider's clock may be from ours.
const skew = time.Minute

// mostSubject is the length of a subject, in characters (Core section 2).
const mostSubject = 255

// Client is one client of one provider. Safe for concurrent use.
type Client struct {
	Name                  string // of the provider, for reasons
	Issuer                string
	AuthorizationEndpoint string
	TokenEndpoint         string
	UserInfoEndpoint      string // empty: it is not asked
	ClientID              string
	Auth                  string // one of the above
	Secret                string // of the ways that have one
	Signer                crypto.Signer
	SignerID              string // key ID of Signer
	Redirect              string // our address for answers
	Scopes                []string
	WithoutPKCE           bool
	NamesIssuer           bool // an answer without iss is refused
	Keys                  *Keys
	HTTP                  *http.Client
	Now                   func() time.Time
	// Enough tells whether UserInfo need not be asked; nil: it always is.
	Enough func(evidence.Evidence) bool
}

// Kept is what must be known when the answer comes.
type Kept struct {
	Nonce    string
	Verifier string    // of PKCE
	Since    time.Time // the person must have proven it since then; zero: any time
}

// Wish is what the application wants of the sign-on.
type Wish struct {
	Hint   string        // whom the person says to be; empty: not told
	Prompt string        // "none", "login" …; empty: as the provider likes
	MaxAge time.Duration // that the proof may have now; negative: any
	ACR    []string
}

// Start returns where the browser goes, and what to keep.
func (c *Client) Start(state string, w Wish) (address string, k Kept) {
	k = Kept{Nonce: oauth2.GenerateVerifier()}
	options := []oauth2.AuthCodeOption{gooidc.Nonce(k.Nonce)}
	if !c.WithoutPKCE {
		k.Verifier = oauth2.GenerateVerifier()
		options = append(options, oauth2.S256ChallengeOption(k.Verifier))
	}
	for name, value := range map[string]string{
		"login_hint": w.Hint,
		"prompt":     w.Prompt,
		"acr_values": strings.Join(w.ACR, " "),
	} {
		if value != "" {
			options = append(options, oauth2.SetAuthURLParam(name, value))
		}
	}
	if w.MaxAge >= 0 {
		k.Since = c.Now().Add(-w.MaxAge)
		options = append(options, oauth2.SetAuthURLParam("max_age", strconv.Itoa(int(w.MaxAge.Seconds()))))
	}
	return c.oauth().AuthCodeURL(state, options...), k
}

func (c *Client) oauth() *oauth2.Config {
	style := oauth2.AuthStyleInParams
	secret := ""
	switch c.Auth {
	case SecretBasic:
		style, secret = oauth2.AuthStyleInHeader, c.Secret
	case SecretPost:
		secret = c.Secret
	}
	return &oauth2.Config{
		ClientID:     c.ClientID,
		ClientSecret: secret,
		RedirectURL:  c.Redirect,
		Scopes:       c.Scopes,
		Endpoint:     oauth2.Endpoint{AuthURL: c.AuthorizationEndpoint, TokenURL: c.TokenEndpoint, AuthStyle: style},
	}
}

// Finish takes the answer that the browser brought. The caller has found k by its
// state and used it up. Every error is an *evidence.Refusal.
func (c *Client) Finish(ctx context.Context, k Kept, answer url.Values) (evidence.Evidence, error) {
	if err := c.answered(answer); err != nil {
		return evidence.Evidence{}, err
	}
	ctx = gooidc.ClientContext(ctx, c.HTTP)
	token, err := c.exchange(ctx, k, answer.Get("code"))
	if err != nil {
		return evidence.Evidence{}, err
	}
	e, err := c.identify(ctx, k, token)
	if err != nil || c.UserInfoEndpoint == "" || c.Enough != nil && c.Enough(e) {
		return e, err
	}
	return c.withUserInfo(ctx, e, token.AccessToken)
}

// answered refuses an answer that is an error, or another provider's (RFC 9207).
func (c *Client) answered(answer url.Values) error {
	for name, values := range answer {
		if len(values) > 1 {
			return evidence.Refuse(evidence.Shape, "the answer has %.32q twice", name)
		}
	}
	iss := answer.Get("iss")
	if answer.Has("iss") && iss != c.Issuer || !answer.Has("iss") && c.NamesIssuer {
		return evidence.Refuse(evidence.WrongIssuer, "the answer is of %.200q, not of %q", iss, c.Issuer)
	}
	if code := answer.Get("error"); code != "" {
		return evidence.Refuse(kindOf(code), "the provider answers %.64q: %.300q", code, answer.Get("error_description"))
	}
	if answer.Get("code") == "" {
		return evidence.Refuse(evidence.Shape, "the answer has no code")
	}
	return nil
}

// kindOf makes an error code (RFC 6749 section 4.1.2.1, Core section 3.1.2.6) a kind.
func kindOf(code string) evidence.Kind {
	switch code {
	case "access_denied":
		return evidence.Cancelled
	case "login_required", "interaction_required", "consent_required", "account_selection_required":
		return evidence.NeedsPerson
	case "temporarily_unavailable":
		return evidence.Unavailable
	}
	return evidence.ProviderError
}

// exchange makes the code tokens.
func (c *Client) exchange(ctx context.Context, k Kept, code string) (*oauth2.Token, error) {
	var options []oauth2.AuthCodeOption
	if k.Verifier != "" {
		options = append(options, oauth2.VerifierOption(k.Verifier))
	}
	proof, err := c.assertion()
	if err != nil {
		return nil, &evidence.Refusal{Kind: evidence.ProviderError, Detail: "our own proof cannot be signed", Cause: err}
	}
	for name, value := range proof {
		options = append(options, oauth2.SetAuthURLParam(name, value))
	}
	token, err := c.oauth().Exchange(ctx, code, options...)
	var refused *oauth2.RetrieveError
	switch {
	case errors.As(err, &refused) && refused.ErrorCode != "":
		return nil, evidence.Refuse(evidence.ProviderError, "the token endpoint answers %.64q: %.300q",
			refused.ErrorCode, refused.ErrorDescription)
	case errors.As(err, &refused):
		return nil, evidence.Refuse(evidence.Unavailable, "the token endpoint answers with status %d",
			refused.Response.StatusCode)
	case err != nil:
		return nil, &evidence.Refusal{Kind: evidence.Unavailable, Detail: "the token endpoint does not answer", Cause: err}
	}
	return token, nil
}

// identify checks the ID token.
func (c *Client) identify(ctx context.Context, k Kept, token *oauth2.Token) (e evidence.Evidence, err error) {
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return e, evidence.Refuse(evidence.Shape, "there is no ID token: is the scope openid stated?")
	}
	if _, err := c.Keys.VerifySignature(ctx, raw); err != nil { // the library keeps no cause
		return e, err
	}
	early := func() time.Time { return c.Now().Add(-skew) } // what has ended less than skew ago has not
	verifier := gooidc.NewVerifier(c.Issuer, c.Keys, &gooidc.Config{
		ClientID:             c.ClientID,
		SupportedSigningAlgs: names(algorithms),
		Now:                  early,
	})
	id, err := verifier.Verify(ctx, raw)
	if err != nil {
		return e, c.unverified(raw, err)
	}
	claims, err := readClaims(raw)
	if err != nil {
		return e, evidence.Refuse(evidence.Shape, "the ID token: %v", err)
	}
	if err := c.look(k, id, claims); err != nil {
		return e, err
	}
	if id.AccessTokenHash != "" && id.VerifyAccessToken(token.AccessToken) != nil {
		return e, evidence.Refuse(evidence.Signature, "the access token is not the one that the ID token came with")
	}
	return evidence.Evidence{
		Subject: id.Subject,
		Claims:  []map[string]any{claims},
		At:      seconds(claims["auth_time"]),
		Methods: texts(claims["amr"]),
		Key:     keyID(raw),
		Skew:    id.IssuedAt.Sub(c.Now()).Truncate(time.Second),
		Name:    c.Name,
	}, nil
}

// look checks of an ID token what the library leaves to us.
func (c *Client) look(k Kept, id *gooidc.IDToken, claims map[string]any) error {
	azp, stated := claims["azp"].(string)
	switch {
	case k.Nonce == "" || id.Nonce != k.Nonce:
		return evidence.Refuse(evidence.WrongRequest, "the nonce is another")
	case id.IssuedAt.After(c.Now().Add(skew)):
		return evidence.Refuse(evidence.TooEarly, "the ID token was issued at %s, in the future", id.IssuedAt.UTC())
	case stated && azp != c.ClientID || len(id.Audience) > 1 && !stated:
		return evidence.Refuse(evidence.WrongAudience, "the ID token was made for %.200q",
			cmp.Or(azp, strings.Join(id.Audience, " ")))
	case id.Subject == "" || len([]rune(id.Subject)) > mostSubject:
		return evidence.Refuse(evidence.NoSubject, "the subject has %d characters", len([]rune(id.Subject)))
	case !k.Since.IsZero() && seconds(claims["auth_time"]).Before(k.Since.Add(-skew)):
		return evidence.Refuse(evidence.OldProof, "auth_time is %v", claims["auth_time"])
	}
	return nil
}

// unverified makes the library's refusal a kind. The claims of what was not proven
// tell only which.
func (c *Client) unverified(raw string, err error) error {
	var expired *gooidc.TokenExpiredError
	if errors.As(err, &expired) {
		return evidence.Refuse(evidence.TooLate, "the ID token ended at %s", expired.Expiry.UTC())
	}
	claims, readable := readClaims(raw)
	kind := evidence.Signature
	switch {
	case readable != nil:
		kind = evidence.Shape
	case claims["iss"] != c.Issuer:
		kind = evidence.WrongIssuer
	case !slices.Contains(texts(claims["aud"]), c.ClientID):
		kind = evidence.WrongAudience
	case seconds(claims["nbf"]).After(c.Now()):
		kind = evidence.TooEarly
	}
	return &evidence.Refusal{Kind: kind, Detail: "the ID token is refused", Cause: err}
}
