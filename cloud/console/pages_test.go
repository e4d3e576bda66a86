package console_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"ldap-gateway/cloud/console"
	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloudlink/wire"
)

// at fills the IDs of f into a pattern, and returns its method and path.
func (f filled) at(pattern string) (method, path string) {
	method, path, _ = strings.Cut(pattern, " ")
	return method, strings.NewReplacer("providers/{p}", "providers/"+f.saml.ID, "certificates/{id}", "certificates/"+f.certificate.ID,
		"accounts/{id}", "accounts/"+f.link.ID, "{$}", "", "{g}", f.gateway.ID, "{t}", f.gateway.UserTypes[0].ID, "{i}", f.instance.ID,
		"own/{id}", "own/"+f.key.ID, "channels/{id}", "channels/"+url.PathEscape(f.channel.ID),
		"keys/{id}", "keys/"+f.keys.ID, "administrators/{id}", "administrators/"+f.admin.ID, "clients/{id}", "clients/"+f.client.ID, "{id}", f.pairing.ID, "{a}", f.application.ID, "{u}", f.user.ID, "{p}", f.population.ID, "{page}", "concepts", "{group}", f.jit.ID, "{policy}", f.policy.ID).Replace(path)
}

// connect makes the instance of f live, with everything that an agent can say.
func (s *site) connect(f filled, mark string) {
	s.links.live = append(s.links.live, hub.Live{
		Instance: f.instance.ID,
		Gateway:  f.gateway.ID,
		Since:    s.clock(),
		Policy:   []string{"only below dc=example" + mark},
		Refused:  []wire.Refused{{ID: f.gateway.UserTypes[0].ID, Reasons: []string{"search base is not allowed" + mark}}},
		Beat: wire.Heartbeat{
			BusyPercent:         12,
			OperationsPerSecond: 3.5,
			ResponseTimeMillis:  8.25,
			Servers: []wire.Server{{
				URL:    "ldaps://dc1" + mark,
				State:  "up",
				Vendor: "OpenLDAP" + mark,
			}, {URL: "ldaps://dc2" + mark, State: "down", Error: "refused" + mark}},
			Problems: []wire.Problem{{
				Code:   "CLOCK" + mark,
				Text:   "The clock is wrong" + mark,
				Remedy: "Set it" + mark,
			}},
		},
	})
}

func TestEveryPageOfAnEmptyEnvironment(t *testing.T) {
	s := open(t)
	v := s.admin()
	for path, says := range map[string]string{
		"/console/":                  "Make a gateway",
		"/console/gateways":          "No gateway yet",
		"/console/users":             "No users yet",
		"/console/groups":            "No groups yet",
		"/console/populations":       "Default",
		"/console/gateways/new":      "New gateway",
		"/console/users?q=x":         "Nobody has “x” in a name",
		"/console/groups?q=x":        "No group is like that",
		"/console/activity?action=x": "Nothing like that happened",
	} {
		v.get(path).is(http.StatusOK).has(says)
	}
	v.get("/console/nothing").is(http.StatusNotFound).has("There is nothing here")
	v.get("/console/users?cursor=x").is(http.StatusBadRequest).has("Start the list anew")
}

// hostile is a text that is dangerous in every place of a page.
const hostile = `"'><script>alert(1)</script><img src=x onerror=alert(1)> javascript:alert(1) </textarea></title>{{.}}`

func TestEveryPageShowsHostileTextAsText(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, hostile)
	s.connect(f, hostile)
	openPages, closed := console.Routes()
	for _, pattern := range append(openPages, closed...) {
		method, path := f.at(pattern)
		if method != "GET" || path == "/console/" || strings.HasPrefix(path, "/console/activity/") || strings.HasSuffix(path, "/export") {
			continue // the first leads elsewhere, and what activity and exports send is no page
		}
		a := v.get(path + "?e=" + s.env.ID + "&next=" + urlOf(hostile) + "&name=" + urlOf(hostile) + "&q=" + urlOf(hostile))
		if harmless(t, a); strings.HasSuffix(path, ".png") || a.status == http.StatusSeeOther {
			continue // a picture, or somewhere else
		}
		if a.is(http.StatusOK); !strings.Contains(a.body, "</html>") {
			t.Errorf("%s: cut off", path)
		}
		harmless(t, v.get(path))
	}
	harmless(t, v.get("/console/activity?subject=user:"+f.user.ID).
		has("alice joined backend"+blanks.ReplaceAllString(hostile, " ")))
	harmless(t, v.get("/console/"+urlOf(hostile)))
	gateway := v.get("/console/gateways/" + f.gateway.ID)
	gateway.has(
		"The clock is wrong",
		"CLOCK",
		"Set it",
		"ldaps://dc2",
		"search base is not allowed",
		"only below dc=example",
		"Degraded",
		"12 % busy",
		"8.2 ms",
		"old.example.com",
		"192.0.2.7",
	)
}

