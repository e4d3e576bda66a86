package console_test

import (
	"net/http"
	"strings"
	"testing"

	"ldap-gateway/cloud/store"
)

// Each policy is switched to ask for a second factor, after its other steps, and back; a new one is made by
// name and password.
func TestPoliciesAskForAFactor(t *testing.T) {
	s := open(t)
	v := s.admin()
	first := store.SignOnPolicy{EnvironmentID: s.env.ID, Name: "First the name", Actions: []store.PolicyAction{
		{ID: "a", Type: store.ActionIdentifierFirst, Priority: 3}, {ID: "b", Type: store.ActionLogin, Priority: 9},
	}}
	s.must(s.store.SavePolicy(t.Context(), &first))
	page := "/console/settings/policies"
	v.get(page).is(http.StatusOK).has("Default", "First the name", "Not asked for", "which may lead to an identity provider")
	all, err := s.store.SignOnPolicies(t.Context(), s.env.ID)
	s.must(err)
	for _, p := range all {
		for _, on := range []string{"yes", "yes", "", ""} {
			asked := v.get(page+"/"+p.ID+"/factor").is(http.StatusOK).has("Ask for a second factor", p.Name)
			if everybody := strings.Contains(asked.body, "everybody"); everybody != p.Default {
				t.Errorf("%s: the question says that it is everybody: %t", p.Name, everybody)
			}
			if on == "yes" {
				v.follow(v.post(page + "/" + p.ID + "/factor")).has(p.Name)
			} else {
				v.follow(v.post(page+"/factor", "policy", p.ID)).has(p.Name)
			}
			now, err := s.store.SignOnPolicy(t.Context(), s.env.ID, p.ID)
			s.must(err)
			n := len(now.Actions)
			if now.AsksFactor() != (on == "yes") || now.AsksFactor() && now.Actions[n-1].Type != store.ActionMultiFactor ||
				p.Name == first.Name && (now.Actions[0].ID != "a" || now.Actions[1].ID != "b") {
				t.Errorf("%s, %q: %+v", p.Name, on, now.Actions)
			}
		}
	}
	s.actor("signOnPolicy.updated", "signOnPolicy:"+all[0].ID)
	for _, p := range all {
		v.get(page+"/"+p.ID+"/block").is(http.StatusOK).has("Turn away who has no second factor", "ask you")
		for _, block := range []bool{true, false} {
			if block {
				v.follow(v.post(page+"/"+p.ID+"/block")).has("turned away without", "Who has none is turned away")
			} else {
				v.follow(v.post(page + "/" + p.ID + "/factor")).has("who has none sets one up")
			}
			now, err := s.store.SignOnPolicy(t.Context(), s.env.ID, p.ID)
			s.must(err)
			if !now.AsksFactor() || now.TurnsAway() != block {
				t.Errorf("%s: %+v", p.Name, now.Actions)
			}
		}
	}
	v.get(page + "/none/block").is(http.StatusNotFound)
	v.post(page + "/none/block").is(http.StatusNotFound)
	v.get(page + "/none/factor").is(http.StatusNotFound)
	v.post(page + "/none/factor").is(http.StatusNotFound)
	v.post(page+"/factor", "policy", "none").is(http.StatusNotFound)
	v.post(page, "name", "").is(http.StatusUnprocessableEntity)
	v.post(page, "name", "First the NAME", "factor", "yes").is(http.StatusUnprocessableEntity).has("has this name")
	for name, factor := range map[string]string{"Twice": "yes", "Once": ""} {
		v.follow(v.post(page, "name", name, "factor", factor)).has(name + " was made")
		all, err := s.store.SignOnPolicies(t.Context(), s.env.ID)
		s.must(err)
		for _, p := range all {
			if p.Name == name && (p.AsksFactor() != (factor == "yes") || p.Login() != 0) {
				t.Errorf("%+v", p)
			}
		}
	}
}

