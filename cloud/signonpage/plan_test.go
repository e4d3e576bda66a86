package signonpage

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"ldap-gateway/cloud/console/axetest"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/vault"
)

// goesBy has the application go by a policy of its own.
func (p *partners) goesBy(actions ...store.PolicyAction) store.SignOnPolicy {
	p.t.Helper()
	made := store.SignOnPolicy{EnvironmentID: p.env, Name: "Policy of its own", Actions: actions}
	check(p.t, p.db.SavePolicy(p.t.Context(), &made))
	p.flow.Policies = []string{made.ID}
	return made
}

// another makes one more provider.
func (p *partners) another(name string) store.IdentityProvider {
	p.t.Helper()
	return p.add(name, must(vault.New(make([]byte, 32))))
}

var (
	passwordField = regexp.MustCompile(`type="password"`)
	nextForm      = regexp.MustCompile(`/signon/next"`)
	links         = regexp.MustCompile(`class="choice" href="[^"]*/signon/idp/([^?"]*)`)
)

// seen says what a page asks for, and the providers that it offers.
func seen(a answer) (what string, offered []string) {
	for _, m := range links.FindAllStringSubmatch(a.page, -1) {
		offered = append(offered, m[1])
	}
	switch {
	case a.status == 503:
		return "nothing", offered
	case strings.Contains(a.to, "/signon/idp/"):
		return "away", []string{regexp.MustCompile(`idp/([^?]*)`).FindStringSubmatch(a.to)[1]}
	case passwordField.MatchString(a.page):
		return "password", offered
	case nextForm.MatchString(a.page):
		return "name", offered
	}
	return "choice", offered
}

// policyCase is a policy of an application, with what people see who come for it.
type policyCase struct {
	name      string
	actions   []store.PolicyAction
	sees      string
	offers    []string // providers by ID, in order
	leads     []string // providers that may be gone to
	passwords bool     // are taken
}

// policyCases are the kinds of policies, over the providers a, b, and one that is off.
func policyCases(a, b, off string) []policyCase {
	login := func(ids ...string) store.PolicyAction {
		return store.PolicyAction{ID: "1", Type: store.ActionLogin, Priority: 2, Providers: ids}
	}
	first := func(rules []store.PolicyDomain, ids ...string) store.PolicyAction {
		return store.PolicyAction{ID: "2", Type: store.ActionIdentifierFirst, Priority: 1, Rules: rules, Providers: ids}
	}
	to := func(id string) store.PolicyAction {
		return store.PolicyAction{ID: "3", Type: store.ActionProvider, Priority: 1, Providers: []string{id}}
	}
	rules := []store.PolicyDomain{{Contains: "@B.example", Provider: b}, {Contains: "@off", Provider: off}}
	one := func(a store.PolicyAction) []store.PolicyAction { return []store.PolicyAction{a} }
	return []policyCase{
		{"passwords alone", one(login()), "password", nil, nil, true},
		{"providers in order", one(login(b, a)), "password", []string{b, a}, []string{b, a}, true},
		{"a provider that is off", one(login(off, a)), "password", []string{a}, []string{off, a}, true},
		{"a provider that is gone", one(login("gone")), "password", nil, nil, true},
		{"the name first", one(first(nil)), "name", nil, nil, true},
		{"rules", one(first(rules)), "name", nil, []string{b, off}, true},
		{"rules and providers", one(first(rules, a)), "name", []string{a}, []string{a, b, off}, true},
		{"the name first, then the order", []store.PolicyAction{first(rules, a), login(b)}, "name", []string{a, b},
			[]string{a, b, off}, true},
		{"straight", one(to(a)), "away", []string{a}, []string{a}, false},
		{"straight to one that is off", one(to(off)), "nothing", nil, []string{off}, false},
		{"straight to nowhere", one(to("gone")), "nothing", nil, nil, false},
		{"no actions yet", nil, "nothing", nil, nil, false},
	}
}

// An application's own policy decides what is asked for, which providers are offered, and
// who counts as signed on: there is no way around it, by address, form or session.
func TestApplicationsGoByTheirPolicies(t *testing.T) {
	for _, withGateway := range []bool{true, false} {
		p := startPartners(t)
		a, b, off := p.p, p.another("B"), p.another("Off")
		off.Enabled = false
		check(t, p.db.UpdateIdentityProvider(t.Context(), &off))
		if withGateway {
			p.withGateway()
		}
		for _, c := range policyCases(a.ID, b.ID, off.ID) {
			made := p.goesBy(c.actions...)
			p.holds(t, c, made, withGateway, []string{a.ID, b.ID})
			check(t, p.db.DeletePolicy(t.Context(), p.env, made.ID))
		}
		p.flow.Policies = []string{"gone"}
		if what, _ := seen(p.get(p.visitor(), "?flow=f1")); what != "nothing" {
			t.Errorf("a policy that is gone shows %s", what)
		}
	}
}

