package idp

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/time/rate"

	"ldap-gateway/cloud/evidence"
	"ldap-gateway/cloud/idp/relying"
	"ldap-gateway/cloud/idp/samlsp"
	"ldap-gateway/cloud/provisioner"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/web"
)

// journeyTime is how long a person may take at a provider; arrivalTime how long a
// browser may take to come for what was proven.
const (
	journeyTime = 10 * time.Minute
	arrivalTime = 2 * time.Minute
)

// ErrOff says that a provider is disabled, or is none of the environment's.
var ErrOff = errors.New("the identity provider is disabled")

// Sealer keeps secrets so that nobody else reads or makes them; *vault.Vault does.
type Sealer interface {
	Seal(purpose, owner string, secret []byte) []byte
	Open(purpose, owner string, sealed []byte) ([]byte, error)
	SealText(purpose, owner string, plain []byte) string
	OpenText(purpose, owner, text string) ([]byte, error)
}

// Desk signs people on through identity providers. Safe for concurrent use.
type Desk struct {
	Store       *store.Store
	Vault       Sealer
	Provisioner *provisioner.Provisioner
	URL         string // that people know this cloud by
	HTTP        *http.Client
	Counted     func(so store.SignOn) // told of each that ended; nil: nobody
	Logger      hclog.Logger
	Now         func() time.Time // nil: time.Now

	mu    sync.Mutex
	keys  map[string]*relying.Keys // by address
	noted *rate.Sometimes          // lines about refusals
}

// A refusal costs whoever causes it nothing, so not each is worth a line.
const (
	firstLines = 100
	lineEvery  = time.Second
)

// note writes a line about a refusal, unless there were many lately.
// The first hundred come all, then one in a second.
func (d *Desk) note(line func()) {
	d.mu.Lock()
	if d.noted == nil {
		d.noted = &rate.Sometimes{First: firstLines, Interval: lineEvery}
	}
	noted := d.noted
	d.mu.Unlock()
	noted.Do(line)
}

// now is the time of day, which tests set.
func (d *Desk) now() time.Time {
	if d.Now == nil {
		return time.Now()
	}
	return d.Now()
}

// Wish is what a sign-on is for, and what whoever wants it asks.
type Wish struct {
	Flow     string        // of the application; empty: none
	Then     string        // where the person goes without one
	Hint     string        // whom the person says to be; it is told only if the provider's setting says so
	Anew     bool          // the person is to prove it anew
	Silent   bool          // no page may be shown
	MaxAge   time.Duration // that the proof may have; negative: any
	ACR      []string
	Trial    bool // nothing is written: an administrator wants to see
	TrialFor string
}

// Going is how a browser gets to a provider.
type Going struct {
	Address string
	Form    string // SAMLRequest, to be posted; empty: the address is all
	Relay   string // of the form
	Cookie  Cookie
}

// Cookie is what the browser keeps until it is back.
// Each sign-on under way has one of its own, so that two windows do not take each
// other's.
type Cookie struct {
	Suffix string // of its name
	Value  string
	Life   time.Duration
}

// cookieName is the name of the cookies that journeys are in, without the suffix.
const cookieName = "ldap-cloud-idp-"

// CookieName is what the names of journeys' cookies begin with. Secure says that people
// reach this cloud over TLS.
func CookieName(secure bool) string { return web.Cookie(cookieName, "/", secure).Name }

// HTTP is the cookie as a browser gets it; one without a value is forgotten there.
// The time that the browser keeps it is a courtesy: what is sealed has its own.
func (c Cookie) HTTP(env string, secure bool) *http.Cookie {
	like := web.Cookie(cookieName+c.Suffix, "/"+env, secure)
	age := int(c.Life.Seconds())
	if c.Value == "" {
		age = -1
	}
	return &http.Cookie{
		Name:     like.Name,
		Value:    c.Value,
		Path:     like.Path,
		MaxAge:   age,
		Secure:   like.Secure,
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	}
}

// Arrived is who came back.
type Arrived struct {
	SignOn  store.SignOn
	At      time.Time    // when the person proved it, as the provider says; else now
	Until   time.Time    // when the session at the provider ends; zero: not said
	Methods []string     // how, of a provider that is trusted with it; nil: not said
	Factor  store.Factor // that the provider asked for and is trusted with; empty: none
	Flow    string
	Then    string
	Cookie  string // suffix of the cookie that has had its use
	Trial   *Trial // of a sign-on that an administrator tries; nil: of no other
}

