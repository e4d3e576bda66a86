package kerberos

import (
	"errors"
	"time"

	"github.com/google/uuid"

	"ldap-gateway/cloud/store"
)

// How long keys that were replaced may be good, in minutes.
const (
	DefaultRetainMinutes = 610
	MostRetainMinutes    = 10_080
)

// NewKeys are to be put in use: a keytab, or an account and its password.
type NewKeys struct {
	Keytab   []byte
	Account  string // user principal name
	Password string
	By       string // who gives them, in words
}

// Check says whether there are keys in n. Its error wraps ErrKeys.
func (n NewKeys) Check(rc4 bool) error {
	_, _, err := n.keytab(rc4, time.Now())
	return err
}

// keytab returns the keys as a keytab, with what is in it.
// A keytab that is nil means the password; one that is empty is a keytab that is wrong.
func (n NewKeys) keytab(rc4 bool, now time.Time) ([]byte, []store.KerberosEntry, error) {
	if n.Keytab == nil {
		return FromPassword(n.Account, n.Password, rc4, now)
	}
	entries, err := FromKeytab(n.Keytab)
	return n.Keytab, entries, err
}

// Seal returns new keys of a gateway, sealed, to be put in use. Its error wraps
// ErrKeys when they are none.
// The gateway must take tickets already.
func (d *Verifier) Seal(g store.Gateway, n NewKeys) (store.KerberosKeys, error) {
	if g.Kerberos == nil {
		return store.KerberosKeys{}, errors.New("the gateway takes no tickets")
	}
	k := store.KerberosKeys{
		ID:            uuid.Must(uuid.NewV7()).String(),
		EnvironmentID: g.EnvironmentID,
		GatewayID:     g.ID,
		Origin:        OriginKeytab,
		CreatedBy:     n.By,
		CreatedAt:     d.now(),
	}
	if n.Keytab == nil {
		k.Origin = OriginPassword
	}
	b, entries, err := n.keytab(g.Kerberos.AllowRC4, k.CreatedAt)
	if err != nil {
		return store.KerberosKeys{}, err
	}
	k.Entries, k.Sealed = entries, d.Vault.Seal(PurposeKey, k.ID, b)
	return k, nil
}

// Retained is how long keys that are replaced are still good.
func Retained(k store.Kerberos) time.Duration { return time.Duration(k.RetainMinutes) * time.Minute }
