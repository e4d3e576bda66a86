package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/administrators"
	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloud/signon"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/storetest"
	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloudlink/wire"
)

// guesser is a console whose tries are counted in a store.
type guesser struct {
	*testing.T
	*console
	now time.Time
}

func newGuesser(t *testing.T) *guesser {
	t.Helper()
	db, err := store.Open(t.Context(), storetest.File(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	g := &guesser{T: t, now: time.Now()}
	now := func() time.Time { return g.now }
	proofs := &administrators.Authenticator{Store: db, Now: now}
	g.console = &console{Server: &Server{Store: db, Now: now, Proofs: proofs}}
	g.guesses.Length = guessWindow
	return g
}

func (g *guesser) call() *call {
	return &call{
		Request: httptest.NewRequestWithContext(g.Context(), "POST", "/", nil),
		w:       httptest.NewRecorder(),
		console: g.console,
	}
}

func (g *guesser) wait(one guess) time.Duration {
	g.Helper()
	wait, err := g.count(g.call(), one, g.now)
	if err != nil {
		g.Fatal(err)
	}
	return wait
}

func TestGuesses(t *testing.T) {
	c := newGuesser(t)
	ada := guess{Guess: administrators.Guess{Proof: administrators.Password}, name: "ada", network: "192.0.2.1"}
	for range guessLimit {
		if wait := c.wait(ada); wait != 0 {
			t.Fatal(wait)
		}
	}
	c.now = c.now.Add(time.Minute)
	if wait := c.wait(ada); wait != guessWindow-time.Minute {
		t.Error(wait)
	}
	for _, other := range []guess{
		{Guess: administrators.Guess{Proof: administrators.Password}, name: "ada", network: "192.0.2.2"},
		{Guess: administrators.Guess{Proof: administrators.Password}, name: "bob", network: "192.0.2.1"},
		{Guess: administrators.Guess{Proof: "set-up secret"}, name: "ada", network: "192.0.2.1"},
	} {
		if wait := c.wait(other); wait != 0 {
			t.Errorf("%+v waits %s", other, wait)
		}
	}
	if err := c.right(c.call(), ada); err != nil {
		t.Error(err)
	}
	if wait := c.wait(ada); wait != 0 {
		t.Error(wait)
	}
	for i := range networkLimit {
		c.wait(guess{Guess: administrators.Guess{Proof: administrators.Password}, name: fmt.Sprint(i), network: "192.0.2.9"})
	}
	if c.wait(guess{Guess: administrators.Guess{Proof: administrators.Password}, name: "one more", network: "192.0.2.9"}) == 0 {
		t.Error("a network tries any number of names")
	}
}

// TestOnlyWrongProofsCount: of each proof, by strangers and by known browsers, a try counts when
// something was checked and was wrong; in whatever other way it ends, it is taken back.
func TestOnlyWrongProofsCount(t *testing.T) {
	c := newGuesser(t)
	for i, outcome := range []struct {
		err    error
		counts bool
	}{
		{administrators.ErrProof, true},
		{fmt.Errorf("wrapped: %w", administrators.ErrProof), true},
		{nil, false},
		{throttle.ErrFull, false},
		{fmt.Errorf("wrapped: %w", throttle.ErrFull), false},
		{context.Canceled, false},
		{context.DeadlineExceeded, false},
		{store.ErrUnavailable, false},
		{errors.New("the vault has no key for it"), false},
	} {
		for _, g := range everyGuess(fmt.Sprint("ada", i)) {
			want := 60
			if outcome.counts && g.Known {
				want = 10
			} else if outcome.counts {
				want = guessLimit
			}
			checked := 0
			for range 60 {
				k := c.call()
				ctx, gone := context.WithCancel(k.Context())
				k.Request = k.WithContext(ctx)
				_, err := k.try(g, func() error { checked++; gone(); return outcome.err })
				if !outcome.counts && !errors.Is(err, outcome.err) {
					t.Errorf("%v: %v", outcome.err, err)
				}
			}
			if checked != want {
				t.Errorf("%+v, %v: %d were checked, want %d", g, outcome.err, checked, want)
			}
		}
	}
}

// everyGuess is of every proof of an account, by a stranger and by a known browser.
func everyGuess(account string) (all []guess) {
	network := func() string { return fmt.Sprintf("2001:db8:0:%s%d::/64", account, len(all)) }
	for _, proof := range administrators.Proofs() {
		for _, known := range []bool{false, true} {
			of := administrators.Guess{Proof: proof, Account: account, Known: known}
			all = append(all, guess{of, account, network()})
		}
	}
	return append(all, guess{administrators.Guess{Proof: "set-up secret"}, account, network()})
}

// TestRefusedTriesCountNowhere: who is refused by the tries of all nodes, or because the store
// does not answer, has no fewer tries at this node by that.
func TestRefusedTriesCountNowhere(t *testing.T) {
	c := newGuesser(t)
	ada := guess{administrators.Guess{Proof: administrators.OneTime, Account: "1"}, "ada", "192.0.2.1"}
	checked := 0
	wrong := func() error { checked++; return administrators.ErrProof }
	away := c.call()
	ctx, gone := context.WithCancel(away.Context())
	gone()
	away.Request = away.WithContext(ctx)
	for range 60 {
		if sentence, err := away.try(ada, wrong); err == nil || sentence != "" {
			t.Fatal(sentence, err)
		}
	}
	for i := range 10 {
		other := ada
		other.network = fmt.Sprint("2001:db8:", i, "::/64")
		c.wait(other)
	}
	for range 60 {
		if sentence, err := c.call().try(ada, wrong); err != nil || sentence == "" {
			t.Fatal(sentence, err)
		}
	}
	if err := c.Proofs.ForgetGuesses(t.Context(), "1"); err != nil || checked > 0 {
		t.Fatal(err, checked)
	}
	for range 60 {
		if _, err := c.call().try(ada, wrong); err != nil && !errors.Is(err, administrators.ErrProof) {
			t.Fatal(err)
		}
	}
	if checked != guessLimit {
		t.Errorf("%d were checked", checked)
	}
}

// TestGuessesFromEverywhere: whoever has many networks has no more tries of one account,
// at another node neither, and keeps nobody out by it who signed in by their browser before.
func TestGuessesFromEverywhere(t *testing.T) {
	c := newGuesser(t)
	for kind, most := range map[administrators.Proof]int{administrators.Password: 50, administrators.OneTime: 10} {
		begun := 0
		for i := range 200 {
			if i == 100 {
				c.console = &console{Server: c.Server} // another node
				c.guesses.Length = guessWindow
			}
			if c.wait(guess{administrators.Guess{Proof: kind, Account: "1"}, "ada", fmt.Sprintf("2001:db8:%x::/64", i)}) == 0 {
				begun++
			}
		}
		if begun != most {
			t.Errorf("%d tries of a %s began, want %d", begun, kind, most)
		}
		own := guess{administrators.Guess{Proof: kind, Account: "1", Known: true}, "ada", "192.0.2.1"}
		if wait := c.wait(own); wait != 0 {
			t.Errorf("a known browser waits %s", wait)
		}
		for range 20 {
			c.wait(own)
		}
		if c.wait(own) == 0 {
			t.Error("a known browser tries without end")
		}
		if c.wait(guess{administrators.Guess{Proof: kind, Account: "2"}, "bob", "192.0.2.1"}) != 0 {
			t.Error("another account waits")
		}
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
		{nil, nil, "Unhealthy", "no instance is paired yet"},
		{paired[2:], []hub.Live{up("gone")}, "Unhealthy", "no instance is paired yet"},
		{paired, nil, "Unhealthy", "no instance is connected"},
		{paired, []hub.Live{up("a")}, "Degraded", "1 of 2 instances connected"},
		{paired, []hub.Live{up("a"), sick}, "Degraded", "1 of 2 instances with problems"},
		{paired, []hub.Live{up("a"), picky}, "Degraded", "1 of 2 instances with problems"},
		{paired, []hub.Live{up("a"), with("b", "error")}, "Degraded", "1 of 2 instances with problems"},
		{paired, []hub.Live{with("a", "error"), with("b", "error")}, "Unhealthy", "nobody can sign on through 2 paired instances"},
		{paired, []hub.Live{up("a"), with("b", "warning")}, "Degraded", "1 of 2 instances with problems"},
		{paired, []hub.Live{up("a"), with("b", "info")}, "Healthy", "2 instances connected"},
		{paired, []hub.Live{up("a"), up("b")}, "Healthy", "2 instances connected"},
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
