package oidc_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"

	"ldap-gateway/cloud/oidc/clienttest"
	"ldap-gateway/cloud/presets"
	"ldap-gateway/cloud/store"
)

// assertionType is of RFC 7523 section 2.2.
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// newKeyOf makes a private key for an algorithm.
func newKeyOf(algorithm jose.SignatureAlgorithm) any {
	switch algorithm {
	case jose.ES256:
		return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	case jose.ES384:
		return must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	case jose.EdDSA:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return must(key, err)
	}
	return must(rsa.GenerateKey(rand.Reader, 2048))
}

// keySet is keys as somebody publishes them.
func keySet(keys ...jose.JSONWebKey) string {
	set := jose.JSONWebKeySet{}
	for _, k := range keys {
		set.Keys = append(set.Keys, k.Public())
	}
	return string(must(json.Marshal(set)))
}

// assertion signs claims.
func assertion(key jose.JSONWebKey, algorithm jose.SignatureAlgorithm, claims map[string]any) string {
	signer := must(jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, nil))
	return must(must(signer.Sign(must(json.Marshal(claims)))).CompactSerialize())
}

// proof is what an application says of itself, with changes: what is nil is left out.
func (s *site) proof(change map[string]any) map[string]any {
	claims := map[string]any{
		"iss": s.app.ID, "sub": s.app.ID, "aud": s.server.Issuer(s.env), "jti": rand.Text(),
		"exp": s.now().Add(time.Minute).Unix(), "iat": s.now().Unix(),
	}
	for name, value := range change {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	return claims
}

// asserts asks an endpoint, proving the application by an assertion.
func (s *site) asserts(path, assertion string, form url.Values) (int, map[string]any) {
	s.t.Helper()
	form = with(form, "client_assertion_type", assertionType, "client_assertion", assertion)
	resp, body := s.ask(path, form)
	answer := map[string]any{}
	_ = json.Unmarshal([]byte(body), &answer)
	return resp.StatusCode, answer
}

// proves has the application prove itself by a key.
func (s *site) proves(set, at string) {
	s.t.Helper()
	s.app.OpenID.JWKS, s.app.OpenID.JWKSURL, s.app.SecretHash = set, at, nil
	check(s.t, s.db.UpdateApplication(s.t.Context(), &s.app))
}

// TestProofByKey: by every algorithm that is told, each endpoint takes a proof once.
func TestProofByKey(t *testing.T) {
	for _, algorithm := range []jose.SignatureAlgorithm{jose.RS256, jose.PS384, jose.ES256, jose.ES384, jose.EdDSA} {
		t.Run(string(algorithm), func(t *testing.T) {
			s := start(t)
			key := jose.JSONWebKey{Key: newKeyOf(algorithm), KeyID: "k"}
			s.proves(keySet(jose.JSONWebKey{Key: newKeyOf(jose.RS256), KeyID: "other"}, key), "")
			issuer := s.server.Issuer(s.env)
			code, verifier := s.browser().code(must2(s.relying("offline_access")))
			tokens := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "code_verifier": {verifier}, "redirect_uri": {redirect}}
			status, got := s.asserts("/token", assertion(key, algorithm, s.proof(map[string]any{"aud": issuer + "/token"})), tokens)
			if status != http.StatusOK {
				t.Fatalf("%d %v", status, got)
			}
			access, refresh := fmt.Sprint(got["access_token"]), fmt.Sprint(got["refresh_token"])
			push := url.Values{
				"response_type": {"code"}, "scope": {"openid"}, "redirect_uri": {redirect},
				"code_challenge": {oauth2.S256ChallengeFromVerifier(verifier)}, "code_challenge_method": {"S256"},
			}
			for _, c := range []struct {
				path string
				aud  any
				form url.Values
				want int
			}{
				{"/introspect", []string{"x", issuer + "/introspect"}, url.Values{"token": {access}}, 200},
				{"/par", issuer + "/par", push, 201},
				{"/token", issuer, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}}, 200},
				{"/revoke", issuer + "/token", url.Values{"token": {access}}, 200},
			} {
				one := assertion(key, algorithm, s.proof(map[string]any{"aud": c.aud}))
				if status, got := s.asserts(c.path, one, c.form); status != c.want || c.path == "/introspect" && got["active"] != true {
					t.Errorf("%s: %d %v", c.path, status, got)
				}
				if status, got := s.asserts(c.path, one, c.form); status != 401 || got["error"] != "invalid_client" {
					t.Errorf("%s once more: %d %v", c.path, status, got)
				}
			}
		})
	}
}

