package relying

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"ldap-gateway/cloud/evidence"
)

// withUserInfo adds what UserInfo says (Core section 5.3). When it does not answer,
// what only it has is unknown; when it speaks of somebody else, all is refused.
// A failure alone costs no sign-on.
func (c *Client) withUserInfo(ctx context.Context, e evidence.Evidence, token string) (evidence.Evidence, error) {
	claims, err := c.userInfo(ctx, token)
	var refused *evidence.Refusal
	if errors.As(err, &refused) && refused.Kind != evidence.Unavailable {
		return evidence.Evidence{}, refused
	}
	if err != nil {
		e.Failed = true
		return e, nil
	}
	if sub, ok := claims["sub"].(string); !ok || sub != e.Subject {
		return evidence.Evidence{}, evidence.Refuse(evidence.WrongRequest, "UserInfo is about somebody else")
	}
	e.Claims = append([]map[string]any{claims}, e.Claims...)
	return e, nil
}

// userInfo asks the endpoint. An answer that is signed must be signed by the provider,
// and for us.
// What is not signed is believed for the address that it came from.
func (c *Client) userInfo(ctx context.Context, token string) (map[string]any, error) {
	body, header, err := get(ctx, c.HTTP, c.UserInfoEndpoint, token)
	if err != nil {
		return nil, err
	}
	if media, _, _ := mime.ParseMediaType(header.Get("Content-Type")); media != "application/jwt" {
		return decode(body)
	}
	payload, err := c.Keys.VerifySignature(ctx, strings.TrimSpace(string(body)))
	if err != nil {
		return nil, err
	}
	claims, err := decode(payload)
	if err != nil {
		return nil, err
	}
	if iss, ok := claims["iss"]; ok && iss != c.Issuer {
		return nil, evidence.Refuse(evidence.WrongIssuer, "UserInfo is of %.200v", iss)
	}
	// Without aud it is for whoever has the access token.
	if aud := texts(claims["aud"]); aud != nil && !contains(aud, c.ClientID) {
		return nil, evidence.Refuse(evidence.WrongAudience, "UserInfo is for %.200q", aud)
	}
	if end := seconds(claims["exp"]); !end.IsZero() && c.Now().After(end.Add(skew)) {
		return nil, evidence.Refuse(evidence.TooLate, "UserInfo ended at %s", end)
	}
	return claims, nil
}

// contains tells whether a text is among others.
func contains(all []string, one string) bool {
	for _, s := range all {
		if s == one {
			return true
		}
	}
	return false
}

// decode reads an object; numbers keep their digits.
// What comes behind it makes it none.
func decode(body []byte) (claims map[string]any, err error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&claims); err != nil {
		return nil, fmt.Errorf("not an object: %w", err)
	}
	if _, err := d.Token(); claims == nil || !errors.Is(err, io.EOF) {
		return nil, errors.New("not one object")
	}
	return claims, nil
}

// header reads the header of a token.
// What it says is for the log and for finding a key, and proves nothing.
func header(jwt string) (h struct{ Kid string }) {
	first, _, _ := strings.Cut(jwt, ".")
	raw, err := base64.RawURLEncoding.DecodeString(first)
	if err == nil {
		_ = json.Unmarshal(raw, &h) // what cannot be read has none
	}
	return h
}

// keyID is empty when there is none.
func keyID(jwt string) string { return header(jwt).Kid }

// names are those of algorithms, as the library wants them.
func names(all []jose.SignatureAlgorithm) (names []string) {
	for _, a := range all {
		names = append(names, string(a))
	}
	return names
}

// seconds reads a time; the zero time when there is none.
// Beyond what a time can be it is none, so that no claim makes one of the far future.
func seconds(v any) time.Time {
	n, ok := v.(json.Number)
	if !ok {
		return time.Time{}
	}
	f, err := n.Float64()
	if err != nil || f <= 0 || f > 1<<40 {
		return time.Time{}
	}
	return time.Unix(int64(f), 0)
}

// texts reads a text or a list of them; nil when there is none.
// What is no text among others is left out.
func texts(v any) (all []string) {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		for _, element := range v {
			if text, ok := element.(string); ok {
				all = append(all, text)
			}
		}
	}
	return all
}