// Refused is why nobody is signed on.
type Refused struct {
	*evidence.Refusal
	ID       string // that the administrator finds it by
	Provider string // ID
	Flow     string // that it was for; empty: none, or not known
	Then     string
	Silent   bool   // the application wants no page
	Cookie   string // suffix of the cookie that has had its use; empty: none
	Text     string // what the person is told; empty: the refusal's own sentence
}

// Sentence is what the person is told.
func (r *Refused) Sentence() string { return cmp.Or(r.Text, r.Refusal.Sentence()) }

// Unwrap returns the refusal.
func (r *Refused) Unwrap() error { return r.Refusal }

// Begin starts a sign-on at a provider. ErrOff when it is disabled or none of the
// environment's.
// A trial begins at a disabled one, too. Nothing is written.
func (d *Desk) Begin(ctx context.Context, env, provider string, w Wish) (g Going, err error) {
	p, err := d.provider(ctx, env, provider)
	if err != nil {
		return g, err
	}
	if !p.Enabled && !w.Trial {
		return g, ErrOff
	}
	if !p.Config.TellsUsername {
		w.Hint = ""
	}
	w.Hint, w.ACR = fitting(w.Hint, w.ACR)
	j := journey{Key: secret(), Provider: p.ID, Wish: w, Until: d.now().Add(journeyTime)}
	if p.Type == store.SAML {
		g, err = d.beginSAML(ctx, p, &j)
	} else {
		g, err = d.beginOIDC(ctx, p, &j)
	}
	if err != nil {
		return g, err
	}
	g.Cookie, err = d.seal(env, j)
	return g, err
}

// What of a wish fits into a journey's cookie, in bytes.
const (
	mostHint = 256
	mostACR  = 512 // of all contexts
)

// fitting leaves out what does not fit of what a provider may be told, and need not.
func fitting(hint string, acr []string) (string, []string) {
	if len(hint) > mostHint {
		hint = ""
	}
	left := mostACR
	return hint, slices.DeleteFunc(slices.Clone(acr), func(one string) bool {
		left -= len(one)
		return left < 0
	})
}

// beginOIDC has a person prove it anew by prompt=login with max_age=0 (Core section
// 3.1.2.1): the former alone leaves no trace in the answer.
func (d *Desk) beginOIDC(ctx context.Context, p store.IdentityProvider, j *journey) (g Going, err error) {
	c, err := d.client(ctx, p)
	if err != nil {
		return g, err
	}
	w := relying.Wish{Hint: j.Wish.Hint, MaxAge: j.Wish.MaxAge, ACR: j.Wish.ACR}
	switch {
	case j.Wish.Silent:
		w.Prompt = "none"
	case j.Wish.Anew:
		w.Prompt, w.MaxAge = "login", 0
	}
	g.Address, j.OIDC = c.Start(j.Key, w)
	return g, nil
}

// beginSAML asks for a proof anew when the application takes none that is older than so
// much: SAML has no word for an age.
func (d *Desk) beginSAML(ctx context.Context, p store.IdentityProvider, j *journey) (g Going, err error) {
	s, err := d.service(ctx, p)
	if err != nil {
		return g, err
	}
	w := samlsp.Wish{Passive: j.Wish.Silent, Force: j.Wish.Anew}
	if j.Wish.Anew {
		j.SAML.Since = d.now()
	} else if j.Wish.MaxAge >= 0 {
		w.Force = true // whether an older proof would do is not known before it is there
		j.SAML.Since = d.now().Add(-j.Wish.MaxAge)
	}
	j.SAML.ID = d.requestID(p, d.now().Add(journeyTime))
	r, err := s.Start(j.SAML.ID, j.Key, w)
	return Going{Address: r.Address, Form: r.Form, Relay: j.Key}, err
}

// secret returns 256 random bits as 43 characters.
func secret() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails: crypto/rand ends the program instead
	return base64.RawURLEncoding.EncodeToString(b)
}

// provider returns one, or ErrOff when the environment has none of that ID.
func (d *Desk) provider(ctx context.Context, env, id string) (store.IdentityProvider, error) {
	p, err := d.Store.IdentityProvider(ctx, env, id)
	if errors.Is(err, store.ErrNotFound) {
		err = ErrOff
	}
	return p, err
}
