package console

import (
	"net/http"

	"github.com/google/uuid"

	"ldap-gateway/cloud/store"
)

const policiesPath = "/console/settings/policies"

// policiesPage lists the sign-on policies. The order in which the default one asks is on a page of its own.
type policiesPage struct {
	Policies []policyShown
	Name     string // of a new one
	Factor   bool   // of a new one
	Errors   map[string]string
}

// policyShown is a policy with what it does, in words.
type policyShown struct {
	store.SignOnPolicy
	Steps []string
}

// stepWords says what the first step of a policy is.
var stepWords = map[string]string{
	store.ActionLogin:           "Name and password",
	store.ActionIdentifierFirst: "The name first, which may lead to an identity provider",
	store.ActionProvider:        "Straight to an identity provider",
}

// steps returns what a policy asks for before a second factor.
func steps(p store.SignOnPolicy) (all []string) {
	for _, a := range p.Actions {
		if words, ok := stepWords[a.Type]; ok {
			all = append(all, words)
		}
	}
	if all == nil && p.Default {
		all = []string{"Name and password, and the identity providers that there are"}
	}
	return all
}

func (c *console) showPolicies(k *call) error {
	return c.renderPolicies(k, http.StatusOK, policiesPage{Factor: true})
}

func (c *console) renderPolicies(k *call, status int, page policiesPage) error {
	all, err := c.Store.SignOnPolicies(k.Context(), k.env())
	if err != nil {
		return err
	}
	for _, p := range all {
		page.Policies = append(page.Policies, policyShown{p, steps(p)})
	}
	return k.render(status, "policies", "Sign-on policies", page)
}

// createPolicy makes one by name and password, with a second factor when the form says so. One that leads
// to identity providers is a program's to make.
func (c *console) createPolicy(k *call) error {
	page := policiesPage{Name: k.posted("name"), Factor: k.posted("factor") == "yes"}
	p := store.SignOnPolicy{Name: page.Name, Actions: []store.PolicyAction{{
		ID: uuid.NewString(), Type: store.ActionLogin, Priority: 1, Order: []store.UserTypeRef{},
	}}}
	setFactor(&p, page.Factor)
	err := c.Management.CreatePolicy(k.Context(), k.by(), &p)
	if wrong, ok := faults(err); ok {
		page.Errors = wrong
		return c.renderPolicies(k, http.StatusUnprocessableEntity, page)
	}
	if err != nil {
		return err
	}
	return k.done(policiesPath, "The sign-on policy "+p.Name+" was made. Choose it on the page of an application.")
}

// setPolicyFactor has a policy ask for a second factor, or no more.
func (c *console) setPolicyFactor(k *call) error {
	on := k.posted("factor") == "yes"
	p, err := c.Management.ChangePolicy(k.Context(), k.by(), k.posted("policy"), func(p *store.SignOnPolicy) error {
		setFactor(p, on)
		return nil
	})
	if err != nil {
		return err
	}
	if on {
		return k.done(policiesPath, "Who signs on by "+p.Name+" is asked for a second factor from now on.")
	}
	return k.done(policiesPath, "Who signs on by "+p.Name+" is not asked for a second factor any more.")
}

// setFactor adds the action to a policy, after all others, or takes it away.
func setFactor(p *store.SignOnPolicy, on bool) {
	var rest []store.PolicyAction
	last := 1
	for _, a := range p.Actions {
		if a.Type != store.ActionMultiFactor {
			rest, last = append(rest, a), max(last, a.Priority)
		}
	}
	if on {
		rest = append(rest, store.PolicyAction{ID: uuid.NewString(), Type: store.ActionMultiFactor, Priority: last + 1})
	}
	p.Actions = rest
}

// way is by which policy people sign on for an application.
type way struct {
	Policies []store.SignOnPolicy // to choose from: all but the default one
	Chosen   string               // ID; empty: the default one
	Several  int                  // policies that a program gave it, if they are more than one
}

func (c *console) wayOf(k *call, a store.Application) (w way, err error) {
	all, err := c.Store.SignOnPolicies(k.Context(), k.env())
	for _, p := range all {
		if !p.Default {
			w.Policies = append(w.Policies, p)
		}
	}
	if w.Chosen = chosenOf(a); len(a.Kept.Policies) > 1 {
		w.Several = len(a.Kept.Policies)
	}
	return w, err
}

// chosenOf returns the ID of the first policy of an application; empty when it has none.
func chosenOf(a store.Application) string {
	if ids := a.Kept.PolicyIDs(); len(ids) > 0 {
		return ids[0]
	}
	return ""
}

// readPolicy reads the policy of a form into an application. Several, which a program gave it, stay.
func readPolicy(k *call, a *store.Application) {
	id := k.posted("policy")
	if !k.PostForm.Has("policy") || len(a.Kept.Policies) > 1 || id == chosenOf(*a) {
		return
	}
	a.Kept.Policies = nil
	if id != "" {
		a.Kept.Policies = []store.PolicyAssignment{{ID: uuid.NewString(), Policy: id, Priority: 1}}
	}
}
