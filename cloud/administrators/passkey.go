package administrators

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"ldap-gateway/cloud/store"
)

// ErrNoPasskeys says that the console is not opened by a name that browsers keep
// passkeys for, over TLS.
var ErrNoPasskeys = errors.New("passkeys need a host name and TLS")

// ceremonyTime is how long a person has to show or make a passkey.
const ceremonyTime = 5 * time.Minute

// Ceremony is what a browser is asked, and what has to be kept until it answers.
type Ceremony struct {
	Options []byte // JSON for the browser
	State   []byte // for the session; not for the browser
}

// holder is an administrator or a user as the library knows them.
type holder struct {
	id, name    string
	credentials []webauthn.Credential
}

// WebAuthnID implements webauthn.User.
func (h holder) WebAuthnID() []byte { return []byte(h.id) }

// WebAuthnName implements webauthn.User.
func (h holder) WebAuthnName() string { return h.name }

// WebAuthnDisplayName implements webauthn.User.
func (h holder) WebAuthnDisplayName() string { return h.name }

// WebAuthnCredentials implements webauthn.User.
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.credentials }

// holderOf returns an administrator with the passkeys.
func (d *Authenticator) holderOf(ctx context.Context, a store.Administrator) (holder, error) {
	all, err := d.Store.Passkeys(ctx, a.ID)
	if err != nil {
		return holder{}, err
	}
	return holderWith(a.ID, a.Name, all)
}

// holderWith returns whoever has some passkeys.
func holderWith(id, name string, all []store.Passkey) (holder, error) {
	h := holder{id: id, name: name}
	for _, p := range all {
		var c webauthn.Credential
		if err := json.Unmarshal(p.Credential, &c); err != nil {
			return h, fmt.Errorf("passkey %s: %w", p.ID, err)
		}
		h.credentials = append(h.credentials, c)
	}
	return h, nil
}

// site returns the relying party of the console, at its first address that has a
// name: a passkey belongs to a name, and no other site gets it.
// Of several addresses those count that have the first one's name: a passkey that was
// made at one could not be used at another. Without TLS browsers have none, but on their own machine.
func (d *Authenticator) site() (*webauthn.WebAuthn, error) {
	limit := webauthn.TimeoutConfig{Enforce: true, Timeout: ceremonyTime, TimeoutUVD: ceremonyTime}
	cfg := &webauthn.Config{
		RPDisplayName:         "ldap-cloud",
		AttestationPreference: protocol.PreferNoAttestation,
		Timeouts:              webauthn.TimeoutsConfig{Login: limit, Registration: limit},
	}
	for _, text := range d.URLs {
		u, err := url.Parse(text)
		if err != nil {
			continue
		}
		name, origin := u.Hostname(), u.Scheme+"://"+u.Host
		if ip := net.ParseIP(name); ip != nil && ip.IsLoopback() { // the same place has a name as well
			name = "localhost"
			origin = u.Scheme + "://" + name + portOf(u)
		}
		bare := u.Scheme != "https" && name != "localhost" && !strings.HasSuffix(name, ".localhost")
		if bare || net.ParseIP(name) != nil || cfg.RPID != "" && cfg.RPID != name {
			continue
		}
		cfg.RPID = name
		if !slices.Contains(cfg.RPOrigins, origin) {
			cfg.RPOrigins = append(cfg.RPOrigins, origin)
		}
	}
	if cfg.RPID == "" {
		return nil, ErrNoPasskeys
	}
	return webauthn.New(cfg)
}

// portOf is the port of an origin with its colon; an origin with the usual port has
// none (RFC 6454 section 6.2).
func portOf(u *url.URL) string {
	if u.Port() == "" {
		return ""
	}
	return ":" + u.Port()
}

// PasskeySite is where passkeys can be made and shown.
type PasskeySite struct {
	Name    string   // the host name that they are kept for; empty: there is none
	Origins []string // of the addresses at which browsers give them (RFC 6454)
}

// At is the origins as a page has them, beside which a browser holds its own: what the request says of the host
// may be a proxy's.
func (s PasskeySite) At() string { return strings.Join(s.Origins, " ") }

// PasskeySite returns where passkeys can be had; one without a name when that is nowhere.
func (d *Authenticator) PasskeySite() PasskeySite {
	w, err := d.site()
	if err != nil {
		return PasskeySite{}
	}
	return PasskeySite{w.Config.RPID, w.Config.RPOrigins}
}

// ceremony is what the browser is asked, and what must be remembered until it answers.
// The state is kept by the caller in its session, and never sent.
func ceremony(options any, s *webauthn.SessionData, err error) (c Ceremony, _ error) {
	if err != nil {
		return c, err
	}
	if c.Options, err = json.Marshal(options); err != nil {
		return c, err
	}
	c.State, err = json.Marshal(s)
	return c, err
}

