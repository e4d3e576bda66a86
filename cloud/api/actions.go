package api

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"ldap-gateway/cloud/store"
)

// actionForm is what a client may write of an action.
type actionForm struct {
	Type         string        `json:"type"`
	Priority     int           `json:"priority"`
	NewUsers     *newUsersForm `json:"newUserProvisioning,omitempty"`
	Social       []reference   `json:"socialProviders,omitzero"`
	Recovery     *switchForm   `json:"recovery,omitempty"`     // of passwords, which are the directory's
	Registration *switchForm   `json:"registration,omitempty"` // only off: nobody registers here
	Provider     *reference    `json:"identityProvider,omitempty"`
	Rules        []policyRule  `json:"discoveryRules,omitzero"`
	NoDevices    *string       `json:"noDevicesMode,omitempty"` // of who has no second factor: only BLOCK

	// Clients send these without being asked, and they are off here.
	PassContext *bool `json:"passUserContext,omitempty"`
	Lockout     *bool `json:"enforceLockoutForIdentityProviders,omitempty"`
}

// switches are those of an action that are off here, by their names.
func (f *actionForm) switches() map[string]**bool {
	return map[string]**bool{"passUserContext": &f.PassContext, "enforceLockoutForIdentityProviders": &f.Lockout}
}

// newUsersForm is in which order people are looked for whom the cloud does not know.
type newUsersForm struct {
	Gateways []gatewayTarget `json:"gateways"`
}

// gatewayTarget is a user type of a gateway.
type gatewayTarget struct {
	ID       string     `json:"id"`
	Type     string     `json:"type"`
	UserType *reference `json:"userType"`
}

type switchForm struct {
	Enabled bool `json:"enabled"`
}

// policyRule sends who has a part in their name to an identity provider.
type policyRule struct {
	Condition ruleCondition `json:"condition"`
	Provider  *reference    `json:"identityProvider"`
}

type ruleCondition struct {
	Contains string `json:"contains"`
	Value    string `json:"value"`
}

// typedName is what a rule looks at.
const typedName = "${identifier}"

// actionBody is an action, which has the times of its policy.
type actionBody struct {
	Links       links     `json:"_links"`
	ID          string    `json:"id"`
	Environment reference `json:"environment"`
	Policy      reference `json:"signOnPolicy"`
	actionForm
}

func showAction(c *call, p store.SignOnPolicy, a store.PolicyAction) actionBody {
	f := actionForm{Type: a.Type, Priority: a.Priority}
	if a.Order != nil {
		f.NewUsers = &newUsersForm{[]gatewayTarget{}}
	}
	for _, ref := range a.Order {
		f.NewUsers.Gateways = append(f.NewUsers.Gateways, gatewayTarget{ref.Gateway, "LDAP", refer(ref.UserType)})
	}
	if a.Recovery != nil {
		f.Recovery = &switchForm{*a.Recovery}
	}
	if a.NoRegistration {
		f.Registration = &switchForm{}
	}
	if a.NoDevices != "" {
		f.NoDevices = &a.NoDevices
	}
	for name, at := range f.switches() {
		if slices.Contains(a.Off, name) {
			*at = new(bool)
		}
	}
	if a.Rules != nil {
		f.Rules = []policyRule{}
	}
	for _, r := range a.Rules {
		f.Rules = append(f.Rules, policyRule{ruleCondition{r.Contains, typedName}, refer(r.Provider)})
	}
	if a.Type == store.ActionProvider && len(a.Providers) > 0 {
		f.Provider = refer(a.Providers[0])
	} else if a.Providers != nil {
		f.Social = []reference{}
		for _, id := range a.Providers {
			f.Social = append(f.Social, reference{id})
		}
	}
	l := c.self("signOnPolicies", p.ID, "actions", a.ID)
	return actionBody{l, a.ID, reference{c.env}, reference{p.ID}, f}
}

// listActions answers with the actions of a policy, the first of them first.
func (s *Server) listActions(c *call) (reply, error) {
	p, err := s.Store.SignOnPolicy(c.Context(), c.env, c.PathValue("p"))
	if err != nil {
		return reply{}, err
	}
	show := func(a store.PolicyAction) actionBody { return showAction(c, p, a) }
	return few(c, "actions", p.Actions, show, "id", "type")
}

