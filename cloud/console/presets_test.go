package console_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"ldap-gateway/cloud/presets"
	"ldap-gateway/cloud/store"
)

// TestApplicationsByPreset makes one by each preset: the form is filled in, the lines are
// shown, and they have the secret while it is shown and no longer.
func TestApplicationsByPreset(t *testing.T) {
	s := open(t)
	v := s.admin()
	for _, p := range presets.All() {
		address := "https://" + p.ID + ".example"
		if p.Type == store.NativeApplication {
			address = p.At
		}
		marked(t, v.get("/console/applications/new?preset="+p.ID+"&address="+url.QueryEscape(address)),
			address+p.Redirects[0], `value="`+p.ID+`"`)
		var a store.Application
		p.Fill(&a, address)
		marked(t, v.follow(v.post("/console/applications", "name", p.ID, "type", a.Type, "groups", "NAMES", "preset", p.ID,
			"enforcement", a.PKCE(), "redirects", strings.Join(a.RedirectURIs, "\n"),
			"signoffs", strings.Join(a.SignOffURIs, "\n"), "enabled", "yes")),
			"Saved.", `id="lines"`, "/"+s.env.ID+"/as")
		all, _, err := s.store.Applications(t.Context(), s.env.ID, store.Page{})
		s.must(err)
		i := slices.IndexFunc(all, func(a store.Application) bool { return a.Name == p.ID })
		if i < 0 || all[i].OpenID.Preset != p.ID || all[i].PKCE() != a.PKCE() {
			t.Fatalf("%s: %+v", p.ID, all)
		}
		if a.Public() {
			continue
		}
		shown := v.post("/console/applications/" + all[i].ID + "/secret").is(http.StatusOK).body
		_, after, _ := strings.Cut(shown, `<pre id="secret">`)
		secret, _, _ := strings.Cut(after, "<")
		if strings.Count(shown, secret) != 2 {
			t.Errorf("%s: the secret is in the page %d times", p.ID, strings.Count(shown, secret))
		}
		v.get("/console/applications/" + all[i].ID).lacks(secret).has("SECRET")
	}
	v.get("/console/applications/new?preset=none").has("New application")
}

// marked fails unless a page has texts, with its marks.
func marked(t *testing.T, p answer, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(p.body, text) {
			t.Errorf("%s is not in the page:\n%.3000s", text, p.body)
		}
	}
}

// TestApplicationSettings: what the form says of PKCE, e-mail and bytes is kept, and what
// cannot be is said beside the field.
func TestApplicationSettings(t *testing.T) {
	s := open(t)
	v := s.admin()
	form := func(more ...string) []string {
		return append([]string{"name", "Wiki", "type", "WEB_APP", "groups", "NAMES", "redirects", "https://x.example/"}, more...)
	}
	kept := v.post("/console/applications", form("enforcement", "OPTIONAL", "verified", "yes", "bytes", "0")...)
	marked(t, v.follow(kept), "Saved.", `<option value="OPTIONAL" selected>`, `name="bytes" value="0"`, `value="yes" checked`)
	for bytes, said := range map[string]string{"x": "from 0 to", "-1": "from 0 to", "999999": "from 0 to"} {
		marked(t, v.post("/console/applications", form("bytes", bytes)...).is(http.StatusUnprocessableEntity),
			said, `name="bytes" value="`+bytes+`"`)
	}
	v.post("/console/applications", "name", "Page", "type", "SINGLE_PAGE_APP", "groups", "NAMES", "redirects", "https://x.example/",
		"enforcement", "OPTIONAL").is(http.StatusUnprocessableEntity).has("PKCE is all that proves it")
}

// TestSharedNamesAreShown: an application that mistakes groups of two sources is marked in the
// list and on its page, which names them with their source; one that tells them apart is not.
func TestSharedNamesAreShown(t *testing.T) {
	s := open(t)
	v := s.admin()
	hq := store.Gateway{EnvironmentID: s.env.ID, Name: "Head <office>", Vendor: "OpenLDAP"}
	s.must(s.store.CreateGateway(t.Context(), &hq))
	s.must(s.store.CreateGroup(t.Context(), &store.Group{EnvironmentID: s.env.ID, Name: "cn=both,dc=x"}))
	s.must(s.store.Provision(t.Context(), func(tx *store.Tx) error {
		return tx.CreateGroups(t.Context(), []*store.Group{
			{EnvironmentID: s.env.ID, Name: "cn=both,dc=x", SourceType: store.SourceGateway, SourceID: hq.ID},
			{EnvironmentID: s.env.ID, Name: "cn=alone,dc=x", SourceType: store.SourceGateway, SourceID: hq.ID},
		})
	}))
	for value, told := range map[string]bool{"NAMES": true, "IDS": false} {
		a := store.Application{
			EnvironmentID: s.env.ID, Name: value, Type: store.WebApplication, Enabled: true,
			RedirectURIs: []string{"https://x.example/"}, Groups: store.GroupsClaim{Value: value},
		}
		s.must(s.store.CreateApplication(t.Context(), &a))
		page := v.get("/console/applications/" + a.ID).is(http.StatusOK).body
		if strings.Contains(page, "Groups of two sources") != told || strings.Contains(page, ">cn=both,dc=x</a>") != told ||
			strings.Contains(page, ">cn=alone,dc=x</a>") {
			t.Errorf("%s: %.4000s", value, page)
		}
	}
	if n := strings.Count(v.get("/console/applications").body, "two sources share names"); n != 1 {
		t.Errorf("%d are marked in the list", n)
	}
}
