package store

import (
	"context"
	"slices"
	"strings"
)

// ServiceProvider is what an application of SAML 2.0 is: where answers go, how they are made,
// and what its requests are held to. Times are in seconds.
type ServiceProvider struct {
	EntityID string   `json:"-"` // in a column of its own: requests name it
	ACS      []string `json:"acs,omitempty"`
	// ACSIndexes are the numbers by which requests name the addresses; none: from 0 on.
	ACSIndexes []int `json:"acsIndexes,omitempty"`

	AssertionSeconds int    `json:"assertionSeconds,omitempty"`
	SessionSeconds   int    `json:"sessionSeconds,omitempty"` // 0: as long as the assertion
	AssertionSigned  bool   `json:"assertionSigned,omitempty"`
	ResponseSigned   bool   `json:"responseSigned,omitempty"`
	KeyID            string `json:"keyId,omitempty"`     // that signs; empty: the environment's default
	Algorithm        string `json:"algorithm,omitempty"` // in the words of the API; empty: RSA with SHA-256
	NameIDFormat     string `json:"nameIdFormat,omitempty"`
	Subject          string `json:"subject,omitempty"`       // "${user.X}"; empty: what the format calls for
	SubjectFormat    string `json:"subjectFormat,omitempty"` // name format of that mapping; decides nothing

	Cipher        string `json:"cipher,omitempty"` // of encryption, in the words of the API; empty: none
	EncryptedWith string `json:"encryptedWith,omitempty"`

	RequestsSigned bool     `json:"requestsSigned,omitempty"`
	CertificateIDs []string `json:"certificateIds,omitempty"`
	Contexts       bool     `json:"contexts,omitempty"` // what a request says of them is held to
	DefaultTarget  string   `json:"defaultTarget,omitempty"`
	Unsolicited    bool     `json:"unsolicited,omitempty"` // people may begin here

	SLOBinding  string `json:"sloBinding,omitempty"`
	SLOEndpoint string `json:"sloEndpoint,omitempty"` // empty: it takes part in no sign-off
	SLOResponse string `json:"sloResponse,omitempty"` // empty: as SLOEndpoint

	MostGroups int `json:"mostGroups,omitempty"` // 0: DefaultMostGroups
	AccessRule
}

// How many groups an assertion has. Beyond it nobody is signed on: a list that was cut would
// take rights away.
const (
	DefaultMostGroups = 400
	MostGroups        = 10_000
)

// Groups is how many groups an assertion may have.
func (p ServiceProvider) Groups() int {
	if p.MostGroups == 0 {
		return DefaultMostGroups
	}
	return p.MostGroups
}

// ApplicationByEntity returns the application that an entity ID is of, or ErrNotFound.
func (r reader) ApplicationByEntity(ctx context.Context, env, entity string) (Application, error) {
	// That it is not empty says again what the index says of itself: else it is not used.
	return queryOne(ctx, r.c, scanApplication, applicationColumns+`
		WHERE environment_id = $1 AND entity_id = $2 AND entity_id <> '' AND NOT going`,
		env, entity)
}

// UsedAt returns the authorizations that were used by a sign-on, the newest first.
func (r reader) UsedAt(ctx context.Context, env, signOn string) ([]Authorization, error) {
	all, err := queryAll(ctx, r.c, scanAuthorization, authorizationColumns+`
		WHERE environment_id = $1 AND sign_on_id = $2 AND sign_on_id <> '' AND used_at > 0`,
		env, signOn)
	slices.SortFunc(all, func(a, b Authorization) int { return strings.Compare(b.ID, a.ID) }) // IDs grow
	return all, err
}

// AloneWith tells whether no other user has a person's e-mail address, without regard to
// case, or the external ID.
func (r reader) AloneWith(ctx context.Context, u User, email bool) (bool, error) {
	query, same := `
		SELECT id
		FROM users
		WHERE environment_id = $1 AND external_id = $2 AND id <> $3
		LIMIT 1`, u.ExternalID
	if email {
		query, same = strings.Replace(query, "external_id", "email_folded", 1), Fold(u.Email)
	}
	all, err := queryAll(ctx, r.c, value[string], query, u.EnvironmentID, same, u.ID)
	return len(all) == 0, err
}

// DefaultKey returns the key of ours that signs for applications that name none, or
// ErrNotFound.
func (r reader) DefaultKey(ctx context.Context, env string) (Certificate, error) {
	return queryOne(ctx, r.c, scanCertificate, certificateColumns+` WHERE environment_id = $1 AND is_default`, env)
}

// SetDefaultKey has a key be the default, in the place of what was. ErrNotFound when there
// is none of that ID, or it is no key.
func (s *Store) SetDefaultKey(ctx context.Context, env, id string) error {
	return s.Provision(ctx, func(tx *Tx) error {
		if _, err := tx.c.exec(ctx, `
			UPDATE certificates SET is_default = FALSE WHERE environment_id = $1 AND is_default AND id <> $2`,
			env, id); err != nil {
			return err
		}
		return tx.c.execOne(ctx, `
			UPDATE certificates SET is_default = TRUE WHERE environment_id = $1 AND id = $2 AND sealed <> ''`,
			env, id)
	})
}
