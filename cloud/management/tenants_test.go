package management_test

import (
	"context"
	"errors"
	"testing"

	m "ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
)

// An owner of the environment that made another is an owner there, and nobody else of it
// is anybody there; of what it made in turn they are nobody.
func TestWhoIsWhoInAnEnvironmentThatWasMade(t *testing.T) {
	h := open(t)
	w, ctx := h.world(), t.Context()
	grandchild := store.Environment{Name: "made by the made", ParentID: w.child.ID}
	must(t, w.Store.NewEnvironment(ctx, &grandchild))
	for name, c := range map[string]struct {
		by    m.By
		env   string
		opens bool
	}{
		"owner":                        {w.as(store.RoleOwner), w.child.ID, true},
		"identity administrator":       {w.as(store.RoleIdentityAdmin), w.child.ID, false},
		"reader":                       {w.as(store.RoleReadOnly), w.child.ID, false},
		"administrator of the console": {w.asAdmin(store.RoleOwner), w.child.ID, false},
		"owner of another":             {h.world().as(store.RoleOwner), w.child.ID, false},
		"owner two steps up":           {w.as(store.RoleOwner), grandchild.ID, false},
	} {
		c.by.Environment, c.by.Role = c.env, store.RoleOwner // whatever the request came with
		err := w.CreateGroup(ctx, c.by, &store.Group{Name: "of " + name})
		if (err == nil) != c.opens || err != nil && !refusedByRole(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An environment goes with all that is in it, by those who made it alone, and its instances
// are cut off; one that has made another stays.
func TestEnvironmentsThatGo(t *testing.T) {
	h := open(t)
	w, ctx := h.world(), t.Context()
	by := w.as(store.RoleOwner)
	for name, id := range map[string]string{"own": w.env, "none": "none", "another's": h.world().child.ID} {
		if err := w.DeleteEnvironment(ctx, by, id, nil); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	h.parent = w.env
	full := h.world() // with one of everything
	must(t, w.Store.DeleteEnvironment(ctx, full.child.ID))
	h.links.told = nil
	must(t, w.DeleteEnvironment(ctx, by, full.env, nil))
	if _, err := w.Store.Environment(ctx, full.env); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("%v", err)
	}
	if len(h.links.told) != 1 || h.links.told[0] != "revoked "+full.instance.ID {
		t.Errorf("told %q", h.links.told)
	}
	grandchild := store.Environment{Name: "x", ParentID: w.child.ID}
	must(t, w.Store.NewEnvironment(ctx, &grandchild))
	if err := w.DeleteEnvironment(ctx, by, w.child.ID, nil); !errors.Is(err, store.ErrDependents) {
		t.Errorf("%v", err)
	}
}

// The default policy is the order of the console, whichever of both is changed.
func TestOneOrderTwoViews(t *testing.T) {
	h := open(t)
	w, ctx := h.world(), t.Context()
	by := w.as(store.RoleOwner)
	order := func() []store.UserTypeRef {
		e, err := w.Store.Environment(ctx, w.env)
		must(t, err)
		return e.Settings.SignOnOrder
	}
	viewed := func() []store.UserTypeRef {
		all, err := w.Store.SignOnPolicies(ctx, w.env)
		must(t, err)
		for _, p := range all {
			if i := p.Login(); p.Default && i >= 0 {
				return p.Actions[i].Order
			}
		}
		return nil
	}
	same := func(step string, want ...store.UserTypeRef) {
		t.Helper()
		for view, got := range map[string][]store.UserTypeRef{"settings": order(), "policy": viewed()} {
			if len(got) != len(want) || len(want) > 0 && (got[0] != want[0] || got[len(got)-1] != want[len(want)-1]) {
				t.Errorf("%s, %s: %v", step, view, got)
			}
		}
	}
	same("at first")
	moved := func(ref store.UserTypeRef) { t.Helper(); must(t, second(w.MoveSignOnOrder(ctx, by, ref, 1))) }
	moved(w.kind)
	same("moved in the console", w.other, w.kind)
	change := func(change func(*store.SignOnPolicy)) {
		t.Helper()
		_, err := w.ChangePolicy(ctx, by, w.policy.ID, func(p *store.SignOnPolicy) error { change(p); return nil })
		must(t, err)
	}
	change(func(p *store.SignOnPolicy) { p.Default = true })
	same("another default", w.other)
	change(func(p *store.SignOnPolicy) { p.Actions[0].Order = []store.UserTypeRef{w.kind, w.other} })
	same("changed in the policy", w.kind, w.other)
	moved(w.kind)
	same("moved again", w.other, w.kind)
	change(func(p *store.SignOnPolicy) { p.Actions = nil })
	same("without an action")

	all, err := w.Store.SignOnPolicies(ctx, w.env)
	must(t, err)
	for _, p := range all {
		if i := p.Login(); !p.Default && (i < 0 || len(p.Actions[i].Order) != 2) {
			t.Errorf("%s has lost its order: %+v", p.Name, p.Actions)
		}
	}
}

// What the sign-on order has no place for is refused of the default policy, and kept of
// another.
func TestPoliciesThatCannotBeTheDefault(t *testing.T) {
	h := open(t)
	w, ctx := h.world(), context.WithoutCancel(t.Context())
	by := w.as(store.RoleOwner)
	for _, c := range []struct {
		name string
		a    store.PolicyAction
		may  bool
	}{
		{"provider", store.PolicyAction{Type: store.ActionProvider, Providers: []string{w.provider.ID}}, false},
		{"identifier first", store.PolicyAction{Type: store.ActionIdentifierFirst}, true},
		{"social", store.PolicyAction{Type: store.ActionLogin, Providers: []string{w.provider.ID}}, true},
	} {
		c.a.ID, c.a.Priority = "a", 1
		p := store.SignOnPolicy{Name: c.name, Actions: []store.PolicyAction{c.a}}
		must(t, w.CreatePolicy(ctx, by, &p))
		_, err := w.ChangePolicy(ctx, by, p.ID, func(p *store.SignOnPolicy) error { p.Default = true; return nil })
		if (err == nil) != c.may {
			t.Errorf("%s as the default: %v", c.name, err)
		}
	}
}

// What could not be obeyed when it was kept can be taken away one by one, is given to no
// application, and gets nothing added.
func TestPoliciesOfBefore(t *testing.T) {
	h := open(t)
	w, ctx := h.world(), context.WithoutCancel(t.Context())
	by := w.as(store.RoleOwner)
	to := store.PolicyAction{ID: "a", Type: store.ActionProvider, Priority: 1, Providers: []string{w.provider.ID}}
	old := store.SignOnPolicy{EnvironmentID: w.env, Name: "Old", Actions: []store.PolicyAction{to, to, to}}
	must(t, w.Store.SavePolicy(ctx, &old))
	change := func(f func(*store.SignOnPolicy)) error {
		_, err := w.ChangePolicy(ctx, by, old.ID, func(p *store.SignOnPolicy) error { f(p); return nil })
		return err
	}
	_, err := w.ChangeApplication(ctx, by, w.application.ID, func(a *store.Application) error {
		a.Kept.Policies = append(a.Kept.Policies, store.PolicyAssignment{ID: "x", Policy: old.ID, Priority: 9})
		return nil
	})
	if err == nil {
		t.Error("an application goes by it")
	}
	if change(func(p *store.SignOnPolicy) { p.Actions = append(p.Actions, to) }) == nil {
		t.Error("more was added")
	}
	for range old.Actions {
		must(t, change(func(p *store.SignOnPolicy) { p.Actions = p.Actions[1:] }))
	}
}
