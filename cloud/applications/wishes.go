package applications

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/vault"
)

// Wishes seals what applications of one protocol ask for. The browser carries it in addresses, so
// that nothing is kept for who never comes back.
type Wishes struct {
	Vault    *vault.Vault
	Protocol string // whose they are: those of another are none
}

// MostWish is how many letters of an address a wish may take. With it, a journey to an identity
// provider has to fit into a cookie, of which browsers keep 4,096 bytes (RFC 6265 section 6.1).
const MostWish = 2600

// mostPlain is how many bytes of a wish are taken that repeats itself, and is short on its way: it is
// kept once somebody has signed on, and told to the application.
const mostPlain = 8 << 10

// ErrWishTooLong says that a wish is longer than MostWish, or than browsers carry in the end.
var ErrWishTooLong = errors.New("the wish of the application is too long")

// carried is how a wish travels.
type carried struct {
	ID          string
	Application string
	Wish        string
	At, Until   time.Time
	By          *store.SignedOn `json:",omitempty"`
}

// Begin returns a wish as the browser is to carry it, and gives it an ID. ErrWishTooLong.
func (w Wishes) Begin(a *store.Authorization) (text string, err error) {
	if len(a.Request) > mostPlain {
		return "", fmt.Errorf("%w: %d bytes of %d", ErrWishTooLong, len(a.Request), mostPlain)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return "", err
	}
	a.ID = id.String()
	text = w.seal(*a)
	if len(text) > MostWish {
		return "", fmt.Errorf("%w: %d letters of %d", ErrWishTooLong, len(text), MostWish)
	}
	return text, nil
}

// SignedOn is Begin of a wish that there is, once somebody has signed on for it.
func (w Wishes) SignedOn(a store.Authorization, by store.SignedOn) string {
	a.SignedOn = by
	return w.seal(a)
}

func (w Wishes) seal(a store.Authorization) string {
	c := carried{ID: a.ID, Application: a.ApplicationID, Wish: string(a.Request), At: a.CreatedAt, Until: a.ExpiresAt}
	if a.SignedOn.UserID != "" {
		c.By = &a.SignedOn
	}
	b, err := json.Marshal(c)
	if err != nil {
		panic(err) // there are texts and times in it
	}
	return w.Vault.SealText(w.purpose(), a.EnvironmentID, b)
}

func (w Wishes) purpose() string { return "wish " + w.Protocol }

// Open returns a wish of an environment; store.ErrNotFound for what is none, and for one whose time is
// over at now.
func (w Wishes) Open(env, text string, now time.Time) (a store.Authorization, err error) {
	b, err := w.Vault.OpenText(w.purpose(), env, text)
	if err != nil {
		return a, fmt.Errorf("%w: %w", store.ErrNotFound, err)
	}
	var c carried
	if err := json.Unmarshal(b, &c); err != nil {
		return a, err
	}
	if !now.Before(c.Until) {
		return a, fmt.Errorf("%w: the wish took too long", store.ErrNotFound)
	}
	a = store.Authorization{
		ID:            c.ID,
		EnvironmentID: env,
		ApplicationID: c.Application,
		Request:       []byte(c.Wish),
		CreatedAt:     c.At,
		ExpiresAt:     c.Until,
	}
	if c.By != nil {
		a.SignedOn = *c.By
	}
	return a, nil
}