// holds checks one of them.
func (p *partners) holds(t *testing.T, c policyCase, made store.SignOnPolicy, gateway bool, providers []string) {
	t.Helper()
	want := c.sees
	if !gateway && want == "password" && len(c.offers) > 0 {
		want = "choice" // nobody checks a password
	}
	if what, offered := seen(p.get(p.visitor(), "?flow=f1")); what != want || !slices.Equal(offered, c.offers) {
		t.Errorf("%s (gateway: %v): sees %s with %v, want %s with %v", c.name, gateway, what, offered, want, c.offers)
	}
	p.asked, p.policy = nil, ""
	a := p.post(p.visitor(), "", "flow", "f1", "username", "alice", "password", "x")
	if asked := len(p.asked) > 0; asked != c.passwords || strings.Contains(a.page, "/completed/") != c.passwords ||
		asked && p.policy != made.ID {
		t.Errorf("%s: a password is asked about: %v, by %q\n%s", c.name, asked, p.policy, a.page)
	}
	p.post(p.visitor(), "/password", "flow", "f1", "username", "alice", "password", "x", "new", "y", "again", "y")
	if asked := len(p.asked) > 1; asked != c.passwords {
		t.Errorf("%s: a password is changed: %v", c.name, asked)
	}
	for _, id := range providers {
		leads := slices.Contains(c.leads, id)
		if got := p.get(p.visitor(), "/idp/"+id+"?flow=f1").status; (got == 303) != leads || !leads && got != 404 {
			t.Errorf("%s: %d on the way to %s", c.name, got, id)
		}
		who := p.visitor()
		p.walk(who, "/"+p.env+"/signon/idp/"+id, "at"+id) // for no application
		if a := p.get(who, "?flow=f1"); strings.HasPrefix(a.to, "/completed/") != leads {
			t.Errorf("%s: who is signed on at %s: %+v", c.name, id, a)
		}
	}
	who := p.visitor()
	p.post(who, "", "username", "alice", "password", "x")
	if a := p.get(who, "?flow=f1"); strings.HasPrefix(a.to, "/completed/") != c.passwords {
		t.Errorf("%s: who is signed on by password: %+v", c.name, a)
	}
	p.flow.Silent = true
	a = p.get(p.visitor(), "?flow=f1")
	if p.flow.Silent = false; !strings.HasPrefix(a.to, "/refused/") && c.sees != "away" {
		t.Errorf("%s: shows a page where none may be: %+v", c.name, a)
	}
}

// A rule looks at the name and at nothing else: those whom the cloud knows, and those it
// does not, get one page; and the first rule that fits counts.
func TestRulesTellNothingAboutAccounts(t *testing.T) {
	p := startPartners(t)
	p.withGateway()
	b := p.another("B")
	p.goesBy(store.PolicyAction{ID: "1", Type: store.ActionIdentifierFirst, Priority: 1, Rules: []store.PolicyDomain{
		{Contains: "@Lab.", Provider: b.ID}, {Contains: "example", Provider: p.p.ID}, {Contains: "LAB", Provider: p.p.ID},
	}})
	for name, to := range map[string]string{
		"x@lab.example": b.ID, "x@LAB.other": b.ID, "x@example.org": p.p.ID, "labrador": p.p.ID, "x": "", "x@other.org": "",
	} {
		known := store.User{EnvironmentID: p.env, PopulationID: p.alice.PopulationID, Username: "k" + name, Enabled: true}
		check(t, p.db.CreateUser(t.Context(), &known))
		pages := map[string]string{}
		for _, who := range []string{"k", "u"} {
			a := p.post(p.visitor(), "/next", "flow", "f1", "username", who+name)
			pages[who] = strings.ReplaceAll(strings.ReplaceAll(a.page, who+name, "NAME"),
				url.QueryEscape(who+name), "NAME")
		}
		if pages["k"] != pages["u"] {
			t.Errorf("%s: %s\n%s", name, pages["k"], pages["u"])
		}
		if got := strings.Contains(pages["k"], "/signon/idp/"+to); to != "" && !got {
			t.Errorf("%s does not lead to %s:\n%s", name, to, pages["k"])
		}
		if got := passwordField.MatchString(pages["k"]); got != (to == "") {
			t.Errorf("%s asks for a password: %v", name, got)
		}
		p.flow.LoginHint = "u" + name
		what, _ := seen(p.get(p.visitor(), "?flow=f1"))
		if p.flow.LoginHint = ""; (what == "away") != (to != "") {
			t.Errorf("as a hint %s shows %s", name, what)
		}
	}
}

// Of several policies the first counts, unless the application names another of its own.
func TestApplicationNamesItsPolicy(t *testing.T) {
	p := startPartners(t)
	p.withGateway()
	first := p.goesBy(store.PolicyAction{ID: "1", Type: store.ActionLogin, Priority: 1})
	strict := store.SignOnPolicy{EnvironmentID: p.env, Name: "strict", Actions: []store.PolicyAction{
		{ID: "1", Type: store.ActionProvider, Priority: 1, Providers: []string{p.p.ID}},
	}}
	check(t, p.db.SavePolicy(t.Context(), &strict))
	p.flow.Policies = []string{first.ID, strict.ID}
	for acr, want := range map[string]string{
		"": "password", "other": "password", "strict": "away", "other strict": "away", "Strict": "password",
	} {
		p.flow.ACR = strings.Fields(acr)
		if what, _ := seen(p.get(p.visitor(), "?flow=f1")); what != want {
			t.Errorf("%q: %s, want %s", acr, what, want)
		}
	}
	p.flow.Policies, p.flow.ACR = []string{first.ID}, []string{"strict"}
	if what, _ := seen(p.get(p.visitor(), "?flow=f1")); what != "password" {
		t.Errorf("by the name of a policy that is not its own: %s", what)
	}
}

