package administrators

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/storetest"
	"ldap-gateway/cloud/vault"
)

// office is a desk over a real store, with one administrator.
type office struct {
	*Authenticator
	t     testing.TB
	admin store.Administrator
	now   time.Time
}

const site = "https://id.example.com"

func newOffice(t testing.TB) *office {
	t.Helper()
	db, err := store.Open(t.Context(), storetest.File(t))
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	v, err := vault.New(make([]byte, 32))
	must(t, err)
	o := &office{t: t, now: time.Now().UTC().Truncate(time.Minute)}
	o.Authenticator = &Authenticator{Store: db, Vault: v, URLs: []string{site}, Now: func() time.Time { return o.now }}
	env := store.Environment{Name: "Example"}
	must(t, db.CreateEnvironment(t.Context(), &env))
	o.admin = store.Administrator{EnvironmentID: env.ID, Name: "ada", Role: store.RoleOwner}
	must(t, db.CreateAdministrator(t.Context(), &o.admin))
	return o
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// unproven fails unless an error says that what was shown proves nothing.
func unproven(t testing.TB, what string, err error) {
	t.Helper()
	if !errors.Is(err, ErrProof) {
		t.Errorf("%s: %v", what, err)
	}
}

// authenticator is a security key in software (W3C Web Authentication Level 3,
// sections 6.1 and 6.5), with what it does wrong as fields.
type authenticator struct {
	t       testing.TB
	key     *ecdsa.PrivateKey
	id      []byte
	handle  []byte // of the account, as it was told when it was made
	counter uint32

	origin     string // of the page that asks
	unverified bool   // it does not ask its holder for a PIN
	challenge  []byte // another than it was asked with
}

func newAuthenticator(t testing.TB) *authenticator {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	id := make([]byte, 16)
	rand.Read(id)
	return &authenticator{t: t, key: key, id: id, origin: site}
}

// asked is what a browser is asked.
type asked struct {
	Challenge string
	RP        struct{ ID string }
	RPID      string `json:"rpId"`
	User      struct{ ID string }
	Exclude   []struct{ ID string } `json:"excludeCredentials"`
}

func (a *authenticator) read(options []byte) (q asked) {
	a.t.Helper()
	must(a.t, json.Unmarshal(options, &q))
	return q
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (a *authenticator) decode(text string) []byte {
	a.t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(text)
	must(a.t, err)
	return b
}

// client is what the browser adds of its own.
func (a *authenticator) client(kind string, q asked) []byte {
	a.t.Helper()
	challenge := q.Challenge
	if a.challenge != nil {
		challenge = encode(a.challenge)
	}
	b, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": a.origin})
	must(a.t, err)
	return b
}

// data begins what the key says of itself.
func (a *authenticator) data(rp string, flags byte) []byte {
	sum := sha256.Sum256([]byte(rp))
	flags |= 0x01 // somebody is there
	if !a.unverified {
		flags |= 0x04
	}
	a.counter++
	return binary.BigEndian.AppendUint32(append(sum[:], flags), a.counter)
}

// create answers the making of a passkey.
func (a *authenticator) create(options []byte) []byte {
	a.t.Helper()
	q := a.read(options)
	a.handle = a.decode(q.User.ID)
	public, err := cbor.Marshal(map[int]any{
		1:  2,
		3:  -7,
		-1: 1,
		-2: a.key.X.FillBytes(make([]byte, 32)),
		-3: a.key.Y.FillBytes(make([]byte, 32)),
	})
	must(a.t, err)
	data := append(a.data(q.RP.ID, 0x40), make([]byte, 16)...)
	data = binary.BigEndian.AppendUint16(data, uint16(len(a.id)))
	data = append(append(data, a.id...), public...)
	attestation, err := cbor.Marshal(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": data})
	must(a.t, err)
	return a.answer(map[string]any{
		"clientDataJSON":    encode(a.client("webauthn.create", q)),
		"attestationObject": encode(attestation),
	})
}

// get answers a sign-in.
func (a *authenticator) get(options []byte) []byte {
	a.t.Helper()
	q := a.read(options)
	data, client := a.data(q.RPID, 0), a.client("webauthn.get", q)
	hash := sha256.Sum256(client)
	digest := sha256.Sum256(append(append([]byte{}, data...), hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, a.key, digest[:])
	must(a.t, err)
	return a.answer(map[string]any{
		"clientDataJSON":    encode(client),
		"authenticatorData": encode(data),
		"signature":         encode(signature),
		"userHandle":        encode(a.handle),
	})
}

func (a *authenticator) answer(response map[string]any) []byte {
	a.t.Helper()
	b, err := json.Marshal(map[string]any{
		"id":       encode(a.id),
		"rawId":    encode(a.id),
		"type":     "public-key",
		"response": response,
	})
	must(a.t, err)
	return b
}