func must2[A, B any](a A, _ B) A { return a }

// TestProofsThatAreNone: each is refused with invalid_client, and costs no code.
func TestProofsThatAreNone(t *testing.T) {
	s := start(t)
	key, other := jose.JSONWebKey{Key: newKeyOf(jose.RS256), KeyID: "k"}, jose.JSONWebKey{Key: newKeyOf(jose.RS256), KeyID: "k"}
	s.proves(keySet(key), "")
	another := s.app
	another.ID, another.Name, another.OpenID.JWKS = "", "Other", keySet(other)
	check(t, s.db.CreateApplication(t.Context(), &another))
	code, verifier := s.browser().code(must2(s.relying()))
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "code_verifier": {verifier}, "redirect_uri": {redirect}}
	in := func(d time.Duration) int64 { return s.now().Add(d).Unix() }
	refuses := func(name, one string, form url.Values) {
		t.Helper()
		status, got := s.asserts("/token", one, form)
		if status != http.StatusUnauthorized || got["error"] != "invalid_client" || got["error_description"] == "" {
			t.Errorf("%s: %d %v", name, status, got)
		}
	}
	for name, change := range map[string]map[string]any{
		"no-iss": {"iss": nil}, "no-sub": {"sub": nil}, "another-sub": {"sub": another.ID}, "another-iss": {"iss": another.ID},
		"of-another": {"iss": another.ID, "sub": another.ID}, "of-nobody": {"iss": "x", "sub": "x"},
		"no-aud": {"aud": nil}, "another-aud": {"aud": "https://other.example/token"}, "many-aud": {"aud": []string{"a", "b"}},
		"aud-of-the-environment": {"aud": s.url + "/" + s.env}, "aud-number": {"aud": 7},
		"no-exp": {"exp": nil}, "exp-text": {"exp": "soon"}, "over": {"exp": in(-2 * time.Minute)}, "too-long": {"exp": in(3 * time.Hour)},
		"exp-for-ever": {"exp": 1e300}, "exp-before-time": {"exp": -5}, "exp-in-milliseconds": {"exp": s.now().Add(time.Minute).UnixMilli()},
		"nbf-later": {"nbf": in(time.Hour)}, "iat-later": {"iat": in(time.Hour)},
		"no-jti": {"jti": nil}, "empty-jti": {"jti": ""}, "long-jti": {"jti": strings.Repeat("x", 1000)}, "jti-number": {"jti": 5},
	} {
		refuses(name, assertion(key, jose.RS256, s.proof(change)), form)
	}
	good := assertion(key, jose.RS256, s.proof(nil))
	parts := strings.Split(good, ".")
	secret := jose.JSONWebKey{Key: []byte(keySet(key))} // the public key taken for a secret
	for name, one := range map[string]string{
		"empty": "", "no-jwt": "x", "two-parts": parts[0] + "." + parts[1], "no-signature": parts[0] + "." + parts[1] + ".",
		"none":            "eyJhbGciOiJub25lIn0." + parts[1] + ".",
		"by-another-key":  assertion(other, jose.RS256, s.proof(nil)),
		"by-a-secret":     assertion(secret, jose.HS256, s.proof(nil)),
		"of-another-text": parts[0] + "." + strings.Split(assertion(key, jose.RS256, s.proof(nil)), ".")[1] + "." + parts[2],
		"too-large":       assertion(key, jose.RS256, s.proof(map[string]any{"x": strings.Repeat("x", 20_000)})),
	} {
		refuses(name, one, form)
	}
	refuses("another-client-id", assertion(key, jose.RS256, s.proof(nil)), with(form, "client_id", another.ID))
	for name, more := range map[string]url.Values{
		"secret-alone": {"client_id": {s.app.ID}, "client_secret": {s.secret}},
		"nothing":      {"client_id": {s.app.ID}},
		"another-type": {"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:saml2-bearer"}, "client_assertion": {good}},
		"no-type":      {"client_assertion": {good}},
		"no-assertion": {"client_assertion_type": {assertionType}},
	} {
		for k, v := range form {
			more[k] = v
		}
		if resp, body := s.ask("/token", more); resp.StatusCode != http.StatusUnauthorized || !strings.Contains(body, "invalid_client") {
			t.Errorf("%s: %d %s", name, resp.StatusCode, body)
		}
	}
	both := with(form, "client_id", s.app.ID, "client_secret", s.secret)
	if status, got := s.asserts("/token", assertion(key, jose.RS256, s.proof(nil)), both); status != 400 || got["error"] != "invalid_request" {
		t.Errorf("two ways at once: %d %v", status, got)
	}
	if status, got := s.asserts("/token", good, form); status != http.StatusOK { // none of them has cost the code
		t.Errorf("%d %v", status, got)
	}
	s.proves("", "")
	refuses("an application with a secret", assertion(key, jose.RS256, s.proof(nil)), form)
}

