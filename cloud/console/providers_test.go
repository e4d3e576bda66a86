package console_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"ldap-gateway/cloud/idp/idptest"
	"ldap-gateway/cloud/store"
)

// TestDeleteProviderTells who and what goes with it, each once.
func TestDeleteProviderTells(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	ctx := t.Context()
	path := "/console/providers/" + f.saml.ID + "/delete"
	v.get(path).has("No user depends on it")
	groups := []*store.Group{
		{EnvironmentID: s.env.ID, Name: "plain", SourceType: store.SourceIDP, SourceID: f.saml.ID},
		{EnvironmentID: s.env.ID, Name: "chiefs", SourceType: store.SourceIDP, SourceID: f.saml.ID},
	}
	s.must(s.store.Provision(ctx, func(tx *store.Tx) error { return tx.CreateGroups(ctx, groups) }))
	s.must(s.store.SetRoleGroup(ctx, store.RoleGroup{EnvironmentID: s.env.ID, GroupID: groups[1].ID, Role: store.RoleOwner}))
	v.get(path).has("2 just-in-time groups go with it", "chiefs : Owner", "although groups go with it").lacks("plain", "user type", "No user depends")
	v.post(path).is(http.StatusConflict).has("Nothing was deleted")
	for _, subject := range []string{"a", "b"} {
		l := store.LinkedAccount{EnvironmentID: s.env.ID, ProviderID: f.saml.ID, UserID: f.user.ID, Subject: store.Subject{ID: subject}}
		s.must(s.store.LinkAccount(ctx, &l))
	}
	page := v.get(path).has("1 user is linked to it", "neither a gateway nor another identity provider").lacks("linked elsewhere", "user type")
	if strings.Count(page.body, "/console/users/"+f.user.ID) != 1 {
		t.Error("a user with two links is there twice")
	}
	v.follow(v.post(path, "force", "yes")).has("was deleted")
}

// settingsOf is the form of a provider as its page has it.
func (v *visitor) settingsOf(p store.IdentityProvider) []string {
	v.t.Helper()
	o := p.Config.OIDC
	return []string{
		"seen", v.seen("/console/providers/" + p.ID), "name", p.Name, "issuer", o.Issuer, "clientId", o.ClientID,
		"scopes", "openid", "authorize", "https://idp.example.com/a", "token", "https://idp.example.com/t",
		"jwks", "https://idp.example.com/k", "auth", "CLIENT_SECRET_BASIC", "pkce", "S256", "secret", "s",
	}
}

// seen reads when a page was shown.
func (v *visitor) seen(path string) string {
	v.t.Helper()
	_, after, _ := strings.Cut(v.get(path).body, `name="seen" value="`)
	seen, _, _ := strings.Cut(after, `"`)
	return seen
}

// mappable has a provider that the console can save.
func (s *site) mappable(f filled) store.IdentityProvider {
	s.t.Helper()
	f.openID.Mappings = f.openID.Mappings[:1]
	f.openID.Config.Domains = nil
	s.must(s.store.UpdateIdentityProvider(s.t.Context(), &f.openID))
	return f.openID
}

// TestIssuerOfOthers asks what becomes of whom is linked, and keeps what was typed.
func TestIssuerOfOthers(t *testing.T) {
	s := open(t)
	v := s.admin()
	p := s.mappable(s.fill(s.env.ID, ""))
	path := "/console/providers/" + p.ID
	v.follow(v.post(path, v.settingsOf(p)...)).lacks("The same subjects are there")
	form := v.settingsOf(p)
	form[slices.Index(form, "issuer")+1] = "https://other.example.com"
	v.post(path, form...).is(http.StatusUnprocessableEntity).
		has("People linked so far: 1", "The same subjects are there", "https://other.example.com")
	v.follow(v.post(path, append(form, "links", "keep")...)).has("Saved", "https://other.example.com")
	form[slices.Index(form, "issuer")+1] = "https://third.example.com"
	form[1] = v.seen(path)
	v.follow(v.post(path, append(form, "links", "drop")...)).has("Saved")
	if n, err := s.store.LinkedUsers(t.Context(), s.env.ID, p.ID); err != nil || n != 0 {
		t.Errorf("%d %v", n, err)
	}
}

