package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

const providerColumns = `SELECT id, environment_id, name, description, type, enabled, coalesce(population_id, ''),
 config, mappings, sealed, health, created_at, updated_at FROM identity_providers`

// scanProvider reads settings, mappings and health as JSON: they are read and written
// whole. The secret comes sealed; only the vault opens it.
func scanProvider(r row) (p IdentityProvider, err error) {
	err = r.Scan(
		&p.ID,
		&p.EnvironmentID,
		&p.Name,
		&p.Description,
		&p.Type,
		&p.Enabled,
		&p.PopulationID,
		fromJSON{&p.Config},
		fromJSON{&p.Mappings},
		fromBase64{&p.Sealed},
		fromJSON{&p.Health},
		at{&p.CreatedAt},
		at{&p.UpdatedAt},
	)
	return p, err
}

// CreateIdentityProvider adds p and fills in IDs and times. ErrConflict when the name
// is taken; ErrNotFound when the environment has no such population.
func (s *Store) CreateIdentityProvider(ctx context.Context, p *IdentityProvider) error {
	return s.Provision(ctx, func(tx *Tx) error {
		if err := newProviderIDs(p); err != nil {
			return err
		}
		stamp(&p.CreatedAt)
		p.UpdatedAt = p.CreatedAt
		_, err := tx.c.exec(ctx, `INSERT INTO identity_providers (id, environment_id, name, name_folded, description, type,
 enabled, population_id, config, mappings, sealed, health, created_at, updated_at) VALUES `+placeholders(1, 1, 14),
			p.ID,
			p.EnvironmentID,
			p.Name,
			Fold(p.Name),
			p.Description,
			p.Type,
			p.Enabled,
			orNull(p.PopulationID),
			inJSON(p.Config),
			inJSON(p.Mappings),
			inBase64(p.Sealed),
			inJSON(p.Health),
			micros(p.CreatedAt),
			micros(p.UpdatedAt),
		)
		return err
	})
}

// newProviderIDs leaves the IDs that there are: clients know mappings by them.
func newProviderIDs(p *IdentityProvider) error {
	if err := newID(&p.ID); err != nil {
		return err
	}
	for i := range p.Mappings {
		if err := newID(&p.Mappings[i].ID); err != nil {
			return err
		}
	}
	return nil
}

// IdentityProvider returns a provider, or ErrNotFound.
func (r reader) IdentityProvider(ctx context.Context, env, id string) (IdentityProvider, error) {
	return queryOne(ctx, r.c, scanProvider, providerColumns+`
 WHERE environment_id = $1 AND id = $2 AND NOT going`, env, id)
}

// IdentityProviders lists by name.
func (r reader) IdentityProviders(ctx context.Context, env string, page Page) ([]IdentityProvider, string, error) {
	l := list{query: providerColumns, key: "name_folded", id: "id", word: "provider"}
	l.where("environment_id = ? AND NOT going", env)
	if err := l.matching(page.Where, providerField); err != nil {
		return nil, "", err
	}
	return queryPage(ctx, r.c, l, page, scanProvider, func(p IdentityProvider) (any, string) { return Fold(p.Name), p.ID })
}

// UpdateIdentityProvider writes p but for its health, gives new mappings IDs, and
// fills in UpdatedAt. ErrConflict when the name is taken.
// The health is left alone, since sign-ons write it while somebody has the settings
// open.
func (s *Store) UpdateIdentityProvider(ctx context.Context, p *IdentityProvider) error {
	return s.Provision(ctx, func(tx *Tx) error {
		if err := newProviderIDs(p); err != nil {
			return err
		}
		p.UpdatedAt = now()
		return tx.c.execOne(ctx, `UPDATE identity_providers SET name = $1, name_folded = $2, description = $3, type = $4,
 enabled = $5, population_id = $6, config = $7, mappings = $8, sealed = $9, updated_at = $10
 WHERE environment_id = $11 AND id = $12`,
			p.Name,
			Fold(p.Name),
			p.Description,
			p.Type,
			p.Enabled,
			orNull(p.PopulationID),
			inJSON(p.Config),
			inJSON(p.Mappings),
			inBase64(p.Sealed),
			micros(p.UpdatedAt),
			p.EnvironmentID,
			p.ID,
		)
	})
}

// SeeProvider writes what see makes of a provider's health, and nothing when it is
// as it was. ErrNotFound when there is no such provider.
// Whatever see does to it is done on top of what other nodes have written meanwhile.
func (s *Store) SeeProvider(ctx context.Context, env, id string, see func(*ProviderHealth)) error {
	return s.Provision(ctx, func(tx *Tx) error { return tx.SeeProvider(ctx, env, id, see) })
}