// By the default policy the name is asked for first where it says so, and its providers
// are those that it names, if it does.
func TestDefaultPolicyIsObeyed(t *testing.T) {
	p := startPartners(t)
	p.withGateway()
	b := p.another("B")
	standard := must(p.db.DefaultSignOnPolicy(t.Context(), p.env))
	for _, c := range []struct {
		actions []store.PolicyAction
		sees    string
		offers  []string
	}{
		{nil, "password", []string{b.ID, p.p.ID}},
		{[]store.PolicyAction{{ID: "1", Type: store.ActionLogin, Priority: 1}}, "password", []string{b.ID, p.p.ID}},
		{[]store.PolicyAction{{ID: "1", Type: store.ActionLogin, Priority: 1, Providers: []string{p.p.ID}}}, "password",
			[]string{p.p.ID}},
		{[]store.PolicyAction{{ID: "1", Type: store.ActionLogin, Priority: 1, Providers: []string{}}}, "password", nil},
		{[]store.PolicyAction{{ID: "1", Type: store.ActionIdentifierFirst, Priority: 1}}, "name", []string{b.ID, p.p.ID}},
	} {
		standard.Actions = c.actions
		check(t, p.db.SavePolicy(t.Context(), &standard))
		for _, policies := range [][]string{nil, {standard.ID}} {
			p.flow.Policies = policies
			for _, flow := range []string{"", "?flow=f1"} {
				if what, offered := seen(p.get(p.visitor(), flow)); what != c.sees || !slices.Equal(offered, c.offers) {
					t.Errorf("%+v: %s with %v", c.actions, what, offered)
				}
			}
			p.post(p.visitor(), "", "flow", "f1", "username", "alice", "password", "x")
			if p.policy != "" {
				t.Errorf("asked by the policy %q", p.policy)
			}
		}
	}
}

// In a browser, in each language: the name first, whose rule leads to the provider and from
// there to the application; another name, then the password.
func TestIdentifierFirstInABrowser(t *testing.T) {
	p := startPartners(t)
	p.withGateway()
	w := openWindow(t)
	name, password := chromedp.CSS("#username"), chromedp.CSS("#password")
	for _, lang := range languages {
		p.flow.Locales = []string{lang.String()}
		made := p.goesBy(store.PolicyAction{
			ID: "1", Type: store.ActionIdentifierFirst, Priority: 1,
			Rules: []store.PolicyDomain{{Contains: "@partner.example", Provider: p.p.ID}},
		}, store.PolicyAction{ID: "2", Type: store.ActionLogin, Priority: 2})
		at := p.url + "/" + p.env + "/signon?anew=1&flow=f1"
		w.at(at)
		w.sees(say(lang, "User name"))
		check(t, chromedp.Do(w.ctx, chromedp.SendKeys(name, "eve@partner.example")))
		w.press("button")
		w.isEve()
		w.at(at)
		check(t, chromedp.Do(w.ctx, chromedp.SendKeys(name, "alice")))
		w.press("button")
		w.sees(say(lang, "Password"))
		check(t, chromedp.Do(w.ctx, chromedp.SendKeys(password, "x")))
		w.press("button")
		w.comesTo("/completed/f1/password")
		if p.policy != made.ID {
			t.Errorf("asked by %q", p.policy)
		}
		check(t, p.db.DeletePolicy(t.Context(), p.env, made.ID))
		made = p.goesBy(store.PolicyAction{ID: "1", Type: store.ActionProvider, Priority: 1, Providers: []string{p.p.ID}})
		w.at(at)
		w.isEve()
		check(t, p.db.DeletePolicy(t.Context(), p.env, made.ID))
		w.at(at)
		w.sees(say(lang, "Nobody can sign on to %s at the moment. Please tell your administrator.", "Wiki"))
		axetest.Look(w.ctx, t, "a policy that leads nowhere")
	}
}

// isEve signs on at the provider, and comes back for the application.
func (w *window) isEve() {
	w.t.Helper()
	check(w.t, chromedp.Do(w.ctx, chromedp.SendKeys(chromedp.CSS("input[name=user]"), "eve")))
	w.press("button")
	w.comesTo("/completed/f1/idp")
}

// comesTo waits until the browser is at a path; while it goes there it answers nothing.
func (w *window) comesTo(path string) {
	w.t.Helper()
	for {
		at, err := chromedp.Run(w.ctx, chromedp.Location())
		if w.ctx.Err() != nil {
			w.t.Fatalf("never comes to %s: %v", path, err)
		}
		if strings.HasSuffix(at, path) {
			return
		}
	}
}
