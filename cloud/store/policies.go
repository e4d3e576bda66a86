package store

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// SignOnPolicy says in which order people are looked for, and how they sign on. The default
// one of an environment is what sign-ons go by for every application that has none of its
// own: the user types of its LOGIN action are the environment's sign-on order, which is in
// the settings and nowhere else. Another one says all: whom it does not name is not asked.
type SignOnPolicy struct {
	ID, EnvironmentID, Name, Description string
	Default                              bool
	Blank                                []string // see [PopulationKept]
	Actions                              []PolicyAction
	CreatedAt, UpdatedAt                 time.Time
}

// The types of actions.
const (
	ActionLogin           = "LOGIN"
	ActionIdentifierFirst = "IDENTIFIER_FIRST"
	ActionProvider        = "IDENTITY_PROVIDER"
	ActionMultiFactor     = "MULTI_FACTOR_AUTHENTICATION"
)

// PolicyAction is one step of a policy; the lowest priority is the first.
type PolicyAction struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Priority int    `json:"priority"`
	// Order is in which user types new people are looked for, of LOGIN; nil: not said.
	Order []UserTypeRef `json:"order,omitzero"`
	// Providers are those that LOGIN offers besides, or the one of IDENTITY_PROVIDER.
	Providers []string `json:"providers,omitzero"`
	// Recovery is what a client says of forgotten passwords, which are the directory's.
	Recovery *bool `json:"recovery,omitempty"`
	// NoRegistration is that a client said that nobody registers, which is so anyway.
	NoRegistration bool `json:"noRegistration,omitempty"`
	// Off are switches by their names that a client said are off, as they always are.
	Off []string `json:"off,omitempty"`
	// NoDevices says what becomes of who has no second factor: see [NoDevicesBlock].
	NoDevices string         `json:"noDevicesMode,omitempty"`
	Rules     []PolicyDomain `json:"rules,omitzero"` // of IDENTIFIER_FIRST
}

// PolicyDomain sends who has a part in their name to an identity provider.
type PolicyDomain struct {
	Contains string `json:"contains"`
	Provider string `json:"provider"`
}

// NoDevicesBlock has nobody go on who has no second factor. Without a word they set one up.
const NoDevicesBlock = "BLOCK"

// TurnsAway tells whether who has no second factor goes no further, and sets none up on the way.
func (p SignOnPolicy) TurnsAway() bool {
	a, asks := p.Action(ActionMultiFactor)
	return asks && a.NoDevices == NoDevicesBlock
}

// AsksFactor tells whether it asks for a second factor after the first.
func (p SignOnPolicy) AsksFactor() bool { return p.at(ActionMultiFactor) >= 0 }

// Login returns the index of the LOGIN action; -1 when there is none.
func (p SignOnPolicy) Login() int { return p.at(ActionLogin) }

// Action returns the action of a type, the first of them; false when there is none.
func (p SignOnPolicy) Action(kind string) (a PolicyAction, ok bool) {
	if i := p.at(kind); i >= 0 {
		return p.Actions[i], true
	}
	return a, false
}

func (p SignOnPolicy) at(kind string) int {
	return slices.IndexFunc(p.Actions, func(a PolicyAction) bool { return a.Type == kind })
}

const policyColumns = `
	SELECT id, environment_id, name, description, is_default, blank, actions, created_at, updated_at
	FROM sign_on_policies`

func scanPolicy(r row) (p SignOnPolicy, err error) {
	err = r.Scan(
		&p.ID,
		&p.EnvironmentID,
		&p.Name,
		&p.Description,
		&p.Default,
		fromJSON{&p.Blank},
		fromJSON{&p.Actions},
		at{&p.CreatedAt},
		at{&p.UpdatedAt},
	)
	return p, err
}

// SignOnPolicies returns the policies of an environment by name, at most MaxLimit.
func (r reader) SignOnPolicies(ctx context.Context, env string) ([]SignOnPolicy, error) {
	all, err := queryAll(ctx, r.c, scanPolicy,
		policyColumns+` WHERE environment_id = $1 ORDER BY name_folded LIMIT $2`, env, MaxLimit)
	for i := range all {
		if err == nil {
			err = r.addOrder(ctx, &all[i])
		}
	}
	return all, err
}

// SignOnPolicy returns a policy, or ErrNotFound.
func (r reader) SignOnPolicy(ctx context.Context, env, id string) (SignOnPolicy, error) {
	p, err := queryOne(ctx, r.c, scanPolicy, policyColumns+` WHERE environment_id = $1 AND id = $2`, env, id)
	if err == nil {
		err = r.addOrder(ctx, &p)
	}
	return p, err
}