// SeeProvider is Store.SeeProvider in this transaction.
func (tx *Tx) SeeProvider(ctx context.Context, env, id string, see func(*ProviderHealth)) error {
	p, err := tx.IdentityProvider(ctx, env, id)
	if err != nil {
		return err
	}
	before := inJSON(p.Health)
	see(&p.Health)
	after := inJSON(p.Health)
	if after == before {
		return nil
	}
	return tx.c.execOne(ctx, `UPDATE identity_providers SET health = $1 WHERE environment_id = $2 AND id = $3`,
		after, env, id)
}

// DeleteIdentityProvider removes a provider with the links of its people and its
// just-in-time groups. ErrDependents when it has people or groups, unless force is set:
// people stay then, signed off, and groups go with the roles that they carry.
// What hangs on the links ends first, while it is still known whose they are.
func (s *Store) DeleteIdentityProvider(ctx context.Context, env, id string, force bool) error {
	return s.Provision(ctx, func(tx *Tx) error {
		people, err := tx.LinkedUsers(ctx, env, id)
		if err != nil || people > 0 && !force {
			return orDependents(err, people)
		}
		groups, err := tx.CountGroups(ctx, env, SourceIDP, id)
		if err != nil {
			return err
		}
		if groups > 0 && !force {
			return fmt.Errorf("%w: %d groups", ErrDependents, groups)
		}
		if err := tx.dropLinks(ctx, env, id); err != nil {
			return err
		}
		if err := tx.all(ctx, groupsOf(env, SourceIDP, id)); err != nil {
			return err
		}
		return tx.c.execOne(ctx, `DELETE FROM identity_providers WHERE environment_id = $1 AND id = $2`, env, id)
	})
}

// UnlinkProvider ends the links of all people of a provider, as UnlinkAccount does: they
// are signed off everywhere, and leave its groups, which stay.
func (s *Store) UnlinkProvider(ctx context.Context, env, provider string) error {
	return s.Provision(ctx, func(tx *Tx) error { return tx.dropLinks(ctx, env, provider) })
}

// dropLinks ends the links of all people of a provider, and empties its groups.
func (tx *Tx) dropLinks(ctx context.Context, env, provider string) error {
	if err := tx.all(ctx, unlinkedAccounts(env, provider)); err != nil {
		return err
	}
	return tx.all(ctx, emptiedGroups(env, SourceIDP, provider))
}

// LinkedUsers counts the people whom a provider knows, each once.
func (r reader) LinkedUsers(ctx context.Context, env, provider string) (int, error) {
	return queryOne(ctx, r.c, value[int], `
		SELECT count(DISTINCT user_id) FROM linked_accounts
		WHERE environment_id = $1 AND provider_id = $2`, env, provider)
}

// LastProviderSignOn returns when somebody last signed on by a provider; the zero time
// when nobody has.
func (r reader) LastProviderSignOn(ctx context.Context, env, provider string) (SignOn, error) {
	so, err := queryOne(ctx, r.c, scanSignOn, signOnColumns+`
 WHERE environment_id = $1 AND provider_id = $2 AND provider_id <> '' ORDER BY at DESC LIMIT 1`, env, provider)
	if errors.Is(err, ErrNotFound) {
		return SignOn{}, nil
	}
	return so, err
}

// accountEnds is what ends with the link of an account: sessions, what applications
// hold, and the second factor, which whoever it let in may have set up.
func accountEnds() []string {
	return []string{
		"DELETE FROM authorizations WHERE environment_id = $1 AND user_id",
		"DELETE FROM application_tokens WHERE environment_id = $1 AND user_id",
		"DELETE FROM person_factors WHERE environment_id = $1 AND user_id",
		"DELETE FROM person_passkeys WHERE environment_id = $1 AND user_id",
		"DELETE FROM person_recovery_codes WHERE environment_id = $1 AND user_id",
		"UPDATE users SET sign_offs = sign_offs + 1 WHERE environment_id = $1 AND id",
	}
}

const linkColumns = `
	SELECT id, environment_id, provider_id, user_id, external_id, qualifiers, created_at
	FROM linked_accounts`

// scanLink reads the subject as the provider spelt it.
func scanLink(r row) (l LinkedAccount, err error) {
	err = r.Scan(
		&l.ID,
		&l.EnvironmentID,
		&l.ProviderID,
		&l.UserID,
		&l.Subject.ID,
		&l.Subject.Qualifiers,
		at{&l.CreatedAt},
	)
	return l, err
}