// AskNewPasskey begins the making of a passkey. ErrNoPasskeys where none can be.
func (d *Authenticator) AskNewPasskey(ctx context.Context, a store.Administrator) (Ceremony, error) {
	h, err := d.holderOf(ctx, a)
	if err != nil {
		return Ceremony{}, err
	}
	return d.askNew(h, protocol.AuthenticatorSelection{
		ResidentKey:      protocol.ResidentKeyRequirementRequired,
		UserVerification: protocol.VerificationRequired,
	})
}

// askNew begins the making of a passkey for whom it is to be.
func (d *Authenticator) askNew(h holder, kind protocol.AuthenticatorSelection) (Ceremony, error) {
	w, err := d.site()
	if err != nil {
		return Ceremony{}, err
	}
	options, s, err := w.BeginRegistration(h,
		webauthn.WithAuthenticatorSelection(kind),
		webauthn.WithExclusions(webauthn.Credentials(h.credentials).CredentialDescriptors()))
	if err != nil {
		return Ceremony{}, err
	}
	return ceremony(options.Response, s, nil)
}

// NewPasskey returns what a browser made, to be stored. ErrProof when it does not
// answer the question.
func (d *Authenticator) NewPasskey(
	ctx context.Context, a store.Administrator, state, answer []byte, name string,
) (p store.Passkey, err error) {
	h, err := d.holderOf(ctx, a)
	if err != nil {
		return p, err
	}
	p = store.Passkey{EnvironmentID: a.EnvironmentID, AdministratorID: a.ID, Name: name}
	return p, d.made(h, state, answer, &p)
}

// made fills in what a browser made, by its answer. ErrProof when that does not answer the question.
func (d *Authenticator) made(h holder, state, answer []byte, p *store.Passkey) error {
	w, s, err := d.resume(state)
	if err != nil {
		return err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrProof, err)
	}
	made, err := w.CreateCredential(h, s, parsed)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrProof, err)
	}
	p.ID = idOf(made.ID)
	p.Credential, err = json.Marshal(made)
	return err
}

// AskPasskey begins a sign-in by whatever passkey the browser has for this site.
func (d *Authenticator) AskPasskey() (Ceremony, error) {
	w, err := d.site()
	if err != nil {
		return Ceremony{}, err
	}
	options, s, err := w.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return Ceremony{}, err
	}
	return ceremony(options.Response, s, nil)
}

// CheckPasskey returns whose passkey a browser has shown. ErrProof when it does
// not answer the question, nobody has that passkey any more, or it looks like a
// copy: its counter went back.
func (d *Authenticator) CheckPasskey(ctx context.Context, state, answer []byte) (a store.Administrator, err error) {
	w, s, err := d.resume(state)
	if err != nil {
		return a, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return a, fmt.Errorf("%w: %w", ErrProof, err)
	}
	var p store.Passkey
	used, err := w.ValidateDiscoverableLogin(func(id, handle []byte) (webauthn.User, error) {
		var err error
		if p, err = d.Store.Passkey(ctx, idOf(id)); err != nil {
			return nil, err
		}
		if a, err = d.Store.AdministratorByID(ctx, p.EnvironmentID, p.AdministratorID); err != nil {
			return nil, err
		}
		if !bytes.Equal(handle, []byte(a.ID)) {
			return nil, store.ErrNotFound
		}
		return d.holderOf(ctx, a)
	}, s, parsed)
	if err != nil {
		return a, fmt.Errorf("%w: %w", ErrProof, err)
	}
	if err := d.used(&p, used); err != nil {
		return a, err
	}
	return a, d.Store.UpdatePasskey(ctx, &p)
}

// used has a passkey be as it is after it was shown. ErrProof when it looks like a copy.
func (d *Authenticator) used(p *store.Passkey, shown *webauthn.Credential) (err error) {
	if shown.Authenticator.CloneWarning {
		return fmt.Errorf("%w: its counter went back: it may be a copy", ErrProof)
	}
	p.UsedAt = d.now()
	p.Credential, err = json.Marshal(shown)
	return err
}

// resume returns the relying party and the ceremony that was begun.
func (d *Authenticator) resume(state []byte) (w *webauthn.WebAuthn, s webauthn.SessionData, err error) {
	if len(state) == 0 || json.Unmarshal(state, &s) != nil {
		return nil, s, fmt.Errorf("%w: nothing was asked, or too long ago", ErrProof)
	}
	w, err = d.site()
	return w, s, err
}

func idOf(credential []byte) string { return base64.RawURLEncoding.EncodeToString(credential) }
