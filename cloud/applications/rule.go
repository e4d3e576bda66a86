package applications

import (
	"context"
	"errors"
	"slices"

	"ldap-gateway/cloud/store"
)

// Rule is how people sign on for a wish: by the application's own sign-on policy, or by the default one.
type Rule struct {
	Policy store.SignOnPolicy
	Own    bool // it is the application's
}

// RuleOf returns the rule of a wish as it is now: the first policy of the application, or the one of them
// that it names as the context that it wants; the default one for an application without, and for none. What
// was deleted meanwhile is a policy by which nobody signs on.
func RuleOf(ctx context.Context, db *store.Store, env string, f Flow) (r Rule, err error) {
	if len(f.Policies) == 0 {
		r.Policy, err = db.Current.DefaultSignOnPolicy(ctx, env)
		return r, ifFound(err)
	}
	for i, id := range f.Policies {
		p, err := db.Current.SignOnPolicy(ctx, env, id)
		if err := ifFound(err); err != nil {
			return r, err
		}
		named := slices.Contains(f.ACR, p.Name)
		if i == 0 || named {
			r = Rule{Policy: p, Own: !p.Default}
		}
		if named || len(f.ACR) == 0 {
			break
		}
	}
	return r, nil
}

// ifFound takes store.ErrNotFound for no error.
func ifFound(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// TakesPasswords tells whether people prove themselves by a password, or by the ticket that stands for one.
func (r Rule) TakesPasswords() bool {
	_, first := r.Policy.Action(store.ActionIdentifierFirst)
	return !r.Own || first || r.Policy.Login() >= 0
}

// Leads tells whether people may go to a provider.
func (r Rule) Leads(provider string) bool {
	return !r.Own || slices.ContainsFunc(r.Policy.Actions, func(a store.PolicyAction) bool {
		return slices.Contains(a.Providers, provider) ||
			slices.ContainsFunc(a.Rules, func(d store.PolicyDomain) bool { return d.Provider == provider })
	})
}

// Admits tells whether a sign-on is one that the rule leads to: whoever is signed on already is no way
// around it.
func (r Rule) Admits(by store.SignedOn) bool {
	if by.ProviderID != "" {
		return r.Leads(by.ProviderID)
	}
	return r.TakesPasswords()
}

// Lacks tells whether somebody is to give a second factor for a wish, and has not: the policy asks for it,
// the application does, or it is to be asked of this user whatever they do.
func (r Rule) Lacks(f Flow, u store.User, by store.SignedOn) bool {
	return by.Factor == "" && (f.Factor || u.Kept.MFA || r.Policy.AsksFactor())
}

// Meets tells whether a sign-on is all that a wish asks for at this moment, whatever it asked for when the
// person gave it. Nobody is told to an application without.
func Meets(ctx context.Context, db *store.Store, f Flow, u store.User, by store.SignedOn) (bool, error) {
	r, err := RuleOf(ctx, db, u.EnvironmentID, f)
	return err == nil && r.Admits(by) && !r.Lacks(f, u, by), err
}