// DefaultSignOnPolicy returns the default policy of an environment, or ErrNotFound.
func (r reader) DefaultSignOnPolicy(ctx context.Context, env string) (SignOnPolicy, error) {
	p, err := queryOne(ctx, r.c, scanPolicy, policyColumns+` WHERE environment_id = $1 AND is_default`, env)
	if err == nil {
		err = r.addOrder(ctx, &p)
	}
	return p, err
}

// addOrder puts the environment's order into the default policy, under an action of its
// own where no client has made one.
func (r reader) addOrder(ctx context.Context, p *SignOnPolicy) error {
	if !p.Default {
		return nil
	}
	e, err := r.Environment(ctx, p.EnvironmentID)
	if err != nil {
		return err
	}
	order, i := e.Settings.SignOnOrder, p.Login()
	switch {
	case i >= 0 && (len(order) > 0 || p.Actions[i].Order == nil):
		p.Actions[i].Order = order
	case i < 0 && len(order) > 0:
		p.Actions = append(p.Actions, PolicyAction{ID: p.ID, Type: ActionLogin, Priority: 1, Order: order})
	}
	return nil
}

// SavePolicy adds or writes a policy, and fills in ID and times. A new default takes it
// over from the one before, and its order is the environment's from then on. ErrConflict
// when the name is taken.
func (s *Store) SavePolicy(ctx context.Context, p *SignOnPolicy) error {
	return s.Provision(ctx, func(tx *Tx) error {
		if p.Default {
			if err := tx.takeOverOrder(ctx, *p); err != nil {
				return err
			}
		}
		added := p.ID == ""
		if err := newID(&p.ID); err != nil {
			return err
		}
		stamp(&p.CreatedAt)
		p.UpdatedAt = now()
		args := []any{p.ID, p.EnvironmentID, p.Name, Fold(p.Name), p.Description, p.Default, inJSON(p.Actions),
			micros(p.CreatedAt), micros(p.UpdatedAt), inJSON(p.Blank)}
		if added {
			_, err := tx.c.exec(ctx, `
				INSERT INTO sign_on_policies (id, environment_id, name, name_folded, description, is_default, actions,
					created_at, updated_at, blank)
				VALUES `+placeholders(1, 1, 10), args...)
			return err
		}
		return tx.c.execOne(ctx, `
			UPDATE sign_on_policies
			SET name = $3, name_folded = $4, description = $5, is_default = $6, actions = $7, created_at = $8,
				updated_at = $9, blank = $10
			WHERE environment_id = $2 AND id = $1`, args...)
	})
}

// takeOverOrder has another default policy be one no more, with the order that it had,
// and makes the order of p the environment's.
func (tx *Tx) takeOverOrder(ctx context.Context, p SignOnPolicy) error {
	all, err := tx.SignOnPolicies(ctx, p.EnvironmentID)
	if err != nil {
		return err
	}
	first := true
	for _, other := range all {
		if !other.Default {
			continue
		}
		if first = false; other.ID == p.ID {
			continue
		}
		if err := tx.c.execOne(ctx, `
			UPDATE sign_on_policies
			SET is_default = FALSE, actions = $3
			WHERE environment_id = $1 AND id = $2`,
			p.EnvironmentID, other.ID, inJSON(other.Actions)); err != nil {
			return err
		}
	}
	if first { // the settings have the order
		return nil
	}
	var order []UserTypeRef
	if i := p.Login(); i >= 0 {
		order = p.Actions[i].Order
	}
	e, err := tx.Environment(ctx, p.EnvironmentID)
	if err != nil || slices.Equal(e.Settings.SignOnOrder, order) {
		return err
	}
	e.Settings.SignOnOrder = order
	return tx.Store().UpdateEnvironment(ctx, &e)
}

// DeletePolicy removes a policy; ErrDependents for the default one, ErrNotFound when
// there is none.
func (s *Store) DeletePolicy(ctx context.Context, env, id string) error {
	return s.Provision(ctx, func(tx *Tx) error {
		p, err := tx.SignOnPolicy(ctx, env, id)
		if err == nil && p.Default {
			err = fmt.Errorf("%w: it is the default policy", ErrDependents)
		}
		if err != nil {
			return err
		}
		return tx.c.execOne(ctx, `DELETE FROM sign_on_policies WHERE environment_id = $1 AND id = $2`, env, id)
	})
}