// getAction answers with one action.
func (s *Server) getAction(c *call) (reply, error) {
	p, err := s.Store.SignOnPolicy(c.Context(), c.env, c.PathValue("p"))
	i := actionAt(p, c.PathValue("id"))
	if err != nil || i < 0 {
		return reply{}, cmp.Or(err, store.ErrNotFound)
	}
	return ok(showAction(c, p, p.Actions[i]))
}

func actionAt(p store.SignOnPolicy, id string) int {
	return slices.IndexFunc(p.Actions, func(a store.PolicyAction) bool { return a.ID == id })
}

// createAction adds an action to a policy.
func (s *Server) createAction(c *call) (reply, error) {
	return s.writeAction(c, http.StatusCreated, func(p *store.SignOnPolicy, a store.PolicyAction) (string, error) {
		id, err := uuid.NewV7()
		if err != nil {
			return "", err
		}
		a.ID = id.String()
		switch i := p.Login(); {
		case i < 0 || p.Actions[i].ID != p.ID: // none that the console has made
		case a.Type == store.ActionLogin:
			p.Actions = slices.Delete(p.Actions, i, i+1)
		case a.Type == store.ActionMultiFactor:
			p.Actions[i].Priority = min(p.Actions[i].Priority, a.Priority-1)
		case p.Actions[i].Priority <= a.Priority:
			p.Actions[i].Priority = a.Priority + 1
		}
		p.Actions = append(p.Actions, a)
		return a.ID, nil
	})
}

// putAction replaces an action.
func (s *Server) putAction(c *call) (reply, error) {
	return s.writeAction(c, http.StatusOK, func(p *store.SignOnPolicy, a store.PolicyAction) (string, error) {
		i := actionAt(*p, c.PathValue("id"))
		if i < 0 {
			return "", store.ErrNotFound
		}
		a.ID = p.Actions[i].ID
		err := c.fresh(showAction(c, *p, p.Actions[i]))
		p.Actions[i] = a
		return a.ID, err
	})
}

// writeAction reads an action, has put put it into the policy in the path, and answers
// with it. Priorities and types stand once in a policy.
func (s *Server) writeAction(
	c *call, status int, put func(*store.SignOnPolicy, store.PolicyAction) (string, error),
) (reply, error) {
	var form actionForm
	if err := c.read(&form); err != nil {
		return reply{}, err
	}
	a, err := form.value()
	if err != nil {
		return reply{}, err
	}
	var id string
	p, err := s.Management.ChangePolicy(c.Context(), c.by(), c.PathValue("p"), func(p *store.SignOnPolicy) (err error) {
		if id, err = put(p, a); err != nil {
			return err
		}
		slices.SortStableFunc(p.Actions, func(a, b store.PolicyAction) int { return cmp.Compare(a.Priority, b.Priority) })
		return onceEach(p.Actions)
	})
	if err != nil {
		return reply{}, err
	}
	return reply{status, showAction(c, p, p.Actions[actionAt(p, id)])}, nil
}

// maxActions bounds the actions of a policy.
const maxActions = 21

// onceEach refuses two actions of one priority, and two that would say the same.
func onceEach(actions []store.PolicyAction) error {
	if len(actions) > maxActions {
		return refused(http.StatusBadRequest, "A sign-on policy has at most 21 actions.")
	}
	for i, a := range actions {
		for _, b := range actions[:i] {
			if a.Priority == b.Priority {
				return invalid(detail{notUnique, "priority", "Another action of this policy has this priority."})
			}
			if a.Type == b.Type && a.Type != store.ActionProvider {
				return invalid(detail{notUnique, "type", "This policy has such an action already: change that."})
			}
		}
	}
	return nil
}

// deleteAction takes an action off its policy.
func (s *Server) deleteAction(c *call) (reply, error) {
	_, err := s.Management.ChangePolicy(c.Context(), c.by(), c.PathValue("p"), func(p *store.SignOnPolicy) error {
		i := actionAt(*p, c.PathValue("id"))
		if i < 0 {
			return store.ErrNotFound
		}
		if err := c.fresh(showAction(c, *p, p.Actions[i])); err != nil {
			return err
		}
		// The order of the default policy goes with the action that says it.
		p.Actions = slices.Delete(p.Actions, i, i+1)
		return nil
	})
	return gone(err)
}

