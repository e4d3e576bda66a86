package relying

import (
	"context"
	"crypto"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"ldap-gateway/cloud/evidence"
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
// Nobody else may read it: with the verifier a code that was stolen could be used.
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
// Nothing is sent to the provider, and nothing kept.
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

// oauth has the secret only where it is sent as it is; otherwise the client ID alone
// goes with the form (RFC 6749 section 2.3.1).
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
	// A parameter must not come twice (RFC 6749 section 3.1): which of two counts is a
	// matter of opinion.
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
// What is not named here is an error that an administrator has to look at.
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
// Its error has what the provider says of it, cut, and neither code nor secret.
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