// LinkedAccounts returns those of a user, the oldest first, at most MaxLimit.
func (r reader) LinkedAccounts(ctx context.Context, env, user string) ([]LinkedAccount, error) {
	return queryAll(ctx, r.c, scanLink, linkColumns+`
 WHERE environment_id = $1 AND user_id = $2 ORDER BY created_at, id LIMIT $3`, env, user, MaxLimit)
}

// UserBySubject returns the user whom a provider knows as subject, or ErrNotFound.
// The subject is compared byte by byte: two that differ in case are two people.
func (r reader) UserBySubject(ctx context.Context, env, provider string, subject Subject) (User, error) {
	l, err := queryOne(ctx, r.c, scanLink, linkColumns+`
 WHERE environment_id = $1 AND provider_id = $2 AND external_id = $3 AND qualifiers = $4`,
		env, provider, subject.ID, subject.Qualifiers)
	if err != nil {
		return User{}, err
	}
	return r.User(ctx, env, l.UserID)
}

// LinkAccount adds a link and fills in its ID and time. ErrConflict when the provider's
// subject is linked already; ErrNotFound when there is no such provider or user.
func (s *Store) LinkAccount(ctx context.Context, l *LinkedAccount) error {
	return s.Provision(ctx, func(tx *Tx) error { return tx.LinkAccount(ctx, l) })
}

// LinkAccount is Store.LinkAccount in this transaction.
func (tx *Tx) LinkAccount(ctx context.Context, l *LinkedAccount) error {
	if err := newID(&l.ID); err != nil {
		return err
	}
	stamp(&l.CreatedAt)
	_, err := tx.c.exec(ctx, `
		INSERT INTO linked_accounts (id, environment_id, provider_id, user_id, external_id, qualifiers, created_at)
		VALUES `+placeholders(1, 1, 7),
		l.ID,
		l.EnvironmentID,
		l.ProviderID,
		l.UserID,
		l.Subject.ID,
		l.Subject.Qualifiers,
		micros(l.CreatedAt),
	)
	return err
}

// UnlinkAccount removes a link of a user's and signs them off everywhere; the groups
// that came with it go. ErrNotFound when the user has no such link.
func (s *Store) UnlinkAccount(ctx context.Context, env, user, id string) error {
	return s.Provision(ctx, func(tx *Tx) error {
		links, err := tx.LinkedAccounts(ctx, env, user)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(links, func(l LinkedAccount) bool { return l.ID == id })
		if i < 0 {
			return fmt.Errorf("link: %w", ErrNotFound)
		}
		for _, end := range accountEnds() {
			if _, err := tx.c.exec(ctx, end+" = $2", env, user); err != nil {
				return err
			}
		}
		if err := tx.leaveSource(ctx, env, user, SourceIDP, links[i].ProviderID); err != nil {
			return err
		}
		return tx.c.execOne(ctx, `DELETE FROM linked_accounts WHERE environment_id = $1 AND id = $2`, env, id)
	})
}

// LeaveGateway takes a user out of the groups of a gateway that does not say who they are
// any more.
func (s *Store) LeaveGateway(ctx context.Context, env, user, gateway string) error {
	return s.Provision(ctx, func(tx *Tx) error { return tx.leaveSource(ctx, env, user, SourceGateway, gateway) })
}

// leaveSource takes a user out of the groups of one source.
// The groups themselves stay, with the members that they have besides.
func (tx *Tx) leaveSource(ctx context.Context, env, user string, kind Source, source string) error {
	all, err := tx.UserGroups(ctx, env, user)
	if err != nil {
		return err
	}
	var groups []string
	for _, m := range all {
		if m.Group.SourceType == kind && m.Group.SourceID == source {
			groups = append(groups, m.Group.ID)
		}
	}
	return tx.RemoveMemberships(ctx, env, user, groups)
}

// SomeLinkedUsers returns the first ten people whom a provider knows, each once.
// They come by their IDs, which is no order that means anything.
func (r reader) SomeLinkedUsers(ctx context.Context, env, provider string) (users []User, err error) {
	ids, err := queryAll(ctx, r.c, value[string], `
		SELECT DISTINCT user_id FROM linked_accounts
		WHERE environment_id = $1 AND provider_id = $2
		ORDER BY user_id LIMIT 10`, env, provider)
	for _, id := range ids {
		u, err := r.User(ctx, env, id)
		if err != nil {
			return nil, err
		}
		users = append(users, u)
	}
	return users, err
}
