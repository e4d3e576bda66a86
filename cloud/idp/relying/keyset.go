package relying

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"

	"ldap-gateway/cloud/evidence"
)

// MostRead is how many keys are read from an address: whoever publishes more would have
// others verify by all of them.
const MostRead = 100

// smallestRSA is the size, in bits, below which an RSA key proves nothing (RFC 7518
// section 3.3). The library understands none of more than 4096.
const smallestRSA = 2048

// algorithms are those that prove something to whoever has no secret.
var algorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512,
	jose.PS256, jose.PS384, jose.PS512,
	jose.ES256, jose.ES384, jose.ES512,
	jose.EdDSA,
}

// parse reads a text that is signed once. Its error is an *evidence.Refusal.
func parse(jwt string) (*jose.JSONWebSignature, error) {
	signed, err := jose.ParseSignedCompact(jwt, algorithms)
	if err != nil || len(signed.Signatures) != 1 {
		return nil, evidence.Refuse(evidence.WeakAlgorithm, "not signed in a way that is taken: %v", err)
	}
	return signed, nil
}

// readSet reads the keys that somebody publishes (RFC 7517 section 5). One that is not
// understood is left out. One that is too small stays, so that what it signs is
// refused by its name; a set that has no other is an error.
func readSet(body []byte) (keys []jose.JSONWebKey, err error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, fmt.Errorf("not a set of keys: %w", err)
	}
	if len(set.Keys) > MostRead {
		return nil, fmt.Errorf("there are %d keys, and more than %d are not read", len(set.Keys), MostRead)
	}
	none := errors.New("there is no key that signs")
	why := none
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		if key.UnmarshalJSON(raw) != nil || !key.Valid() || !key.IsPublic() || key.Use != "" && key.Use != "sig" {
			continue
		}
		keys = append(keys, key)
		if unsized := sized(key); unsized == nil {
			why = nil
		} else if why == none {
			why = fmt.Errorf("%w: %w", none, unsized)
		}
	}
	if why != nil {
		return nil, why
	}
	return keys, nil
}

// sized is an error, which names the key, for one that is too small.
func sized(key jose.JSONWebKey) error {
	public, ok := key.Key.(*rsa.PublicKey)
	if !ok {
		return nil
	}
	if n := public.N.BitLen(); n < smallestRSA {
		return fmt.Errorf("the RSA key %.64q has %d bits, and needs %d", key.KeyID, n, smallestRSA)
	}
	return nil
}

// holds tells whether a key of that ID is among them; without an ID any will do.
func holds(keys []jose.JSONWebKey, id string) bool {
	for _, key := range keys {
		if id == "" || key.KeyID == id {
			return true
		}
	}
	return false
}

// fits tells whether a key is one for an algorithm (RFC 7518 section 3.1). A key that says
// its algorithm takes no other: what it proves by another is worth nothing (RFC 8725
// section 3.1).
func fits(key jose.JSONWebKey, algorithm string) bool {
	if cmp.Or(key.Algorithm, algorithm) != algorithm {
		return false
	}
	switch public := key.Key.(type) {
	case *rsa.PublicKey:
		return algorithm[:2] == "RS" || algorithm[:2] == "PS"
	case *ecdsa.PublicKey:
		return algorithm == map[int]string{256: "ES256", 384: "ES384", 521: "ES512"}[public.Curve.Params().BitSize]
	case ed25519.PublicKey:
		return algorithm == string(jose.EdDSA)
	}
	return false
}

// candidates are the keys that may have signed something of that header: the one that has
// its key ID; without such, those that have none, because a key need not (RFC 7517 section
// 4.5); all when the header has none either.
func candidates(header jose.Header, keys []jose.JSONWebKey) (some []jose.JSONWebKey) {
	for _, key := range keys {
		switch {
		case !fits(key, header.Algorithm):
		case header.KeyID != "" && key.KeyID == header.KeyID:
			return []jose.JSONWebKey{key}
		case header.KeyID == "" || key.KeyID == "":
			some = append(some, key)
		}
	}
	return some
}

// verify returns the payload when one of the keys proves it. Its error is an
// *evidence.Refusal; when the request has ended meanwhile, one that says so.
func verify(ctx context.Context, signed *jose.JSONWebSignature, keys []jose.JSONWebKey) ([]byte, error) {
	header := signed.Signatures[0].Header
	some := candidates(header, keys)
	var why error
	for _, key := range some {
		if err := ctx.Err(); err != nil {
			return nil, &evidence.Refusal{Kind: evidence.Unavailable, Detail: "the request has ended", Cause: err}
		}
		if err := sized(key); err != nil {
			why = evidence.Refuse(evidence.WeakAlgorithm, "%v", err)
			continue
		}
		if payload, err := signed.Verify(&key); err == nil {
			return payload, nil
		}
	}
	switch {
	case why != nil && len(some) == 1:
		return nil, why
	case holds(keys, header.KeyID):
		return nil, evidence.Refuse(evidence.Signature, "the key %.64q does not prove it", header.KeyID)
	}
	return nil, evidence.Refuse(evidence.UnknownKey, "there is no key %.64q", header.KeyID)
}