// TestKeysAtAnAddress: new keys there are found, what is gone is taken for a while at most, and
// strangers do not have them read again and again.
func TestKeysAtAnAddress(t *testing.T) {
	s := start(t)
	one, two := jose.JSONWebKey{Key: newKeyOf(jose.ES256), KeyID: "1"}, jose.JSONWebKey{Key: newKeyOf(jose.ES256), KeyID: "2"}
	var set atomic.Value
	var reads atomic.Int64
	set.Store(keySet(one))
	at := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reads.Add(1)
		_, _ = w.Write([]byte(set.Load().(string)))
	}))
	defer at.Close()
	s.proves("", at.URL)
	asks := func(key jose.JSONWebKey) int {
		status, _ := s.asserts("/introspect", assertion(key, jose.ES256, s.proof(nil)), url.Values{"token": {"x"}})
		return status
	}
	if status := asks(one); status != 200 {
		t.Fatal(status)
	}
	set.Store(keySet(two))
	if status := asks(two); status != 200 {
		t.Errorf("a new key: %d", status)
	}
	if status := asks(one); status != 401 {
		t.Errorf("a key that is gone: %d", status)
	}
	before := reads.Load()
	for range 20 {
		asks(jose.JSONWebKey{Key: one.Key, KeyID: rand.Text()})
	}
	if n := reads.Load() - before; n > 1 {
		t.Errorf("20 strangers had the keys read %d times", n)
	}
	at.Close()
	if status := asks(two); status != 200 {
		t.Errorf("while the address is away: %d", status)
	}
}

// TestClientsByKey: other people's programs prove themselves by a key.
func TestClientsByKey(t *testing.T) {
	for _, k := range clienttest.Kinds() {
		switch k.Name {
		case "openid-client":
			for _, algorithm := range []jose.SignatureAlgorithm{jose.RS256, jose.ES256} {
				s := start(t)
				key := jose.JSONWebKey{Key: newKeyOf(algorithm), KeyID: "k"}
				s.app.OpenID.JWKS, s.app.SecretHash = keySet(key), nil
				at, _ := s.register(k, store.PKCES256, "KEY="+string(must(json.Marshal(key))))
				if p := s.visit(at, "alice", "wonderland"); !strings.Contains(p.page, s.alice.ID) || !strings.Contains(p.page, `"active":true`) {
					t.Errorf("%s by %s: %d %s %s", k.Name, algorithm, p.status, p.url, p.page)
				}
			}
		case "apache":
			s := start(t)
			at := clienttest.New(t, k)
			key := must(rsa.GenerateKey(rand.Reader, 2048))
			der := must(x509.MarshalPKCS8PrivateKey(key))
			file := at.Write("key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
			template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
			der = must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
			public := at.Write("key.crt", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
			preset, _ := presets.Of("apache")
			s.app.ID, s.app.Name = "", "Apache"
			preset.Fill(&s.app, at.URL)
			s.app.OpenID.JWKS, s.app.SecretHash = keySet(jose.JSONWebKey{Key: key, KeyID: "k"}), nil
			check(t, s.db.CreateApplication(t.Context(), &s.app))
			lines := must(preset.Lines(s.app, s.server.Issuer(s.env), ""))
			at.Apache(strings.NewReplacer("/etc/apache2/oidc.key", file, "/etc/apache2/oidc.pem", public).Replace(lines))
			b := &browser{site: s, http: http.Client{Jar: must(cookiejar.New(nil)), Transport: html{}}}
			if p := b.signOn(b.get(at.URL+"/"), "alice", "wonderland"); !strings.Contains(p.page, s.alice.ID) {
				t.Errorf("%s: %d %s %.600s", k.Name, p.status, p.url, p.page)
			}
		}
	}
}
