package console

import (
	"errors"
	"net/http"

	"github.com/google/uuid"

	"ldap-gateway/cloud/management"
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
	setFactor(&p, page.Factor, "")
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

// endPolicyFactor asks for no second factor any more.
func (c *console) endPolicyFactor(k *call) error {
	return c.changeFactor(k, k.posted("policy"), false, "", "is not asked for a second factor any more.")
}

// askPolicyFactor asks before a policy asks for a second factor.
func (c *console) askPolicyFactor(k *call) error {
	p, err := c.Store.SignOnPolicy(k.Context(), k.env(), k.PathValue("policy"))
	if err != nil {
		return err
	}
	q := question{
		Title:  "Ask for a second factor",
		Button: "Ask for it",
		Back:   policiesPath,
		Text: []string{"Who signs on by “" + p.Name + "” is asked for a second factor from their next sign-on. " +
			"Who has none sets one up on the way, after their password, and is shown recovery codes."},
	}
	if p.Default {
		q.Text = append(q.Text, "It is the default policy: that is everybody, for every application without a policy "+
			"of its own, for people's own pages and for this console. Tell people before.")
	}
	return k.question(q)
}

// setPolicyFactor has a policy ask for a second factor, and let who has none set one up.
func (c *console) setPolicyFactor(k *call) error {
	return c.changeFactor(k, k.PathValue("policy"), true, "",
		"is asked for a second factor from now on; who has none sets one up.")
}

// askBlock asks before a policy turns away who has no second factor.
func (c *console) askBlock(k *call) error {
	p, err := c.Store.SignOnPolicy(k.Context(), k.env(), k.PathValue("policy"))
	if err != nil {
		return err
	}
	q := question{
		Title:  "Turn away who has no second factor",
		Button: "Turn them away",
		Back:   policiesPath,
		Text: []string{"Who signs on by “" + p.Name + "” and has no second factor goes no further. They cannot set one up " +
			"on the way, and so neither can anybody else who knows their password. They are told to ask you. So have " +
			"people set one up first: the activity (user.factor-added) shows who has."},
	}
	if p.Default {
		q.Text = append(q.Text, "It is the default policy, which counts for people's own pages and for this console too: "+
			"who has none, or whose factor you take away, gets in again when you let people set one up, for a while.")
	}
	return k.question(q)
}

func (c *console) blockFactor(k *call) error {
	return c.changeFactor(k, k.PathValue("policy"), true, store.NoDevicesBlock,
		"is asked for a second factor, and turned away without.")
}

// policyDeletion finds what keeps a policy from being deleted.
func (c *console) policyDeletion(k *call) (deletion, error) {
	p, err := c.Store.SignOnPolicy(k.Context(), k.env(), k.PathValue("policy"))
	if err != nil {
		return deletion{}, err
	}
	d := deletion{Kind: "sign-on policy", Name: p.Name, Back: policiesPath}
	if d.Named, err = management.NamedBy(k.Context(), c.Store, k.env(), p.ID); len(d.Named) > 0 {
		d.Never = "Applications go by it. Give those another one first."
	}
	if p.Default {
		d.Never = "It is the default one, by which people sign on wherever an application has none of its own."
	}
	return d, err
}

// askDeletePolicy asks first, or says why it cannot be.
func (c *console) askDeletePolicy(k *call) error {
	d, err := c.policyDeletion(k)
	if err != nil {
		return err
	}
	return k.render(http.StatusOK, "delete", "Delete "+d.Name, d)
}

// deletePolicy has what names it be looked for in the deletion itself: an application may have been given the
// policy since the page was shown.
func (c *console) deletePolicy(k *call) error {
	name := ""
	err := c.Management.DeletePolicy(k.Context(), k.by(), k.PathValue("policy"), func(p store.SignOnPolicy) error {
		name = p.Name
		return nil
	})
	if errors.Is(err, store.ErrDependents) {
		d, err := c.policyDeletion(k)
		if err != nil {
			return err
		}
		return k.render(http.StatusConflict, "delete", "Delete "+d.Name, d)
	}
	if err != nil {
		return err
	}
	return k.done(policiesPath, "The sign-on policy "+name+" was deleted.")
}

// changeFactor changes what a policy wants of a second factor, and says so by what becomes of who signs on by it.
func (c *console) changeFactor(k *call, id string, on bool, without, text string) error {
	p, err := c.Management.ChangePolicy(k.Context(), k.by(), id, func(p *store.SignOnPolicy) error {
		setFactor(p, on, without)
		return nil
	})
	if err != nil {
		return err
	}
	return k.done(policiesPath, "Who signs on by "+p.Name+" "+text)
}

// setFactor adds the action to a policy, after all others, or takes it away. Without is what becomes of who has
// no second factor.
func setFactor(p *store.SignOnPolicy, on bool, without string) {
	var rest []store.PolicyAction
	last, id := 1, uuid.NewString()
	for _, a := range p.Actions {
		if a.Type == store.ActionMultiFactor {
			id = a.ID
			continue
		}
		rest, last = append(rest, a), max(last, a.Priority)
	}
	if on {
		a := store.PolicyAction{ID: id, Type: store.ActionMultiFactor, Priority: last + 1, NoDevices: without}
		rest = append(rest, a)
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
