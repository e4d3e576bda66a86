package relying

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// The bounds of a set of keys that somebody states.
const (
	MostFixed = 16 << 10 // bytes
	mostKeys  = 20
)

// Algorithms names those that prove something to whoever has no secret.
func Algorithms() (names []string) {
	for _, a := range algorithms {
		names = append(names, string(a))
	}
	return names
}

// FixedKeys are those of a set that is stated and not read.
type FixedKeys []jose.JSONWebKey

// ParseKeys reads a set of public keys (RFC 7517 section 5), as JSON. A key that is not for
// signing is left out; one that is private, or a secret, is an error: it must not be here.
func ParseKeys(text string) (FixedKeys, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if len(text) > MostFixed {
		return nil, fmt.Errorf("it has more than %d bytes", MostFixed)
	}
	if err := json.Unmarshal([]byte(text), &set); err != nil {
		return nil, errors.New(`it is no set of keys: {"keys":[…]} in JSON`)
	}
	var keys FixedKeys
	for i, raw := range set.Keys {
		var key jose.JSONWebKey
		if err := key.UnmarshalJSON(raw); err != nil || !key.Valid() {
			return nil, fmt.Errorf("key %d is none that is known", i+1)
		}
		if !key.IsPublic() {
			return nil, fmt.Errorf("key %d is private, or a secret: keep that, and give the public key", i+1)
		}
		if err := sized(key); err != nil {
			return nil, err
		}
		if key.Use == "" || key.Use == "sig" {
			keys = append(keys, key)
		}
	}
	switch {
	case len(keys) == 0:
		return nil, errors.New("there is no key that signs")
	case len(keys) > mostKeys:
		return nil, fmt.Errorf("there are more than %d keys", mostKeys)
	}
	return keys, nil
}

// VerifySignature returns the payload of a signed text. Its error is an *evidence.Refusal.
func (k FixedKeys) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	signed, err := parse(jwt)
	if err != nil {
		return nil, err
	}
	return verify(ctx, signed, k)
}