// TestMappingsOfTwo are told apart: who saves second is told, and keeps what they typed.
func TestMappingsOfTwo(t *testing.T) {
	s := open(t)
	v := s.admin()
	p := s.mappable(s.fill(s.env.ID, ""))
	path := "/console/providers/" + p.ID
	v.follow(v.post(path, v.settingsOf(p)...))
	lines := func(seen, name string) []string {
		return []string{
			"seen", seen,
			"name0", "username", "value0", "${providerAttributes.sub}", "update0", "EMPTY_ONLY",
			"name1", name, "value1", "${providerAttributes.x}", "update1", "ALWAYS",
		}
	}
	first := v.seen(path)
	v.follow(v.post(path+"/mappings", lines(first, "email")...)).has("The mappings are saved")
	second := v.post(path+"/mappings", lines(first, "phone")...).is(http.StatusUnprocessableEntity).has("changed meanwhile", "phone")
	if now, err := s.store.IdentityProvider(t.Context(), s.env.ID, p.ID); err != nil || now.Mappings[1].Name != "email" {
		t.Errorf("%+v %v", now.Mappings, err)
	}
	_, after, _ := strings.Cut(second.body, `name="seen" value="`)
	again, _, _ := strings.Cut(after, `"`)
	v.follow(v.post(path+"/mappings", lines(again, "phone")...)).has("The mappings are saved")
	core := lines(v.seen(path), "phone")
	core[3] = ""
	v.post(path+"/mappings", core...).is(http.StatusUnprocessableEntity).has("username is a core one")
}

// TestSecondAccount is refused beside its field, on the page of the user.
func TestSecondAccount(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	path := "/console/users/" + f.user.ID
	v.post(path+"/accounts", "provider", f.openID.ID, "subject", "another").is(http.StatusUnprocessableEntity).
		has("alice", "Not linked", "The user has an account at Partner already", "another")
	v.post(path+"/accounts", "provider", f.saml.ID, "subject", strings.Repeat("x", 2000)).is(http.StatusUnprocessableEntity).
		has("alice", "State the subject")
	v.follow(v.post(path+"/accounts", "provider", f.saml.ID, "subject", "another")).has("The account was linked")
	bob := store.User{EnvironmentID: s.env.ID, PopulationID: f.population.ID, Username: "bob", Enabled: true}
	s.must(s.store.CreateUser(t.Context(), &bob))
	v.post("/console/users/"+bob.ID+"/accounts", "provider", f.saml.ID, "subject", "another").is(http.StatusUnprocessableEntity).
		has("bob", "A user is linked to this subject already")
}

// TestNewSAMLProviderTellsWhatToEnter before the other side's metadata can be had.
func TestNewSAMLProviderTellsWhatToEnter(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	for _, preset := range []string{"saml", "okta-saml", "entra-saml", "adfs"} {
		v.get("/console/providers/new?preset="+preset).has("/"+s.env.ID+"/saml20/sp/acs", "/"+s.env.ID+"/saml20/sp ")
	}
	v.get("/console/providers/" + f.saml.ID).has("have both").lacks("follow it")
}

// TestKeptSAMLProviderTellsOfItsKey, which it wants to know.
func TestKeptSAMLProviderTellsOfItsKey(t *testing.T) {
	s := open(t)
	v := s.admin()
	good := string(idptest.Metadata(idptest.NewPair(s.clock().Add(time.Hour))))
	signed := strings.Replace(good, "<md:IDPSSODescriptor ", `<md:IDPSSODescriptor WantAuthnRequestsSigned="1" `, 1)
	v.follow(v.post("/console/providers", "preset", "saml", "name", "Plain", "metadata", good)).lacks("a key was made")
	v.follow(v.post("/console/providers", "preset", "saml", "name", "Signed", "metadata", signed)).has("a key was made")
	expired := strings.Replace(good, "entityID=", `validUntil="2001-01-01T00:00:00Z" entityID=`, 1)
	v.post("/console/providers", "preset", "saml", "name", "Old", "metadata", expired).is(http.StatusUnprocessableEntity).
		has("The metadata could not be used", "it was valid until 2001")
}

