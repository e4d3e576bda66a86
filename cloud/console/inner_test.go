package console

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloud/signon"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloudlink/wire"
)

func TestGuesses(t *testing.T) {
	now := time.Now()
	c := &console{Server: &Server{Now: func() time.Time { return now }}}
	c.guesses.Length = guessWindow
	ada := guess{"password", "ada", "192.0.2.1"}
	for range guessLimit {
		if wait := c.try(ada); wait != 0 {
			t.Fatal(wait)
		}
	}
	now = now.Add(time.Minute)
	if wait := c.try(ada); wait != guessWindow-time.Minute {
		t.Error(wait)
	}
	for _, other := range []guess{
		{"password", "ada", "192.0.2.2"},
		{"password", "bob", "192.0.2.1"},
		{"set-up secret", "ada", "192.0.2.1"},
	} {
		if wait := c.try(other); wait != 0 {
			t.Errorf("%+v waits %s", other, wait)
		}
	}
	c.right(ada)
	if wait := c.try(ada); wait != 0 {
		t.Error(wait)
	}
	for i := range addressLimit {
		c.try(guess{"password", fmt.Sprint(i), "192.0.2.9"})
	}
	if c.try(guess{"password", "one more", "192.0.2.9"}) == 0 {
		t.Error("an address tries any number of names")
	}
}

func TestHealthOfAGateway(t *testing.T) {
	g := store.Gateway{UserTypes: []store.UserType{{ID: "t", Name: "People"}}}
	paired := []store.Instance{{ID: "a"}, {ID: "b"}, {ID: "gone", RevokedAt: time.Now()}}
	up := func(id string) hub.Live { return hub.Live{Instance: id} }
	sick := hub.Live{Instance: "b", Beat: wire.Heartbeat{Servers: []wire.Server{{URL: "ldaps://x", State: "down"}}}}
	with := func(id, severity string) hub.Live {
		return hub.Live{Instance: id, Beat: wire.Heartbeat{Problems: []wire.Problem{{Code: "x", Severity: severity}}}}
	}
	picky := hub.Live{Instance: "b", Refused: []wire.Refused{{ID: "t"}, {ID: "unknown"}}}
	for _, c := range []struct {
		all       []store.Instance
		live      []hub.Live
		word, why string
	}{
		{nil, nil, "UNHEALTHY", "no instance is paired yet"},
		{paired[2:], []hub.Live{up("gone")}, "UNHEALTHY", "no instance is paired yet"},
		{paired, nil, "UNHEALTHY", "no instance is connected"},
		{paired, []hub.Live{up("a")}, "DEGRADED", "1 of 2 instances connected"},
		{paired, []hub.Live{up("a"), sick}, "DEGRADED", "1 of 2 instances with problems"},
		{paired, []hub.Live{up("a"), picky}, "DEGRADED", "1 of 2 instances with problems"},
		{paired, []hub.Live{up("a"), with("b", "error")}, "DEGRADED", "1 of 2 instances with problems"},
		{paired, []hub.Live{with("a", "error"), with("b", "error")}, "UNHEALTHY", "nobody can sign on through any of 2 instances"},
		{paired, []hub.Live{up("a"), with("b", "warning")}, "DEGRADED", "1 of 2 instances with problems"},
		{paired, []hub.Live{up("a"), with("b", "info")}, "HEALTHY", "2 instances connected"},
		{paired, []hub.Live{up("a"), up("b")}, "HEALTHY", "2 instances connected"},
	} {
		instances, _ := instancesOf(g, c.all, c.live)
		if h := healthOf(instances); h.Word != c.word || h.Why != c.why {
			t.Errorf("%s, %s; want %s, %s", h.Word, h.Why, c.word, c.why)
		}
	}
	instances, revoked := instancesOf(g, paired, []hub.Live{picky})
	if len(revoked) != 1 || instances[1].Refused[0].Name != "People" || instances[1].Refused[1].Name != "unknown" {
		t.Errorf("%+v", instances)
	}
}

func TestSessionsEndByThemselves(t *testing.T) {
	s := sessionsOf(&Server{})
	if s.IdleTimeout != 30*time.Minute || s.Lifetime != 12*time.Hour || s.Cookie.Persist {
		t.Errorf("%+v", s)
	}
}

// The form shows a template that is one attribute as that attribute, and keeps
// every other as it is.
func TestTemplatesAreTypedAsAttributes(t *testing.T) {
	for template, typed := range map[string]string{
		"${ldapAttributes.mail}":                  "mail",
		"${ldapAttributes.a} ${ldapAttributes.b}": "${ldapAttributes.a} ${ldapAttributes.b}",
		"": "",
	} {
		if short(template) != typed || long(typed) != template {
			t.Errorf("%q: %q, %q", template, short(template), long(typed))
		}
	}
}

// Every value that a fault can be of has its field in a form.
func TestEveryFaultHasItsField(t *testing.T) {
	for _, field := range fault.Fields() {
		if fields[field] == "" {
			t.Errorf("%q is shown beside nothing", field)
		}
	}
	if len(fields) != len(fault.Fields()) {
		t.Errorf("%d fields for %d values", len(fields), len(fault.Fields()))
	}
}

// TestUsernamesComeThroughTheForm, and the order warns of gateways that see each other's.
func TestUsernamesComeThroughTheForm(t *testing.T) {
	u := store.UserType{Name: "Staff", Usernames: []string{"*@example.com", `CORP\*`}}
	typed := formOf(store.Gateway{}, u)
	if got := readUserType(url.Values{"name": {"Staff"}, "usernames": {typed.Usernames}}).value(); !slices.Equal(got.Usernames, u.Usernames) {
		t.Errorf("%q", got.Usernames)
	}
	route := func(gateway string, on bool, usernames ...string) signon.Route {
		return signon.Route{
			Gateway:  store.Gateway{Name: gateway, Enabled: on},
			UserType: store.UserType{Usernames: usernames},
		}
	}
	for want, routes := range map[string][]signon.Route{
		"":    {route("a", true), route("a", true), route("b", false), route("c", true, "*@c")},
		"a b": {route("a", true), route("b", true), route("c", true, "*@c"), route("a", true)},
	} {
		if got := strings.Join(shared(routes), " "); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestDaysAreReadBack: what is shown of how long things are kept is read as it was.
func TestDaysAreReadBack(t *testing.T) {
	for typed, want := range map[string]int{"": 0, "0": store.Forever, "30": 30, "-1": wrongDays, "x": wrongDays, "1.5": wrongDays} {
		k := &call{Request: &http.Request{PostForm: url.Values{"d": {typed}}}}
		got := k.days("d")
		if got != want {
			t.Errorf("%q is read as %d", typed, got)
		}
		if shown := (settingsPage{}).ShownDays(got); got != wrongDays && shown != typed {
			t.Errorf("%q is shown as %q", typed, shown)
		}
	}
}