// value is the action that a form says. What only another type of action has is refused.
func (f actionForm) value() (a store.PolicyAction, err error) {
	a = store.PolicyAction{Type: f.Type, Priority: f.Priority}
	var wrongs []detail
	types := []string{store.ActionLogin, store.ActionIdentifierFirst, store.ActionProvider, store.ActionMultiFactor}
	if !slices.Contains(types, f.Type) {
		wrongs = append(wrongs, wrong("type", "It must be one of %q: there is no other step of a sign-on here.", types))
	}
	if f.Priority < 1 {
		wrongs = append(wrongs, wrong("priority", "It must be a number from 1."))
	}
	if f.Type == store.ActionMultiFactor && f.Priority == 1 {
		wrongs = append(wrongs, wrong("priority", "It must be a number from 2: it comes after the first step."))
	}
	wrongs = append(wrongs, f.strange()...)
	wrongs = append(wrongs, f.factor(&a)...)
	if f.NewUsers != nil {
		a.Order = []store.UserTypeRef{}
		for i, g := range f.NewUsers.Gateways {
			if g.Type != "" && g.Type != "LDAP" {
				wrongs = append(wrongs, wrong(item("newUserProvisioning.gateways", i)+".type", "It must be LDAP."))
			}
			a.Order = append(a.Order, store.UserTypeRef{Gateway: g.ID, UserType: g.UserType.id()})
		}
	}
	if f.Social != nil {
		a.Providers = []string{}
	}
	for _, p := range f.Social {
		a.Providers = append(a.Providers, p.ID)
	}
	if f.Provider != nil {
		a.Providers = []string{f.Provider.ID}
	}
	if f.Recovery != nil {
		a.Recovery = &f.Recovery.Enabled
	}
	if a.NoRegistration = f.Registration != nil; a.NoRegistration && f.Registration.Enabled {
		wrongs = append(wrongs, wrong("registration.enabled", "It must be false: nobody registers by themselves here."))
	}
	for _, name := range slices.Sorted(maps.Keys(f.switches())) {
		switch sent := *f.switches()[name]; {
		case off(sent):
			a.Off = append(a.Off, name)
		case sent != nil:
			wrongs = append(wrongs, wrong(name, "It must be false, or left out: it cannot be otherwise here."))
		}
	}
	if f.Rules != nil {
		a.Rules = []store.PolicyDomain{}
	}
	for i, r := range f.Rules {
		if r.Condition.Value != typedName || r.Condition.Contains == "" {
			wrongs = append(wrongs, wrong(fmt.Sprintf("discoveryRules[%d].condition", i),
				"It must say what %s contains.", typedName))
		}
		a.Rules = append(a.Rules, store.PolicyDomain{Contains: r.Condition.Contains, Provider: r.Provider.id()})
	}
	return a, invalid(wrongs...)
}

// factor reads what is said of who has no second factor.
func (f actionForm) factor(a *store.PolicyAction) []detail {
	if f.NoDevices == nil {
		return nil
	}
	if *f.NoDevices != store.NoDevicesBlock {
		return []detail{wrong("noDevicesMode", "It must be BLOCK, by which who has no second factor goes no further, or "+
			"left out: then they set one up at the next sign-on. Nobody is let on without.")}
	}
	a.NoDevices = *f.NoDevices
	return nil
}

// strange tells what an action of its type does not have.
func (f actionForm) strange() (wrongs []detail) {
	for _, p := range []struct {
		name  string
		given bool
		types []string
	}{
		{"newUserProvisioning", f.NewUsers != nil, []string{store.ActionLogin}},
		{"socialProviders", f.Social != nil, []string{store.ActionLogin, store.ActionIdentifierFirst}},
		{"recovery", f.Recovery != nil, []string{store.ActionLogin, store.ActionIdentifierFirst}},
		{"registration", f.Registration != nil, []string{
			store.ActionLogin, store.ActionIdentifierFirst, store.ActionProvider,
		}},
		{"identityProvider", f.Provider != nil, []string{store.ActionProvider}},
		{"discoveryRules", f.Rules != nil, []string{store.ActionIdentifierFirst}},
		{"passUserContext", f.PassContext != nil, []string{store.ActionProvider}},
		{"enforceLockoutForIdentityProviders", f.Lockout != nil,
			[]string{store.ActionLogin, store.ActionIdentifierFirst}},
		{"noDevicesMode", f.NoDevices != nil, []string{store.ActionMultiFactor}},
	} {
		if p.given && p.types != nil && !slices.Contains(p.types, f.Type) {
			wrongs = append(wrongs, wrong(p.name, "An action of this type does not have it."))
		}
	}
	if f.Type == store.ActionProvider && f.Provider == nil {
		wrongs = append(wrongs, missing("identityProvider"))
	}
	return wrongs
}