var (
	dangerous = regexp.MustCompile(`(?i)<script|<img src=x|<[^>]* on[a-z]+=|<[^>]* (href|action|formaction|src)="?'?\s*javascript:|style=`)
	ours      = regexp.MustCompile(`<script src="/console/static/[a-z]+\.[0-9a-f]{16}\.js" defer></script>`)
	testPage  = regexp.MustCompile(`^(https://id\.example\.com)?/[0-9a-f-]{36}/(signon(/ticket|\?then=console)?|saml20/idp/startsso\?spEntityId=(%|&#43;|[\w.-])*)$`)
	quoted    = regexp.MustCompile(`"[^"]*"`)
	targets   = regexp.MustCompile(`(?i)(?:href|action|formaction|src)="([^"]*)"`)
)

// harmless fails when a page has markup that did not come from a template.
func harmless(t *testing.T, a answer) {
	t.Helper()
	bare := quoted.ReplaceAllString(ours.ReplaceAllString(a.body, ""), `""`)
	if found := dangerous.FindString(bare); found != "" {
		t.Errorf("%s: %q is in the page", a.what, found)
	}
	for _, m := range targets.FindAllStringSubmatch(a.body, -1) {
		if !strings.HasPrefix(m[1], "/console/") && m[1] != "#main" && !testPage.MatchString(m[1]) {
			t.Errorf("%s leads to %q", a.what, m[1])
		}
	}
}

func TestHeadersAllowNoScriptButOurs(t *testing.T) {
	s := open(t)
	v := s.visitor()
	for _, path := range []string{"/console/sign-in", "/console/gateways", "/console/static/none.css"} {
		h := v.get(path).header
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
			"X-Content-Type-Options":  "nosniff",
			"Cache-Control":           "no-store",
			"Referrer-Policy":         "same-origin",
		} {
			if h.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, h.Get(name))
			}
		}
	}
}

func TestStaticFilesAreKeptForEver(t *testing.T) {
	s := open(t)
	v := s.visitor()
	page := v.get("/console/sign-in").body
	for _, file := range regexp.MustCompile(`/console/static/[^"]+`).FindAllString(page, -1) {
		a := v.get(file).is(http.StatusOK)
		if !regexp.MustCompile(`\.[0-9a-f]{16}\.(css|svg|js)$`).MatchString(file) ||
			!strings.Contains(a.header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %q", file, a.header)
		}
		r, err := http.NewRequest("GET", s.url+file, nil)
		s.must(err)
		r.Header.Set("If-None-Match", a.header.Get("ETag"))
		v.do(r).is(http.StatusNotModified)
	}
	v.get("/console/static/console.0000000000000000.css").is(http.StatusNotFound)
}

func TestEverythingElseNeedsASession(t *testing.T) {
	s := open(t)
	f := s.fill(s.env.ID, "")
	v := s.visitor()
	_, closed := console.Routes()
	for _, pattern := range closed {
		method, path := f.at(pattern)
		a := v.post(path)
		if method == "GET" {
			a = v.get(path)
		}
		a.is(http.StatusSeeOther)
		if to := a.header.Get("Location"); !strings.HasPrefix(to, "/console/sign-in") {
			t.Errorf("%s leads to %s", pattern, to)
		}
	}
	if _, err := s.store.Gateway(t.Context(), s.env.ID, f.gateway.ID); err != nil {
		t.Error(err)
	}
}

func TestAnotherEnvironmentCannotBeReached(t *testing.T) {
	s := open(t)
	other := s.newEnvironment("Other", "eve")
	f := s.fill(s.env.ID, " of ours")
	mine := s.fill(other.ID, " of theirs")
	eve := s.signIn("eve")
	_, closed := console.Routes()
	for _, pattern := range closed {
		method, path := f.at(pattern)
		// The handbook is everybody's, and has nothing of an environment.
		if !strings.Contains(strings.NewReplacer("{$}", "", "{page}", "").Replace(pattern), "{") {
			if method == "GET" && !strings.HasSuffix(path, "/live") {
				eve.get(path).lacks("of ours")
			}
			continue
		}
		for _, p := range mixed(pattern, f, mine) {
			if method == "GET" {
				eve.get(p).is(http.StatusNotFound).lacks("of ours")
			} else {
				eve.post(p, "force", "yes", "enabled", "no", "name", "x").is(http.StatusNotFound)
			}
		}
	}
	eve.get("/console/activity?subject=gateway:" + f.gateway.ID).has("Nothing like that happened")
	g, err := s.store.Gateway(t.Context(), s.env.ID, f.gateway.ID)
	if err != nil || !g.Enabled || len(g.UserTypes) != 1 {
		t.Errorf("%+v %v", g, err)
	}
	if len(s.links.told) > 0 {
		t.Errorf("the hub was told %q", s.links.told)
	}
}

// mixed returns the path of a pattern with all IDs of another environment, and
// with only the last of them.
func mixed(pattern string, theirs, mine filled) []string {
	_, all := theirs.at(pattern)
	last := pattern[strings.LastIndexByte(pattern, '{'):]
	_, front := mine.at(strings.TrimSuffix(pattern, last))
	_, back := theirs.at("x " + last)
	return []string{all, front + back}
}
