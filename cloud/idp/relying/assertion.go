package relying

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"
)

// assertion returns what the client proves itself with at the token endpoint when it
// does by a signed text (RFC 7523); nil when it does otherwise.
// It is for the token endpoint alone, good for a minute and once.
func (c *Client) assertion() (map[string]string, error) {
	key := jose.SigningKey{}
	switch c.Auth {
	case SecretJWT:
		key = jose.SigningKey{Algorithm: jose.HS256, Key: []byte(c.Secret)}
	case PrivateJWT:
		key = c.signingKey()
	default:
		return nil, nil
	}
	signer, err := jose.NewSigner(key, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return nil, err
	}
	now := c.Now()
	claims, err := json.Marshal(map[string]any{
		"iss": c.ClientID,
		"sub": c.ClientID,
		"aud": c.TokenEndpoint,
		"jti": oauth2.GenerateVerifier(),
		"iat": now.Unix(),
		"exp": now.Add(time.Minute).Unix(),
	})
	if err != nil {
		return nil, err
	}
	signed, err := signer.Sign(claims)
	if err != nil {
		return nil, err
	}
	text, err := signed.CompactSerialize()
	return map[string]string{
		"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
		"client_assertion":      text,
	}, err
}

// signingKey is the client's own, with the algorithm of its type.
// The curve decides how an ECDSA key signs (RFC 7518 section 3.4).
func (c *Client) signingKey() jose.SigningKey {
	key := jose.SigningKey{
		Algorithm: jose.RS256,
		Key:       jose.JSONWebKey{Key: c.Signer, KeyID: c.SignerID},
	}
	switch k := c.Signer.(type) {
	case *ecdsa.PrivateKey:
		key.Algorithm = jose.SignatureAlgorithm(fmt.Sprintf("ES%d", min(512, (k.Curve.Params().BitSize+7)/8*8)))
	case ed25519.PrivateKey:
		key.Algorithm = jose.EdDSA
	}
	return key
}