// TestSecretEnds on a day that the administrator states.
func TestSecretEnds(t *testing.T) {
	s := open(t)
	v := s.admin()
	p := s.mappable(s.fill(s.env.ID, ""))
	path := "/console/providers/" + p.ID
	v.follow(v.post(path, append(v.settingsOf(p), "secretEnds", "2027-01-31")...)).has("2027-01-31")
	v.follow(v.post(path, v.settingsOf(p)...)).has("2027-01-31")
	v.post(path, append(v.settingsOf(p), "secretEnds", "soon")...).is(http.StatusUnprocessableEntity).has("State the day")
	v.follow(v.post(path, append(v.settingsOf(p), "secretEnds", "")...)).lacks("2027-01-31")
}

// TestMappingsTellWhatDidNotCome at the last sign-on, by the names of claims alone.
func TestMappingsTellWhatDidNotCome(t *testing.T) {
	s := open(t)
	f := s.fill(s.env.ID, "")
	p := f.openID
	p.Mappings = append(p.Mappings[:1], store.ProviderMapping{Name: "email", Value: "${providerAttributes.mail} ${providerAttributes.phone}"})
	s.must(s.store.UpdateIdentityProvider(t.Context(), &p))
	v := s.admin()
	came := func(names ...string) {
		s.must(s.store.SeeProvider(t.Context(), s.env.ID, p.ID, func(h *store.ProviderHealth) { h.Names = names }))
	}
	path := "/console/providers/" + p.ID
	came("sub")
	v.get(path).has("The last sign-on did not bring mail and phone").lacks("did not bring sub")
	came("sub", "mail")
	v.get(path).has("did not bring phone")
	came("sub", "mail", "phone")
	v.get(path).lacks("did not bring")
	came()
	v.get(path).lacks("did not bring")
}

// TestCopyButtons are there with scripts alone, one for each text to be entered elsewhere.
func TestCopyButtons(t *testing.T) {
	s := open(t)
	f := s.fill(s.env.ID, "")
	s.admin()
	count := `document.querySelectorAll("dd.take + dd button").length`
	for _, scripts := range []bool{true, false} {
		w := s.window()
		if scripts {
			w = s.open(func(context.Context, *chromedp.Target) error { return nil })
		}
		w.at("/console/sign-in").fill("name", "admin").fill("password", password).press("form button")
		for path, want := range map[string]int{
			"/console/providers/" + f.openID.ID:   2,
			"/console/providers/" + f.saml.ID:     3,
			"/console/providers/new?preset=entra": 1,
		} {
			w.at(path)
			if got, err := chromedp.Run(w.ctx, chromedp.Evaluate[int](count)); err != nil || scripts && got != want || !scripts && got != 0 {
				t.Errorf("%s, scripts %t: %d buttons, %v", path, scripts, got, err)
			}
		}
		if scripts {
			w.must(chromedp.Do(w.ctx, chromedp.Click(chromedp.CSS("dd.take + dd button"))))
			_, err := chromedp.Run(w.ctx, chromedp.Poll[bool](`document.querySelector("dd.take + dd [role=status]").textContent === " Copied."`))
			s.must(err)
		}
		w.mu.Lock()
		if len(w.complaints) > 0 {
			t.Errorf("the browser complains: %q", w.complaints)
		}
		w.mu.Unlock()
	}
}

// TestMovedRedirectURIIsTold, and another save tells nothing.
func TestMovedRedirectURIIsTold(t *testing.T) {
	s := open(t)
	f := s.fill(s.env.ID, "")
	p := s.mappable(f)
	other := store.IdentityProvider{EnvironmentID: s.env.ID, Name: "Other", Type: store.OpenIDConnect}
	other.Config.OIDC = &store.OIDCConfig{Issuer: "https://other.example.com", TokenEndpoint: "https://other.example.com/t"}
	s.must(s.store.CreateIdentityProvider(t.Context(), &other))
	v := s.admin()
	const told = "Its redirect URI is another one now"
	path := "/console/providers/" + p.ID
	v.follow(v.post(path, v.settingsOf(p)...)).has(told, "/rp/callback/openid_connect/"+p.ID)
	v.follow(v.post(path, v.settingsOf(p)...)).has("Saved").lacks(told)
}