// An application of each protocol is given a policy on its page, and goes by the default one again; several that
// a program gave it stay, whatever the form says.
func TestApplicationsChooseAPolicy(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	p := f.policy
	page := "/console/applications/" + f.application.ID
	v.get(page).has("Sign-on policy", "Twice (with a second factor)")
	form := []string{"name", f.application.Name, "type", "WEB_APP", "redirects", "https://x.example.com/", "groups", "NAMES", "bytes", "2000"}
	kept := func() []store.PolicyAssignment {
		a, err := s.store.Application(t.Context(), s.env.ID, f.application.ID)
		s.must(err)
		return a.Kept.Policies
	}
	for _, c := range []struct {
		form []string
		want string
	}{{[]string{"policy", p.ID}, p.ID}, {nil, p.ID}, {[]string{"policy", p.ID}, p.ID}, {[]string{"policy", ""}, ""}} {
		v.post(page, append(append([]string{"seen", seenIn(v.get(page))}, form...), c.form...)...).is(http.StatusSeeOther)
		if got := kept(); len(got) > 1 || (c.want == "") != (len(got) == 0) || len(got) == 1 && got[0].Policy != c.want {
			t.Errorf("%q: %+v", c.form, got)
		}
	}
	v.post(page, append([]string{"seen", seenIn(v.get(page)), "policy", "none"}, form...)...).is(http.StatusUnprocessableEntity)
	a, err := s.store.Application(t.Context(), s.env.ID, f.application.ID)
	s.must(err)
	a.Kept.Policies = []store.PolicyAssignment{{ID: "1", Policy: p.ID, Priority: 4}, {ID: "2", Policy: "x", Priority: 2}}
	s.must(s.store.UpdateApplication(t.Context(), &a))
	v.post(page, append([]string{"seen", seenIn(v.get(page).has("It has 2")), "policy", ""}, form...)...).is(http.StatusSeeOther)
	if got := kept(); len(got) != 2 {
		t.Errorf("%+v", got)
	}
}

// A policy that nothing goes by is deleted, after a question. The default one is not, nor one that an application
// goes by, of either protocol: the page names them, and so does the answer to who was given it meanwhile.
func TestPoliciesAreDeleted(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	saml := store.Application{
		EnvironmentID: s.env.ID, Name: "Payroll", Protocol: store.SAML, Type: store.WebApplication, Enabled: true,
		SAML: store.ServiceProvider{EntityID: "https://pay.example.com", ACS: []string{"https://pay.example.com/acs"}},
	}
	s.must(s.store.CreateApplication(t.Context(), &saml))
	page := "/console/settings/policies/" + f.policy.ID + "/delete"
	offers := func(a answer) bool { return strings.Contains(a.body, `<button class="danger">`) }
	if a := v.get(page).has("Delete the sign-on policy “Twice”", "No application goes by it"); !offers(a) {
		t.Error(a.body)
	}
	uses := func(a *store.Application, does bool) {
		a.Kept.Policies = nil
		if does {
			a.Kept.Policies = []store.PolicyAssignment{{ID: "1", Policy: f.policy.ID, Priority: 1}}
		}
		s.must(s.store.UpdateApplication(t.Context(), a))
	}
	for _, a := range []*store.Application{&f.application, &saml} {
		uses(a, true)
		if p := v.get(page).has("Applications go by it", a.Name); offers(p) || !strings.Contains(p.body, "/console/applications/"+a.ID) {
			t.Error(p.body)
		}
		v.post(page, "force", "yes").is(http.StatusConflict).has(a.Name)
		uses(a, false)
	}
	all, err := s.store.SignOnPolicies(t.Context(), s.env.ID)
	s.must(err)
	for _, p := range all {
		if p.Default {
			at := "/console/settings/policies/" + p.ID + "/delete"
			if a := v.get(at).has("It is the default one"); offers(a) {
				t.Error(a.body)
			}
			v.post(at).is(http.StatusConflict).has("It is the default one")
		}
	}
	v.follow(v.post(page)).has("The sign-on policy Twice was deleted")
	s.actor("signOnPolicy.deleted", "signOnPolicy:"+f.policy.ID)
	v.get(page).is(http.StatusNotFound)
	v.post(page).is(http.StatusNotFound)
	v.get("/console/settings/policies").lacks("Twice")
}
