package store

import (
	"context"
	"slices"
	"time"
)

// Kerberos says how tickets are taken for the people of a gateway.
type Kerberos struct {
	// ServiceAccount is the UPN that the keys were derived for; empty: they came in a keytab.
	ServiceAccount string `json:"serviceAccount,omitempty"`
	// RetainMinutes is how long keys that were replaced are still good; 0: not at all.
	RetainMinutes int `json:"retainMinutes,omitempty"`
	// Realms are those of people whose tickets are taken; none: those of the keys.
	Realms []string `json:"realms,omitempty"`
	// AllowRC4 takes tickets of that encryption type too, which RFC 8429 deprecates.
	AllowRC4 bool `json:"allowRC4,omitempty"`
	// Attribute is the correlation attribute that a principal leads to; empty: only the
	// ticket's SID does.
	Attribute string `json:"attribute,omitempty"`
	// Value is that of the attribute, with ${principal} and ${realm}.
	Value string `json:"value,omitempty"`
	// Networks are prefixes from which browsers are asked for a ticket by themselves.
	Networks []string `json:"networks,omitempty"`
}

// KerberosKeys is one set of service keys, sealed.
type KerberosKeys struct {
	ID, EnvironmentID, GatewayID string
	Origin                       string          // "keytab" or "password"
	Entries                      []KerberosEntry // what is in it, without the keys
	Sealed                       []byte          // a keytab
	CreatedBy                    string
	CreatedAt                    time.Time
	ExpiresAt                    time.Time // zero: in use; else replaced, and good until then
}

// KerberosEntry is one key's description.
type KerberosEntry struct {
	Principal string `json:"principal"`
	Realm     string `json:"realm"`
	KVNO      uint32 `json:"kvno"` // 0: not known
	EType     int32  `json:"etype"`
}

// mostRetained is how many replaced sets of keys a gateway may have.
const mostRetained = 5

const kerberosKeysColumns = `
	SELECT id, environment_id, gateway_id, origin, entries, sealed, created_by, created_at, expires_at
	FROM kerberos_keys`

// scanKerberosKeys reads the keys sealed, with what is in them in the clear: pages show
// principals and versions without opening anything.
func scanKerberosKeys(r row) (k KerberosKeys, err error) {
	err = r.Scan(
		&k.ID,
		&k.EnvironmentID,
		&k.GatewayID,
		&k.Origin,
		fromJSON{&k.Entries},
		fromBase64{&k.Sealed},
		&k.CreatedBy,
		at{&k.CreatedAt},
		at{&k.ExpiresAt},
	)
	return k, err
}

// KerberosKeys returns the sets of keys of a gateway that are good at now, the
// newest first: the one in use, then those that were replaced.
func (r reader) KerberosKeys(ctx context.Context, env, gateway string, now time.Time) ([]KerberosKeys, error) {
	return queryAll(ctx, r.c, scanKerberosKeys, kerberosKeysColumns+`
		WHERE environment_id = $1 AND gateway_id = $2 AND (expires_at = 0 OR expires_at > $3)
		ORDER BY created_at DESC, id DESC`,
		env, gateway, micros(now))
}

// ReplaceKerberosKeys puts k in use and fills in its ID and time. The set in use
// before is good for retain longer; with none it and all older ones are gone.
// ErrNotFound when there is no such gateway.
func (s *Store) ReplaceKerberosKeys(ctx context.Context, k *KerberosKeys, retain time.Duration) error {
	return s.Provision(ctx, func(tx *Tx) error {
		if err := newID(&k.ID); err != nil {
			return err
		}
		stamp(&k.CreatedAt)
		if err := tx.retire(ctx, k, retain); err != nil {
			return err
		}
		_, err := tx.c.exec(ctx, `
			INSERT INTO kerberos_keys (id, environment_id, gateway_id, origin, entries, sealed, created_by,
				created_at, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)`,
			k.ID,
			k.EnvironmentID,
			k.GatewayID,
			k.Origin,
			inJSON(k.Entries),
			inBase64(k.Sealed),
			k.CreatedBy,
			micros(k.CreatedAt),
		)
		return err
	})
}

// retire makes room for k.
// Only so many are kept, or somebody who replaces them daily would have each ticket
// tried against a year of keys.
func (tx *Tx) retire(ctx context.Context, k *KerberosKeys, retain time.Duration) error {
	before, err := tx.KerberosKeys(ctx, k.EnvironmentID, k.GatewayID, k.CreatedAt)
	if err != nil {
		return err
	}
	var kept []any
	for _, b := range before[:min(len(before), mostRetained)] {
		if retain > 0 {
			kept = append(kept, b.ID)
		}
	}
	gone := `DELETE FROM kerberos_keys WHERE environment_id = $1 AND gateway_id = $2`
	if len(kept) > 0 {
		gone += ` AND id NOT IN ` + placeholders(3, 1, len(kept))
	}
	if _, err := tx.c.exec(ctx, gone, slices.Concat([]any{k.EnvironmentID, k.GatewayID}, kept)...); err != nil {
		return err
	}
	_, err = tx.c.exec(ctx, `
		UPDATE kerberos_keys
		SET expires_at = $1
		WHERE environment_id = $2 AND gateway_id = $3 AND expires_at = 0`,
		micros(k.CreatedAt.Add(retain)), k.EnvironmentID, k.GatewayID)
	return err
}

// DeleteKerberosKeys forgets one set of keys, or all of a gateway when id is empty.
// ErrNotFound when there is no such set.
func (s *Store) DeleteKerberosKeys(ctx context.Context, env, gateway, id string) error {
	return s.Provision(ctx, func(tx *Tx) error {
		if id == "" {
			_, err := tx.c.exec(ctx, `DELETE FROM kerberos_keys WHERE environment_id = $1 AND gateway_id = $2`, env, gateway)
			return err
		}
		return tx.c.execOne(ctx, `DELETE FROM kerberos_keys WHERE environment_id = $1 AND gateway_id = $2 AND id = $3`,
			env, gateway, id)
	})
}
