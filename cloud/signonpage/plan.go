package signonpage

import (
	"slices"
	"strings"

	"ldap-gateway/cloud/applications"
	"ldap-gateway/cloud/store"
)

// plan is how people sign on for what they came for: by the application's own sign-on
// policy, or by the default one, to which belongs all that there is.
type plan struct {
	applications.Rule
	providers []store.IdentityProvider // all that are enabled
	offered   []store.IdentityProvider // links on the page
	gateway   bool                     // there is one
}

// plan reads it once for a request, which is for one flow at most.
func (k *call) plan(flow applications.Flow) (*plan, error) {
	if k.planned != nil {
		return k.planned, nil
	}
	p := &plan{}
	var err error
	if p.Rule, err = k.rule(flow); err != nil {
		return nil, err
	}
	if p.providers, err = k.providers(); err != nil {
		return nil, err
	}
	if p.gateway, err = k.hasGateway(); err != nil {
		return nil, err
	}
	p.offer()
	k.planned = p
	return p, nil
}

// rule is [applications.RuleOf], read once for a request: what an application goes by says nothing of the
// person's own pages.
func (k *call) rule(flow applications.Flow) (r applications.Rule, err error) {
	r, read := k.goesBy[flow.ID]
	if read {
		return r, nil
	}
	if r, err = applications.RuleOf(k.Context(), k.Store, k.env.ID, flow); err != nil {
		return r, err
	}
	if k.goesBy == nil {
		k.goesBy = map[string]applications.Rule{}
	}
	k.goesBy[flow.ID] = r
	return r, nil
}

// offer finds the links: those that the actions name, in their order; without, all
// providers by name, where the default policy decides.
func (p *plan) offer() {
	said := false
	for _, a := range p.Policy.Actions {
		said = said || a.Providers != nil
		for _, id := range a.Providers {
			one, ok := p.enabled(id)
			if ok && !slices.ContainsFunc(p.offered, func(o store.IdentityProvider) bool { return o.ID == id }) {
				p.offered = append(p.offered, one)
			}
		}
	}
	if !p.Own && !said {
		p.offered = p.providers
	}
}

func (p *plan) enabled(id string) (one store.IdentityProvider, ok bool) {
	i := slices.IndexFunc(p.providers, func(o store.IdentityProvider) bool { return o.ID == id })
	if i < 0 {
		return one, false
	}
	return p.providers[i], true
}

// hasPasswords tells whether there is also somebody who checks one.
func (p *plan) hasPasswords() bool { return p.gateway && p.TakesPasswords() }

// nameFirst tells whether the name is asked for before the password: the policy says so,
// or with the default one, some names lead to a provider.
func (p *plan) nameFirst() bool {
	_, first := p.Policy.Action(store.ActionIdentifierFirst)
	return first || !p.Own && slices.ContainsFunc(p.providers, func(one store.IdentityProvider) bool {
		return len(one.Config.Domains) > 0
	})
}

// home returns the provider whose people a name is of; false when it is nobody's. It is
// for the rules of the policy to say, and with the default one for the providers' domains
// too. Only the name counts, so nothing is told about accounts.
func (p *plan) home(name string) (one store.IdentityProvider, ok bool) {
	first, _ := p.Policy.Action(store.ActionIdentifierFirst)
	for _, rule := range first.Rules {
		if strings.Contains(store.Fold(name), store.Fold(rule.Contains)) {
			if one, ok = p.enabled(rule.Provider); ok {
				return one, true
			}
		}
	}
	if p.Own {
		return one, false
	}
	return home(p.providers, name)
}

// only returns the provider that there is no other way than; false when there is a choice.
func (p *plan) only() (one store.IdentityProvider, ok bool) {
	if len(p.offered) != 1 || p.hasPasswords() || p.Own && p.TakesPasswords() {
		return one, false
	}
	return p.offered[0], true
}

// blocked tells whether the policy leads nowhere: it has no actions yet, or its provider is
// switched off.
func (p *plan) blocked() bool { return !p.TakesPasswords() && len(p.offered) == 0 }

// signOnPolicy is the ID of the policy that people are looked for by; empty for the default.
func (p *plan) signOnPolicy() string {
	if p.Own {
		return p.Policy.ID
	}
	return ""
}

// providers returns those of the environment that sign people on, by name.
func (k *call) providers() (all []store.IdentityProvider, err error) {
	for page := (store.Page{Limit: store.MaxLimit}); ; {
		some, next, err := k.Store.IdentityProviders(k.Context(), k.env.ID, page)
		if err != nil {
			return nil, err
		}
		for _, p := range some {
			if p.Enabled {
				all = append(all, p)
			}
		}
		if page.Cursor = next; next == "" {
			return all, nil
		}
	}
}

// home returns the provider whose people a name is of; false when it is nobody's. Only
// the domain counts, so nothing is told about accounts.
func home(all []store.IdentityProvider, name string) (p store.IdentityProvider, ok bool) {
	at := strings.LastIndexByte(name, '@')
	if at < 0 {
		return p, false
	}
	domain := store.Fold(strings.TrimSpace(name[at+1:]))
	for _, p := range all {
		for _, d := range p.Config.Domains {
			if store.Fold(d) == domain {
				return p, true
			}
		}
	}
	return p, false
}

// hasGateway tells whether passwords are taken at all.
func (k *call) hasGateway() (bool, error) {
	some, _, err := k.Store.Gateways(k.Context(), k.env.ID, store.Page{Limit: 1})
	return len(some) > 0, err
}
